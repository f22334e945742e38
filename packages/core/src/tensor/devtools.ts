import { brand } from '../brand.js';

// Browsers show in their consoles what formatters make of it, where "custom formatters" are switched on in the settings
// of their developer tools. Tensors and modules say how they are to be shown by `debug.description`, which editors ask
// for too.

interface Formatter {
  header(value: unknown): unknown[] | null;
  hasBody(value: unknown): boolean;
}
type Described = { [key: symbol]: unknown };

const description = Symbol.for('debug.description');

const formatter: Formatter = {
  header(value) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return null;
    const { [brand]: ours, [description]: describe } = value as Described;
    return ours && typeof describe === 'function'
      ? ['span', { style: 'white-space: pre' }, describe.call(value)]
      : null;
  },
  hasBody: () => false,
};

const page = globalThis as { document?: object; devtoolsFormatters?: Formatter[] };
if (page.document !== undefined) page.devtoolsFormatters = [...(page.devtoolsFormatters ?? []), formatter];
