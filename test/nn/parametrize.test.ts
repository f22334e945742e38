import { manualSeed, noGrad, ones, randn, tensor } from '@gradgate/core';
import {
  ConvTranspose1d,
  ConvTranspose3d,
  Linear,
  type Module,
  optim,
  removeSpectralNorm,
  removeWeightNorm,
  Sequential,
  spectralNorm,
  Tanh,
  weightNorm,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

describe('weightNorm', () => {
  it('changes nothing at first, and learns length and direction', () => {
    manualSeed(1);
    const x = randn([4, 3]);
    const layer = new Linear(3, 2);
    const before = layer(x).toArray() as number[][];
    weightNorm(layer);
    expect(Object.keys(layer.stateDict())).toEqual(['bias', 'weight_g', 'weight_v']);
    expect(layer(x).sub(tensor(before)).abs().max().item()).toBeLessThan(1e-6);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
    layer(x).square().sum().backward();
    optimizer.step();
    const trained = layer(x).toArray() as number[][];
    expect(trained).not.toEqual(before);
    removeWeightNorm(layer);
    expect(Object.keys(layer.stateDict()).sort()).toEqual(['bias', 'weight']);
    expect((layer(x).toArray() as number[][]).flat()).toEqual(trained.flat());
    expect([...layer.parameters()].length).toBe(2);
  });

  it('refuses what it cannot work on', () => {
    const computed = weightNorm(new Linear(2, 2));
    expect(() => {
      Object.assign(computed, { weight: ones([2, 2]) });
    }).toThrow(/^Linear: 'weight' is computed from other parameters; change those/);
    expect(() => weightNorm(new Tanh())).toThrow(/Tanh has no parameter 'weight'/);
    expect(() => weightNorm(new Linear(2, 2), { dim: 2 })).toThrow(/has no dimension 2/);
    expect(() => removeWeightNorm(new Linear(2, 2))).toThrow(/is not computed from weightG, weightV/);
    expect(() => weightNorm(weightNorm(new Linear(2, 2)))).toThrow(/has no parameter 'weight'/);
  });
});

describe('spectralNorm', () => {
  it('keeps the largest singular value at 1, and moves its estimate in training only', () => {
    manualSeed(2);
    const net = new Sequential(spectralNorm(new Linear(6, 5)), new Tanh());
    const layer = net[0] as Linear;
    net.eval();
    const x = randn([20, 6]);
    const still = noGrad.run(() => net(x).toArray());
    expect(noGrad.run(() => net(x).toArray())).toEqual(still);
    net.train();
    for (let i = 0; i < 50; i++) noGrad.run(() => net(x));
    const w = layer.weight.detach();
    let v = randn([6]);
    for (let i = 0; i < 200; i++)
      v = w
        .t()
        .matmul(w.matmul(v))
        .div(w.t().matmul(w.matmul(v)).norm());
    expect(w.matmul(v).norm().item()).toBeCloseTo(1, 4);
    net(x).sum().backward();
    expect(layer.stateDict()['weight_orig']!.shape).toEqual([5, 6]);
    removeSpectralNorm(layer);
    expect(Object.keys(layer.stateDict()).sort()).toEqual(['bias', 'weight']);
  });

  it('takes the dimension of the output as rows: the second one of transposed convolutions, or the one that is named', () => {
    const rows = (layer: Module) => layer.stateDict()['weight_u']!.shape[0];
    expect(rows(spectralNorm(new ConvTranspose1d(2, 3, 4)))).toBe(3);
    expect(rows(spectralNorm(new ConvTranspose3d(2, 3, 1)))).toBe(3);
    expect(rows(spectralNorm(new ConvTranspose1d(2, 3, 4), { dim: 0 }))).toBe(2);
    expect(rows(spectralNorm(new Linear(5, 3), { dim: 1 }))).toBe(5);
    expect(() => spectralNorm(new Linear(5, 3), { dim: 2 })).toThrow(
      "spectralNorm: 'weight' of shape [3, 5] has no dimension 2",
    );
  });
});
