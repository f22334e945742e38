import { arange, at, type DType, full, slice, type Tensor, tensor, zeros } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { kernels } from '../../../packages/core/src/backend/host/kernels.js';
import { closeWindows } from '../../../packages/core/src/backend/host/storage.js';
import { InternalTensor } from '../internalTensor.js';

const dtypes: DType[] = ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'uint8', 'bool'];
const pairs = dtypes.flatMap((from) => dtypes.map((to) => [from, to] as const));

describe('the kernel copy', () => {
  it.each(pairs)('converts %s to %s, whole and into a part of a storage', (from, to) => {
    const x = tensor(
      [
        [1, 0, 3],
        [0, 5, 6],
      ],
      { dtype: from },
    );
    const want = x.toTypedArray();
    const expected = Array.from(want, (v) => (to === 'bool' ? Number(v !== 0) : v));
    const whole = InternalTensor.uninitialized(to, [2, 3]);
    kernels.copy(x, whole);
    closeWindows();
    expect(Array.from(whole.toTypedArray())).toEqual(expected);
    const room = full([3, 4], 1, { dtype: to });
    kernels.copy(x.t(), room.narrow(0, 0, 3).narrow(1, 1, 2));
    closeWindows();
    const columns = [0, 1, 2].map((i) => [1, expected[i], expected[3 + i], 1]);
    expect(Array.from(room.toTypedArray())).toEqual(columns.flat());
  });

  it.each([
    ['rows that are long', [5, 3, 40], (x: Tensor) => x.narrow(2, 2, 35)],
    ['rows that are short', [5, 3, 9], (x: Tensor) => x.narrow(2, 2, 5)],
    ['rows whose elements lie apart', [40, 3, 4], (x: Tensor) => x.permute(1, 2, 0)],
    ['whole blocks', [4, 3, 40], (x: Tensor) => x.narrow(0, 1, 2)],
    ['every second column', [3, 80], (x: Tensor) => at(x, '...', slice(0, 80, 2))],
    ['dimensions of size 1', [4, 1, 40, 1], (x: Tensor) => x.narrow(2, 3, 33)],
  ])('writes %s of a storage, and nothing beside them', (_, shape, part) => {
    const n = shape.reduce((a, b) => a * b);
    const room = arange(n, { dtype: 'float64' }).reshape(shape);
    const places = Array.from(part(room).toTypedArray(), Number);
    const kept = room.clone();
    kernels.copy(part(room).neg(), part(room));
    closeWindows();
    const written = new Set(places);
    const expected = Array.from(kept.toTypedArray(), (v) => (written.has(v) ? 0 - v : v));
    expect(Array.from(room.toTypedArray(), (v) => v + 0)).toEqual(expected.map((v) => v + 0));
    const narrower = zeros([...part(room).shape], { dtype: 'float32' });
    kernels.copy(narrower, part(room));
    closeWindows();
    expect(room.sum().item()).toBe(kept.sum().item() - places.reduce((a, b) => a + b, 0));
  });

  it('reads all that it copies before it writes where both overlap', () => {
    const x = tensor([1, 2, 3, 4, 5]);
    kernels.copy(x.narrow(0, 0, 4), x.narrow(0, 1, 4));
    expect(x.toArray()).toEqual([1, 1, 2, 3, 4]);
    const square = tensor([
      [1, 2],
      [3, 4],
    ]);
    kernels.copy(square.t(), square);
    expect(square.toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    kernels.copy(square, square.t());
    expect(square.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});

it.each(dtypes)('the kernel fill converts a value to %s', (dtype) => {
  const out = InternalTensor.uninitialized(dtype, [3]);
  kernels.fill(2, out);
  closeWindows();
  expect(Array.from(out.toTypedArray())).toEqual(Array(3).fill(dtype === 'bool' ? 1 : 2));
});

it('the kernel where keeps all bits of 64-bit integers, and converts other numbers', () => {
  const condition = tensor([true, false, true]);
  const large = InternalTensor.of(new BigInt64Array([2n ** 62n + 1n, 2n, 3n]), 'int64', [3]);
  const out = InternalTensor.uninitialized('int64', [2, 3]);
  kernels.where(condition, large, tensor([[7.5], [-8]]), out);
  expect(out.toBigInt64Array()).toEqual(new BigInt64Array([2n ** 62n + 1n, 7n, 3n, 2n ** 62n + 1n, -8n, 3n]));
});
