import type { Tensor } from '@gradgate/core';
import { optim } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { camelCase, type GoldenCase, goldenCases, goldenError, revive } from '../../golden/golden.js';

const cases = goldenCases.filter((c) => c.op.startsWith('optim:'));

/** The largest error of w and b after any step on mean((tanh(x @ w + b) - y)²). */
function worst({ op, inputs, kwargs, outputs }: GoldenCase, maximize = false): number {
  const [w, b, x, y] = inputs.map((v) => revive(v)) as [Tensor, Tensor, Tensor, Tensor];
  w.requiresGrad_();
  b.requiresGrad_();
  const Optimizer = (optim as Record<string, any>)[op.slice('optim:'.length)];
  const optimizer = new Optimizer([w, b], { ...camelCase(kwargs), maximize });
  let error = 0;
  for (const expected of outputs as unknown as { w: number[]; b: number[] }[]) {
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = x.matmul(w).add(b).tanh().sub(y).square().mean();
      (maximize ? loss.neg() : loss).backward();
      return loss;
    });
    error = Math.max(error, goldenError(w, expected.w), goldenError(b, expected.b));
  }
  return error;
}

const ours = cases.filter((c) => c.op.slice('optim:'.length) in optim);

describe('optimizers follow the path of PyTorch', () => {
  it.each(ours.map((c) => [c.id, c] as const))('%s', (_, golden) => {
    expect(worst(golden)).toBeLessThanOrEqual(golden.tol);
  });

  it.each(ours.map((c) => [c.id, c] as const))('%s, going up the negative', (_, golden) => {
    expect(worst(golden, true)).toBeLessThanOrEqual(golden.tol);
  });
});
