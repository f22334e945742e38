import { backend, overlay, refuseRead, zeros } from '@gradgate/core';
import { expect, it } from 'vitest';

const { kernels } = backend('cpu');

it('an overlay takes over the calls that it accepts, and leaves the others to the table below', () => {
  const calls: string[] = [];
  const note = (by: string) => (n: number) => void calls.push(`${by} ${n}`);
  const base = { matmul: note('base'), sum: note('base') };
  const faster = { matmul: { accepts: (n: number) => n === 1, run: note('faster') } };
  const table = overlay(base as never, faster as never) as unknown as typeof base;
  for (const n of [1, 2]) table.matmul(n);
  table.sum(3);
  expect(calls).toEqual(['faster 1', 'base 2', 'base 3']);
  expect(() => overlay(kernels, { no: { accepts: () => true, run: () => {} } } as never)).toThrow(
    'overlay: there is no kernel no',
  );
});

it.each([undefined, null, {}, { accepts: () => true }, { run: () => {} }, 3])(
  'an overlay of %s is refused by the name of its kernel',
  (override) => {
    expect(() => overlay(kernels, { matmul: override } as never)).toThrow(
      'overlay: matmul must have the functions accepts and run',
    );
  },
);

it('a read that is refused always names somebody', () => {
  expect(() => refuseRead(zeros([1]).storage as never, '')).toThrow(/^read: the values of a tensor on cpu/);
});
