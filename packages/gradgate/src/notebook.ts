import { Tensor } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { escaped } from './chart.js';
import { type ConsoleFormatter, consoleFormatter } from './devtools.js';
import { isThere, tableOf } from './table.js';

// Deno's Jupyter kernel, among others, calls a value's method of this name to display it.
const display = Symbol.for('Jupyter.display');

/** The representations of a value, by media type. */
type Shown = Record<string, string>;

/** A value that a notebook displays when it is the last one of a cell. */
export interface Displayed {
  [display](): Shown;
}

/**
 * A tensor as an HTML table: a row for each index of the leading dimensions, and a column for each index of the last
 * one; the middle of long ones is left out. Its values are read: on devices that read asynchronously take `await
 * t.toAsync('cpu')`.
 *
 * ```ts
 * tensorHtml(tensor([[1, 2]])); // '<table><caption>float32 [1, 2]</caption>...'
 * ```
 */
export function tensorHtml(t: Tensor): string {
  check('tensorHtml', 't', t, is.tensor);
  const { columns, rows } = tableOf(t);
  const line = (head: string, cells: readonly string[], tag: string) =>
    `<tr><th>${head}</th>${cells.map((text) => `<${tag}>${text}</${tag}>`).join('')}</tr>`;
  const head = line('', columns, 'th');
  const body = rows.map(({ name, cells }) => line(name, cells, 'td'));
  return `<table><caption>${escaped(t.dtype)} [${t.shape.join(', ')}]</caption>${head}${body.join('')}</table>`;
}

/**
 * Makes notebooks and browser consoles show tensors as tables instead of text from now on, and consoles modules as
 * trees. Works in Deno's Jupyter kernel and others that call `Symbol.for('Jupyter.display')`, and in developer tools
 * with "custom formatters" turned on in their settings.
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
      return isThere(this) ? { ...text, 'text/html': tensorHtml(this) } : text;
    },
  });
  const tools = globalThis as { devtoolsFormatters?: ConsoleFormatter[] };
  const others = (tools.devtoolsFormatters ?? []).filter((each) => each !== consoleFormatter);
  // The first formatter that returns a header is used, so this one goes before core's, which shows text.
  tools.devtoolsFormatters = [consoleFormatter, ...others];
}

/**
 * A picture of `curvesSvg`, `graphSvg` or `timelineSvg` that a notebook displays when it is the last value of a cell.
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
