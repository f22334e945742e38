import { readFileSync } from 'node:fs';
import * as core from '@gradgate/core';
import { type Tensor, tensor } from '@gradgate/core';
import * as aliases from '@gradgate/core/aliases';
import * as func from '@gradgate/core/func';
import * as linalg from '@gradgate/core/linalg';
import * as more from '@gradgate/core/more';
import * as sparse from '@gradgate/core/sparse';
import * as special from '@gradgate/core/special';
import * as nn from '@gradgate/nn';
import { functional } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { goldenError, revive } from '../golden/golden.js';

/** Made by test/golden/make_ops.py and by others that write the same lines. */
interface Line {
  js: string;
  inputs: { data: (number | string)[] }[];
  outputs: { shape: number[]; data: (number | string)[] }[];
  weights: ((number | string)[] | null)[];
  grads: ((number | string)[] | null)[];
}
const linesOf = (file: string): Line[] =>
  readFileSync(new URL(`../golden/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l));

/** Values and gradients in float32 for the first file, whose numbers float32 holds; in float64 for the others. */
const files: [file: string, tolerance: number][] = [
  ['more.jsonl', 2e-5],
  ['names.jsonl', 1e-9],
  ['linalg.jsonl', 1e-9],
  ['special.jsonl', 1e-9],
  ['layers.jsonl', 1e-9],
  ['sparse.jsonl', 1e-9],
  ['func.jsonl', 1e-9],
  ['rare.jsonl', 1e-9],
  ['edges.jsonl', 1e-9],
  ['aliases.jsonl', 1e-9],
];
const scope = { aliases, core, func, linalg, more, sparse, special, functional, nn };

describe.each(files)('%s: operators give the values and gradients of PyTorch', (file, tolerance) => {
  it.each(linesOf(file).map((l, i) => [`${l.js} (${i})`, l] as const))('%s', (_, line) => {
    const inputs = line.inputs.map((v) => revive({ ...v, data: v.data.map(Number) }, 'float32') as Tensor);
    const call = new Function(...Object.keys(scope), ...'abcdef', `return ${line.js}`);
    const result: Tensor | Tensor[] = call(...Object.values(scope), ...inputs);
    const outputs = Array.isArray(result) ? result : [result];
    expect(outputs.map((t) => t.shape)).toEqual(line.outputs.map((o) => o.shape));
    outputs.forEach((t, i) => {
      expect(goldenError(t, line.outputs[i]!.data.map(Number)), `output ${i}`).toBeLessThan(tolerance);
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
      else expect(goldenError(inputs[i]!.grad!, g.map(Number)), `gradient ${i}`).toBeLessThan(2.5 * tolerance);
    });
  });
});
