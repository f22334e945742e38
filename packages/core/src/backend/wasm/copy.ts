import type { View } from '../backend.js';
import * as host from '../host/copy.js';
import { dataOf } from '../host/data.js';
import { isFloat32, kernelFrom } from './floats.js';
import { checkLength, isInKernelMemory, kernelMemory } from './memory.js';

/** `Kernels.copy`: of strided float32 elements by a kernel, where both sides live in its memory. */
export function copy(src: View, target: View): void {
  const { numel, shape, strides, offset } = src;
  if (
    numel >= kernelFrom &&
    !src.isContiguous &&
    target.isContiguous &&
    shape.length <= 4 &&
    isFloat32(src) &&
    isFloat32(target)
  ) {
    const [from, to] = [dataOf(src) as Float32Array, dataOf(target) as Float32Array];
    if (from !== to && isInKernelMemory(from) && isInKernelMemory(to)) {
      checkLength(
        'copy',
        from,
        shape.reduce((last, n, d) => last + (n - 1) * strides[d]!, offset + 1),
      );
      checkLength('copy', to, target.offset + numel);
      const four = (list: readonly number[]) => [1, 1, 1, ...list].slice(-4);
      const [at, begin] = [to.byteOffset + target.offset * 4, from.byteOffset + offset * 4];
      kernelMemory().instance.kernels.copyStrided(at, begin, ...four(shape), ...four(strides));
      return;
    }
  }
  host.copy(src, target);
}
