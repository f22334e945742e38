import type { TypedArray } from '@gradgate/core';
import { type OptimizerKernel, optimizerStep } from '@gradgate/core/internal';

/** Fewer elements are stepped faster in JavaScript. */
const kernelFrom = 1024;

/**
 * One step by a kernel, which takes the weights, the gradient, what the optimizer remembers, and numbers. False, and
 * nothing done, where elements are few or no float32.
 */
export function stepByKernel(
  name: OptimizerKernel,
  w: TypedArray,
  g: TypedArray,
  memory: readonly TypedArray[],
  numbers: readonly number[],
): boolean {
  const fits = [w, g, ...memory].every((a) => a instanceof Float32Array);
  if (w.length < kernelFrom || !fits) return false;
  optimizerStep(name, w as Float32Array, g as Float32Array, memory as readonly Float32Array[], numbers);
  return true;
}
