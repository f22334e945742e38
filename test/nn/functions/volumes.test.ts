import { grad, ones, randn, registerBackend, type Tensor, tensor, zeros } from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import * as nn from '@gradgate/nn';
import { functional as F } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { far } from '../../core/backend/far.js';

registerBackend(far);

const draw = (...shape: number[]) => randn(shape, { dtype: 'float64' });
/** All different, and far enough from each other for finite differences. */
const distinct = (...shape: number[]) => {
  const n = shape.reduce((a, b) => a * b);
  return tensor(
    Float64Array.from({ length: n }, (_, i) => ((i * 7919) % n) / 10 + 0.1),
    { shape },
  );
};
const places = () => tensor([[[3, 0]]], { dtype: 'int32' });

/** Functions of volumes, lines and planes, with inputs that they take. */
const cases: [string, (...inputs: Tensor[]) => Tensor, Tensor[]][] = [
  [
    'conv3d',
    (x, w, b) => F.conv3d(x, w, b, { stride: [2, 1, 1], padding: [1, 0, 1], dilation: [1, 2, 1], groups: 2 }),
    [draw(1, 2, 3, 3, 2), draw(2, 1, 2, 2, 2), draw(2)],
  ],
  [
    "conv3d with padding 'same'",
    (x, w) => F.conv3d(x, w, null, { padding: 'same' }),
    [draw(2, 2, 2, 2), draw(1, 2, 2, 1, 2)],
  ],
  [
    'convTranspose3d',
    (x, w, b) => F.convTranspose3d(x, w, b, { stride: 2, padding: [1, 0, 0], outputPadding: [1, 0, 0], groups: 2 }),
    [draw(1, 2, 2, 1, 2), draw(2, 1, 2, 2, 1), draw(2)],
  ],
  ['maxPool3d', (x) => F.maxPool3d(x, 2, { stride: 1, padding: [1, 0, 0] }), [distinct(1, 2, 2, 3, 2)]],
  ['values of maxPool1dWithIndices', (x) => F.maxPool1dWithIndices(x, 2).values, [distinct(1, 2, 6)]],
  [
    'values of maxPool2dWithIndices',
    (x) => F.maxPool2dWithIndices(x, 2, { ceilMode: true }).values,
    [distinct(1, 3, 3)],
  ],
  ['values of maxPool3dWithIndices', (x) => F.maxPool3dWithIndices(x, 2).values, [distinct(1, 2, 4, 2)]],
  [
    'avgPool3d',
    (x) => F.avgPool3d(x, [2, 1, 2], { stride: 2, padding: [1, 0, 1], ceilMode: true }),
    [draw(1, 3, 2, 3)],
  ],
  ['avgPool2d with ceilMode', (x) => F.avgPool2d(x, 2, { padding: 1, ceilMode: true }), [draw(1, 4, 3)]],
  ['adaptiveAvgPool3d', (x) => F.adaptiveAvgPool3d(x, [2, 2, 1]), [draw(1, 3, 3, 2)]],
  ['adaptiveMaxPool1d', (x) => F.adaptiveMaxPool1d(x, 3), [distinct(1, 1, 5)]],
  ['adaptiveMaxPool2d', (x) => F.adaptiveMaxPool2d(x, [2, 3]), [distinct(1, 3, 5)]],
  ['adaptiveMaxPool3d', (x) => F.adaptiveMaxPool3d(x, [2, 1, 3]), [distinct(1, 3, 2, 4)]],
  [
    'fractionalMaxPool2d',
    (x) =>
      F.fractionalMaxPool2d(x, 2, { outputSize: [2, 3], randomSamples: tensor([[[0.3, 0.9]]], { device: x.device }) }),
    [distinct(1, 4, 5)],
  ],
  [
    'fractionalMaxPool3d',
    (x) =>
      F.fractionalMaxPool3d(x, [1, 2, 2], {
        outputRatio: 0.7,
        randomSamples: tensor([[[0.3, 0.9, 0.1]]], { device: x.device }),
      }),
    [distinct(1, 3, 4, 5)],
  ],
  ['gridSample of volumes', (x, grid) => F.gridSample(x, grid.mul(0.4)), [draw(1, 2, 2, 3, 2), draw(1, 2, 1, 2, 3)]],
  ['affineGrid of volumes', (theta) => F.affineGrid(theta, [1, 1, 2, 2, 3]), [draw(1, 3, 4)]],
  ['maxUnpool1d', (x) => F.maxUnpool1d(x, places().to(x.device), 2), [draw(1, 1, 2)]],
  ['lpPool1d', (x) => F.lpPool1d(x, 3, 2), [distinct(1, 1, 5)]],
  ['lpPool2d', (x) => F.lpPool2d(x, 2, 2, { ceilMode: true }), [distinct(1, 3, 4)]],
  ['lpPool3d', (x) => F.lpPool3d(x, 2, [1, 2, 2]), [distinct(1, 2, 2, 4)]],
  ['channelShuffle', (x) => F.channelShuffle(x, 2), [draw(1, 4, 2)]],
];

describe.each(cases)('%s', (_, f, inputs) => {
  it('has first and second gradients', () => {
    const leaves = inputs.map((t) => t.detach().requiresGrad_());
    expect(gradcheck(f, leaves)).toBe(true);
    expect(gradgradcheck(f, leaves)).toBe(true);
  });

  it('gives the same on a device that is read later, in float32, and reads nothing there', async () => {
    const derivatives = (device: string): Tensor[] => {
      const leaves = inputs.map((t) => t.to('float32').to(device).detach().requiresGrad_());
      const y = f(...leaves);
      return [y, ...grad(y, leaves, { gradOutputs: ones(y.shape, { device }) })];
    };
    const [got, want] = [derivatives('far'), derivatives('cpu')];
    for (const [i, t] of want.entries()) {
      const values = await got[i]!.data();
      t.toTypedArray().forEach((v, j) => {
        expect(values[j]).toBeCloseTo(v, 4);
      });
    }
  });
});

it('lpPool3d is the root of the sum of powers', () => {
  const x = distinct(1, 2, 2, 2);
  const sum = x.pow(3).sum().item();
  expect(F.lpPool3d(x, 3, 2).item()).toBeCloseTo(sum ** (1 / 3), 10);
});

it('halves are taken too', () => {
  const x = randn([1, 2, 3, 4, 4]).to('bfloat16');
  const w = randn([2, 2, 2, 2, 2]).to('bfloat16');
  for (const y of [F.conv3d(x, w), F.maxPool3d(x, 2), F.avgPool3d(x, 2), F.adaptiveMaxPool3d(x, 2)])
    expect(y.dtype).toBe('bfloat16');
});

it('dropout of volumes drops whole channels, with one batch or none', () => {
  const y = new nn.Dropout3d(0.5)(ones([8, 16, 2, 2, 2]));
  const sums = y.sum([2, 3, 4]).toTypedArray();
  expect(new Set(sums)).toEqual(new Set([0, 16]));
  expect(F.dropout3d(ones([3, 1, 1, 2]), { p: 1 }).toArray()).toEqual([[[[0, 0]]], [[[0, 0]]], [[[0, 0]]]]);
});

it('FeatureAlphaDropout gives whole channels the lowest value of SELU, and keeps mean and variance', () => {
  const x = randn([400, 50, 4]);
  const y = F.featureAlphaDropout(x, { p: 0.3 });
  const channel = y.select(2, 0).sub(y.select(2, 1)).eq(0).to('float32').mean().item();
  expect(channel).toBeCloseTo(0.3, 1);
  expect(y.mean().item()).toBeCloseTo(0, 1);
  expect(y.var().item()).toBeCloseTo(1, 1);
});

it('unpooling puts maxima back where they were, by the layers too', () => {
  const x = distinct(2, 3, 4, 6);
  const { values, indices } = F.maxPool2dWithIndices(x, 2);
  const back = new nn.MaxUnpool2d(2)(values, indices);
  expect(back.shape).toEqual(x.shape);
  expect(F.maxPool2d(back, 2).equal(values)).toBe(true);
  expect(back.ne(0).sum().item()).toBe(values.numel);
  const odd = F.maxPool1dWithIndices(distinct(1, 1, 5), 2);
  expect(new nn.MaxUnpool1d(2)(odd.values, odd.indices, [1, 1, 5]).shape).toEqual([1, 1, 5]);
  expect(
    new nn.MaxUnpool3d([1, 2, 2], { stride: 2 })(zeros([1, 1, 1, 1, 1]), zeros([1, 1, 1, 1, 1]).to('int32')).shape,
  ).toEqual([1, 1, 1, 2, 2]);
});

describe('bad input is refused by name', () => {
  const volume = ones([1, 2, 3, 3, 3]);
  it.each<[string, () => unknown, RegExp]>([
    ['conv3d of a plane', () => F.conv3d(ones([2, 3, 3]), ones([1, 2, 2, 2, 2])), /^conv3d: takes \[N, C, D, H, W\]/],
    [
      'conv3d with flat kernels',
      () => F.conv3d(volume, ones([1, 2, 2, 2])),
      /^conv3d: weight must be \[O, C \/ groups, d, h, w\]/,
    ],
    [
      'conv3d with kernels of no depth',
      () => F.conv3d(volume, ones([1, 2, 0, 1, 1])),
      /^conv3d: a kernel must have at least/,
    ],
    [
      'convTranspose3d with kernels of no depth',
      () => F.convTranspose3d(volume, ones([2, 1, 0, 1, 1])),
      /^convTranspose3d: a kernel must have at least/,
    ],
    ['conv3d with other channels', () => F.conv3d(volume, ones([1, 3, 2, 2, 2])), /^conv3d: input .* 1 groups/],
    [
      'conv3d with a kernel that is too deep',
      () => F.conv3d(volume, ones([1, 2, 4, 2, 2])),
      /^conv3d: a kernel .* depth/,
    ],
    ['conv3d with a kernel that is too wide', () => F.conv3d(volume, ones([1, 2, 1, 2, 4])), /^conv3d: a kernel/],
    [
      'conv3d with another dtype',
      () => F.conv3d(volume, ones([1, 2, 2, 2, 2]).to('float64')),
      /^conv3d: input is float32/,
    ],
    [
      "conv3d with 'same' and steps",
      () => F.conv3d(volume, ones([1, 2, 2, 2, 2]), null, { padding: 'same', stride: [2, 1, 1] }),
      /^conv3d: padding 'same' needs stride 1/,
    ],
    [
      'conv3d with an option of two numbers',
      () => F.conv3d(volume, ones([1, 2, 2, 2, 2]), null, { stride: [1, 1] as never }),
      /^conv3d: stride must be/,
    ],
    [
      'convTranspose3d with other channels',
      () => F.convTranspose3d(volume, ones([3, 2, 2, 2, 2])),
      /^convTranspose3d: input/,
    ],
    [
      'convTranspose3d with too much at the end',
      () => F.convTranspose3d(volume, ones([2, 2, 2, 2, 2]), null, { outputPadding: 1 }),
      /^convTranspose3d: outputPadding 1/,
    ],
    [
      'convTranspose3d with another bias',
      () => F.convTranspose3d(volume, ones([2, 2, 2, 2, 2]), ones([3])),
      /^convTranspose3d: bias \[3\] for 2/,
    ],
    ['maxPool3d of a plane', () => F.maxPool3d(ones([3, 3]), 2), /^maxPool3d: takes \[N, C, D, H, W\]/],
    ['maxPool3d of too little', () => F.maxPool3d(volume, 4), /^maxPool3d: a window/],
    ['avgPool3d with too much padding', () => F.avgPool3d(volume, 2, { padding: 2 }), /^avgPool3d: padding/],
    [
      'maxPool2dWithIndices without a kernel',
      () => F.maxPool2dWithIndices(volume, 0),
      /^maxPool2dWithIndices: kernelSize must be/,
    ],
    [
      'adaptiveAvgPool2d to more than fits',
      () => F.adaptiveAvgPool2d(ones([1, 1, 2, 2]), 1e300),
      /^adaptiveAvgPool2d: outputSize must be/,
    ],
    [
      'adaptiveMaxPool3d of nothing',
      () => F.adaptiveMaxPool3d(ones([1, 1, 0, 2, 2]), 1),
      /^adaptiveMaxPool3d: there is nothing/,
    ],
    [
      'maxUnpool1d with other indices',
      () => F.maxUnpool1d(ones([1, 1, 3]), places(), 2),
      /^maxUnpool1d: indices must have the shape/,
    ],
    [
      'maxUnpool1d with indices beyond its line',
      () => F.maxUnpool1d(ones([1, 1, 2]), places().add(1), 2),
      /^maxUnpool1d: index 4/,
    ],
    [
      'maxUnpool1d with floating indices',
      () => F.maxUnpool1d(ones([1, 1, 2]), ones([1, 1, 2]), 2),
      /^maxUnpool1d: indices/,
    ],
    [
      'maxUnpool1d of another size',
      () => F.maxUnpool1d(ones([1, 1, 2]), places(), 2, { outputSize: [8] }),
      /^maxUnpool1d: outputSize must be within a stride/,
    ],
    ['lpPool1d with no norm', () => F.lpPool1d(ones([1, 1, 4]), 0, 2), /^lpPool1d: normType must be/],
    [
      'channelShuffle with groups that do not divide',
      () => F.channelShuffle(ones([1, 3, 2]), 2),
      /^channelShuffle: takes/,
    ],
    ['Conv3d with a kernel of two sizes', () => new nn.Conv3d(1, 1, [2, 2] as never), /^Conv3d: kernelSize must be/],
    [
      'MaxUnpool2d with an option that is none',
      () => new nn.MaxUnpool2d(2, { dilation: 2 } as never),
      /^MaxUnpool2d: .*dilation/,
    ],
    [
      'fractionalMaxPool2d without a size',
      () => F.fractionalMaxPool2d(ones([1, 4, 4]), 2, {}),
      /^fractionalMaxPool2d: takes either outputSize or outputRatio, got an object/,
    ],
    [
      'FractionalMaxPool3d with both sizes',
      () => new nn.FractionalMaxPool3d(2, { outputSize: 2, outputRatio: 0.5 }),
      /^FractionalMaxPool3d: takes either outputSize or outputRatio/,
    ],
    [
      'FractionalMaxPool2d with a ratio of 1',
      () => new nn.FractionalMaxPool2d(2, { outputRatio: 1 }),
      /^FractionalMaxPool2d: outputRatio must be a number between 0 and 1, or/,
    ],
    [
      'fractionalMaxPool2d with more windows than places',
      () => F.fractionalMaxPool2d(ones([1, 4, 4]), 2, { outputSize: 4 }),
      /^fractionalMaxPool2d: 4 windows of 2 in 4 elements would begin at the same place; .* from 1 to 3/,
    ],
    [
      'fractionalMaxPool2d with samples of another shape',
      () => F.fractionalMaxPool2d(ones([1, 4, 4]), 2, { outputSize: 2, randomSamples: ones([2]) }),
      /^fractionalMaxPool2d: randomSamples must be \[1, 1, 2\], got \[2\]/,
    ],
    [
      'bicubic gridSample of volumes',
      () => F.gridSample(ones([1, 1, 2, 2, 2]), zeros([1, 1, 1, 1, 3]), { mode: 'bicubic' }),
      /^gridSample: mode 'bicubic' needs planes/,
    ],
    [
      'gridSample of a volume by a grid of planes',
      () => F.gridSample(ones([1, 1, 2, 2, 2]), zeros([1, 1, 1, 2])),
      /^gridSample: takes \[N, C, H, W\] and a grid \[N, h, w, 2\], or \[N, C, D, H, W\]/,
    ],
    [
      'affineGrid of volumes by a map of planes',
      () => F.affineGrid(zeros([1, 2, 3]), [1, 1, 2, 2, 2]),
      /^affineGrid: theta must be \[1, 3, 4\] for a size/,
    ],
    ['BatchNorm3d of planes', () => new nn.BatchNorm3d(2)(ones([1, 2, 3, 3])), /^BatchNorm3d: takes/],
    ['featureAlphaDropout of a line', () => F.featureAlphaDropout(ones([3])), /^featureAlphaDropout: takes/],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('interpolate', () => {
  it('takes as many sizes as there are dimensions, no fewer and no more', () => {
    const x = ones([1, 1, 2, 2]);
    expect(() => F.interpolate(x, { size: [4] })).toThrow(
      /interpolate: size must have 2 numbers for \[1, 1, 2, 2\], got \[4\]/,
    );
    expect(() => F.interpolate(x, { size: [4, 4, 4] })).toThrow(/size must have 2 numbers/);
    expect(() => F.interpolate(x, { scaleFactor: [2] })).toThrow(/scaleFactor must have 2 numbers/);
    expect(F.interpolate(x, { size: [4, 6] }).shape).toEqual([1, 1, 4, 6]);
  });
});

describe('fractional pooling', () => {
  it('draws where windows begin, apart for each plane; the last one ends with the input', () => {
    const x = randn([4, 3, 16, 16]);
    const layer = new nn.FractionalMaxPool2d(2, { outputRatio: 0.6 });
    expect(layer(x).shape).toEqual([4, 3, 9, 9]);
    expect(layer(x).equal(layer(x))).toBe(false);
    const line = tensor(
      Float64Array.from({ length: 9 }, (_, i) => i),
      { shape: [1, 1, 9] },
    ).expand([50, 9, 9]);
    const pooled = F.fractionalMaxPool2d(line, 1, { outputSize: 4 });
    expect(pooled.select(2, 3).equal(pooled.select(2, 3).mul(0).add(8))).toBe(true);
    expect(pooled.select(2, 1).std(0).max().item()).toBeGreaterThan(0);
  });
});
