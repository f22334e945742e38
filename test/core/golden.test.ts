import * as core from '@gradgate/core';
import { type Tensor, tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { camelCase, type GoldenCase, goldenCases, goldenError, revive } from '../golden/golden.js';

type Inputs = any[];
type Options = Record<string, any>;

/** How a golden case is called where it is not `core[op](...inputs, options)`. */
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

function call({ op, kwargs }: GoldenCase, inputs: Inputs): Tensor[] {
  const options = camelCase(kwargs);
  const custom = calls[op];
  const out = custom
    ? custom(inputs, options)
    : (core as any)[op](...inputs, ...(Object.keys(options).length > 0 ? [options] : []));
  return Array.isArray(out) ? out : [out];
}

const cases = goldenCases.filter((c) => !c.op.startsWith('optim:'));

const ops = [...new Set(cases.map((c) => c.op))];

describe.each(ops)('%s', (op) => {
  const group = cases.filter((c) => c.op === op);
  it.each(group.map((c) => [c.id, c] as const))('%s gives the values and gradients of PyTorch', (_, golden) => {
    const inputs = golden.inputs.map((v) => revive(v));
    const outputs = call(golden, inputs);
    expect(outputs.map((t) => t.shape)).toEqual(golden.outputs.map((o) => o.shape));
    outputs.forEach((t, i) => {
      expect(goldenError(t, golden.outputs[i]!.data), `output ${i}`).toBeLessThanOrEqual(golden.tol);
    });
    if (!golden.grads?.some((g) => g !== null)) return;
    const tracked = outputs.flatMap((t, i) =>
      golden.grad_outputs?.[i] ? [[t, golden.grad_outputs[i]!] as const] : [],
    );
    const total = tracked.map(([t, g]) => t.mul(tensor(g, { shape: t.shape })).sum()).reduce((a, b) => a.add(b));
    total.backward();
    const leaves = inputs.flat().filter((t): t is Tensor => t instanceof core.Tensor);
    golden.grads.forEach((g, i) => {
      if (g === null) expect(leaves[i]!.grad).toBeNull();
      else expect(goldenError(leaves[i]!.grad!, g), `gradient ${i}`).toBeLessThanOrEqual(golden.tol);
    });
  });
});
