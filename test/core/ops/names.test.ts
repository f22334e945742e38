import { asTensor, ones, randn, type Tensor, tensor, where, zeros } from '@gradgate/core';
import { gradcheck } from '@gradgate/core/gradcheck';
import { describe, expect, it } from 'vitest';
import { expectRefusal } from '../refusals.js';

const int32 = { dtype: 'int32' } as const;
const half = tensor([1, 2], { dtype: 'float16' });

it('tensors like another have its dtype and device, unless options say otherwise', () => {
  expect([half.newZeros([3]).dtype, half.newOnes([1]).dtype, half.newEmpty([2]).dtype]).toEqual(
    Array(3).fill('float16'),
  );
  expect(half.newFull([2], 4).toArray()).toEqual([4, 4]);
  expect(half.newTensor([[1, 2]]).shape).toEqual([1, 2]);
  expect(half.newZeros([1], { dtype: 'int64' }).dtype).toBe('int64');
  expect(ones([2]).typeAs(half).dtype).toBe('float16');
});

it('asTensor leaves a tensor and its graph alone', () => {
  const x = randn([2], { dtype: 'float64', requiresGrad: true });
  expect(asTensor(x)).toBe(x);
  expect(asTensor(x, { dtype: 'float32' }).requiresGrad).toBe(true);
  expect(asTensor(Int32Array.of(1, 2)).dtype).toBe('int32');
  expect(asTensor([true]).dtype).toBe('bool');
});

it('T and mT are views', () => {
  const x = zeros([2, 3, 4]);
  expect([x.T.shape, x.mT.shape]).toEqual([
    [4, 3, 2],
    [2, 4, 3],
  ]);
  x.mT.fill_(1);
  expect(x.sum().item()).toBe(24);
});

it('rounded quotients of integers stay exact, and have no gradient of floats', () => {
  const big = tensor([9007199254740993n, -9007199254740993n]);
  expect([...big.div(2, { roundingMode: 'trunc' }).toBigInt64Array()]).toEqual([4503599627370496n, -4503599627370496n]);
  expect([...big.div(2, { roundingMode: 'floor' }).toBigInt64Array()]).toEqual([4503599627370496n, -4503599627370497n]);
  const x = tensor([7, -7], { requiresGrad: true });
  x.div(2, { roundingMode: 'trunc' }).sum().backward();
  expect(x.grad!.toArray()).toEqual([0, 0]);
});

it('alpha has its gradient in the in-place form too', () => {
  const a = randn([3], { dtype: 'float64', requiresGrad: true });
  const b = randn([3], { dtype: 'float64', requiresGrad: true });
  expect(gradcheck((x, y) => x.mul(1).sub_(y, { alpha: 3 }).square(), [a, b])).toBe(true);
});

describe('where with the condition alone', () => {
  it('gives an index for each dimension, of what is not 0 in any dtype, which selects it', () => {
    const x = tensor([
      [0, 5, 0],
      [7, 0, Number.NaN],
    ]);
    const [rows, columns] = where(x) as [Tensor, Tensor];
    expect([rows.dtype, rows.toArray(), columns.toArray()]).toEqual(['int32', [0, 1, 1], [1, 0, 2]]);
    expect(x.at(...where(x.gt(0))).toArray()).toEqual([5, 7]);
    expect(where(x.long()).length).toBe(2);
    expect(where(tensor([0, 0])).map((t) => t.shape)).toEqual([[0]]);
  });

  it('refuses a branch that is missing, or undefined by mistake', () => {
    const mask = tensor([true]);
    expect(() => where(mask, 1, undefined as never)).toThrow(/^where: expected a Tensor or a number, got undefined/);
    expect(() => where(mask, undefined as never, undefined as never)).toThrow(/^where: expected a Tensor/);
    expect(() => where(3 as never)).toThrow(/^where: expected a Tensor, got 3/);
  });
});

describe('what is wrong is refused by name', () => {
  const x = ones([2, 3]);
  const wrong: Record<string, () => unknown> = {
    'add with a fraction of integers': () => x.int().add(x.int(), { alpha: 0.5 }),
    'add with an unknown option': () => x.add(1, { beta: 2 } as never),
    'add with alpha by place': () => x.add(1, 2 as never),
    'sub of text': () => x.sub('1' as never, { alpha: 2 }),
    'div with another mode': () => x.div(2, { roundingMode: 'up' as never }),
    'div of text': () => x.div('2' as never, { roundingMode: 'floor' }),
    'div of integers by 0': () => x.int().div(0, { roundingMode: 'trunc' }),
    'clamp of text': () => x.clamp('1' as never),
    'clamp between shapes that do not fit': () => x.clamp(ones([5])),
    'clip without limits': () => x.clip(),
    'std with both corrections': () => x.std(0, { correction: 1, unbiased: true }),
    'var with both corrections': () => x.var(0, { correction: 1, unbiased: true }),
    'repeatInterleave by floats': () => x.repeatInterleave(ones([3]), 1),
    'repeatInterleave of another length': () => x.repeatInterleave(tensor([1, 2], int32), 1),
    'repeatInterleave of fewer than none': () => x.repeatInterleave(tensor([1, -2, 1], int32), 1),
    'viewAs of nothing': () => x.viewAs(undefined as never),
    'reshapeAs of another size': () => x.reshapeAs(ones([5])),
    'typeAs of text': () => x.typeAs('float64' as never),
    'sumToSize of another shape': () => x.sumToSize(5),
    'newZeros of a text': () => x.newZeros('2' as never),
    'newFull of a text': () => x.newFull([2], '2' as never),
    'asTensor of nothing': () => asTensor(undefined as never),
    'asTensor on another device': () => asTensor(x, { device: 'tpu' }),
    'mT of a vector': () => ones([2]).mT,
  };
  it.each(Object.entries(wrong))('%s', (what, call) => expectRefusal(call, what.split(' ')[0]!, what));
});
