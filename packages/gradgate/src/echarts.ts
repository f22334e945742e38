import * as echarts from 'echarts';
import { printable } from './text.js';

/** A chart drawn without a page, as SVG. */
export function renderSvg(width: number, height: number, option: object): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: '#ffffff', ...option });
    return printable(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}
