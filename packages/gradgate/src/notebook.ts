import { Tensor } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { escaped } from './chart.js';
import { type ConsoleFormatter, consoleFormatter } from './devtools.js';
import { isThere, tableOf } from './table.js';

// Deno's Jupyter kernel and its like ask values by this symbol how they are to be shown.
const display = Symbol.for('Jupyter.display');

/** What a notebook may show of a value, by media type. */
type Shown = Record<string, string>;

/** A value that a notebook shows by itself where it is the last one of a cell. */
export interface Displayed {
  [display](): Shown;
}

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
  const { columns, rows } = tableOf(t);
  const line = (head: string, cells: readonly string[], tag: string) =>
    `<tr><th>${head}</th>${cells.map((text) => `<${tag}>${text}</${tag}>`).join('')}</tr>`;
  const head = line('', columns, 'th');
  const body = rows.map(({ name, cells }) => line(name, cells, 'td'));
  return `<table><caption>${escaped(t.dtype)} [${t.shape.join(', ')}]</caption>${head}${body.join('')}</table>`;
}

/**
 * Has notebooks and the consoles of browsers show tensors as tables from now on, rather than as text, and consoles modules as trees.
 * For Deno's Jupyter kernel, and others that ask values by `Symbol.for('Jupyter.display')`; and for developer tools where "custom
 * formatters" are on in the settings.
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
  // The first that has an answer is asked for the rest; core's own shows text.
  tools.devtoolsFormatters = [consoleFormatter, ...others];
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
