import { ones, randn, type Tensor, tidy } from '@gradgate/core';
import { complex } from '@gradgate/core/complex';
import * as nn from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const line = () => randn([2, 4, 10]);
const plane = () => randn([2, 4, 6, 6]);
const volume = () => randn([2, 4, 4, 4, 4]);

/** A lazy layer, the layer that it becomes, and an input. */
const layers: [string, () => nn.Module, () => nn.Module, () => Tensor][] = [
  ['LazyLinear', () => new nn.LazyLinear(3), () => new nn.Linear(10, 3), line],
  ['LazyConv1d', () => new nn.LazyConv1d(6, 3, { groups: 2 }), () => new nn.Conv1d(4, 6, 3, { groups: 2 }), line],
  ['LazyConv2d', () => new nn.LazyConv2d(6, [3, 1]), () => new nn.Conv2d(4, 6, [3, 1]), plane],
  ['LazyConv3d', () => new nn.LazyConv3d(6, 2, { bias: false }), () => new nn.Conv3d(4, 6, 2, { bias: false }), volume],
  ['LazyConvTranspose1d', () => new nn.LazyConvTranspose1d(6, 3), () => new nn.ConvTranspose1d(4, 6, 3), line],
  [
    'LazyConvTranspose2d',
    () => new nn.LazyConvTranspose2d(6, 2, { groups: 2 }),
    () => new nn.ConvTranspose2d(4, 6, 2, { groups: 2 }),
    plane,
  ],
  ['LazyConvTranspose3d', () => new nn.LazyConvTranspose3d(6, 2), () => new nn.ConvTranspose3d(4, 6, 2), volume],
  ['LazyBatchNorm1d', () => new nn.LazyBatchNorm1d(), () => new nn.BatchNorm1d(4), line],
  [
    'LazyBatchNorm2d',
    () => new nn.LazyBatchNorm2d({ affine: false }),
    () => new nn.BatchNorm2d(4, { affine: false }),
    plane,
  ],
  ['LazyBatchNorm3d', () => new nn.LazyBatchNorm3d(), () => new nn.BatchNorm3d(4), volume],
  ['LazyInstanceNorm1d', () => new nn.LazyInstanceNorm1d(), () => new nn.InstanceNorm1d(4), line],
  [
    'LazyInstanceNorm2d',
    () => new nn.LazyInstanceNorm2d({ affine: true }),
    () => new nn.InstanceNorm2d(4, { affine: true }),
    plane,
  ],
  ['LazyInstanceNorm3d', () => new nn.LazyInstanceNorm3d(), () => new nn.InstanceNorm3d(4), volume],
];

describe.each(layers)('%s', (_, makeLazy, makePlain, input) => {
  it('is the layer of its first input from then on, and takes its state', () => {
    const [lazy, plain, x] = [makeLazy(), makePlain(), input()];
    lazy(x);
    const shapes = (m: nn.Module) => Object.entries(m.stateDict()).map(([name, t]) => [name, t.shape, t.dtype]);
    expect(shapes(lazy)).toEqual(shapes(plain));
    lazy.loadStateDict(plain.stateDict());
    const [a, b] = [lazy.eval()(x) as Tensor, plain.eval()(x) as Tensor];
    expect(a.toArray()).toEqual(b.toArray());
  });

  it('takes no size from an input that it refuses', () => {
    const [lazy, x] = [makeLazy(), input()];
    const wrong = lazy instanceof nn.LazyLinear ? ones([]) : x.unsqueeze(0).unsqueeze(0);
    expect(() => lazy(wrong)).toThrow(/must have features|dimensions, got/);
    expect((lazy(x) as Tensor).ndim).toBe(x.ndim);
  });

  it('keeps its parameters, so that an optimizer made before learns them', () => {
    const lazy = makeLazy();
    const before = [...lazy.parameters()];
    if (before.length === 0) return;
    const optimizer = new nn.optim.Adam(before, { lr: 0.1 });
    const y = lazy(input()) as Tensor;
    y.square().sum().backward();
    const after = [...lazy.parameters()];
    expect(after).toHaveLength(before.length);
    after.forEach((p, i) => {
      expect(p).toBe(before[i]);
    });
    const values = after.map((p) => p.toArray());
    optimizer.step();
    expect(after.map((p) => p.toArray())).not.toEqual(values);
  });

  it('has a clone that waits for an input of its own', () => {
    const lazy = makeLazy();
    const copy = lazy.clone();
    lazy(input());
    expect((copy(input()) as Tensor).shape).toEqual((lazy(input()) as Tensor).shape);
  });
});

it('a first input within tidy leaves parameters and statistics that stay', () => {
  const [lazy, norm] = [new nn.LazyLinear(3), new nn.LazyBatchNorm1d()];
  tidy.run(() => void norm(lazy(ones([4, 5]))));
  expect(
    Number.isFinite(
      lazy(ones([4, 5]))
        .sum()
        .item(),
    ),
  ).toBe(true);
  expect(norm.runningVar!.toArray()).toHaveLength(3);
});

it('parameters have the dtype that the layer was given, and weights are drawn', () => {
  const layer = new nn.LazyLinear(3).to('float64');
  layer(ones([2, 5]).to('float64'));
  expect(layer.weight.dtype).toBe('float64');
  expect(new Set(layer.weight.toTypedArray()).size).toBe(15);
  expect(new Set(layer.bias!.toTypedArray()).size).toBe(3);
});

it.each(layers)('a first call of %s that is refused leaves it without a size, as it was', (_, make, same, input) => {
  const layer = make();
  const state = () => Object.entries(layer.stateDict()).map(([name, t]) => [name, t.shape, t.toArray()]);
  const before = state();
  expect(() => layer(complex(ones(input().shape), 1))).toThrow();
  expect(state()).toEqual(before);
  // The next may have other sizes.
  expect(layer(input()).shape).toEqual(same()(input()).shape);
});

it.each<[string, () => unknown, RegExp]>([
  ['no tensor', () => new nn.LazyBatchNorm1d()(undefined as never), /^LazyBatchNorm1d: /],
  ['a single number', () => new nn.LazyLinear(2)(ones([])), /^LazyLinear: the first input must have features/],
  ['groups that do not divide', () => new nn.LazyConv1d(4, 1, { groups: 2 })(ones([3, 5])), /^LazyConv1d: 3 channels/],
  ['groups that are none', () => new nn.LazyConv2d(4, 1, { groups: 0 }), /^LazyConv2d: groups/],
  [
    'another input later',
    () => {
      const layer = new nn.LazyLinear(2);
      layer(ones([3]));
      layer(ones([4]));
    },
    /^LazyLinear: .*\[4\]/,
  ],
])('%s is refused by name', (_, call, message) => {
  expect(call).toThrow(message);
});
