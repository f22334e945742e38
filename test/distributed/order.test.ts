import { describe, expect, it } from 'vitest';
import { fromOrdered, orderedLike, toOrdered } from '../../packages/distributed/src/order.js';

describe.each([
  ['float32', Float32Array, 2 ** -149, 2 ** 127],
  ['float64', Float64Array, 2 ** -1074, 2 ** 1023],
] as const)('%s', (_, Class, least, greatest) => {
  const ascending = [-Infinity, -greatest, -1.5, -1, -least, -0, 0, least, 1, 1.5, greatest, Infinity];

  it.each(['min', 'max'] as const)('is in the order of whole numbers for %s, with NaN where it comes through', (op) => {
    const data = new Class([...ascending, Number.NaN]);
    const ordered = [...toOrdered(data, op)].map(BigInt);
    const expected = op === 'max' ? ordered : [ordered.at(-1)!, ...ordered.slice(0, -1)];
    expect(expected).toEqual([...ordered].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(ordered).size).toBe(data.length);
  });

  it.each(['min', 'max'] as const)('comes back to the bit from %s', (op) => {
    const data = new Class([...ascending, Number.NaN]);
    fromOrdered(toOrdered(data, op), data);
    expect([...data]).toEqual([...ascending, Number.NaN]);
  });
});

it('leaves sums and whole numbers as they are', () => {
  const [floats, whole] = [new Float32Array([-1, Number.NaN]), new Int16Array([-1])];
  expect(toOrdered(floats, 'sum')).toBe(floats);
  expect(toOrdered(whole, 'max')).toBe(whole);
  expect(orderedLike(whole, 'min')).toBe(whole);
  expect([...floats]).toEqual([-1, Number.NaN]);
});
