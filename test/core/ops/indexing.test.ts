import {
  bernoulli,
  DeviceError,
  diagEmbed,
  embedding,
  Generator,
  multinomial,
  normal,
  poisson,
  registerBackend,
  slice,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { expect, it } from 'vitest';
import { far } from '../backend/far.js';
import { InternalTensor } from '../internalTensor.js';

registerBackend(far);

const matrix = () =>
  tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { requiresGrad: true },
  );
const index = (values: number[][]) => tensor(values, { dtype: 'int64' });
const cases: Record<string, (x: Tensor, on: (t: Tensor) => Tensor) => Tensor> = {
  gather: (x, on) =>
    x.gather(
      1,
      on(
        index([
          [2, 2],
          [0, 1],
        ]),
      ),
    ),
  scatter: (x, on) =>
    x.scatter(
      1,
      on(
        index([
          [0, 0],
          [2, 1],
        ]),
      ),
      x.detach().neg_(),
    ),
  scatterAdd: (x, on) => x.scatterAdd(0, on(index([[1, 1, 0]])), on(tensor([[10, 20, 30]]))),
  'scatterReduce mean': (x, on) =>
    x.scatterReduce(
      1,
      on(
        index([
          [0, 0],
          [2, 0],
        ]),
      ),
      x,
      'mean',
    ),
  'scatterReduce amax': (x, on) =>
    x.scatterReduce(
      1,
      on(
        index([
          [0, 0],
          [2, 0],
        ]),
      ),
      x,
      'amax',
      { includeSelf: false },
    ),
  indexSelect: (x, on) => x.indexSelect(1, on(tensor([2, 0, 0], { dtype: 'uint8' }))),
  indexAdd: (x, on) => x.indexAdd(0, on(tensor([1, 1], { dtype: 'int32' })), x),
  indexCopy: (x, on) => x.indexCopy(0, on(tensor([0, 0], { dtype: 'int32' })), x),
  indexFill: (x, on) => x.indexFill(1, on(tensor([1], { dtype: 'int32' })), 7),
  take: (x, on) => x.take(on(index([[-1, 0]]))),
  'at of a list': (x) => x.at('...', [-1, 0]),
  'at of two lists': (x, on) => x.at(on(tensor([1, 0], { dtype: 'int32' })), [2, -3]),
  'set of a list': (x) => x.clone().set(slice(0, 2), [-1, 1], 9),
  flip: (x) => x.flip([0, 1]),
  pad: (x) => x.pad([1, 2], { value: 4 }),
  'pad by reflection': (x) => x.pad([1, 2], { mode: 'reflect' }),
  diagEmbed: (x) => diagEmbed(x, -1),
  embedding: (x, on) =>
    embedding(
      on(
        index([
          [1, 1],
          [0, 1],
        ]),
      ),
      x,
    ),
  sort: (x) => x.sort(1, { descending: true }).values,
  topk: (x) => x.topk(2).values,
};

it.each(Object.keys(cases))(
  '%s gives the same values and gradients on a device that is not read at once',
  async (name) => {
    const here = matrix();
    const there = matrix().detach().to('far').requiresGrad_();
    const want = cases[name]!(here, (t) => t);
    const got = cases[name]!(there, (t) => t.to('far'));
    expect(await got.data()).toEqual(want.toTypedArray());
    const g = tensor(
      Float32Array.from({ length: want.numel }, (_, i) => i + 1),
      { shape: want.shape },
    );
    want.backward(g);
    got.backward(g.to('far'));
    expect(await there.grad!.data()).toEqual(here.grad!.toTypedArray());
  },
);

it('what needs the values on the host is refused there by its name, with the way out', () => {
  const x = matrix().to('far');
  const mask = tensor([[true, false, true]], { device: 'far' });
  const refused: Record<string, () => unknown> = {
    nonzero: () => x.nonzero(),
    maskedSelect: () => x.maskedSelect(mask.expand([2, 3])),
    maskedScatter: () => x.maskedScatter(mask, x),
    at: () => x.at(mask.expand([2, 3])),
    multinomial: () => multinomial(x, 2),
    toTypedArray: () => x.toTypedArray(),
    item: () => x.narrow(0, 0, 1).narrow(1, 0, 1).item(),
    toBigInt64Array: () => tensor([1n], { device: 'far' }).toBigInt64Array(),
  };
  for (const [name, call] of Object.entries(refused)) {
    expect(call).toThrow(DeviceError);
    expect(call).toThrow(new RegExp(`^${name}: the values of a tensor on far are not there at once; use await t.data`));
  }
});

it('an index of another device is refused by name', () => {
  const i = tensor([0], { dtype: 'int32' });
  expect(() => matrix().indexSelect(0, i.to('far'))).toThrow(/indexSelect: the tensors are on/);
  expect(() => matrix().to('far').at(i)).toThrow(/at: the tensors are on far and cpu/);
});

it('random numbers are the same on each device', async () => {
  const p = tensor([0.1, 0.5, 0.9, 0.4]);
  const draws: ((t: Tensor, generator: Generator) => Tensor)[] = [
    (t, generator) => bernoulli(t, { generator }),
    (t, generator) => poisson(t.detach(), { generator }),
    (t, generator) => t.detach().clone().normal_(1, 2, { generator }),
    (t, generator) => t.detach().clone().uniform_(-1, 1, { generator }),
  ];
  for (const draw of draws)
    expect(await draw(p.to('far'), new Generator(3)).data()).toEqual(draw(p, new Generator(3)).toTypedArray());
  expect(() => bernoulli(tensor([0.5, 1.5], { device: 'far' }))).toThrow(
    /bernoulli: probabilities must be from 0 to 1, got 1.5/,
  );
  expect(() => normal(0, tensor([1, -1]))).toThrow(/normal: std must be from 0 up, got -1/);
});

const large = 2n ** 62n + 1n;

it('64-bit integers are moved, added and compared with all of their bits', () => {
  const x = InternalTensor.of(new BigInt64Array([large, -large, 3n]), 'int64', [3]);
  const at = tensor([1, 0, 0], { dtype: 'int32' });
  expect([...x.gather(0, at).toBigInt64Array()]).toEqual([-large, large, large]);
  expect([...x.indexSelect(0, at).toBigInt64Array()]).toEqual([-large, large, large]);
  expect([...x.scatterAdd(0, at, x).toBigInt64Array()]).toEqual([large - large + 3n, 0n, 3n]);
  expect([...x.indexAdd(0, at, x).toBigInt64Array()]).toEqual([3n, 0n, 3n]);
  expect([...x.scatterReduce(0, at, x, 'amax').toBigInt64Array()]).toEqual([large, large, 3n]);
  expect([...x.scatter(0, at, x).toBigInt64Array()]).toEqual([3n, large, 3n]);
  expect(x.argsort().toArray()).toEqual([1, 2, 0]);
  expect(x.argsort(0, { descending: true }).toArray()).toEqual([0, 2, 1]);
});

it('half types are moved as they are, and added in float32', () => {
  const x = tensor([1, 2, 3, 0.1], { dtype: 'bfloat16' });
  const at = tensor([3, 3], { dtype: 'int32' });
  expect(x.indexSelect(0, at).toArray()).toEqual([x.at(3).item(), x.at(3).item()]);
  expect(
    x
      .indexAdd(0, at, tensor([1, 2], { dtype: 'bfloat16' }))
      .at(3)
      .item(),
  ).toBe(3.09375);
});

it('sums of bool are its or: true stays one', () => {
  const x = tensor([false, true, false]);
  const at = tensor([0, 0, 1], { dtype: 'int32' });
  const src = tensor([true, true, true]);
  expect(Array.from(x.scatterAdd(0, at, src).toTypedArray())).toEqual([1, 1, 0]);
  expect(Array.from(x.indexAdd(0, at, src).toTypedArray())).toEqual([1, 1, 0]);
});

it('of several writes to one element the last one counts, and gets the gradient', () => {
  const src = tensor([1, 2, 3], { requiresGrad: true });
  const y = tensor([0, 0]).scatter(0, tensor([0, 1, 0], { dtype: 'int32' }), src);
  expect(y.toArray()).toEqual([3, 2]);
  y.backward(tensor([5, 7]));
  expect(src.grad!.toArray()).toEqual([0, 7, 5]);
});

it('sorting keeps the order of equal elements and takes NaN for the largest, in both directions', () => {
  const x = tensor([2, Number.NaN, 1, 2, Number.NaN, Number.POSITIVE_INFINITY, 1]);
  expect(x.argsort().toArray()).toEqual([2, 6, 0, 3, 5, 1, 4]);
  expect(x.argsort(0, { descending: true }).toArray()).toEqual([1, 4, 5, 0, 3, 2, 6]);
  expect(tensor([], {}).argsort().toArray()).toEqual([]);
});

it('zeroGrad with setToNull: false clears what the gradient shows of its memory, and no more', () => {
  const all = tensor([1, 2, 3, 4]);
  const w = tensor([0, 0], { requiresGrad: true });
  w.grad = all.narrow(0, 1, 2);
  w.zeroGrad({ setToNull: false });
  expect(all.toArray()).toEqual([1, 0, 0, 4]);
});
