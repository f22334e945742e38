import { Generator, grad, logSoftmax, logsumexp, randn, softmax, type Tensor } from '@gradgate/core';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { attentionWeights } from '../../../packages/core/src/ops/softmax.js';
import { expectAlike, expectRounded, odd, random } from './compare.js';

// Below and above what kernels take, with tails of vectors.
const shapes = fc
  .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 65 }), fc.integer({ min: 1, max: 9 }))
  .chain(([outer, n, inner]) => fc.shuffledSubarray([outer, n, inner], { minLength: 3 }));
const layouts = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;
const kinds = fc.constantFrom('softmax' as const, 'logSoftmax' as const);

describe('softmax in WebAssembly agrees with the definition', () => {
  it('along any dimension, of NaN and infinities too', () => {
    fc.assert(
      fc.property(
        shapes,
        layouts,
        kinds,
        fc.integer({ min: 0, max: 2 }),
        fc.nat(),
        fc.boolean(),
        (shape, layout, kind, d, seed, isOdd) => {
          const x = random(shape, seed, layout, { scale: 5, odd: isOdd ? odd : [] });
          expectAlike((k, out) => k.softmax(kind, x, d, out), [shape], { absolute: 2e-6, relative: 2e-6 });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('and its gradient', () => {
    fc.assert(
      fc.property(shapes, layouts, kinds, fc.integer({ min: 0, max: 2 }), fc.nat(), (shape, layout, kind, d, seed) => {
        const y = kind === 'softmax' ? softmax(random(shape, seed, 0), d) : logSoftmax(random(shape, seed, 0), d);
        const g = random(shape, seed + 1, layout);
        expectAlike((k, out) => k.softmaxGradient(kind, g, y, d, 0.5, out), [shape], {
          absolute: 1e-5,
          relative: 2e-6,
        });
      }),
    );
  });

  it('and the logarithm of the sum of exponentials, over any dimensions', () => {
    fc.assert(
      fc.property(
        shapes,
        layouts,
        fc.subarray([0, 1, 2], { minLength: 1 }),
        fc.nat(),
        fc.boolean(),
        (shape, layout, dims, seed, isOdd) => {
          const x = random(shape, seed, layout, { scale: 5, odd: isOdd ? odd : [] });
          const kept = shape.filter((_, d) => !dims.includes(d));
          expectAlike((k, out) => k.logsumexp(x, dims, out), [kept], { absolute: 2e-6, relative: 1e-6 });
        },
      ),
    );
  });

  it('and the weights of attention', () => {
    fc.assert(
      fc.property(shapes, layouts, fc.boolean(), fc.nat(), (shape, layout, isCausal, seed) => {
        const scores = random(shape, seed, layout, { scale: 5 });
        expectAlike((k, out) => k.attentionWeights(scores, 0.3, isCausal, out), [shape], {
          absolute: 1e-6,
          relative: 2e-6,
        });
      }),
    );
  });
});

describe.each(['float16', 'bfloat16'] as const)('of %s', (dtype) => {
  const x = randn([9, 70], { generator: new Generator(1) }).to(dtype);

  it.each([0, 1])('softmax and its logarithm along %i are those of float64 rounded once, and their gradients', (d) => {
    const v = x.detach().requiresGrad_();
    const g = randn([9, 70], { generator: new Generator(2) }).to(dtype);
    const g64 = g.double();
    const sum = (t: Tensor) => t.sum(d, { keepdim: true });
    const y = softmax(v, d);
    expectRounded(y, softmax(x.double(), d));
    const y64 = y.detach().double();
    expectRounded(grad(y, [v], { gradOutputs: g })[0]!, y64.mul(g64.sub(sum(g64.mul(y64)))));
    const log = logSoftmax(v, d);
    expectRounded(log, logSoftmax(x.double(), d));
    expectRounded(grad(log, [v], { gradOutputs: g })[0]!, g64.sub(log.detach().double().exp().mul(sum(g64))));
  });

  it.each([0, 1, [0, 1]])('logsumexp over %j is that of float64 rounded once, and its gradient', (dim) => {
    const [v, w] = [x.detach().requiresGrad_(), x.double().detach().requiresGrad_()];
    const [y, want] = [logsumexp(v, dim), logsumexp(w, dim)];
    expectRounded(y, want);
    expectRounded(grad(y.sum(), [v])[0]!, grad(want.sum(), [w])[0]!);
  });

  it('weights of attention are those of float64 rounded once', () => {
    const scores = x.reshape([3, 3, 70]);
    for (const isCausal of [false, true])
      expectRounded(attentionWeights(scores, 0.3, isCausal), attentionWeights(scores.double(), 0.3, isCausal));
  });
});
