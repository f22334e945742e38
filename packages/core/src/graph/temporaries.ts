import { noteTemporaries, type Storage } from '../memory/storage.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * What the rules of one backward pass make in kernel memory. Each is freed as soon as no place of the pass holds it;
 * nobody else can: what user code gets to see is moved to the JavaScript heap before.
 */
export class Temporaries {
  /** Made by the rule under way. */
  readonly made: Storage[] = [];
  /** Null as long as there was none: most passes over small tensors have none. */
  #held: Set<Storage> | null = null;

  /** Makes what `rule` allocates temporaries. */
  run<R>(rule: () => R): R {
    return noting(this.made, rule);
  }

  /** A place holds `t` from now on. */
  hold({ storage }: Tensor): void {
    if (!isTemporary(storage)) return;
    storage.refCount++;
    this.#held ??= new Set();
    this.#held.add(storage);
  }

  /** A place no longer holds `t`. */
  drop({ storage }: Tensor): void {
    if (this.#held?.has(storage) && --storage.refCount === 0) {
      this.#held.delete(storage);
      free(storage);
    }
  }

  /** The rule under way has ended: what it made and no place holds is freed. */
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

  /** `t` belongs to a leaf from now on, which says when it is freed. */
  give({ storage }: Tensor): void {
    this.#held?.delete(storage);
  }

  /** The pass has ended, if by an error: all is freed. */
  end(): void {
    this.sweep();
    if (this.#held === null) return;
    for (const storage of this.#held) free(storage);
    this.#held.clear();
  }
}

const isTemporary = (storage: Storage): boolean => storage.backend.memory?.isTemporary(storage) ?? false;

const free = (storage: Storage): void => storage.backend.memory!.free(storage);

/** Runs user code within a rule: what it allocates, it may keep. */
export const outsideOfPass = <R>(fn: () => R): R => noting(null, fn);

function noting<R>(list: Storage[] | null, fn: () => R): R {
  const before = noteTemporaries(list);
  try {
    return fn();
  } finally {
    noteTemporaries(before);
  }
}
