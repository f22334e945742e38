import { DeviceError, det, registerBackend, searchsorted, slogdet, solve, type Tensor, tensor } from '@gradgate/core';
import { expect, it } from 'vitest';
import { far } from '../backend/far.js';
import { InternalTensor } from '../internalTensor.js';

registerBackend(far);

const matrix = () =>
  tensor(
    [
      [4, 1, 1],
      [2, 5, 1],
      [1, 1, 3],
    ],
    { requiresGrad: true },
  );
const cases: Record<string, (x: Tensor, on: (t: Tensor) => Tensor) => Tensor> = {
  cummax: (x) => x.cummax(1).values,
  cummin: (x) => x.cummin(0).values,
  kthvalue: (x) => x.kthvalue(2, 0).values,
  mode: (x) => x.mode(1, { keepdim: true }).values,
  det: (x) => det(x),
  solve: (x, on) => solve(x, on(tensor([[1], [2], [3]]))),
};

it.each(Object.keys(cases))('%s gives the same values on a device that is not read at once', async (name) => {
  const want = cases[name]!(matrix(), (t) => t);
  expect(await cases[name]!(matrix().detach().to('far'), (t) => t.to('far')).data()).toEqual(want.toTypedArray());
});

const withoutGradient: Record<string, (x: Tensor, on: (t: Tensor) => Tensor) => Tensor> = {
  cumsum: (x) => x.cumsum(0),
  cumprod: (x) => x.cumprod(1),
  logcumsumexp: (x) => x.logcumsumexp(1),
  slogdet: (x) => slogdet(x).logabsdet,
  cholesky: (x) => x.cholesky(),
  searchsorted: (x, on) => searchsorted(on(tensor([1, 2, 4])), x, { right: true }),
  isin: (x) => x.isin([1, 5], { invert: true }),
  histc: (x) => x.histc({ bins: 4, min: 0, max: 5 }),
  oneHot: (x) => x.int().oneHot(6),
};

it.each(Object.keys(withoutGradient))('%s of plain tensors too', async (name) => {
  const want = withoutGradient[name]!(matrix().detach(), (t) => t);
  const got = withoutGradient[name]!(matrix().detach().to('far'), (t) => t.to('far'));
  expect([got.dtype, got.shape]).toEqual([want.dtype, want.shape]);
  expect(await got.data()).toEqual(want.toTypedArray());
});

it('what needs the values on the host is refused there by its name', () => {
  const x = matrix().detach().to('far');
  const refused: Record<string, () => unknown> = {
    unique: () => x.unique(),
    uniqueConsecutive: () => x.uniqueConsecutive(),
    bincount: () => x.flatten().int().bincount(),
    histc: () => x.histc(),
  };
  for (const [name, call] of Object.entries(refused)) {
    expect(call).toThrow(DeviceError);
    expect(call).toThrow(new RegExp(`^${name}: the values of a tensor on far are not there at once`));
  }
});

const large = 2n ** 62n + 1n;

it('64-bit integers are scanned, searched and counted with all of their bits', () => {
  const x = InternalTensor.of(new BigInt64Array([large, large, -1n]), 'int64', [3]);
  expect([...x.cumsum(0).toBigInt64Array()]).toEqual([
    large,
    BigInt.asIntN(64, 2n * large),
    BigInt.asIntN(64, 2n * large - 1n),
  ]);
  expect([...x.cumprod(0).toBigInt64Array()]).toEqual([
    large,
    BigInt.asIntN(64, large ** 2n),
    BigInt.asIntN(64, -(large ** 2n)),
  ]);
  const near = InternalTensor.of(new BigInt64Array([large - 1n]), 'int64', [1]);
  expect(x.cummax(0).indices.toArray()).toEqual([0, 1, 1]);
  expect(x.isin(near).toArray()).toEqual([false, false, false]);
  expect(searchsorted(InternalTensor.of(new BigInt64Array([large - 1n, large]), 'int64', [2]), x).toArray()).toEqual([
    1, 1, 0,
  ]);
  expect(x.mode().values.toBigInt64Array()).toEqual(new BigInt64Array([large]));
  const weights = InternalTensor.of(new BigInt64Array([large, 2n]), 'int64', [2]);
  const ones = tensor([1, 1], { dtype: 'int32' });
  expect([...ones.bincount({ weights }).toBigInt64Array()]).toEqual([0n, large + 2n]);
  expect([...ones.bincount({ weights: tensor([true, true]) }).toBigInt64Array()]).toEqual([0n, 2n]);
  expect([...ones.bincount({ weights: tensor([200, 100], { dtype: 'uint8' }) }).toBigInt64Array()]).toEqual([0n, 300n]);
});

it('running sums of half types are rounded once an element', () => {
  const x = tensor(Array<number>(300).fill(1), { dtype: 'bfloat16' });
  expect(x.cumsum(0).at(299).item()).toBe(300);
});

it('the mode is the smallest of the most frequent, where it was last; NaN equals nothing', () => {
  const x = tensor([
    [3, 1, 3, 1],
    [Number.NaN, Number.NaN, 7, 2],
  ]);
  const { values, indices } = x.mode(1);
  expect([values.toArray(), indices.toArray()]).toEqual([
    [1, 2],
    [3, 3],
  ]);
  expect(tensor(5).mode().indices.item()).toBe(0);
});
