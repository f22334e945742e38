import type { DType, View } from '@gradgate/core';
import { contiguousStrides } from '@gradgate/core/internal';
import { mapKernels } from './kernels/map.js';
import { GpuStorage, gpuOf } from './storage.js';
import { wholeOf } from './views.js';

/** Memory for as long as a kernel is called: its buffers may be taken again as soon as the calls are in line. */
export class Scratch {
  readonly #made: GpuStorage[] = [];
  constructor(private readonly like: View) {}

  /** Elements without a gap. */
  make(dtype: DType, n: number): View {
    const storage = new GpuStorage(this.like.storage.backend, gpuOf(this.like), dtype, n);
    this.#made.push(storage);
    return wholeOf(storage);
  }

  /** The view, or a copy of it whose elements lie in row-major order. */
  packed(view: View): View {
    if (view.isContiguous) return view;
    const { dtype, shape, numel } = view;
    const copy = { ...this.make(dtype, numel), shape, strides: contiguousStrides(shape) };
    mapKernels.copy(view, copy);
    return copy;
  }

  packedIf(view: View | null): View | null {
    return view === null ? null : this.packed(view);
  }

  end(): void {
    for (const storage of this.#made) storage.free();
  }
}

/** Calls `fn` with scratch memory on the device of `like`. */
export function withScratch(like: View, fn: (scratch: Scratch) => void): void {
  const scratch = new Scratch(like);
  try {
    fn(scratch);
  } finally {
    scratch.end();
  }
}
