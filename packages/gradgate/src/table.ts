import type { Tensor } from '@gradgate/core';

/** The values of a tensor as text, in rows and columns. */
interface Table {
  columns: string[];
  rows: { name: string; cells: string[] }[];
}

/** Up to how many rows and columns are shown in full, and how many of a longer dimension are shown at each end. */
const maxShown = 20;
const edge = 8;

/** The indices of a dimension that are shown; null stands for those left out. */
const shownOf = (n: number): (number | null)[] =>
  n <= maxShown
    ? [...Array(n).keys()]
    : [...Array(edge).keys(), null, ...Array.from({ length: edge }, (_, i) => n - edge + i)];

type Value = number | { re: number; im: number };

const real = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(5));

const cell = (value: Value): string =>
  typeof value === 'object' ? `${real(value.re)}${value.im < 0 ? '-' : '+'}${real(Math.abs(value.im))}i` : real(value);

/** The values of a tensor in order; complex ones are not in a typed array. */
const valuesOf = (t: Tensor): ArrayLike<Value> =>
  t.dtype.startsWith('complex')
    ? ([t.toArray() as unknown].flat(t.ndim + 1) as Value[])
    : (t.toTypedArray() as unknown as ArrayLike<Value>);

/** Whether the values of a tensor can be read synchronously. */
export const isThere = (t: Tensor): boolean => !t.isDisposed && !t.storage.backend.isAsync;

/** A row for each index of the leading dimensions, and a column for each of the last one; '…' for those left out. */
export function tableOf(t: Tensor): Table {
  const width = t.shape.at(-1) ?? 1;
  const leading = t.shape.slice(0, -1);
  const rows = leading.reduce((a, b) => a * b, 1);
  const values = valuesOf(t);
  const nameOf = (row: number) =>
    leading.map((size, d) => Math.floor(row / leading.slice(d + 1).reduce((a, b) => a * b, 1)) % size).join(', ');
  const columns = shownOf(width);
  return {
    columns: columns.map((c) => (c === null ? '…' : String(c))),
    rows: shownOf(width === 0 ? 0 : rows).map((row) => ({
      name: row === null ? '…' : nameOf(row),
      cells: columns.map((c) => (row === null || c === null ? '…' : cell(values[row * width + c]!))),
    })),
  };
}
