import { type ObservedCall, observeGradModes } from '@gradgate/core';
import { check, checkOptions, is, type Kind } from '@gradgate/core/internal';
import { scaleLinear } from 'd3-scale';
import * as chart from './chart.js';
import { pixels } from './chart.js';

/** A guarded call, with its times in milliseconds since the start of the recording. */
export interface TimelineEntry extends ObservedCall {
  /** When the call began, in milliseconds. */
  readonly start: number;
  /** When it ended; for a call that returned a promise, when that settled. */
  readonly end: number;
  /** The index of its lane: calls that overlap in time without one containing the other are in different lanes. */
  readonly lane: number;
  /** How many calls of the same lane enclose it. */
  readonly depth: number;
}

interface Open extends ObservedCall {
  start: number;
  end: number;
}

const recordOptions = { only: is.callback };

/**
 * Records guarded calls until `stop()`, which returns them in the order they started: all, or those for which `only`,
 * called when each starts, returns true.
 */
export function recordTimeline(options?: { only?: (call: ObservedCall) => boolean }): { stop(): TimelineEntry[] } {
  const { only = () => true } = checkOptions('recordTimeline', options, recordOptions);
  const calls: Open[] = [];
  const from = performance.now();
  const now = () => performance.now() - from;
  const before = observeGradModes((call) => {
    const end = before?.(call);
    if (!only(call)) return end ?? (() => {});
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

/** Assigns each call to the first lane whose open calls all contain it. */
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

const colors = { on: '#00897b', off: '#ef8a17', inference: '#7e57c2' };
const names = { on: 'gradients on', off: 'gradients off', inference: 'inference mode' };
const modeOf = ({ enabled, inference }: ObservedCall): keyof typeof colors =>
  inference ? 'inference' : enabled ? 'on' : 'off';

const timelineOptions = { width: pixels, title: is.string };
const anEntry: Kind = {
  text: 'as recordTimeline() gives it',
  is: (v) => {
    const { gate, start, end, lane } = (v ?? {}) as Partial<TimelineEntry>;
    return typeof gate === 'string' && [start, end, lane].every((n) => typeof n === 'number');
  },
};

/**
 * A timeline as SVG: one row for each method (calls without one are listed by their gate), a bar for each call,
 * colored by the mode in it. Calls whose gate's condition was false have pale bars. Overlapping flows are drawn one
 * below the other.
 */
export function timelineSvg(entries: readonly TimelineEntry[], options?: { width?: number; title?: string }): string {
  const { width = 960, title = 'grad modes' } = checkOptions('timelineSvg', options, timelineOptions);
  check('timelineSvg', 'the entries', entries, is.arrayOf(anEntry));
  const rowOf = (e: TimelineEntry) => `${e.member ?? e.gate}${e.lane > 0 ? ` · flow ${e.lane + 1}` : ''}`;
  const rows = [...new Set(entries.map(rowOf))];
  const first = entries[0]?.start ?? 0;
  const height = 90 + 26 * Math.max(1, rows.length);
  const modes = Object.keys(colors) as (keyof typeof colors)[];
  const [left, right, top, bottom] = [190, width - 24, 40, height - 36];
  const row = (bottom - top) / Math.max(1, rows.length);
  const end = Math.max(0.001, ...entries.map((e) => e.end - first));
  const xs = scaleLinear([0, end], [left, right]);
  const parts: string[] = [];
  for (const [value, text] of chart.ticksOf(xs, 8))
    parts.push(
      chart.line(xs(value), top, xs(value), bottom),
      chart.label(xs(value), bottom + 16, text, { anchor: 'middle' }),
    );
  parts.push(chart.label(right, bottom + 31, 'ms', { anchor: 'end' }));
  rows.forEach((name, i) => {
    const fitting = chart.widthOf(name) > 175 ? `${name.slice(0, 24)}…` : name;
    parts.push(chart.label(left - 10, top + (i + 0.5) * row + 4, fitting, { anchor: 'end' }));
  });
  for (const e of entries) {
    const [x, until] = [xs(e.start - first), xs(e.end - first)];
    const y = top + (rows.indexOf(rowOf(e)) + 0.2) * row;
    const what = `${rowOf(e)}: ${names[modeOf(e)]}, ${(e.end - e.start).toFixed(2)} ms`;
    parts.push(chart.rect(x, y, Math.max(1.5, until - x), row * 0.6, colors[modeOf(e)], e.held ? 0.9 : 0.35, what));
  }
  parts.push(
    chart.legend(
      modes.map((mode) => [names[mode], colors[mode]] as const),
      right,
      20,
    ),
  );
  return chart.picture(width, height, title, parts);
}
