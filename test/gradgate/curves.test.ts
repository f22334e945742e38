import { curvesSvg } from 'gradgate';
import { describe, expect, it } from 'vitest';

/** The points of each line, as the picture has them. */
const linesOf = (svg: string): [number, number][][][] =>
  [...svg.matchAll(/<path d="([^"]*)"/g)].map(([, d]) =>
    d!
      .split('M')
      .slice(1)
      .map((part) => part.split('L').map((pair) => pair.split(/[,Z]/).slice(0, 2).map(Number) as [number, number])),
  );
const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text!);

describe('curvesSvg', () => {
  it('draws values in a linear scale, and a gap where one is not finite', () => {
    const [[whole], [first, second]] = linesOf(curvesSvg({ a: [0, 5, 10], b: [1, Number.NaN, 2] })) as [
      [number, number][][],
      [number, number][][],
    ];
    const [x, y] = [0, 1].map((axis) => whole!.map((point) => point[axis]!));
    expect(x![1]! - x![0]!).toBeCloseTo(x![2]! - x![1]!, 1);
    expect(y![0]! - y![1]!).toBeCloseTo(y![1]! - y![2]!, 1);
    expect([first!.length, second!.length]).toEqual([1, 1]);
  });

  it('with log axes decades are equally wide, and what is not above 0 is a gap', () => {
    const svg = curvesSvg({ loss: [100, 10, 1, 0, 1] }, { yLog: true });
    const y = linesOf(svg)[0]![0]!.map(([, v]) => v);
    expect(y[1]! - y[0]!).toBeCloseTo(y[2]! - y[1]!, 1);
    expect(linesOf(svg)[0]).toHaveLength(2);
    const x = linesOf(curvesSvg({ loss: [1, 2, 3] }, { xLog: true, x: [0.001, 0.01, 0.1] }))[0]![0]!.map(([v]) => v);
    expect(x[1]! - x[0]!).toBeCloseTo(x[2]! - x[1]!, 1);
  });

  it('smoothing averages from the first value on, with the curve itself behind', () => {
    const [raw, smooth] = linesOf(curvesSvg({ loss: [0, 1, 0, 1, 0, 1] }, { smoothing: 0.9 })).map((l) => l[0]!);
    const span = (points: [number, number][]) =>
      Math.max(...points.slice(1).map((p) => p[1])) - Math.min(...points.slice(1).map((p) => p[1]));
    expect(smooth![0]).toEqual(raw![0]);
    expect(span(smooth!)).toBeLessThan(span(raw!) / 3);
  });

  it('shows titles, labels and names, which cannot break the picture', () => {
    const texts = textsOf(curvesSvg({ '<b>&"': [1, 2] }, { title: 'T', xLabel: 'X', yLabel: 'Y' }));
    expect(texts).toEqual(expect.arrayContaining(['T', 'X', 'Y', '&lt;b&gt;&amp;&quot;']));
  });

  it('draws a single value and a constant', () => {
    for (const values of [[3], [0, 0], [2, 2]]) expect(curvesSvg({ a: values })).not.toMatch(/NaN|Infinity/);
  });

  it.each<[Parameters<typeof curvesSvg>, RegExp]>([
    [[{ a: [1] }, { smoothing: 2 }], /smoothing must be a number from 0 to 1, got 2/],
    [[{ a: [1] }, { log: true } as never], /there is no option 'log'/],
    [[{ a: [1, 2] }, { x: [1] }], /x has 1 numbers, and a curve 2/],
    [[{ a: [-1] }, { yLog: true }], /^curvesSvg: there is no finite value above 0 to draw along y/],
    [[{ a: [Number.NaN] }], /^curvesSvg: there is no finite value to draw along y/],
  ])('refuses %j', (args, message) => {
    expect(() => curvesSvg(...args)).toThrow(message);
  });
});
