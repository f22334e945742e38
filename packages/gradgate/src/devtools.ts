import { Tensor } from '@gradgate/core';
import { heldGrad } from '@gradgate/core/internal';
import { Module } from '@gradgate/nn';
import { isThere, tableOf } from './table.js';

// Custom formatters for browser consoles ("custom formatters" in the settings of the developer tools). They return
// markup in JsonML, with the few tags that consoles accept. A value in an `object` tag is formatted when the reader
// expands it.

type Markup = [tag: string, attributes: object, ...children: (Markup | string)[]];

/** An entry of the global array `devtoolsFormatters`. */
export interface ConsoleFormatter {
  header(value: unknown): Markup | null;
  hasBody(value: unknown): boolean;
  body(value: unknown): Markup | null;
}

const border = 'border: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: 0 6px; text-align: right';
const quiet = 'opacity: 0.65';
const element = (tag: string, style: string, ...children: (Markup | string)[]): Markup => [tag, { style }, ...children];
const entry = (name: string, value: object): Markup =>
  element('li', 'list-style: none', element('span', quiet, `${name}: `), ['object', { object: value }]);

function tensorHeader(t: Tensor): Markup {
  const notes = [
    `[${t.shape.join(', ')}]`,
    ...(t.device === 'cpu' ? [] : [t.device]),
    ...(t.gradFn ? [`gradFn: ${t.gradFn.name}`] : t.requiresGrad ? ['requiresGrad'] : []),
    ...(t.isDisposed ? ['its memory was given back'] : []),
  ];
  const value = t.numel === 1 && isThere(t) ? ` ${tableOf(t).rows[0]!.cells[0]}` : '';
  return element('span', '', element('b', '', 'Tensor'), ` ${t.dtype} ${notes.join(', ')}${value}`);
}

function tensorBody(t: Tensor): Markup {
  const { columns, rows } = tableOf(t);
  const line = (name: string, cells: readonly string[], style: string): Markup =>
    element(
      'tr',
      '',
      element('td', `${border}; ${quiet}`, name),
      ...cells.map((text) => element('td', `${border}${style}`, text)),
    );
  const table = element(
    'table',
    'border-collapse: collapse; font-family: monospace',
    line('', columns, `; ${quiet}`),
    ...rows.map(({ name, cells }) => line(name, cells, '')),
  );
  const grad = heldGrad(t);
  return element('div', 'margin-left: 12px', table, ...(grad ? [entry('grad', grad)] : []));
}

const ofItself = <T>(members: Iterable<[string, T]>): [string, T][] =>
  [...members].filter(([name]) => !name.includes('.'));

function moduleHeader(module: Module): Markup {
  const count = [...module.parameters()].reduce((sum, p) => sum + p.numel, 0);
  const own = module.extraRepr();
  return element(
    'span',
    '',
    element('b', '', module.constructor.name),
    `${own && `(${own})`} `,
    element('span', quiet, count === 1 ? '1 parameter' : `${count.toLocaleString('en')} parameters`),
  );
}

const membersOf = (module: Module): [string, object][] => [
  ...ofItself<object>(module.namedParameters()),
  ...ofItself<object>(module.namedBuffers()),
  ...module.namedChildren(),
];

/** Tensors as tables of their values with their gradient, modules as trees of their children and parameters. */
export const consoleFormatter: ConsoleFormatter = {
  header: (value) => (Tensor.is(value) ? tensorHeader(value) : value instanceof Module ? moduleHeader(value) : null),
  hasBody: (value) =>
    Tensor.is(value) ? isThere(value) && value.numel > 0 : value instanceof Module && membersOf(value).length > 0,
  body: (value) =>
    Tensor.is(value)
      ? tensorBody(value)
      : value instanceof Module
        ? element('ol', 'margin: 0; padding-left: 12px', ...membersOf(value).map(([name, each]) => entry(name, each)))
        : null,
};
