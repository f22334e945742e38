export { type Curves, type CurvesOptions, curvesSvg, curvesText } from './curves.js';
export { type GraphOptions, graphDot, graphSvg } from './graph.js';
export { type ModuleCall, type ModuleCalls, recordModules } from './modules.js';
export { type Displayed, inline, showTables, tensorHtml } from './notebook.js';
export { recordPerformance } from './performance.js';
export { policiesTable } from './policies.js';
export { type Progress, type ProgressOptions, progress } from './progress.js';
export { recordTimeline, type TimelineEntry, timelineSvg } from './timeline.js';
