import {
  cat,
  defineFunction,
  detectAnomaly,
  grad,
  inferenceMode,
  manualSeed,
  ones,
  randn,
  savedTensorsHooks,
  type Tensor,
  tensor,
  zeros,
} from '@gradgate/core';
import { optim, Parameter } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { dataOf } from '../../../packages/core/src/backend/host/data.js';
import { binaryByKernel, unaryByKernel } from '../../../packages/core/src/backend/wasm/elementwise.js';
import { gemm } from '../../../packages/core/src/backend/wasm/matmul.js';
import { inRows } from '../../../packages/core/src/backend/wasm/rows.js';
import { stepByKernel } from '../../../packages/core/src/backend/wasm/step.js';

describe('a gradient that is assigned', () => {
  it.each<[string, unknown, RegExp]>([
    ['of another shape', ones([3]), /^grad: the gradient must have the shape \[2\] of its tensor, got \[3\]/],
    ['that would broadcast', ones([1]), /shape \[2\]/],
    ['of as many elements in another shape', ones([2, 1]), /shape \[2\]/],
    [
      'of another dtype',
      ones([2], { dtype: 'float64' }),
      /^grad: the gradient must be float32, as its tensor, got float64/,
    ],
    ['of integers', ones([2], { dtype: 'int32' }), /^grad: the gradient must be float32, as its tensor, got int32/],
    ['that is an array', [1, 2], /^grad: a gradient must be a Tensor or null, got \[1, 2\]/],
    ['that is a typed array', new Float32Array(2), /^grad: a gradient must be a Tensor or null/],
    ['that is undefined', undefined, /^grad: a gradient must be a Tensor or null, got undefined/],
  ])('%s is refused, and the one before stays', (_, wrong, message) => {
    const p = new Parameter(zeros([2]));
    const before = ones([2]);
    p.grad = before;
    expect(() => {
      p.grad = wrong as Tensor;
    }).toThrow(message);
    expect(p.grad).toBe(before);
  });

  it('cannot be the tensor itself', () => {
    const p = new Parameter(zeros([2]));
    expect(() => {
      p.grad = p;
    }).toThrow(/^grad: a tensor cannot be its own gradient/);
  });

  it('that fits is taken, whatever its strides; null takes it away', () => {
    const p = new Parameter(zeros([2, 3]));
    p.grad = randn([3, 2]).t();
    new optim.SGD([p], { lr: 1 }).step();
    expect(p.toArray()).toEqual(p.grad.neg().toArray());
    p.grad = null;
    expect(p.grad).toBe(null);
    inferenceMode.run(() => {
      p.grad = ones([2, 3]);
    });
  });

  it('by backward has the dtype of its leaf, also where the operation promoted it', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    x.mul(tensor([3, 4], { dtype: 'float64' }))
      .sum()
      .backward();
    x.mul(tensor([3, 4], { dtype: 'float64' }))
      .sum()
      .backward({ inputs: x });
    expect(x.grad!.dtype).toBe('float32');
    expect(x.grad!.toArray()).toEqual([6, 8]);
  });
});

describe('a kernel does not go beyond an array it was given', () => {
  manualSeed(0);
  // Parameters live in kernel memory, where the values behind them are other tensors'.
  const [long, short] = [4096, 2048].map((n) => dataOf(new Parameter(randn([n]))) as Float32Array) as [
    Float32Array,
    Float32Array,
  ];
  const refused = /would go to element \d+ of an array of \d+; nothing was computed/;

  it.each<[string, () => unknown]>([
    ['an optimizer whose gradient is short', () => stepByKernel('sgd', long, short, [], [1, 0, 1, 0, 1, 0, 1])],
    ['an optimizer whose memory is short', () => stepByKernel('momentum', long, long, [short], [1, 0, 1, 0, 1, 0, 1])],
    ['a kernel of one operand', () => unaryByKernel('exp', long, 4096, short, 0)],
    ['a kernel of one operand that begins late', () => unaryByKernel('exp', short, 2048, long, 2049)],
    ['a kernel whose result is short', () => unaryByKernel('exp', short, 4096, long, 0)],
    [
      'a kernel of two operands',
      () => binaryByKernel('add', long, 4096, { data: long, step: 1 }, [0], { data: short, step: 1 }, [0]),
    ],
    ['a kernel of rows', () => inRows('softmax', 64, [[short, 64]], [[long, 64]], () => {})],
    ['a product', () => gemm(64, 64, 64, matrix(short), matrix(long), long, 0, null)],
    ['a product whose result is short', () => gemm(64, 64, 64, matrix(long), matrix(long), short, 0, null)],
  ])('%s', (_, call) => {
    const before = [long.slice(), short.slice()];
    expect(call).toThrow(refused);
    expect([long, short]).toEqual(before);
  });
});

const matrix = (data: Float32Array) => ({ data, offset: 0, rowStride: 64, colStride: 1 });

describe('what runs a function, and covers what it awaits (see flows.test.ts)', () => {
  const hooks = { pack: (t: Tensor) => t, unpack: (t: Tensor) => t };
  it.each<[string, (fn: () => unknown) => unknown]>([
    ['detectAnomaly', (fn) => detectAnomaly(fn)],
    ['savedTensorsHooks', (fn) => savedTensorsHooks(hooks, fn)],
  ])('%s gives what the function gives, and refuses what is none', async (name, call) => {
    expect(call(() => 1)).toBe(1);
    expect(await call(async () => 2)).toBe(2);
    expect(() => call(1 as never)).toThrow(`${name}: fn must be a function, got 1`);
  });

  it('is off again after', async () => {
    await detectAnomaly(async () => 1);
    const x = tensor([0], { requiresGrad: true });
    expect(() => x.log().mul(0).sum().backward()).not.toThrow();
  });
});

describe('a custom function', () => {
  const product = (backward: (g: Tensor) => unknown) =>
    defineFunction({
      name: 'product',
      forward: (_, a: Tensor, b: Tensor) => a.mul(b),
      backward: (_, g) => backward(g!) as Tensor[],
    })(tensor([1], { requiresGrad: true }), tensor([2], { requiresGrad: true }));

  it.each<[string, (g: Tensor) => unknown, RegExp]>([
    ['too few gradients', (g) => [g], /^product: backward gave 1 gradients for 2 arguments; give one each/],
    ['one for two', (g) => g, /^product: backward gave 1 gradients for 2 arguments/],
    ['too many gradients', (g) => [g, g, g], /^product: backward gave 3 gradients for 2 arguments/],
    ['no gradients', () => undefined, /^product: the result of backward must be an array/],
    ['numbers', () => [1, 2], /^product: the result of backward must be an array/],
    [
      'a gradient of another shape',
      () => [ones([3]), null],
      /^product: .* gradient of shape \[3\] for input 0 of shape \[1\]/,
    ],
  ])('that gives %s is refused', (_, backward, message) => {
    expect(() => product(backward).sum().backward()).toThrow(message);
  });

  it('that gives null for an argument leaves it without', () => {
    expect(() =>
      product((g) => [g, null])
        .sum()
        .backward(),
    ).not.toThrow();
  });

  it('that is no function is refused when it is defined', () => {
    expect(() => defineFunction({ name: 'f', forward: 1 } as never)).toThrow(
      'defineFunction: forward must be a function, got 1',
    );
    expect(() => defineFunction({ name: 'f', forwards: 1 } as never)).toThrow(/did you mean 'forward'\?/);
  });
});

describe('arrays that hold themselves, or are nested deep', () => {
  it('are refused by tensor()', () => {
    const circular: unknown[] = [];
    circular[0] = circular;
    let deep: unknown[] = [1];
    for (let i = 0; i < 1e5; i++) deep = [deep];
    for (const a of [circular, deep])
      expect(() => tensor(a as never)).toThrow('tensor: arrays are nested deeper than 64 times; does one hold itself?');
  });

  it('that stand in many places are counted before they are gone through', () => {
    let wide: unknown[] = [1, 1, 1, 1];
    for (let i = 0; i < 30; i++) wide = [wide, wide, wide, wide];
    expect(() => tensor(wide as never)).toThrow(
      /^tensor: shape \[4, .* has \S+ elements, \S+ bytes in float32; at most 2\^32 can be held, or 2\^24 rows of none$/,
    );
  });
});

it('thousands of gradients are taken in a time that grows with their number', () => {
  const many = Array.from({ length: 20_000 }, () => ones([1], { requiresGrad: true }));
  const start = performance.now();
  const few = many.slice(0, 2000);
  grad(cat(few).sum(), few);
  const ofFew = performance.now() - start;
  const grads = grad(cat(many).sum(), many);
  expect(grads).toHaveLength(20_000);
  expect(grads.every((g) => g.item() === 1)).toBe(true);
  // 10 times as many took 100 times as long when each node looked through all of them.
  expect(performance.now() - start - ofFew).toBeLessThan(40 * ofFew + 500);
});
