import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  cosineSimilarity,
  crossEntropy,
  Generator,
  grad,
  huberLoss,
  klDiv,
  l1Loss,
  logSoftmax,
  mseLoss,
  nllLoss,
  randint,
  sigmoid,
  smoothL1Loss,
  type Tensor,
  tensor,
} from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectAlike, expectRounded, odd, random } from './compare.js';

const layouts = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;
const reductions = fc.constantFrom('mean' as const, 'sum' as const, 'none' as const);

describe('losses in WebAssembly agree with the definition', () => {
  it('cross entropy and its gradient', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 65 }),
        layouts,
        reductions,
        fc.constantFrom('int32' as const, 'int64' as const, 'uint8' as const),
        fc.nat(),
        fc.boolean(),
        (rows, n, layout, reduction, dtype, seed, isOdd) => {
          const x = random([rows, n], seed, layout, { scale: 5, odd: isOdd ? odd : [] });
          const target = randint(0, n, [rows], { generator: new Generator(seed) }).to(dtype);
          const [reduced, dtypes] = [reduction === 'none' ? [rows] : [], ['float32', 'float32', 'int32'] as const];
          expectAlike(
            (k, loss, p, classes) => k.crossEntropy(x, target, 0, reduction, loss!, p!, classes!),
            [reduced, [rows, n], [rows]],
            { absolute: 1e-4, relative: 1e-5 },
            dtypes,
          );
          const [p, g] = [random([rows, n], seed + 1, layout).softmax(1), random(reduced, seed + 2, 0)];
          const classes = target.to('int32').sub(1);
          expectAlike((k, out) => k.crossEntropyGradient(g, p, classes, reduction, out!), [[rows, n]], {
            absolute: 1e-6,
            relative: 1e-6,
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(['squaredError', 'logitEntropy'] as const)('%s and its gradient', (name) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1200 }), layouts, fc.nat(), fc.boolean(), (n, layout, seed, isOdd) => {
        const [x, y] = [random([2, n], seed, layout), random([2, n], seed + 1, 0)];
        expectAlike((k, out) => k.pairLoss(name, x, y, 7, out!), [[]], { absolute: 1e-3, relative: 1e-5 });
        // Sums of squares of float32 overflow before those of float64.
        const v = random([2, n], seed, layout, { odd: isOdd ? odd : [] });
        const g = tensor(0.3);
        expectAlike((k, out) => k.pairLossGradient(name, g, v, y, 7, out!), [[2, n]], {
          absolute: 1e-6,
          relative: 1e-5,
        });
      }),
    );
  });
});

describe('cross entropy of any shape is that of rows', () => {
  it.each(['mean', 'sum', 'none'] as const)('reduced by %s, with its gradient', (reduction) => {
    const x = random([2, 5, 3, 4], 1, 0).double().requiresGrad_();
    const target = randint(0, 5, [2, 3, 4], { generator: new Generator(2) });
    target.set(0, 1, 2, -100);
    const loss = crossEntropy(x, target, { reduction });
    const want = nllLoss(logSoftmax(x, 1), target, { reduction });
    expect(loss.shape).toEqual(want.shape);
    expect(loss.sub(want).abs().max().item()).toBeLessThan(1e-12);
    const [got, slope] = [loss, want].map((t) => grad(t.square().sum(), [x])[0]!) as [Tensor, Tensor];
    expect(got.sub(slope).abs().max().item()).toBeLessThan(1e-12);
    const one = random([5], 3, 0);
    const label = tensor(3, { dtype: 'int32' });
    expect(crossEntropy(one, label, { reduction }).shape).toEqual([]);
    expect(crossEntropy(one, label, { reduction }).item()).toBeCloseTo(-logSoftmax(one, 0).toTypedArray()[3]!, 5);
  });
});

describe.each(['float16', 'bfloat16'] as const)('of %s', (dtype) => {
  const classes = randint(0, 7, [9], { generator: new Generator(5) });
  const cases: [string, (x: Tensor, y: Tensor, reduction: 'mean' | 'none') => Tensor, boolean?][] = [
    ['mseLoss', (x, y, reduction) => mseLoss(x, y, { reduction })],
    ['l1Loss', (x, y, reduction) => l1Loss(x, y, { reduction })],
    ['huberLoss', (x, y, reduction) => huberLoss(x, y, { reduction })],
    ['smoothL1Loss', (x, y, reduction) => smoothL1Loss(x, y, { reduction, beta: 0.7 })],
    ['binaryCrossEntropy', (x, y, reduction) => binaryCrossEntropy(x, y, { reduction }), true],
    ['binaryCrossEntropyWithLogits', (x, y, reduction) => binaryCrossEntropyWithLogits(x, y, { reduction })],
    ['klDiv', (x, y, reduction) => klDiv(x, y, { reduction }), true],
    ['cosineSimilarity', (x, y) => cosineSimilarity(x, y)],
    ['crossEntropy', (x, _, reduction) => crossEntropy(x, classes, { reduction })],
    ['crossEntropy, smoothed', (x, _, reduction) => crossEntropy(x, classes, { reduction, labelSmoothing: 0.1 })],
    ['crossEntropy of probabilities', (x, y, reduction) => crossEntropy(x, y, { reduction }), true],
    ['nllLoss', (x, _, reduction) => nllLoss(x, classes, { reduction })],
  ];

  it.each(cases)('%s is that of float64 rounded once, and so are its gradients', (_, f, isProbability = false) => {
    const values = [random([9, 7], 1, 0), random([9, 7], 2, 0)].map((t) => (isProbability ? sigmoid(t) : t).to(dtype));
    for (const reduction of ['mean', 'none'] as const) {
      const [got, want] = [false, true].map((isDouble) => {
        const inputs = values.map((t) => (isDouble ? t.double() : t).detach().requiresGrad_()) as [Tensor, Tensor];
        const loss = f(...inputs, reduction);
        return [loss.detach(), ...grad(loss.sum(), inputs, { allowUnused: true })];
      }) as [(Tensor | null)[], (Tensor | null)[]];
      got.forEach((t, i) => {
        expect(t?.dtype).toBe(want[i] === null ? undefined : dtype);
        if (t) expectRounded(t, want[i]!);
      });
    }
  });
});

it('classes and probabilities out of range are refused by name', () => {
  const x = random([2, 3], 1, 0);
  const target = (...classes: number[]) => tensor(classes, { dtype: 'int32' });
  expect(() => crossEntropy(x, target(0, 3))).toThrow('crossEntropy: target class 3 is out of range for 3 classes');
  expect(() => nllLoss(x, target(-1, 0))).toThrow('nllLoss: target class -1 is out of range for 3 classes');
  expect(nllLoss(x, target(-1, 0), { ignoreIndex: -1 }).item()).toBe(-x.toTypedArray()[3]!);
  expect(() => binaryCrossEntropy(tensor([0.5, 1.5]), tensor([0, 1]))).toThrow(/binaryCrossEntropy: input holds 1.5/);
  expect(() => binaryCrossEntropy(tensor([Number.NaN]), tensor([0]))).toThrow(/binaryCrossEntropy: input holds NaN/);
});
