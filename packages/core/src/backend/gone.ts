import { TensorError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import type { Storage } from '../memory/storage.js';
import type { Backend } from './backend.js';
import type { Kernels, View } from './kernels.js';

/**
 * Memory that was given back. Reads, writes and kernels that get it throw an error that says where it was given back.
 */
class Gone implements Backend {
  readonly kernels = noKernels;
  constructor(
    private readonly was: Backend,
    readonly how: () => string,
  ) {}
  get name(): string {
    return this.was.name;
  }
  // Operators allocate like their operands before they call a kernel, which will refuse.
  allocate: Backend['allocate'] = (...args) => this.was.allocate(...args);
  read(storage: Storage, op = 'read'): never {
    return refuseGone(op, storage);
  }
  async readAsync(storage: Storage): Promise<never> {
    return refuseGone('data', storage);
  }
  write: Backend['write'] = (storage, ...args) =>
    isGone(storage) ? refuseGone('write', storage) : this.was.write(storage, ...args);
}

/**
 * Gives the memory of a storage back, and with it that of all tensors that share it. `how` continues "was given back ".
 */
export function giveBack(storage: Storage, how: () => string): void {
  const { backend } = storage;
  if (backend instanceof Gone) return;
  backend.memory?.forget(storage);
  (storage as { backend: Backend }).backend = new Gone(backend, how);
}

/** Whether the memory of a storage was given back. */
export const isGone = ({ backend }: Storage): boolean => backend.kernels === noKernels;

/** The kernels of memory that was given back: each refuses, in the operator's name if it has one. */
export const noKernels = new Proxy({} as Kernels, {
  get:
    (_, kernel) =>
    (...args: unknown[]) => {
      const [first] = args as [string | { readonly name?: string } | undefined];
      const views = args.flat() as (View | null | undefined)[];
      const op = (typeof first === 'string' ? first : first?.name) ?? String(kernel);
      for (const view of views)
        if (view?.storage !== undefined && isGone(view.storage)) refuseGone(op, view.storage, view);
      throw new TensorError(op, 'a tensor that it was called with was given back');
    },
});

/** Throws if the memory of one of these views was given back. */
export function checkGone(op: string, ...views: readonly (View | null | undefined)[]): void {
  for (const view of views) if (view && isGone(view.storage)) refuseGone(op, view.storage, view);
}

export function refuseGone(op: string, storage: Storage, view?: View): never {
  throw new TensorError(
    op,
    `a ${storage.dtype} tensor${view ? ` of shape ${formatShape(view.shape)}` : ''} was given back ${(storage.backend as Gone).how()}`,
  );
}

/** Why the memory of a tensor is gone, in words; null if it is not. */
export const goneHow = (storage: Storage): string | null => (isGone(storage) ? (storage.backend as Gone).how() : null);
