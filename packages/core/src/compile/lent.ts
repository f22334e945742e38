import { giveBack } from '../backend/gone.js';
import type { View } from '../backend/kernels.js';
import type { Storage } from '../memory/storage.js';
import { Tensor } from '../tensor/tensor.js';
import type { PlanMemory } from './memory.js';

/** Results that lie in the memory of a plan until its next replay, which writes there again. */
export class Lent {
  /** What each lies in, by the plan's storage over the same memory. */
  private readonly lent = new Map<Storage, Storage>();

  constructor(
    /** The function that gives them. */
    private readonly by: string,
    private readonly memory: PlanMemory,
  ) {}

  lend({ storage, dtype, shape, strides, offset }: View): Tensor {
    const lent = this.lent.get(storage) ?? this.memory.storage(storage, dtype, storage.length);
    this.lent.set(storage, lent);
    return new Tensor(lent, dtype, shape, strides, offset);
  }

  has(storage: Storage): boolean {
    for (const lent of this.lent.values()) if (lent === storage) return true;
    return false;
  }

  /** From now on each use of what was lent is an error. */
  takeBack(): void {
    for (const storage of this.lent.values())
      giveBack(storage, () => `by the next call of ${this.by}, compiled with reuseResults; clone() what you keep`);
    this.lent.clear();
  }
}
