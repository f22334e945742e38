import * as core from '@gradgate/core';
import {
  arange,
  cat,
  eye,
  fromTypedArray,
  full,
  linspace,
  noGrad,
  ones,
  onesLike,
  rand,
  randint,
  randn,
  randperm,
  stack,
  type Tensor,
  tensor,
  zeros,
  zerosLike,
} from '@gradgate/core';
import { pin } from '@gradgate/core/internal';
import { describe, expect, it } from 'vitest';

describe('tensor', () => {
  it('takes nested arrays, plain values, typed arrays and tensors, always as a copy', () => {
    expect(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).shape,
    ).toEqual([2, 3]);
    expect(tensor(7).shape).toEqual([]);
    expect(tensor([]).shape).toEqual([0]);
    const source = new Float32Array([1, 2]);
    const t = tensor(source);
    source[0] = 9;
    expect(t.toArray()).toEqual([1, 2]);
    const copy = tensor(t);
    copy.fill_(0);
    expect(t.toArray()).toEqual([1, 2]);
  });

  it('infers float32 for numbers, bool for booleans, and the dtype of a typed array', () => {
    expect(tensor([1, 2]).dtype).toBe('float32');
    expect(tensor([true, false]).dtype).toBe('bool');
    expect(tensor(new Int32Array(2)).dtype).toBe('int32');
    expect(tensor(new Float64Array(2)).dtype).toBe('float64');
    expect(tensor([1.9, -1.9], { dtype: 'int32' }).toArray()).toEqual([1, -1]);
    expect(tensor([0, 2, Number.NaN], { dtype: 'bool' }).toArray()).toEqual([false, true, true]);
  });

  it.each([
    ['ragged arrays', () => tensor([[1, 2], [3]] as never), /ragged.*expected 2 entries at depth 1, got 1/],
    ['mixed depth', () => tensor([1, [2]] as never), /depth/],
    ['strings', () => tensor(['a'] as never), /numbers or booleans, got 'a'/],
    ['a shape that does not fit', () => tensor([1, 2, 3], { shape: [2, 2] }), /3 values do not fill shape \[2, 2\]/],
    ['an unknown dtype', () => tensor([1], { dtype: 'complex32' as never }), /unknown dtype 'complex32'; use one of/],
    [
      'a complex dtype before it is there',
      () => tensor([1], { dtype: 'complex64' }),
      /complex64 is there once '@gradgate\/core\/complex' is imported/,
    ],
    ['a negative size', () => zeros([2, -1]), /whole numbers from 0 up, got \[2, -1\]/],
    [
      'more rows of no elements than can be gone through',
      () => zeros([2 ** 31, 0]),
      /zeros: shape \[2147483648, 0\] has 0 elements, 0 bytes in float32; at most 2\^32 can be held, or 2\^24 rows of none/,
    ],
    [
      'too many dimensions',
      () => zeros(Array(65).fill(1)),
      /zeros: a shape must be an array of at most 64 whole numbers/,
    ],
    ['a size that is no number', () => zeros(['2' as never]), /zeros: a shape must be an array/],
    [
      'int32 that requires grad',
      () => zeros([2], { dtype: 'int32', requiresGrad: true }),
      /only floating point tensors can require grad/,
    ],
    ['randint without a range', () => randint(3, 3, [2]), /low < high/],
    ['arange that leads nowhere', () => arange(3, 0), /step of 1 does not lead from 3 to 0/],
    ['arange without a step', () => arange(0, 3, 0), /step not 0/],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('creation functions', () => {
  it('give what their names say', () => {
    expect(zeros([2, 2]).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(ones([3], { dtype: 'int32' }).toArray()).toEqual([1, 1, 1]);
    expect(full([2], 2.5).toArray()).toEqual([2.5, 2.5]);
    expect(full([1], true).dtype).toBe('bool');
    expect(eye(2, 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(arange(3).toArray()).toEqual([0, 1, 2]);
    expect(arange(3).dtype).toBe('int32');
    expect(arange(1, 2, 0.25).toArray()).toEqual([1, 1.25, 1.5, 1.75]);
    expect(arange(3, 0, -1).toArray()).toEqual([3, 2, 1]);
    expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(linspace(2, 3, 1).toArray()).toEqual([2]);
    expect(zeros([0, 3]).toArray()).toEqual([]);
  });

  it('of the "like" kind take shape and dtype, not requiresGrad', () => {
    const x = ones([2, 1], { dtype: 'float64', requiresGrad: true });
    for (const t of [
      zerosLike(x),
      onesLike(x),
      core.fullLike(x, 3),
      core.emptyLike(x),
      core.randLike(x),
      core.randnLike(x),
    ]) {
      expect([t.shape, t.dtype, t.requiresGrad]).toEqual([[2, 1], 'float64', false]);
    }
  });
});

describe('random numbers', () => {
  it('are the same for the same seed, and differ without', () => {
    const draw = () => [rand([4]), randn([5]), randint(0, 100, [4]), randperm(6)].map((t) => t.toArray());
    core.manualSeed(11);
    const first = draw();
    core.manualSeed(11);
    expect(draw()).toEqual(first);
    expect(draw()).not.toEqual(first);
  });

  it('come from the generator that is given, which can be saved and restored', () => {
    const g = new core.Generator(5);
    randn([3], { generator: g });
    const state = g.getState();
    const next = randn([7], { generator: g }).toArray();
    expect(randn([7], { generator: new core.Generator(1).setState(state) }).toArray()).toEqual(next);
    expect(() => g.setState([1, 2])).toThrow(/not a state/);
    expect(() => core.manualSeed(0.5)).toThrow(/whole number/);
  });

  it('have the moments of their distributions', () => {
    core.manualSeed(1);
    const u = rand([100_000]);
    expect(u.mean().item()).toBeCloseTo(0.5, 2);
    expect(u.var().item()).toBeCloseTo(1 / 12, 2);
    expect([u.min().item() >= 0, u.max().item() < 1]).toEqual([true, true]);
    const n = randn([100_000]);
    expect(n.mean().item()).toBeCloseTo(0, 1);
    expect(n.var().item()).toBeCloseTo(1, 1);
    const i = randint(-2, 3, [10_000]);
    expect([...new Set(i.toTypedArray())].sort()).toEqual([-1, -2, 0, 1, 2]);
    expect([...randperm(50).toTypedArray()].sort((a, b) => a - b)).toEqual(arange(50).toArray());
  });
});

it('fromTypedArray shares its array also with what is used often, such as parameters that an optimizer steps', () => {
  const array = new Float32Array(4096).fill(1);
  const x = fromTypedArray(array).requiresGrad_();
  pin(x);
  x.sum().backward();
  noGrad.run(() => x.sub_(x.grad!));
  expect(array[4095]).toBe(0);
  array[0] = 7;
  expect(x.at(0).item()).toBe(7);
});

describe('arrays that change while they are read are read once: no element beyond those that there are', () => {
  /** `usual`, whose first entry is another from the given reading on. */
  const changing = <T>(usual: T[], other: T, from: number): T[] => {
    let reads = 0;
    const get = (of: T[], key: string | symbol, self: unknown) =>
      key === '0' && ++reads > from ? other : Reflect.get(of, key, self);
    return new Proxy(usual, { get });
  };
  const attempts: Record<string, (from: number) => Tensor | Tensor[]> = {
    cat: (from) => cat(changing([ones([1000]), ones([2])], ones([1]), from)),
    stack: (from) => stack(changing([ones([1000]), ones([1000])], ones([1]), from)),
    split: (from) => ones([4]).split(changing([2, 2], 2000, from)),
    'split into negative sizes': (from) => ones([4]).split(changing([2, 2], -2, from)),
    'a shape of tensor()': (from) => tensor([1, 1, 1, 1], { shape: changing([2, 2], 2000, from) }),
    'a shape of fromTypedArray()': (from) =>
      fromTypedArray(Float32Array.of(1, 1, 1, 1), { shape: changing([2, 2], 2000, from) }),
    reshape: (from) => ones([4]).reshape(changing([2, 2], 2000, from)),
  };
  it.each(Object.entries(attempts))('%s', (_, attempt) => {
    let came = 0;
    for (let from = 0; from < 12; from++) {
      let parts: Tensor[];
      try {
        parts = [attempt(from)].flat();
      } catch (error) {
        expect((error as Error).message).toMatch(/^(cat|stack|split|tensor|fromTypedArray|reshape): /);
        continue;
      }
      came++;
      for (const part of parts) expect(part.eq(1).all().item()).toBe(1);
    }
    expect(came).toBeGreaterThan(0);
  });
});

it.each<[string, (x: Tensor) => Tensor]>([
  ['clone', (x) => x.clone()],
  ['cat', (x) => cat([x, ones([1])])],
])('a shape that a program writes to, which its type forbids, gives no memory beyond what there is: %s', (op, call) => {
  for (const [held, claimed] of [
    [2, 40],
    [300, 2000],
  ] as const) {
    const x = ones([held]);
    (x.shape as number[])[0] = claimed;
    expect(() => call(x)).toThrow(`${op}: a kernel would go to element ${claimed} of an array of ${held}`);
  }
});
