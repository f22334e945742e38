import { readFileSync } from 'node:fs';
import { type DType, type Tensor, tensor } from '@gradgate/core';

interface GoldenTensor {
  shape: number[];
  dtype: string;
  data: number[];
  requires_grad?: boolean;
}

/** One line of ops.jsonl; the README beside it explains the fields. */
export interface GoldenCase {
  id: string;
  op: string;
  inputs: unknown[];
  kwargs: Record<string, unknown>;
  outputs: GoldenTensor[];
  grad_outputs?: (number[] | null)[];
  grads?: (number[] | null)[];
  tol: number;
}

export const goldenCases: GoldenCase[] = readFileSync(new URL('ops.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

const dtypes: Record<string, DType> = { float32: 'float32', float64: 'float64', int64: 'int32', int32: 'int32', bool: 'bool' };

const isTensor = (v: unknown): v is GoldenTensor => typeof v === 'object' && v !== null && 'data' in v;
const isList = (v: unknown): v is { list: unknown[] } => typeof v === 'object' && v !== null && 'list' in v;

/** A golden value as ours: tensors are made, lists become arrays, plain values stay. `dtype` replaces float32. */
export function revive(value: unknown, dtype: DType = 'float32'): unknown {
  if (isList(value)) return value.list.map((v) => revive(v, dtype));
  if (!isTensor(value)) return value;
  const own = dtypes[value.dtype]!;
  return tensor(value.data, {
    shape: value.shape,
    dtype: own === 'float32' ? dtype : own,
    requiresGrad: value.requires_grad ?? false,
  });
}

/** Python's option names in camelCase. */
export const camelCase = (kwargs: Record<string, unknown>): Record<string, any> =>
  Object.fromEntries(Object.entries(kwargs).map(([k, v]) => [k.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), v]));

/** The largest error of `actual`, as defined in the golden README; NaN and infinities must match exactly. */
export const goldenError = (actual: Tensor, expected: ArrayLike<number | boolean>): number =>
  errorOf(actual.toTypedArray(), expected);

/** The same for values that have been read. */
export function errorOf(values: ArrayLike<number>, expected: ArrayLike<number | boolean>): number {
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < values.length; i++) {
    const want = Number(expected[i]);
    if (Object.is(values[i], want) || (Number.isNaN(values[i]) && Number.isNaN(want))) continue;
    const error = Math.abs(values[i]! - want) / Math.max(1, Math.abs(want));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}
