import type { Backend } from '../backend/backend.js';
import type { Kernels, View } from '../backend/kernels.js';
import { TensorError } from '../errors.js';
import { contiguousStrides, isContiguous, sizeOf } from '../memory/shape.js';
import type { Storage } from '../memory/storage.js';
import type { Level } from './level.js';

export type AnyKernel = (...args: any[]) => void;

/**
 * What `vmap` does with random numbers: it refuses them, draws different ones for each example, or the same for all.
 */
export type Randomness = 'error' | 'different' | 'same';

export function refuseRandom(op: string): never {
  throw new TensorError(
    op,
    "draws random numbers inside of vmap; pass randomness: 'different' for draws of each example, or 'same' for draws that all share",
  );
}

/** A view on other memory or with another shape. */
export const viewOn = (
  storage: Storage,
  { dtype }: { readonly dtype: View['dtype'] },
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): View => ({
  storage,
  dtype,
  shape,
  strides,
  offset,
  numel: sizeOf(shape),
  isContiguous: isContiguous(shape, strides),
});

/** What each batching rule gets: the call, and kernels that compute for all of its examples. */
export class Batch {
  constructor(
    readonly level: Level,
    readonly kernels: Kernels,
    readonly backend: Backend,
  ) {}

  /** The view of all examples, for reading. */
  all(view: View, rank?: number): View;
  all(view: View | null, rank?: number): View | null;
  all(view: View | null, rank?: number): View | null {
    return view && this.level.all(view, rank);
  }

  /** The view of all examples, for writing all of it, or with `holds` a part of it. */
  out(view: View, holds = false): View {
    this.level.admit(view, holds, this);
    return this.level.all(view);
  }

  /** Memory for an intermediate result. */
  scratch(like: View, shape: readonly number[]): View {
    const storage = this.backend.allocate(like.dtype, sizeOf(shape), 'uninitialized');
    return viewOn(storage, like, shape, contiguousStrides(shape), 0);
  }

  isBatched(...views: readonly (View | null)[]): boolean {
    return views.some((view) => this.level.isBatched(view));
  }

  /**
   * Calls a kernel for one example after another. `outs` are the arguments that it writes; with `holds` it reads them
   * first.
   */
  each(name: keyof Kernels, args: readonly unknown[], outs: readonly (View | null)[], holds = false): void {
    const { level, kernels } = this;
    const kernel = kernels[name] as AnyKernel;
    const targets = new Map<unknown, View>();
    for (const out of outs) {
      if (out === null) continue;
      level.admit(out, holds, this);
      // The kernel's result has memory of its own.
      targets.set(out, this.scratch(out, out.shape));
    }
    for (let i = 0; i < level.size; i++) {
      const given = (arg: unknown): unknown =>
        targets.get(arg) ?? (Array.isArray(arg) ? arg.map(given) : isView(arg) ? level.one(arg, i) : arg);
      if (holds) for (const [out, target] of targets) kernels.copy(level.one(out as View, i), target);
      kernel(...args.map(given));
      for (const [out, target] of targets) kernels.copy(target, level.one(out as View, i));
    }
  }
}

const isView = (value: unknown): value is View => typeof value === 'object' && value !== null && 'storage' in value;
