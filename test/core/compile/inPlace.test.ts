import { fromTypedArray, memory, noGrad, ones, randn, type Tensor, tensor, tidy } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { functional as F } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import type { HostStorage } from '../../../packages/core/src/backend/host/storage.js';
import { isInKernelMemory } from '../../../packages/core/src/backend/wasm/memory.js';
import { isAvailable } from '../../../packages/core/src/backend/wasm/module.js';
import { residence } from '../../../packages/core/src/backend/wasm/residency.js';

const values = (t: Tensor) => Array.from(t.detach().toTypedArray());
const unshared = (f: { explain(): { records: readonly { unshared: number }[] } }) => f.explain().records[0]!.unshared;
const [n, bytes] = [4096, 4 * 4096];

/** Random numbers on the JavaScript heap: with native kernels those of `randn` lie in kernel memory. */
const onHeap = (...shape: number[]): Tensor =>
  fromTypedArray(Float32Array.from(values(randn([shape.reduce((a, b) => a * b)])))).reshape(shape);

describe('operands of a record that lie on the JavaScript heap', () => {
  it('are copied to its memory once where they are read more than once, and stay what they are', () => {
    const once = compile(noGrad.wrap((x: Tensor) => x.exp()));
    const thrice = compile(noGrad.wrap((x: Tensor) => [x.exp(), x.tanh(), x.view(64, 64).sum(1)]));
    for (let i = 0; i < 3; i++) {
      const x = onHeap(n);
      const before = values(x);
      expect(values(once(x))).toEqual(values(x.exp()));
      expect(thrice(x).map(values)).toEqual([x.exp(), x.tanh(), x.view(64, 64).sum(1)].map(values));
      expect(values(x)).toEqual(before);
    }
    // Results are new ones, which take no memory of the record.
    expect(unshared(once)).toBe(0);
    expect(unshared(thrice)).toBe(bytes);
    expect(thrice.explain()).toMatchObject({ replays: 2, breaks: [] });
  });

  it('are parts of larger tensors, wherever they begin', () => {
    const f = compile(noGrad.wrap((x: Tensor) => x.exp().add(x)));
    const all = randn([3, n]);
    for (let i = 0; i < 3; i++)
      expect(values(f(all.select(0, i)))).toEqual(values(all.select(0, i).exp().add(all.select(0, i))));
    expect(f.explain().replays).toBe(2);
  });

  it('are read anew at each call, also those from outside over an array that changes', () => {
    const array = new Float32Array(n).fill(1);
    const outside = fromTypedArray(array);
    const f = compile(noGrad.wrap((x: Tensor) => x.add(outside).mul(outside)));
    const x = ones([n]);
    f(x);
    array.fill(3);
    expect(values(f(x)).every((v) => v === 12)).toBe(true);
  });

  const isThere = (t: Tensor) => isInKernelMemory((t.storage as HostStorage).data as Float32Array);

  it.runIf(isAvailable)('move to kernel memory if they are from around the function, and others do not', () => {
    const [array, part] = [new Float32Array(n).fill(1), randn([2, n])];
    const [outside, shared, given] = [tensor(array), fromTypedArray(array), onHeap(n)];
    const before = [shared, given, part].map(isThere);
    const f = compile(noGrad.wrap((x: Tensor) => x.mul(outside).add(shared).add(part.select(0, 1))));
    f(given);
    expect(isThere(outside)).toBe(true);
    expect([shared, given, part].map(isThere)).toEqual(before);
    outside.mul_(3);
    array.fill(5);
    expect(values(f(given))).toEqual(values(given.mul(3).add(5).add(part.select(0, 1))));
    expect(f.explain().replays).toBe(1);
  });

  it.runIf(isAvailable)('stay where they are when the budget of kernel memory is spent', () => {
    const { budget } = residence;
    const [outside, x] = [tensor(new Float32Array(n).fill(2)), onHeap(n)];
    const before = isThere(outside);
    const f = compile(noGrad.wrap((x: Tensor) => x.mul(outside)));
    residence.budget = 0;
    try {
      for (let i = 0; i < 3; i++) expect(values(f(x))).toEqual(values(x.mul(2)));
      expect(isThere(outside)).toBe(before);
    } finally {
      residence.budget = budget;
    }
    expect(f.explain().replays).toBe(2);
  });

  it('are used where they are when the call writes to them, or a gradient is added to them', () => {
    const f = compile(
      noGrad.wrap((x: Tensor) => {
        const before = x.exp();
        x.add_(1);
        return before.add(x.exp());
      }),
    );
    for (let i = 0; i < 3; i++) {
      const [x, same] = [ones([n]), ones([n])];
      const expected = same.exp().add(same.add(1).exp());
      expect(values(f(x))).toEqual(values(expected));
      expect(values(x)).toEqual(values(same.add(1)));
    }
    const w = ones([n], { requiresGrad: true });
    const step = compile((x: Tensor) => {
      x.mul(w).sum().backward();
      x.mul(2).mul(w).sum().backward();
    });
    for (let i = 0; i < 4; i++) step(ones([n]));
    expect(values(w.grad!).every((v) => v === 12)).toBe(true);
  });

  it('are put in order in its memory where a kernel would do so for itself', () => {
    const w = randn([64, 64], { requiresGrad: true });
    const step = (x: Tensor) => {
      w.grad = null;
      // The gradient of a sum is one element, read again and again.
      F.layerNorm(x.mul(w), [64]).sum().backward();
      return w.t().softmax(1).detach();
    };
    const f = compile(step);
    for (let i = 0; i < 3; i++) {
      const x = randn([64, 64]);
      const expected = [step(x), w.grad!].map(values);
      expect([f(x), w.grad!].map(values)).toEqual(expected);
    }
    const x = onHeap(64, 64);
    const { bytes: held } = memory();
    for (let i = 0; i < 10; i++) tidy.run(() => void f(x));
    expect(memory().bytes).toBe(held);
  });

  it('are put in order for sums and products of transposed tensors, but for elements that are read again and again', () => {
    const row = randn([1, 64]);
    const f = (x: Tensor, y: Tensor) => [
      x.t().mul(y),
      x.t().add(x.t()),
      row.expand(64, 64).sub(y),
      y.t().add_(1).clone(),
      y,
    ];
    const replayed = compile(noGrad.wrap(f));
    for (let i = 0; i < 3; i++) {
      const [x, y] = [randn([64, 64]), randn([64, 64])];
      const [again, same] = [x.clone(), y.clone()];
      expect(replayed(x, y).map(values)).toEqual(noGrad.wrap(f)(again, same).map(values));
    }
    const { records, replays } = replayed.explain();
    expect(replays).toBe(2);
    // Four transposed operands, and the sum that is written to y.
    expect(records[0]!.unshared).toBeGreaterThanOrEqual(5 * bytes);
  });
});

it('indices that kernels give one another lie in the memory of the record', () => {
  const x = randn([2, 8, 32, 32], { requiresGrad: true });
  const step = () => {
    x.grad = null;
    F.maxPool2d(x, 2).square().sum().backward();
    return x.argmax(3);
  };
  const f = compile(step);
  for (let i = 0; i < 3; i++) {
    const expected = [step(), x.grad!].map(values);
    expect([f(), x.grad!].map(values)).toEqual(expected);
  }
  expect(f.explain().replays).toBe(2);
});
