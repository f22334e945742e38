import {
  backend,
  type DType,
  fromTypedArray,
  inferenceMode,
  manualSeed,
  noGrad,
  ones,
  randn,
  Tensor,
  tensor,
} from '@gradgate/core';
import { describe, expect, it } from 'vitest';

type Operator = (...args: unknown[]) => Tensor;
const call = (x: Tensor, name: string, args: readonly unknown[]): Tensor =>
  (x as unknown as Record<string, Operator>)[name]!(...args);

/** All operators that have an in-place form beside them, but for those that draw. */
const names = Object.getOwnPropertyNames(Tensor.prototype)
  .filter((name) => `${name}_` in Tensor.prototype && !['requiresGrad', 'detach', 'bernoulli'].includes(name))
  .sort();

/** What else they are called with, given what they write to: apart from it, over it, or a part of it. */
const given: Record<string, (x: Tensor) => unknown[]> = {
  nothing: () => [],
  'a number': () => [2],
  'two numbers': () => [0.25, 0.5],
  'a number that is no whole one': () => [0.5],
  'a tensor': (x) => [like(x)],
  'a tensor of another dtype': (x) => [like(x).to(x.dtype === 'int32' ? 'uint8' : 'int32')],
  'a row': (x) => [like(x).select(0, 0).contiguous()],
  'a tensor that does not broadcast to it': () => [ones([2, 1, 1])],
  'a tensor with alpha': (x) => [like(x), { alpha: 2 }],
  'a tensor, rounded': (x) => [like(x), { roundingMode: 'trunc' }],
  'two tensors': (x) => [like(x), like(x)],
  'a mask and a number': (x) => [like(x).gt(1), 1],
  itself: (x) => [x],
  'itself without its history': (x) => [x.detach()],
  'itself transposed': (x) => [x.transpose(-1, -2)],
  'an element of it': (x) => [x.flatten()[Symbol.iterator]().next().value],
  'a row of it': (x) => [x.select(0, 1)],
  'a tensor, and itself transposed': (x) => [like(x), x.transpose(-1, -2)],
};

/** The same numbers for each that is like another. */
const like = (x: Tensor): Tensor => noGrad.run(() => values(x.shape, 3).to(x.dtype));

function values(shape: readonly number[], seed: number): Tensor {
  manualSeed(seed);
  return randn(shape).mul(2).abs().add(0.1);
}

const outcome = (run: () => Tensor): Tensor | Error => {
  try {
    return run();
  } catch (error) {
    return error as Error;
  }
};

const isSame = (a: Tensor, b: Tensor): boolean => {
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  return x.length === y.length && x.every((v, i) => Object.is(v, y[i]));
};

const isFloat = (dtype: DType): boolean => /float/.test(dtype);

/** Whether a tensor of this dtype and shape can hold the result in its place. */
const holds = (x: Tensor, result: Tensor): boolean =>
  String(result.shape) === String(x.shape) &&
  (isFloat(x.dtype) || !isFloat(result.dtype)) &&
  (x.dtype !== 'bool' || result.dtype === 'bool');

describe('an in-place form', () => {
  const dtypes: DType[] = ['float32', 'float64', 'float16', 'int32', 'int64', 'uint8', 'bool'];

  it.each(dtypes)(
    'gives what the operator does, or refuses and leaves %s as it was',
    (dtype) => {
      const wrong: string[] = [];
      let written = 0;
      // Kernels in WebAssembly take float32 of more than some hundred elements.
      for (const size of dtype === 'float32' ? [3, 24] : [3])
        for (const name of names)
          for (const [what, args] of Object.entries(given)) {
            const start = values([size, size], 5).to(dtype);
            const [x, y] = [start.clone(), start.clone()];
            const result = outcome(() => call(y, name, args(y)));
            const inPlace = outcome(() => call(x, `${name}_`, args(x)));
            const fits = result instanceof Tensor && holds(x, result);
            if (fits) written++;
            const isRight = fits
              ? inPlace === x && x.version === 1 && isSame(x, result.to(dtype))
              : inPlace instanceof Error && x.version === 0 && isSame(x, start);
            if (!isRight) wrong.push(`${name}_ of ${size} x ${size} with ${what}`);
          }
      expect(wrong).toEqual([]);
      expect(written).toBeGreaterThan(100);
    },
    60_000,
  );

  it('holds where two tensors lie over each other in one array of JavaScript', () => {
    for (const shift of [0, 1, 5, 40]) {
      const array = Float32Array.from({ length: 80 }, (_, i) => i);
      const [x, y] = [fromTypedArray(array.subarray(0, 40)), fromTypedArray(array.subarray(shift, shift + 40))];
      const expected = x.add(y).toArray();
      expect(x.add_(y).toArray()).toEqual(expected);
    }
  });

  it('writes to a part of a tensor without touching the rest', () => {
    const x = ones([3, 2]);
    x.select(0, 1).mul_(5);
    expect(x.toArray()).toEqual([
      [1, 1],
      [5, 5],
      [1, 1],
    ]);
  });

  it('is not told to operators that it is made of, nor to what comes after one that failed', () => {
    const x = tensor([0.25, 0.5]);
    x.div_(0.1, { roundingMode: 'trunc' });
    expect(x.toArray()).toEqual([2, 5]);
    expect(() => x.add_(ones([3]))).toThrow(/do not broadcast/);
    expect(x.add(1)).not.toBe(x);
  });

  it('leaves what is known of a parameter as it was', () => {
    const w = ones([4]).requiresGrad_();
    const y = noGrad.run(() => w.mul(1)).detach();
    noGrad.run(() => w.add_(y).mul_(2));
    expect([w.requiresGrad, w.isLeaf, w.version]).toEqual([true, true, 2]);
    w.sum().backward();
    expect(w.grad!.toArray()).toEqual([1, 1, 1, 1]);
  });
});

describe('memory of in-place forms', () => {
  /** How many elements are allocated on the host meanwhile. */
  function allocated(run: () => unknown): number {
    const cpu = backend('cpu') as { allocate: (dtype: DType, length: number, fill: string) => unknown };
    const { allocate } = cpu;
    let elements = 0;
    cpu.allocate = (dtype, length, fill) => {
      elements += length;
      return allocate(dtype, length, fill);
    };
    try {
      run();
    } finally {
      cpu.allocate = allocate;
    }
    return elements;
  }

  it('takes none but for a plain number, with gradients off and on', () => {
    for (const around of [(f: () => unknown) => f(), noGrad.run, inferenceMode.run]) {
      const [x, y, row] = [ones([20, 30]), ones([20, 30]), ones([30])];
      const runs: (() => unknown)[] = [
        () => x.add_(y),
        () => x.mul_(row),
        () => x.sub_(x),
        () => x.exp_(),
        () => x.clamp_(0, 1),
        () => x.relu_().neg_(),
      ];
      for (const run of runs)
        expect(
          allocated(() => around(run)),
          String(run),
        ).toBe(0);
      expect(allocated(() => around(() => x.div_(2)))).toBe(1);
      expect(allocated(() => around(() => x.add_(y.t().contiguous().view([20, 30]))))).toBeGreaterThan(0);
    }
  });
});
