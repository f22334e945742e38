import asciichart from 'asciichart';
import { renderSvg } from './echarts.js';

/** Values over steps or epochs, by name: `{ 'train loss': [...], 'test loss': [...] }`. */
export type Curves = Record<string, readonly number[]>;

function check(curves: Curves): void {
  for (const [name, values] of Object.entries(curves))
    if (!Array.isArray(values) || values.some((v) => typeof v !== 'number'))
      throw new TypeError(`curves: '${name}' is not an array of numbers`);
  if (Object.keys(curves).length === 0) throw new TypeError('curves: there is nothing to draw');
}

/** Curves as SVG. Values that are not finite leave a gap. */
export function curvesSvg(
  curves: Curves,
  {
    width = 640,
    height = 360,
    title = '',
    xLabel = 'epoch',
    yLabel = '',
  }: { width?: number; height?: number; title?: string; xLabel?: string; yLabel?: string } = {},
): string {
  check(curves);
  return renderSvg(width, height, {
    title: { text: title, left: 8, top: 4, textStyle: { fontSize: 14 } },
    legend: { right: 24, top: 4, itemGap: 24 },
    grid: { left: 64, right: 24, top: 44, bottom: 44 },
    xAxis: { type: 'value', name: xLabel, nameLocation: 'middle', nameGap: 26, minInterval: 1, min: 1 },
    yAxis: { type: 'value', name: yLabel, nameLocation: 'middle', nameGap: 44, scale: true },
    series: Object.entries(curves).map(([name, values]) => ({
      name,
      type: 'line',
      showSymbol: values.length < 40,
      data: values.map((v, i) => [i + 1, Number.isFinite(v) ? v : null]),
    })),
  });
}

/** Curves as text for a terminal. */
export function curvesText(curves: Curves, { height = 10 }: { height?: number } = {}): string {
  check(curves);
  // A terminal has no gaps: what is not finite stays at the value before.
  const lists = Object.values(curves).map((values) => {
    let last = values.find(Number.isFinite) ?? 0;
    return values.map((v) => {
      if (Number.isFinite(v)) last = v;
      return last;
    });
  });
  const colours = [asciichart.blue, asciichart.green, asciichart.red, asciichart.magenta, asciichart.cyan];
  const names = Object.keys(curves).map((name, i) => `${colours[i % colours.length]}${name}${asciichart.reset}`);
  return `${asciichart.plot(lists, { height, colors: colours })}\n${names.join('   ')}`;
}
