import { builtin, type Pinned, release } from '@gradgate/core/internal';

/** The addon's weak references by number, which tell whether an object has been collected. */
export interface WeakReferences {
  /** Returns false if there is no room for another one. */
  watch(number: number, object: object): boolean;
  isCollected(number: number): boolean;
}

/** Runs a garbage collection: of young objects, or of all. */
type Collect = (which: 'minor' | 'major') => void;

/** Limits in bytes. Tests lower them, to find memory that is freed too early. */
export const limits = {
  /**
   * The smallest and the largest allocation between two collections. The smallest is such that freed memory is still
   * cached.
   */
  min: 16e6,
  max: 1e9,
  /**
   * A full collection runs when the memory in use has doubled since the last one, and grown by this much beyond that.
   */
  slack: 64e6,
};

/**
 * Frees the kernel memory of results that user code has dropped. The engine's garbage collector does not know of that
 * memory, so it is asked to run when enough was allocated; weak references then tell whose memory can be reused.
 */
export class Results {
  private readonly pinned: Pinned[] = [];
  private readonly numbers: number[] = [];
  private readonly free: number[] = [];
  private limit = limits.min;
  /** Bytes allocated since the last collection. */
  private made = 0;
  /** Bytes in use, now and after the last full collection. */
  private held = 0;
  private heldAfterAll = 0;

  constructor(
    private readonly references: WeakReferences,
    private readonly collect: Collect,
  ) {}

  readonly watch = (storage: object, pinned: Pinned): void => {
    const number = this.free.pop() ?? this.numbers.length;
    // Without a reference it is never freed, which is correct but wasteful. There are a million references, more than
    // fit in memory.
    if (!this.references.watch(number, storage)) {
      this.free.push(number);
      return;
    }
    this.pinned.push(pinned);
    this.numbers.push(number);
    this.made += pinned.bytes;
    this.held += pinned.bytes;
    if (this.made >= this.limit) this.giveBack();
  };

  private giveBack(): void {
    const before = this.held;
    this.collect('minor');
    this.sweep();
    // Objects that survived two collections are examined only by full ones.
    if (this.held > 2 * this.heldAfterAll + limits.slack) {
      this.collect('major');
      this.sweep();
      this.heldAfterAll = this.held;
    }
    // If little was freed, the program works on more than this at once.
    const freed = before - this.held;
    this.limit = freed < this.made / 2 ? Math.min(this.limit * 2, limits.max) : Math.max(limits.min, this.limit * 0.9);
    this.made = 0;
  }

  private sweep(): void {
    const { pinned, numbers, free, references } = this;
    let left = 0;
    for (let i = 0; i < pinned.length; i++) {
      const [one, number] = [pinned[i]!, numbers[i]!];
      if (references.isCollected(number)) {
        this.held -= one.bytes;
        release(one);
        free.push(number);
      } else {
        pinned[left] = one;
        numbers[left++] = number;
      }
    }
    pinned.length = left;
    numbers.length = left;
  }
}

/** Watches an unreachable object, in a separate function whose frame is gone before the collection. */
function watchNothing(references: WeakReferences): void {
  references.watch(0, {});
}

/**
 * A function that runs the garbage collector; null if the engine does not allow it, or does not report collected
 * objects.
 */
export function collector(references: WeakReferences): Collect | null {
  const v8 = builtin<typeof import('node:v8')>('node:v8');
  const vm = builtin<typeof import('node:vm')>('node:vm');
  try {
    v8!.setFlagsFromString('--expose-gc');
    const gc = vm!.runInNewContext('gc') as (options: { type: string; execution: string }) => void;
    v8!.setFlagsFromString('--no-expose-gc');
    const collect: Collect = (type) => gc({ type, execution: 'sync' });
    watchNothing(references);
    collect('minor');
    return references.isCollected(0) ? collect : null;
  } catch {
    return null;
  }
}
