import { Tensor } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { escaped } from './chart.js';

// Deno's Jupyter kernel and its like ask values by this symbol how they are to be shown.
const display = Symbol.for('Jupyter.display');

/** What a notebook may show of a value, by media type. */
type Shown = Record<string, string>;

/** A value that a notebook shows by itself where it is the last one of a cell. */
export interface Displayed {
  [display](): Shown;
}

/** The most rows and columns of a table, and how many are left at each end of more. */
const most = 20;
const edge = 8;

/** The places along a dimension that are shown; null stands for those in between. */
const shownOf = (n: number): (number | null)[] =>
  n <= most
    ? [...Array(n).keys()]
    : [...Array(edge).keys(), null, ...Array.from({ length: edge }, (_, i) => n - edge + i)];

const cell = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(5));

/**
 * A tensor as an HTML table: a row for each place of the leading dimensions, with its index, and a column for each of the last
 * one; long ones are shortened. Its values are read, which `await t.toAsync('cpu')` comes before on devices that read later.
 *
 * ```ts
 * tensorHtml(tensor([[1, 2]])); // '<table><caption>float32 [1, 2]</caption>...'
 * ```
 */
export function tensorHtml(t: Tensor): string {
  check('tensorHtml', 'the argument', t, is.tensor);
  const columns = t.shape.at(-1) ?? 1;
  const leading = t.shape.slice(0, -1);
  const rows = leading.reduce((a, b) => a * b, 1);
  const values = t.toTypedArray();
  const nameOf = (row: number) =>
    leading.map((size, d) => Math.floor(row / leading.slice(d + 1).reduce((a, b) => a * b, 1)) % size).join(', ');
  const shownColumns = shownOf(columns);
  const line = (head: string, cells: readonly string[], tag: string) =>
    `<tr><th>${head}</th>${cells.map((text) => `<${tag}>${text}</${tag}>`).join('')}</tr>`;
  const body = shownOf(columns === 0 ? 0 : rows).map((row) =>
    row === null
      ? line(
          '…',
          shownColumns.map(() => '…'),
          'td',
        )
      : line(
          nameOf(row),
          shownColumns.map((c) => (c === null ? '…' : cell(values[row * columns + c]!))),
          'td',
        ),
  );
  const head = line(
    '',
    shownColumns.map((c) => (c === null ? '…' : String(c))),
    'th',
  );
  return `<table><caption>${escaped(t.dtype)} [${t.shape.join(', ')}]</caption>${head}${body.join('')}</table>`;
}

/**
 * Has notebooks show tensors as HTML tables from now on, rather than as text. For Deno's Jupyter kernel, and others that ask values
 * by `Symbol.for('Jupyter.display')`.
 *
 * ```ts
 * showTables();
 * tensor([[1, 2]]); // the last value of a cell: a table
 * ```
 */
export function showTables(): void {
  Object.defineProperty(Tensor.prototype, display, {
    configurable: true,
    writable: true,
    value(this: Tensor): Shown {
      const text = { 'text/plain': this.toString() };
      const isThere = !this.isDisposed && !this.storage.backend.isAsync;
      return isThere ? { ...text, 'text/html': tensorHtml(this) } : text;
    },
  });
}

/**
 * A picture of `curvesSvg`, `graphSvg` or `timelineSvg` that a notebook shows where it is the last value of a cell.
 *
 * ```ts
 * inline(curvesSvg({ loss: [2, 1, 0.5] }));
 * ```
 */
export function inline(svg: string): Displayed {
  check('inline', 'the picture', svg, {
    text: 'text of an SVG',
    is: (v) => typeof v === 'string' && v.includes('<svg'),
  });
  return { [display]: () => ({ 'image/svg+xml': svg, 'text/plain': 'a picture' }) };
}
