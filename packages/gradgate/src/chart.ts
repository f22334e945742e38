import type { Kind } from '@gradgate/core/internal';
import type { ScaleContinuousNumeric } from 'd3-scale';
import { printable } from './text.js';

/** The kind of the options `width` and `height`. */
export const pixels: Kind = {
  text: 'a number of pixels from 1 to 100000',
  is: (v) => typeof v === 'number' && v >= 1 && v <= 1e5,
};

/** Text escaped for the markup of a picture. */
export const escaped = (text: string): string =>
  printable(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const round = (n: number): number => Math.round(n * 100) / 100;

/** Where and how a text is drawn. */
interface TextOptions {
  anchor?: 'start' | 'middle' | 'end';
  size?: number;
  weight?: number;
  turned?: boolean;
  color?: string;
}

/** A line of text; `turned` reads upwards. */
export function label(
  x: number,
  y: number,
  text: string,
  { anchor = 'start', size = 12, weight = 400, turned = false, color = '#444' }: TextOptions = {},
): string {
  const turn = turned ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : '';
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${color}"${turn}>${escaped(text)}</text>`;
}

/** A filled rectangle. */
export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  fill: string,
  opacity = 1,
  title = '',
): string {
  const inner = title ? `<title>${escaped(title)}</title>` : '';
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}" opacity="${opacity}">${inner}</rect>`;
}

export const path = (d: string, stroke: string, width = 1.5, opacity = 1): string =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linejoin="round" opacity="${opacity}"/>`;

export const line = (x1: number, y1: number, x2: number, y2: number, stroke = '#ddd'): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}"/>`;

/** The approximate width of text: there is no page to measure it on. */
export const widthOf = (text: string, size = 12): number => [...text].length * size * 0.58;

/** A legend: names with their colors, in a row whose right end is at `right`. */
export function legend(entries: readonly (readonly [string, string])[], right: number, y: number): string {
  let x = right;
  return [...entries]
    .reverse()
    .map(([name, color]) => {
      x -= widthOf(name) + 4;
      const part = `${rect(x - 16, y - 9, 12, 10, color)}${label(x, y, name)}`;
      x -= 28;
      return part;
    })
    .join('');
}

type Scale = ScaleContinuousNumeric<number, number>;

/** The ticks of a scale, far enough apart to be readable, with their labels. */
export function ticksOf(scale: Scale, count: number): [number, string][] {
  // On a logarithmic scale most ticks between powers of ten have no label.
  const isShown = scale.tickFormat(count);
  return scale
    .ticks(count)
    .filter((value) => isShown(value) !== '')
    .map((value) => [value, String(Number(value.toPrecision(6)))]);
}

/** The complete SVG. */
export const picture = (width: number, height: number, title: string, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif">` +
  `<rect width="${width}" height="${height}" fill="#fff"/>${title ? label(8, 20, title, { size: 14, weight: 700 }) : ''}${parts.join('')}</svg>`;
