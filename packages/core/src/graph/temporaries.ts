import { noteTemporaries, type Storage } from '../memory/storage.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * What the rules of one backward pass allocate in kernel memory. Each temporary is freed as soon as no slot of the pass
 * holds it. Nobody else can hold it: what user code sees is moved to the JavaScript heap first.
 */
export class Temporaries {
  /** What the running rule has allocated. */
  readonly made: Storage[] = [];
  /** Null until there is a temporary: most passes over small tensors have none. */
  #held: Set<Storage> | null = null;

  /** Runs `rule`; what it allocates becomes a temporary. */
  run<R>(rule: () => R): R {
    return noting(this.made, rule);
  }

  /** A slot of the pass holds `t` from now on. */
  hold({ storage }: Tensor): void {
    if (!isTemporary(storage)) return;
    storage.refCount++;
    this.#held ??= new Set();
    this.#held.add(storage);
  }

  /** A slot of the pass no longer holds `t`. */
  drop({ storage }: Tensor): void {
    if (this.#held?.has(storage) && --storage.refCount === 0) {
      this.#held.delete(storage);
      free(storage);
    }
  }

  /** The running rule has ended: frees what it allocated and no slot holds. */
  sweep(): void {
    if (this.made.length === 0) return;
    for (const storage of this.made) if (storage.refCount === 0 && isTemporary(storage)) free(storage);
    this.made.length = 0;
  }

  /** User code may keep `t` from now on. */
  publish({ storage }: Tensor): void {
    if (!isTemporary(storage)) return;
    this.#held?.delete(storage);
    storage.backend.memory!.keep(storage);
  }

  /** `t` belongs to a leaf from now on, and is freed by that. */
  give({ storage }: Tensor): void {
    this.#held?.delete(storage);
  }

  /** The pass has ended, also by an error: frees everything. */
  end(): void {
    this.sweep();
    if (this.#held === null) return;
    for (const storage of this.#held) free(storage);
    this.#held.clear();
  }
}

const isTemporary = (storage: Storage): boolean => storage.backend.memory?.isTemporary(storage) ?? false;

const free = (storage: Storage): void => storage.backend.memory!.free(storage);

/** Runs user code within a rule: what this allocates is not freed by the pass. */
export const outsideOfPass = <R>(fn: () => R): R => noting(null, fn);

function noting<R>(list: Storage[] | null, fn: () => R): R {
  const before = noteTemporaries(list);
  try {
    return fn();
  } finally {
    noteTemporaries(before);
  }
}
