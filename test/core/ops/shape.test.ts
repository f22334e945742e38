import * as core from '@gradgate/core';
import { inferenceMode, noGrad, ones, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import { describe, expect, it } from 'vitest';
import { collected } from '../../../packages/core/src/backend/wasm/residency.js';

const numbers = () => tensor([0, 1, 2, 3, 4, 5, 6, 7, 8]);

it.each([
  ['one onto the next, which overlaps it', (x: Tensor) => x.narrow(0, 1, 8).copy_(x.narrow(0, 0, 8))],
  ['one onto the last, which overlaps it', (x: Tensor) => x.narrow(0, 0, 8).copy_(x.narrow(0, 1, 8))],
  ['a matrix onto its transpose', (x: Tensor) => x.view([3, 3]).copy_(x.view([3, 3]).t())],
  ['a row onto all rows', (x: Tensor) => x.view([3, 3]).copy_(x.narrow(0, 3, 3))],
  ['a number', (x: Tensor) => x.narrow(0, 2, 3).copy_(7)],
  ['whole numbers', (x: Tensor) => x.copy_(tensor([8, 7, 6, 5, 4, 3, 2, 1, 0], { dtype: 'int32' }))],
])('copy_ writes the same with gradients off as on: %s', (_, write) => {
  const [on, off, inference] = [numbers(), numbers(), inferenceMode.run(numbers)];
  write(on);
  noGrad.run(() => write(off));
  inferenceMode.run(() => write(inference));
  expect(off.toArray()).toEqual(on.toArray());
  expect(inference.toArray()).toEqual(on.toArray());
  expect(on.toArray()).not.toEqual(numbers().toArray());
});

it('copy_ takes no memory where nothing is recorded', () => {
  const { isPrompt } = collected;
  // Results are on the JavaScript heap, also in a run with native kernels.
  collected.isPrompt = false;
  const [to, from] = [zeros([300, 300]), randn([300, 300])];
  from.clone(); // The first large array has the C library keep freed memory.
  const { arrayBuffers } = process.memoryUsage();
  const bytes = () => process.memoryUsage().arrayBuffers - arrayBuffers;
  try {
    noGrad.run(() => to.copy_(from));
    expect(bytes()).toBeLessThan(1000);
    ones([300, 300]).mul(from);
    expect(bytes()).toBeGreaterThanOrEqual(360_000);
  } finally {
    collected.isPrompt = isPrompt;
  }
  expect(to.toArray()).toEqual(from.toArray());
});

describe.each([
  ['split', (x: Tensor) => x.split([1, 2, 1], 1)],
  ['chunk', (x: Tensor) => x.chunk(2, 0)],
  ['unbind', (x: Tensor) => x.unbind(1)],
])('%s', (name, parts) => {
  const start = () => randn([2, 4], { dtype: 'float64', requiresGrad: true });

  it('is one operation, whose gradient joins those of the parts, zeros where nothing used one', () => {
    const x = start();
    const all = parts(x);
    expect(new Set(all.map((part) => part.gradFn)).size).toBe(1);
    all[1]!.mul(3).sum().backward();
    const expected = zeros([2, 4], { dtype: 'float64' });
    parts(expected)[1]!.fill_(3);
    expect(x.grad!.toArray()).toEqual(expected.toArray());
    expect(gradcheck((t) => parts(t).map((part, i) => part.mul(part).mul(i + 1)), [start()])).toBe(true);
    expect(gradgradcheck((t) => parts(t).map((part, i) => part.mul(part).mul(i + 1)), [start()])).toBe(true);
  });

  it('gives views: what is written to one is seen by all, with its gradient', () => {
    const [x, w] = [start(), tensor([2], { dtype: 'float64', requiresGrad: true })];
    const copy = x.mul(1);
    const [first, second] = parts(copy) as [Tensor, Tensor];
    first.mul_(w);
    second.add_(1);
    copy.sum().backward();
    const expected = ones([2, 4], { dtype: 'float64' });
    parts(expected)[0]!.fill_(2);
    expect(x.grad!.toArray()).toEqual(expected.toArray());
    expect(w.grad!.item()).toBeCloseTo(parts(x.detach())[0]!.sum().item(), 12);
  });

  it('refuses the gradient of a part that was written to with recording off, and of no other', () => {
    const x = start();
    const [first, second] = parts(x) as [Tensor, Tensor];
    noGrad.run(() => first.zero_());
    second.sum().backward();
    expect(x.grad!.sum().item()).toBe(second.numel);
    const again = parts(x)[0]!;
    noGrad.run(() => again.zero_());
    expect(() => again.sum().backward()).toThrow(
      `the result of ${name === 'chunk' ? 'split' : name} was modified by zero_`,
    );
  });
});

it('repeat and tile give copies, also of one element and once', () => {
  for (const x of [tensor(1), tensor([1]), tensor([[1]])])
    for (const repeated of [x.tile(2), x.tile(1), x.repeat(...x.shape.map(() => 1), 1), x.repeat(2, 1)]) {
      repeated.add_(1);
      expect(new Set(repeated.reshape([-1]).toArray() as number[])).toEqual(new Set([2]));
      expect(x.item()).toBe(1);
    }
  const x = tensor([1, 2], { requiresGrad: true });
  x.repeat(2, 1).mul(3).sum().backward();
  expect(x.grad!.toArray()).toEqual([6, 6]);
});

describe('what has very many rows, steps or parts of none comes at once, or is refused before it is made', () => {
  it('the coordinates of a triangle', () => {
    expect(core.triuIndices(2 ** 31, 1).toArray()).toEqual([[0], [0]]);
    expect(core.trilIndices(2 ** 31, 1, -(2 ** 31 - 2)).toArray()).toEqual([
      [2 ** 31 - 2, 2 ** 31 - 1],
      [0, 0],
    ]);
    expect(() => core.trilIndices(2 ** 32, 1, -(2 ** 32 - 2))).toThrow(/^trilIndices: 4294967295 does not fit int32/);
  });
  it('are those of the masks that triu and tril keep', () => {
    for (let rows = 0; rows < 5; rows++)
      for (let columns = 0; columns < 5; columns++)
        for (let offset = -6; offset < 7; offset++) {
          const places = (keep: (x: Tensor, diagonal: number) => Tensor) =>
            core
              .nonzero(keep(core.ones([rows, columns]), offset))
              .t()
              .toArray();
          expect(core.triuIndices(rows, columns, offset).toArray()).toEqual(places(core.triu));
          expect(core.trilIndices(rows, columns, offset).toArray()).toEqual(places(core.tril));
        }
  });
  it('differences', () => {
    expect(core.diff(core.ones([2, 3]), { n: 2 ** 53 - 1 }).shape).toEqual([2, 0]);
    expect(core.diff(core.tensor([1, 4, 9, 16]), { n: 2 }).toArray()).toEqual([2, 2]);
  });
  it('blocks', () => {
    const block = core.zeros([2 ** 9, 2 ** 9]);
    expect(() => core.blockDiag(...Array<Tensor>(300).fill(block))).toThrow(/^blockDiag: shape \[153600, 153600\] has/);
  });
});
