import { builtin, type Pinned, release } from '@gradgate/core/internal';

/** What tells whether an object has been collected: the addon's weak references, by number. */
export interface WeakReferences {
  /** False where there is no room for one more. */
  watch(number: number, object: object): boolean;
  isCollected(number: number): boolean;
}

/** Runs a collection now: of what has been made lately, or of all. */
type Collect = (which: 'minor' | 'major') => void;

/** Bytes; tests change them, so that what is freed too early gets found. */
export const limits = {
  /** The least and the most that are handed out from one collection to the next: by the least, what is freed is still in the cache. */
  least: 16e6,
  most: 1e9,
  /** A collection of all comes when what is held has doubled since the last one, and is more than so much beyond that. */
  slack: 64e6,
};

/**
 * What gives back the kernel memory of results that user code has dropped. The engine's collector knows nothing of that memory,
 * so it is asked to run when enough of it was handed out, and the weak references then say whose can be used again.
 */
export class Results {
  private readonly pinned: Pinned[] = [];
  private readonly numbers: number[] = [];
  private readonly free: number[] = [];
  private limit = limits.least;
  /** Bytes handed out since the last collection. */
  private made = 0;
  /** Bytes that are held, and how many they were after the last collection of all. */
  private held = 0;
  private heldAfterAll = 0;

  constructor(
    private readonly references: WeakReferences,
    private readonly collect: Collect,
  ) {}

  readonly watch = (storage: object, pinned: Pinned): void => {
    const number = this.free.pop() ?? this.numbers.length;
    // Without a reference it is held for good, which is right, if not good. There are references for a million, more than fit.
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
    // What has outlived two collections is looked at by those of all alone.
    if (this.held > 2 * this.heldAfterAll + limits.slack) {
      this.collect('major');
      this.sweep();
      this.heldAfterAll = this.held;
    }
    // Where little was freed the program works on more than this at once.
    const freed = before - this.held;
    this.limit =
      freed < this.made / 2 ? Math.min(this.limit * 2, limits.most) : Math.max(limits.least, this.limit * 0.9);
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

/** Watches an object that nobody has: in a function of its own, whose frame is gone before the collection. */
function watchNothing(references: WeakReferences): void {
  references.watch(0, {});
}

/** Null where the engine lets nobody ask for a collection, or does not tell what it took. */
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
