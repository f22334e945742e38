import { ones, tensor } from '@gradgate/core';
import * as nn from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

describe('running statistics of InstanceNorm1d', () => {
  const x = () =>
    tensor([
      [
        [1, 3, 8],
        [0, 2, -2],
      ],
      [
        [5, 5, 2],
        [1, 0, 4],
      ],
    ]);
  const round = (values: unknown): unknown =>
    Array.isArray(values) ? values.map(round) : Number((values as number).toFixed(4));
  const layer = (options = {}) => new nn.InstanceNorm1d(2, { trackRunningStats: true, ...options });

  it('are moved in training and taken in eval, as by PyTorch', () => {
    const norm = layer();
    norm(x());
    expect(round(norm.runningMean!.toArray())).toEqual([0.4, 0.0833]);
    expect(round(norm.runningVar!.toArray())).toEqual([1.7, 1.3167]);
    expect(norm.numBatchesTracked!.item()).toBe(0);
    expect(round(norm.eval()(x()).toArray())).toEqual([
      [
        [0.4602, 1.9941, 5.8289],
        [-0.0726, 1.6703, -1.8156],
      ],
      [
        [3.528, 3.528, 1.2271],
        [0.7989, -0.0726, 3.4133],
      ],
    ]);
    expect(round(norm(x().select(0, 0)).toArray())).toEqual([
      [0.4602, 1.9941, 5.8289],
      [-0.0726, 1.6703, -1.8156],
    ]);
  });

  it('stay where momentum is null', () => {
    const norm = layer({ momentum: null });
    norm(x());
    expect([norm.runningMean!.toArray(), norm.runningVar!.toArray()]).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  it('have the names of PyTorch in the state, and are none by default', () => {
    expect(Object.keys(layer({ affine: true }).stateDict())).toEqual([
      'weight',
      'bias',
      'running_mean',
      'running_var',
      'num_batches_tracked',
    ]);
    expect(Object.keys(new nn.InstanceNorm1d(2).stateDict())).toEqual([]);
  });

  it('are left as they are by a batch that is refused', () => {
    const norm = layer();
    for (const wrong of [ones([2, 2, 1]), ones([0, 2, 3]), ones([2, 3, 3])])
      expect(() => norm(wrong)).toThrow(/^InstanceNorm1d: /);
    expect(norm.runningMean!.toArray()).toEqual([0, 0]);
  });

  it('come with the first input of a lazy layer', () => {
    const lazy = new nn.LazyInstanceNorm1d({ trackRunningStats: true });
    lazy(x());
    expect(round(lazy.runningMean!.toArray())).toEqual([0.4, 0.0833]);
  });
});
