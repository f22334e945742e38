// PyTorch's numbers, as the host is compared with them.
import { setDefaultDevice, Tensor, tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { call } from '../golden/calls.js';
import { errorOf, type GoldenCase, goldenCases, revive } from '../golden/golden.js';
import { needGpu } from './gpu.js';

const gpu = await needGpu('the golden cases on webgpu');

const cases = goldenCases.filter((c) => !c.op.startsWith('optim:'));

/** Elements are float32 here, whose sums are taken in float32 too; cases of float64 are left out. */
const tolerance = 2e-5;

const isFloat64 = ({ inputs }: GoldenCase): boolean => JSON.stringify(inputs).includes('"float64"');

describe.skipIf(!gpu)('golden cases on webgpu', () => {
  it.each([...new Set(cases.map((c) => c.op))])('%s gives the values and gradients of PyTorch', async (op) => {
    for (const golden of cases.filter((c) => c.op === op && !isFloat64(c))) {
      let outputs: Tensor[];
      let leaves: Tensor[];
      try {
        setDefaultDevice(gpu!);
        const inputs = golden.inputs.map((v) => revive(v));
        leaves = inputs.flat().filter((t): t is Tensor => t instanceof Tensor);
        outputs = call(golden, inputs);
        const tracked = outputs.flatMap((t, i) =>
          golden.grad_outputs?.[i] ? [t.mul(tensor(golden.grad_outputs[i]!, { shape: t.shape })).sum()] : [],
        );
        if (golden.grads?.some((g) => g !== null)) tracked.reduce((a, b) => a.add(b)).backward();
      } finally {
        setDefaultDevice('cpu');
      }
      expect(outputs.map((t) => t.shape)).toEqual(golden.outputs.map((o) => o.shape));
      for (const [i, t] of outputs.entries())
        expect(errorOf(await t.data(), golden.outputs[i]!.data), `${golden.id}, output ${i}`).toBeLessThanOrEqual(
          tolerance,
        );
      for (const [i, g] of (golden.grads ?? []).entries())
        if (g !== null)
          expect(errorOf(await leaves[i]!.grad!.data(), g), `${golden.id}, gradient ${i}`).toBeLessThanOrEqual(
            tolerance,
          );
    }
  });
});
