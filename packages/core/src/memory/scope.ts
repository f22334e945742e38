import { giveBack } from '../backend/gone.js';
import { defineMode } from '../grad/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Storage } from './storage.js';

/** The memory of one call under `tidy`: what is made in its flow, and freed when it ends. */
export class MemoryScope {
  /** What has been made and has not left. */
  readonly made = new Set<Storage>();
  /** Tensors from outside that got a gradient or a history inside: what these need is kept. */
  readonly touched = new Set<Tensor>();
  private ended = false;

  constructor(readonly outer: MemoryScope | null) {
    open++;
  }

  /** Where a flow goes on after its scope has ended, what it makes belongs to the enclosing scope. */
  get running(): MemoryScope | null {
    let scope: MemoryScope | null = this;
    while (scope?.ended) scope = scope.outer;
    return scope;
  }

  /** Hands what was made here over to the enclosing scope, if there is one. */
  release(storage: Storage): void {
    if (!this.made.delete(storage)) return;
    // A leaf's gradient in managed memory is freed with the leaf.
    if (storage.backend.memory?.isTemporary(storage)) return;
    const outer = this.outer?.running ?? null;
    if (outer !== null) outer.made.add(storage);
    else keep(storage);
  }

  releaseAll(): void {
    for (const storage of [...this.made]) this.release(storage);
  }

  /** Takes out everything made so far in this scope and the enclosing ones. */
  outliveAll(): void {
    for (let scope: MemoryScope | null = this; scope !== null; scope = scope.outer)
      for (const storage of [...scope.made]) outlive(storage);
  }

  /** Frees what has not left. */
  giveBack(how: () => string): void {
    for (const storage of this.made) giveBack(storage, how);
    this.made.clear();
  }

  /** Marks the scope as ended. False if it had ended before. */
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

/** How many scopes have not ended. While there is none, an allocation checks nothing else. */
let open = 0;

/** Whether there is a scope anywhere. */
export const isTidying = (): boolean => open > 0;

/** The scope of this flow. */
export const tidying = defineMode<MemoryScope | null>('gradgate.tidy', null);

/** The scope that allocations belong to, if any. */
export const currentScope = (): MemoryScope | null => (open === 0 ? null : (tidying.get()?.running ?? null));

/** Notes an allocation, so that the end of the scope frees it. */
export function noteMade(storage: Storage): Storage {
  if (open > 0) currentScope()?.made.add(storage);
  return storage;
}

/** Notes a tensor that got a gradient or a history here: it keeps them if it is from outside. */
export function noteTouched(t: Tensor): void {
  if (open > 0) currentScope()?.touched.add(t);
}

/** Takes an allocation out of all scopes of this flow: the garbage collector looks after it from now on. */
export function outlive(storage: Storage): void {
  let made = false;
  for (let scope = currentScope(); scope !== null; scope = scope.outer) made = scope.made.delete(storage) || made;
  if (made) keep(storage);
}

function keep(storage: Storage): void {
  const memory = storage.backend.memory;
  if (memory?.isScoped(storage)) memory.keep(storage);
}
