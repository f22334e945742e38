import { dataOf, targetOf } from '../host/data.js';
import * as host from '../host/step.js';
import type { StepRule, View } from '../kernels.js';
import { floatsOf, isFloat32 } from './floats.js';
import { checkLength } from './memory.js';
import { inRows, type Rows } from './rows.js';

/**
 * The rules that have a kernel, with the number of elements from which it is faster than the loop: see
 * `assembly/optim.ts`.
 */
const kernelFrom = { adagrad: 1024, adam: 256, amsgrad: 1024, lion: 1024, momentum: 1024, rmsprop: 1024, sgd: 1024 };

export type StepKernel = keyof typeof kernelFrom;

/** `Kernels.step` for float32. */
export function step(rule: StepRule, w: View, g: View, memory: readonly View[], numbers: readonly number[]): void {
  if (w.numel < least || !byKernel(rule, w, g, memory, numbers)) host.step(rule, w, g, memory, numbers);
}

const least = Math.min(...Object.values(kernelFrom));

/**
 * Kernels write whole vectors: behind an array that has its own block there is room for that, behind a part of one
 * there is not.
 */
const vector = 16;

/** Gives whether there is a kernel for it. */
function byKernel(rule: StepRule, w: View, g: View, memory: readonly View[], numbers: readonly number[]): boolean {
  const { name } = rule;
  const n = w.numel;
  if (!Object.hasOwn(kernelFrom, name) || n < kernelFrom[name as StepKernel]) return false;
  if (!(isFloat32(w) && isFloat32(g) && memory.every(isFloat32))) return false;
  const written = [w, ...memory].map(targetOf) as [Float32Array, ...Float32Array[]];
  const gradient = floatsOf(g);
  for (const array of [...written, gradient]) checkLength(name, array, n);
  const whole = [w, ...memory].every((view) => dataOf(view).length === n) ? n : n - (n % vector);
  const [weights, ...remembered] = written;
  if (whole === n) stepByKernel(name as StepKernel, weights, gradient, remembered, numbers);
  else {
    const start = (array: Float32Array) => array.subarray(0, whole);
    const rest = (array: Float32Array) => array.subarray(whole);
    stepByKernel(name as StepKernel, start(weights), start(gradient), remembered.map(start), numbers);
    rule.loop(rest(weights), rest(gradient), remembered.map(rest), numbers);
  }
  return true;
}

/** One step over float32 weights: rewrites `w` and the optimizer's memory in place. */
export function stepByKernel(
  name: StepKernel,
  w: Float32Array,
  g: Float32Array,
  memory: readonly Float32Array[],
  numbers: readonly number[],
): void {
  const each = (arrays: readonly Float32Array[]): Rows[] => arrays.map((array) => [array, 1]);
  const operands = 2 + memory.length;
  inRows(name, w.length, each([w, g, ...memory]), each([w, ...memory]), (kernels, count, addresses) => {
    kernels[name](...addresses.slice(0, operands), count, ...numbers);
  });
}
