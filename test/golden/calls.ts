import * as core from '@gradgate/core';
import type { Tensor } from '@gradgate/core';
import { camelCase, type GoldenCase } from './golden.js';

type Inputs = any[];
type Options = Record<string, any>;

/** How to call a golden case, if it is not `core[op](...inputs, options)`. */
const calls: Record<string, (inputs: Inputs, options: Options) => Tensor | Tensor[]> = {
  powScalar: ([x, e]) => x.pow(e),
  clamp: ([x], { min, max }) => x.clamp(min, max),
  varCorrection0: ([x], { dim }) => x.var(dim, { correction: 0 }),
  max: ([x], { dim }) => valuesAndIndices(x.max(dim)),
  min: ([x], { dim }) => valuesAndIndices(x.min(dim)),
  sort: ([x], { dim, descending }) => valuesAndIndices(x.sort(dim, { descending })),
  topk: ([x], { k }) => valuesAndIndices(x.topk(k)),
  ...Object.fromEntries(
    ['softmax', 'logSoftmax', 'argmax', 'argmin', 'cumsum', 'any', 'all', 'cat', 'stack'].map((op) => [
      op,
      ([x]: Inputs, { dim }: Options) => (core as any)[op](x, dim),
    ]),
  ),
  ...Object.fromEntries(
    ['sum', 'mean', 'prod', 'var', 'std', 'logsumexp', 'amax', 'amin', 'norm'].map((op) => [
      op,
      ([x]: Inputs, { dim, ...rest }: Options) => (op === 'norm' ? x.norm(2, dim, rest) : x[op](dim, rest)),
    ]),
  ),
  where: ([c, a, b]) => core.where(c, a, b),
  split: ([x, size], { dim }) => x.split(size, dim),
  chunk: ([x, n], { dim }) => x.chunk(n, dim),
  roll: ([x, shifts], { dims }) => x.roll(shifts, dims),
  maxPool2d: ([x], { kernelSize, ...rest }) => core.maxPool2d(x, kernelSize, rest),
  avgPool2d: ([x], { kernelSize, ...rest }) => core.avgPool2d(x, kernelSize, rest),
  adaptiveAvgPool2d: ([x], { outputSize }) => core.adaptiveAvgPool2d(x, outputSize),
  conv2d: ([x, w, b], options) => core.conv2d(x, w, b, options),
  batchNormTrain: ([x, weight, bias]) => core.batchNorm(x, null, null, { weight, bias, training: true }),
  einsum: ([equation, ...operands]) => core.einsum(equation, ...operands.flat()),
};

const valuesAndIndices = ({ values, indices }: { values: Tensor; indices: Tensor }): Tensor[] => [values, indices];

/** The results of a golden case. */
export function call({ op, kwargs }: GoldenCase, inputs: Inputs): Tensor[] {
  const options = camelCase(kwargs);
  const custom = calls[op];
  const out = custom
    ? custom(inputs, options)
    : (core as any)[op](...inputs, ...(Object.keys(options).length > 0 ? [options] : []));
  return Array.isArray(out) ? out : [out];
}
