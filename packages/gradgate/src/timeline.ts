import { type ObservedCall, observeGradModes } from '@gradgate/core';
import { renderSvg } from './echarts.js';

/** A guarded call, with its times in milliseconds from the start of the recording. */
export interface TimelineEntry extends ObservedCall {
  readonly start: number;
  /** When it ended; for a promise, when that settled. */
  readonly end: number;
  /** Calls that overlap in time without one containing the other are in different lanes: flows side by side. */
  readonly lane: number;
  /** How many calls of the same lane it is within. */
  readonly depth: number;
}

interface Open extends ObservedCall {
  start: number;
  end: number;
}

/** Records every guarded call until `stop()`, which gives them in the order of their beginnings. */
export function recordTimeline(): { stop(): TimelineEntry[] } {
  const calls: Open[] = [];
  const from = performance.now();
  const now = () => performance.now() - from;
  const before = observeGradModes((call) => {
    const end = before?.(call);
    const entry: Open = { ...call, start: now(), end: Number.POSITIVE_INFINITY };
    calls.push(entry);
    return () => {
      entry.end = now();
      end?.();
    };
  });
  return {
    stop() {
      observeGradModes(before);
      const last = now();
      for (const call of calls) call.end = Math.min(call.end, last);
      return lanes(calls);
    },
  };
}

/** Puts each call into the first lane where it lies within the calls that are open there. */
function lanes(calls: readonly Open[]): TimelineEntry[] {
  const open: Open[][] = [];
  return calls.map((call) => {
    let lane = 0;
    for (; ; lane++) {
      open[lane] ??= [];
      const stack = open[lane]!;
      while (stack.length > 0 && stack.at(-1)!.end <= call.start) stack.pop();
      if (stack.length === 0 || stack.at(-1)!.end >= call.end) break;
    }
    const depth = open[lane]!.length;
    open[lane]!.push(call);
    return { ...call, lane, depth };
  });
}

const colours = { on: '#00897b', off: '#ef8a17', inference: '#7e57c2' };
const names = { on: 'gradients on', off: 'gradients off', inference: 'inference mode' };
const modeOf = ({ enabled, inference }: ObservedCall): keyof typeof colours =>
  inference ? 'inference' : enabled ? 'on' : 'off';

/**
 * A timeline as SVG: one row for each method (calls without one stand under their gate), a bar for each call, coloured by
 * the mode inside. Bars whose gate's condition did not hold are pale. Overlapping flows stand one below the other.
 */
export function timelineSvg(entries: readonly TimelineEntry[], { width = 960, title = 'grad modes' } = {}): string {
  const rowOf = (e: TimelineEntry) => `${e.member ?? e.gate}${e.lane > 0 ? ` · flow ${e.lane + 1}` : ''}`;
  const rows = [...new Set(entries.map(rowOf))];
  const first = entries[0]?.start ?? 0;
  const height = 90 + 26 * Math.max(1, rows.length);
  const modes = Object.keys(colours) as (keyof typeof colours)[];
  return renderSvg(width, height, {
    title: { text: title, left: 8, top: 4, textStyle: { fontSize: 14 } },
    // Text is measured without a page, and comes out wider: hence the room.
    legend: { right: 24, top: 4, itemGap: 28, data: modes.map((m) => names[m]) },
    grid: { left: 190, right: 24, top: 40, bottom: 36 },
    xAxis: { type: 'value', name: 'ms', min: 0 },
    yAxis: { type: 'category', data: rows, inverse: true, axisLabel: { width: 175, overflow: 'truncate' } },
    series: modes.map((mode) => ({
      name: names[mode],
      type: 'custom',
      itemStyle: { color: colours[mode] },
      data: entries
        .filter((e) => modeOf(e) === mode)
        .map((e) => ({ value: [e.start - first, rows.indexOf(rowOf(e)), e.end - first, Number(e.held)] })),
      renderItem: (
        _: unknown,
        api: { value(i: number): number; coord(v: number[]): [number, number]; size(v: number[]): number[] },
      ) => {
        const [x, y] = api.coord([api.value(0), api.value(1)]);
        const [end] = api.coord([api.value(2), api.value(1)]);
        const bar = api.size([0, 1])[1]! * 0.6;
        return {
          type: 'rect',
          shape: { x, y: y - bar / 2, width: Math.max(1.5, end - x), height: bar },
          style: { fill: colours[mode], opacity: api.value(3) ? 0.9 : 0.35 },
        };
      },
    })),
  });
}
