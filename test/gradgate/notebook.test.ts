import { arange, ones, Tensor, tensor, zeros } from '@gradgate/core';
import { complex } from '@gradgate/core/complex';
import { curvesSvg, inline, showTables, tensorHtml } from 'gradgate';
import { describe, expect, it, onTestFinished } from 'vitest';

const display = Symbol.for('Jupyter.display');
const shown = (value: unknown): Record<string, string> => (value as any)[display]();
/** The cells of the rows below the head. */
const rows = (html: string) =>
  [...html.matchAll(/<tr>(.*?)<\/tr>/g)]
    .slice(1)
    .map(([, row]) => [...row!.matchAll(/<t[hd]>(.*?)<\/t[hd]>/g)].map(([, text]) => text));

describe('tensorHtml', () => {
  it('has a row with its index for each place of the leading dimensions', () => {
    const html = tensorHtml(arange(0, 8).reshape([2, 2, 2]).div(3));
    expect(html).toContain('<caption>float32 [2, 2, 2]</caption>');
    expect(rows(html)).toEqual([
      ['0, 0', '0', '0.33333'],
      ['0, 1', '0.66667', '1'],
      ['1, 0', '1.3333', '1.6667'],
      ['1, 1', '2', '2.3333'],
    ]);
    expect(rows(tensorHtml(tensor([1, Number.NaN])))).toEqual([['', '1', 'NaN']]);
    expect(rows(tensorHtml(tensor(5)))).toEqual([['', '5']]);
    expect(rows(tensorHtml(zeros([0, 3])))).toEqual([]);
    expect(rows(tensorHtml(zeros([3, 0])))).toEqual([]);
  });

  it('shows complex numbers', () => {
    const z = complex(tensor([[1, 2.5]]), tensor([[-3, 0]]));
    expect(rows(tensorHtml(z))).toEqual([['0', '1-3i', '2.5000+0i']]);
    expect(rows(tensorHtml(z.at(0, 0)))).toEqual([['', '1-3i']]);
  });

  it('shortens what is long', () => {
    const found = rows(tensorHtml(arange(0, 2500).reshape([50, 50])));
    expect(found).toHaveLength(17);
    expect(found[0]).toHaveLength(18);
    expect(found[8]).toEqual(Array(18).fill('…'));
    expect(found.at(-1)!.at(-1)).toBe('2499');
  });

  it('refuses what is no tensor', () => {
    expect(() => tensorHtml([1] as never)).toThrow(/tensorHtml: t must be a Tensor, got/);
  });
});

describe('showTables', () => {
  it('has tensors shown as tables beside their text, where there are values', () => {
    const before = Object.getOwnPropertyDescriptor(Tensor.prototype, display)!;
    onTestFinished(() => void Object.defineProperty(Tensor.prototype, display, before));
    const t = tensor([[1, 2]]);
    expect(Object.keys(shown(t))).toEqual(['text/plain']);
    showTables();
    expect(shown(t)).toEqual({ 'text/plain': 'tensor([[1., 2.]])', 'text/html': tensorHtml(t) });
    const gone = ones([2]);
    gone.dispose();
    expect(Object.keys(shown(gone))).toEqual(['text/plain']);
  });
});

it('inline has a picture shown', () => {
  const svg = curvesSvg({ loss: [2, 1] });
  expect(shown(inline(svg))).toEqual({ 'image/svg+xml': svg, 'text/plain': 'a picture' });
  expect(() => inline('loss')).toThrow(/inline: the picture must be text of an SVG/);
});
