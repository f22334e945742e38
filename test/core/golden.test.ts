import * as core from '@gradgate/core';
import { type Tensor, tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { call } from '../golden/calls.js';
import { goldenCases, goldenError, revive } from '../golden/golden.js';

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
