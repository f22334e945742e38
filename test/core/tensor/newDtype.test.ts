import {
  add,
  arange,
  type DType,
  exp,
  full,
  ones,
  packTensor,
  promoteTypes,
  type Tensor,
  tensor,
  unpackTensor,
  zeros,
} from '@gradgate/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Coding } from '../../../packages/core/src/memory/coding.js';
import { dtypes } from '../../../packages/core/src/memory/dtype.js';

// Two dtypes that core has not, each by one record: floats of 8 bits (4 of exponent, 3 of fraction, the largest 448), and
// integers of 16 bits without a sign.

const decoded = Float32Array.from({ length: 256 }, (_, bits) => {
  const [exponent, fraction] = [(bits >> 3) & 15, bits & 7];
  const size = exponent === 0 ? fraction * 2 ** -9 : (1 + fraction / 8) * 2 ** (exponent - 7);
  return (bits & 127) === 127 ? Number.NaN : bits & 128 ? -size : size;
});

/** The bits of the nearest number, of two the even one. */
function nearest(value: number): number {
  if (Number.isNaN(value) || Math.abs(value) > 464) return 127;
  let best = 0;
  for (let bits = 0; bits < 127; bits++) {
    const [error, least] = [bits, best].map((b) => Math.abs(Math.abs(value) - decoded[b]!)) as [number, number];
    if (error < least || (error === least && bits % 2 === 0)) best = bits;
  }
  return value < 0 || Object.is(value, -0) ? best | 128 : best;
}

const float8Coding: Coding = {
  bits: Uint8Array,
  decode(bits: Uint8Array, values: Float32Array) {
    for (let i = 0; i < values.length; i++) values[i] = decoded[bits[i]!]!;
  },
  encode(values: Float32Array, bits: Uint8Array) {
    for (let i = 0; i < values.length; i++) bits[i] = nearest(values[i]!);
  },
};

const [float8, uint16] = ['float8', 'uint16'] as unknown as [DType, DType];
const records = {
  float8: { kind: 'float', bytes: 1, array: Float32Array, rank: 4.5, min: -448, max: 448, coding: float8Coding },
  uint16: { kind: 'integer', bytes: 2, array: Uint16Array, rank: 2.5, min: 0, max: 65535 },
};

beforeAll(() => void Object.assign(dtypes, records));
afterAll(() => {
  for (const name of Object.keys(records)) delete (dtypes as Record<string, unknown>)[name];
});

const values = (t: Tensor): unknown => t.toArray();

describe('one record makes a dtype', () => {
  it('of floats: created, rounded, printed, computed with, promoted, with gradients of its own dtype', () => {
    const x = tensor([1.1, -2, 500, 0.001], { dtype: float8 });
    expect([x.dtype, x.requiresGrad]).toEqual(['float8', false]);
    expect(values(x)).toEqual([1.125, -2, Number.NaN, 2 ** -9]);
    expect(String(tensor([1.1, -2], { dtype: float8 }))).toContain('float8');
    for (const t of [zeros([2], { dtype: float8 }), ones([2], { dtype: float8 }), full([2], 3, { dtype: float8 })])
      expect(t.dtype).toBe('float8');
    expect(values(arange(0, 4, 1, { dtype: float8 }))).toEqual([0, 1, 2, 3]);
    // Computed in float32, and rounded on the way back: 17 lies between 16 and 18.
    const sum = add(tensor([16, 12], { dtype: float8 }), tensor([1, 2.5], { dtype: float8 }));
    expect([sum.dtype, values(sum)]).toEqual(['float8', [16, 14]]);
    expect(values(exp(tensor([0, 1], { dtype: float8 })))).toEqual([1, 2.75]);
    expect(promoteTypes(float8, 'float16')).toBe('float16');
    expect(promoteTypes('int32', float8)).toBe('float8');
    expect(ones([2], { dtype: float8 }).add(ones([2])).dtype).toBe('float32');
    const w = tensor([1.5, 2], { dtype: float8, requiresGrad: true });
    w.square().sum().backward();
    expect([w.grad!.dtype, values(w.grad!)]).toEqual(['float8', [3, 4]]);
    expect(values(ones([2, 3], { dtype: float8 }).matmul(full([3, 2], 2, { dtype: float8 })))).toEqual([
      [6, 6],
      [6, 6],
    ]);
  });

  it('of integers: what it does not hold is refused, sums are exact, and it wraps', () => {
    const x = tensor([1, 65535], { dtype: uint16 });
    expect([x.dtype, values(x), x.sum().item(), x.sum().dtype]).toEqual(['uint16', [1, 65535], 65536, 'int64']);
    expect(() => tensor([65536], { dtype: uint16 })).toThrow(
      'does not fit uint16, which holds whole numbers from 0 to',
    );
    expect(values(x.add(x))).toEqual([2, 65534]);
    expect(x.add(tensor([1, 1], { dtype: 'int32' })).dtype).toBe('int32');
    expect(x.div(2).dtype).toBe('float32');
    expect(values(x.to('float64'))).toEqual([1, 65535]);
    expect(values(tensor([1.5, 7]).to(uint16))).toEqual([1, 7]);
    expect(values(x.flip(0).sort().values)).toEqual([1, 65535]);
  });

  it('of both: packed and unpacked, in place, indexed, and concatenated', () => {
    for (const dtype of [float8, uint16]) {
      const x = tensor([3, 1, 2], { dtype });
      const back = unpackTensor(packTensor(x));
      expect([back.dtype, values(back)]).toEqual([dtype, [3, 1, 2]]);
      x.add_(1);
      expect(values(x)).toEqual([4, 2, 3]);
      expect(values(x.at(tensor([2, 0], { dtype: 'int32' })))).toEqual([3, 4]);
      expect(values(x.clone().flip(0))).toEqual([3, 2, 4]);
      expect(x.narrow(0, 1, 2).contiguous().dtype).toBe(dtype);
      expect(x.max().item()).toBe(4);
      expect(values(x.gt(2))).toEqual([true, false, true]);
    }
  });
});
