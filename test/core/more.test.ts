import { readFileSync } from 'node:fs';
import * as core from '@gradgate/core';
import { type Tensor, tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { goldenError, revive } from '../golden/golden.js';

/** Made by test/golden/make_ops.py. */
interface Line {
  js: string;
  inputs: { data: (number | string)[] }[];
  outputs: { shape: number[]; data: (number | string)[] }[];
  weights: ((number | string)[] | null)[];
  grads: ((number | string)[] | null)[];
}
const lines: Line[] = readFileSync(new URL('../golden/more.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((l) => JSON.parse(l));

describe('operators beyond ops.jsonl give the values and gradients of PyTorch', () => {
  it.each(lines.map((l, i) => [`${l.js} (${i})`, l] as const))('%s', (_, line) => {
    const inputs = line.inputs.map((v) => revive({ ...v, data: v.data.map(Number) }, 'float32') as Tensor);
    const call = new Function('core', ...'abcdef', `return ${line.js}`);
    const result: Tensor | Tensor[] = call(core, ...inputs);
    const outputs = Array.isArray(result) ? result : [result];
    expect(outputs.map((t) => t.shape)).toEqual(line.outputs.map((o) => o.shape));
    outputs.forEach((t, i) => {
      expect(goldenError(t, line.outputs[i]!.data.map(Number)), `output ${i}`).toBeLessThan(2e-5);
    });
    const tracked = outputs.filter((_, i) => line.weights[i] !== null);
    if (tracked.length === 0) return;
    const weights = line.weights.filter((w) => w !== null);
    tracked
      .map((t, i) => t.mul(tensor(weights[i]!.map(Number), { shape: t.shape, dtype: t.dtype })).sum())
      .reduce((a, b) => a.add(b))
      .backward();
    line.grads.forEach((g, i) => {
      if (g === null) expect(inputs[i]!.grad).toBeNull();
      else expect(goldenError(inputs[i]!.grad!, g.map(Number)), `gradient ${i}`).toBeLessThan(5e-5);
    });
  });
});
