import { check, checkOptions, is } from '@gradgate/core/internal';
import asciichart from 'asciichart';
import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import * as chart from './chart.js';
import { pixels, ticksOf } from './chart.js';

/** Values over steps or epochs, by name: `{ 'train loss': [...], 'test loss': [...] }`. */
export type Curves = Record<string, readonly number[]>;

function checkCurves(op: string, curves: Curves): void {
  check(op, 'curves', curves, is.object);
  for (const [name, values] of Object.entries(curves))
    if (!Array.isArray(values) || values.some((v) => typeof v !== 'number'))
      throw new TypeError(`${op}: '${name}' must be an array of numbers`);
  if (Object.values(curves).every((values) => values.length === 0))
    throw new TypeError(`${op}: there is nothing to draw`);
}

/** Options of `curvesSvg`. */
export interface CurvesOptions {
  /** The width in pixels. */
  width?: number;
  /** The height in pixels. */
  height?: number;
  /** The text above the picture. */
  title?: string;
  /** The text at the horizontal axis. */
  xLabel?: string;
  /** The text at the vertical axis. */
  yLabel?: string;
  /** A logarithmic axis of values, for losses for example; values that are not positive leave a gap. Off by default. */
  yLog?: boolean;
  /** A logarithmic axis of steps, or of `x`. Off by default. */
  xLog?: boolean;
  /** The weight of the previous smoothed value, from 0 (by default) to 1; the unsmoothed curve is drawn pale behind. */
  smoothing?: number;
  /** The position of each value, such as learning rates; 1, 2, 3 and so on by default. */
  x?: readonly number[];
}

const known = {
  width: pixels,
  height: pixels,
  title: is.string,
  xLabel: is.string,
  yLabel: is.string,
  yLog: is.boolean,
  xLog: is.boolean,
  smoothing: is.probability,
  x: is.arrayOf(is.number),
};

/** The colors of curves: people with any kind of color vision can tell them apart (Okabe and Ito, 2008). */
const colors = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

/** An exponential moving average of the finite values, starting at the first of them, as in TensorBoard. */
export function smooth(values: readonly number[], weight: number): number[] {
  let [average, seen] = [0, 0];
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    average = weight * average + (1 - weight) * value;
    seen++;
    return weight === 1 ? values.find(Number.isFinite)! : average / (1 - weight ** seen);
  });
}

/** The least and the greatest of the values that can be drawn. */
function extent(op: string, values: readonly number[], log: boolean): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values)
    if (Number.isFinite(v) && (!log || v > 0)) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
  if (low > high) throw new TypeError(`curvesSvg: there is no finite value${log ? ' above 0' : ''} to draw ${op}`);
  if (low < high) return [low, high];
  return log ? [low / 2, low * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
}

/**
 * Curves as SVG. Values that are not finite leave a gap.
 *
 * ```ts
 * const svg = curvesSvg({ loss: [2.3, 0.4, 0.2] }, { yLog: true, smoothing: 0.5 });
 * ```
 */
export function curvesSvg(curves: Curves, options: CurvesOptions = {}): string {
  checkCurves('curvesSvg', curves);
  const given = checkOptions('curvesSvg', options, known);
  const { width = 640, height = 360, title = '', xLabel = 'epoch', yLabel = '', yLog = false, xLog = false } = given;
  const { smoothing = 0, x } = given;
  const entries = Object.entries(curves);
  const longest = Math.max(...entries.map(([, values]) => values.length));
  if (x && x.length < longest) throw new TypeError(`curvesSvg: x has ${x.length} numbers, and a curve ${longest}`);
  const at = x ?? Array.from({ length: longest }, (_, i) => i + 1);
  const [left, right, top, bottom] = [64, width - 24, 44, height - 44];
  const scale = (log: boolean, domain: [number, number], range: [number, number]) =>
    (log ? scaleLog(domain, range) : scaleLinear(domain, range)) as ScaleContinuousNumeric<number, number>;
  const xs = scale(xLog, extent('along x', at.slice(0, longest), xLog), [left, right]);
  const all = entries.flatMap(([, values]) => [...values]);
  const ys = scale(yLog, extent('along y', all, yLog), [bottom, top]).nice();
  const draw = line<number>()
    .defined((v, i) => Number.isFinite(v) && (!yLog || v > 0) && Number.isFinite(xs(at[i]!)))
    .x((_, i) => xs(at[i]!))
    .y((v) => ys(v))
    .digits(2);
  const parts: string[] = [];
  for (const [value, text] of ticksOf(ys, 6))
    parts.push(
      chart.line(left, ys(value), right, ys(value)),
      chart.label(left - 8, ys(value) + 4, text, { anchor: 'end' }),
    );
  // Epochs are integers.
  for (const [value, text] of ticksOf(xs, Math.min(10, longest)))
    if (x || xLog || Number.isInteger(value))
      parts.push(chart.label(xs(value), bottom + 18, text, { anchor: 'middle' }));
  parts.push(chart.line(left, bottom, right, bottom, '#888'));
  entries.forEach(([, values], i) => {
    const color = colors[i % colors.length]!;
    if (smoothing > 0) parts.push(chart.path(draw([...values]) ?? '', color, 1, 0.3));
    parts.push(chart.path(draw(smooth(values, smoothing)) ?? '', color, 2));
    if (values.length < 40 && smoothing === 0) parts.push(...points(values, at, xs, ys, yLog, color));
  });
  parts.push(
    chart.legend(
      entries.map(([name], i) => [name, colors[i % colors.length]!] as const),
      right,
      20,
    ),
    chart.label((left + right) / 2, height - 8, xLabel, { anchor: 'middle' }),
    chart.label(16, (top + bottom) / 2, yLabel, { anchor: 'middle', turned: true }),
  );
  return chart.picture(width, height, title, parts);
}

type Scale = ScaleContinuousNumeric<number, number>;

/** A dot for each value, so that an isolated one is visible. */
const points = (values: readonly number[], at: readonly number[], xs: Scale, ys: Scale, log: boolean, color: string) =>
  values.flatMap((v, i) =>
    Number.isFinite(v) && (!log || v > 0)
      ? [`<circle cx="${xs(at[i]!).toFixed(2)}" cy="${ys(v).toFixed(2)}" r="2.5" fill="${color}"/>`]
      : [],
  );

/** Curves as text for a terminal. */
export function curvesText(curves: Curves, options?: { height?: number }): string {
  const { height = 10 } = checkOptions('curvesText', options, { height: is.count });
  if (height > 1000) throw new RangeError(`curvesText: a height must be at most 1000 lines, got ${height}`);
  checkCurves('curvesText', curves);
  // A terminal shows no gaps: a value that is not finite is drawn like the one before it.
  const drawn = Object.entries(curves).filter(([, values]) => values.length > 0);
  const lists = drawn.map(([, values]) => {
    let last = values.find(Number.isFinite) ?? 0;
    return values.map((v) => {
      if (Number.isFinite(v)) last = v;
      return last;
    });
  });
  const ansi = [asciichart.blue, asciichart.green, asciichart.red, asciichart.magenta, asciichart.cyan];
  const names = drawn.map(([name], i) => `${ansi[i % ansi.length]}${name}${asciichart.reset}`);
  return `${plotText(lists, height, ansi)}\n${names.join('   ')}`;
}

/**
 * Scaled to 0 … `height` first: asciichart counts rows in units of the values, and does not terminate for tiny ranges.
 */
function plotText(lists: readonly number[][], height: number, colors: string[]): string {
  const values = lists.flat();
  // Computed from halves, as the difference of the greatest and the least value may overflow.
  const least = values.reduce((a, b) => Math.min(a, b)) / 2;
  const range = values.reduce((a, b) => Math.max(a, b)) / 2 - least;
  const rows = lists.map((list) => list.map((v) => (range === 0 ? 0 : ((v / 2 - least) / range) * height)));
  const label = (row: number): string => {
    const v = 2 * (least + range * (row / height));
    return (Math.abs(v) < 1e7 ? v.toFixed(2) : v.toExponential(2)).padStart(11);
  };
  const options = { height, colors, format: label };
  return asciichart.plot(rows, options);
}
