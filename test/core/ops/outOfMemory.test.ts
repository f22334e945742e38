import { backend, manualSeed, Tensor } from '@gradgate/core';
import { afterEach, expect, it } from 'vitest';
import { type Case, cases } from '../operators.js';

const host = backend('cpu');
const { allocate } = host;
afterEach(() => {
  host.allocate = allocate;
});

/** Counts what `run` asks memory for; the request of that number asks for more than there is. */
function run(call: () => unknown, failing = Number.POSITIVE_INFINITY): { requests: number; result: unknown } {
  let requests = 0;
  host.allocate = (dtype, length, fill) => {
    // V8 keeps single numbers beside its objects: they need no memory of their own.
    if (length > 1) requests++;
    return allocate(dtype, length > 1 && requests === failing ? 2 ** 45 : length, fill);
  };
  manualSeed(3);
  try {
    return { result: values(call()), requests };
  } finally {
    host.allocate = allocate;
  }
}

const values = (result: unknown): unknown => {
  if (Array.isArray(result)) return result.map(values);
  const t = result as Tensor;
  if (!Tensor.is(t)) return Object.values(result as object).map(values);
  return t.toArray();
};

/** The operators that the function of a case calls, itself or by a helper of the table. */
const namesIn = (fn: Case[0]): string[] => (String(fn).match(/\w+/g) ?? []).flatMap((name) => helpers[name] ?? name);

const helpers: Record<string, string[]> = {
  symmetric: ['add', 'transpose'],
  definite: ['add', 'matmul', 'eye'],
  moves: ['add', 'eig', 'arange'],
  parts: ['real', 'imag', 'square', 'add'],
  modifiedBesselI0: ['i0'],
  modifiedBesselI1: ['i1'],
};

it.each(Object.entries(cases))(
  '%s says its name, the shape and the bytes where memory runs out, and works afterwards',
  (name, [fn, ...makers]) => {
    const inputs = makers.map((make) => make());
    const call = () => fn(...inputs);
    const { requests, result } = run(call);
    const own = name.replace(/^\w+\./, '');
    const names = [own, ...(helpers[own] ?? []), ...namesIn(fn)].join('|');
    const right = new RegExp(
      `^(${names}): \\d+ elements of \\w+ need \\d+ bytes, which cannot be had; .*, for shape \\[.*\\]$`,
    );
    for (let failing = 1; failing <= requests; failing++) expect(() => run(call, failing)).toThrow(right);
    expect(run(call).result).toEqual(result);
  },
);
