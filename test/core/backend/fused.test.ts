import {
  avgPool2d,
  batchNorm,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  dropout,
  Generator,
  grad,
  groupNorm,
  layerNorm,
  logSoftmax,
  logsumexp,
  maxPool2d,
  mseLoss,
  randint,
  registerBackend,
  rmsNorm,
  scaledDotProductAttention,
  softmax,
  type Tensor,
} from '@gradgate/core';
import { expect, it } from 'vitest';
import { random } from './compare.js';
import { far } from './far.js';

registerBackend(far);

type Op = (...inputs: Tensor[]) => Tensor;

const classes = (device: string) => randint(0, 6, [4], { generator: new Generator(1) }).to(device);
const cases: [name: string, shapes: number[][], op: Op][] = [
  ['softmax', [[4, 6]], (x) => softmax(x!, 1)],
  ['logSoftmax', [[4, 6]], (x) => logSoftmax(x!, 0)],
  ['logsumexp', [[4, 6]], (x) => logsumexp(x!, 1)],
  [
    'attention',
    [
      [2, 4, 3],
      [2, 4, 3],
      [2, 4, 3],
    ],
    (q, k, v) => scaledDotProductAttention(q!, k!, v!, { isCausal: true }),
  ],
  ['layerNorm', [[4, 6], [6], [6]], (x, w, b) => layerNorm(x!, [6], w, b)],
  ['rmsNorm', [[4, 6], [6]], (x, w) => rmsNorm(x!, [6], w)],
  ['groupNorm', [[4, 6, 2], [6], [6]], (x, w, b) => groupNorm(x!, 3, w, b)],
  [
    'batchNorm in training',
    [[4, 6], [6], [6]],
    (x, weight, bias) => batchNorm(x!, null, null, { weight, bias, training: true }),
  ],
  ['crossEntropy', [[4, 6]], (x) => crossEntropy(x!, classes(x!.device))],
  [
    'mseLoss',
    [
      [4, 6],
      [4, 6],
    ],
    (x, y) => mseLoss(x!, y!),
  ],
  [
    'binaryCrossEntropyWithLogits',
    [
      [4, 6],
      [4, 6],
    ],
    (x, y) => binaryCrossEntropyWithLogits(x!, y!),
  ],
  ['maxPool2d', [[1, 2, 4, 6]], (x) => maxPool2d(x!, 2)],
  ['avgPool2d', [[1, 2, 4, 6]], (x) => avgPool2d(x!, 2)],
  ['dropout', [[4, 6]], (x) => dropout(x!, { generator: new Generator(3) })],
];

it.each(cases)('%s and its gradients read nothing of a device that is read later', async (_, shapes, op) => {
  const values = shapes.map((shape, i) => random(shape, i + 1, 0));
  const derivatives = (device: string): (Tensor | null)[] => {
    const inputs = values.map((t) => t.to(device).detach().requiresGrad_());
    const y = op(...inputs);
    const gradient = random(y.shape, 9, 0).to(device);
    return [y, ...grad(y, inputs, { gradOutputs: gradient, allowUnused: true })];
  };
  const [got, want] = [derivatives('far'), derivatives('cpu')];
  for (const [i, t] of want.entries()) {
    expect(got[i]?.device).toBe(t === null ? undefined : 'far');
    const values = await got[i]?.data();
    t?.toTypedArray().forEach((v, j) => {
      expect(values![j]).toBeCloseTo(v, 5);
    });
  }
});
