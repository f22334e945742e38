import { giveBack } from '../backend/gone.js';
import { defineMode } from '../grad/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Storage } from './storage.js';

/** The memory of one call under `tidy`: what is made in its flow, and is given back when it ends. */
export class MemoryScope {
  /** What has been made, and has not left. */
  readonly made = new Set<Storage>();
  /** Tensors from outside that got a gradient or a history inside: what these need stays. */
  readonly touched = new Set<Tensor>();
  private ended = false;

  constructor(readonly outer: MemoryScope | null) {
    open++;
  }

  /** What a flow that goes on after the end of its scope makes belongs to the one around it. */
  get running(): MemoryScope | null {
    let scope: MemoryScope | null = this;
    while (scope?.ended) scope = scope.outer;
    return scope;
  }

  /** What was made here belongs to the scope around this one from now on, or to nobody. */
  release(storage: Storage): void {
    if (!this.made.delete(storage)) return;
    // A gradient in managed memory that a leaf has: it is freed with that.
    if (storage.backend.memory?.isTemporary(storage)) return;
    const outer = this.outer?.running ?? null;
    if (outer !== null) outer.made.add(storage);
    else keep(storage);
  }

  releaseAll(): void {
    for (const storage of [...this.made]) this.release(storage);
  }

  /** Takes out all that was made so far, here and in the scopes around this one. */
  outliveAll(): void {
    for (let scope: MemoryScope | null = this; scope !== null; scope = scope.outer)
      for (const storage of [...scope.made]) outlive(storage);
  }

  /** Gives back what has not left. */
  giveBack(how: () => string): void {
    for (const storage of this.made) giveBack(storage, how);
    this.made.clear();
  }

  /** From now on nothing is made in it. False where it had ended before. */
  stop(): boolean {
    if (this.ended) return false;
    this.ended = true;
    open--;
    return true;
  }

  toString(): string {
    return `a scope of ${this.made.size} tensors`;
  }
}

/** How many scopes there are that have not ended: as long as there is none, an allocation asks no more than that. */
let open = 0;

/** The scope of this flow. */
export const tidying = defineMode<MemoryScope | null>('gradgate.tidy', null);

/** The scope in which memory is made here, if any. */
export const currentScope = (): MemoryScope | null => (open === 0 ? null : (tidying.get()?.running ?? null));

/** Notes what was made here, so that the end of the scope gives it back. */
export const noteMade = (storage: Storage): Storage => (open === 0 ? storage : noted(storage));

function noted(storage: Storage): Storage {
  currentScope()?.made.add(storage);
  return storage;
}

/** Notes that a tensor got a gradient or a history here, which it keeps if it is from outside. */
export function noteTouched(t: Tensor): void {
  if (open > 0) currentScope()?.touched.add(t);
}

/** Takes what was made here out of all scopes of this flow: the garbage collector looks after it from now on. */
export function outlive(storage: Storage): void {
  let made = false;
  for (let scope = currentScope(); scope !== null; scope = scope.outer) made = scope.made.delete(storage) || made;
  if (made) keep(storage);
}

function keep(storage: Storage): void {
  const memory = storage.backend.memory;
  if (memory?.isScoped(storage)) memory.keep(storage);
}
