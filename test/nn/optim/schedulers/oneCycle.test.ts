import { zeros } from '@gradgate/core';
import { optim, Parameter } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

// PyTorch's momentum over ten steps.
const momenta = [0.95, 0.9, 0.85, 0.854951557, 0.86882551, 0.888873953, 0.911126047, 0.93117449, 0.945048443, 0.95];

describe('OneCycleLR', () => {
  it('moves momentum, or the first beta, against the rate', () => {
    const params = () => [new Parameter(zeros([1]))];
    const [sgd, adam] = [new optim.SGD(params(), { lr: 0.1, momentum: 0.9 }), new optim.Adam(params(), { lr: 0.1 })];
    for (const optimizer of [sgd, adam]) {
      const scheduler = new optim.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10 });
      for (const wanted of momenta) {
        const group = optimizer.paramGroups[0] as { momentum?: number; betas?: readonly [number, number] };
        expect(group.betas?.[0] ?? group.momentum).toBeCloseTo(wanted, 8);
        scheduler.step();
      }
    }
    expect((adam.paramGroups[0] as { betas: readonly number[] }).betas[1]).toBe(0.999);
  });

  it('leaves momentum alone if asked to, and refuses optimizers that have none', () => {
    const params = [new Parameter(zeros([1]))];
    const sgd = new optim.SGD(params, { lr: 0.1, momentum: 0.9 });
    new optim.OneCycleLR(sgd, { maxLr: 1, totalSteps: 10, cycleMomentum: false }).step();
    expect(sgd.paramGroups[0]!.momentum).toBe(0.9);
    expect(
      () =>
        new optim.OneCycleLR(new optim.Adagrad(params, { lr: 0.1 }), { maxLr: 1, totalSteps: 10, cycleMomentum: true }),
    ).toThrow(/OneCycleLR: cycleMomentum needs an optimizer/);
  });
});
