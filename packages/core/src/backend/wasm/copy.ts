import * as host from '../host/copy.js';
import type { View } from '../kernels.js';
import { arrayOf, isFloat32, kernelFrom } from './floats.js';
import { checkLength, isInKernelMemory, kernelMemory } from './memory.js';

/** `Kernels.copy`: strided float32 elements are copied by a kernel if both sides are in its memory. */
export function copy(src: View, target: View): void {
  checkLength('copy', { length: src.numel }, target.numel);
  if (src.numel >= kernelFrom && !src.isContiguous && isForKernel(src, target)) byKernel(src, target);
  else host.copy(src, target);
}

function isForKernel(src: View, target: View): boolean {
  if (!target.isContiguous || src.shape.length > 4 || !isFloat32(src) || !isFloat32(target)) return false;
  const [from, to] = [arrayOf(src), arrayOf(target)];
  return from !== to && isInKernelMemory(from) && isInKernelMemory(to);
}

function byKernel(src: View, target: View): void {
  const { numel, shape, strides, offset } = src;
  const [from, to] = [arrayOf(src), arrayOf(target)];
  const end = shape.reduce((last, n, d) => last + (n - 1) * strides[d]!, offset + 1);
  checkLength('copy', from, end);
  checkLength('copy', to, target.offset + numel);
  const four = (list: readonly number[]) => [1, 1, 1, ...list].slice(-4);
  const [at, begin] = [to.byteOffset + target.offset * 4, from.byteOffset + offset * 4];
  kernelMemory().instance.kernels.copyStrided(at, begin, ...four(shape), ...four(strides));
}
