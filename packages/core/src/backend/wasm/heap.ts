interface Block {
  at: number;
  size: number;
}

/** Blocks are whole cache lines. */
const line = 64;

/** Rounds bytes up to whole lines. Without bitwise operators, which would turn sizes beyond 2^31 negative. */
export const roundUp = (bytes: number): number => Math.ceil(bytes / line) * line;

/**
 * Allocates blocks of a memory that can grow: the smallest free block that fits, or one after the last block. Free
 * neighbors are joined at once, so there are few free blocks.
 */
export class Heap {
  /** Sorted by address. */
  readonly #free: Block[] = [];
  readonly #sizes = new Map<number, number>();
  #end: number;
  /** Bytes of allocated blocks. */
  held = 0;

  constructor(
    start: number,
    /** Grows the memory to `end`; false if it cannot grow. */
    private readonly reach: (end: number) => boolean,
  ) {
    this.#end = start;
  }

  /** The address of a block of `bytes`, or 0 if there is no more memory. */
  allocate(bytes: number): number {
    const size = Math.max(line, roundUp(bytes));
    const at = this.#takeFree(size) || this.#extend(size);
    if (at === 0) return 0;
    this.#sizes.set(at, size);
    this.held += size;
    return at;
  }

  /** The size of the block at `at`, in bytes. */
  sizeOf(at: number): number {
    const size = this.#sizes.get(at);
    if (size === undefined) throw new Error(`no block at ${at}`);
    return size;
  }

  /** Frees a block. */
  free(at: number): void {
    const size = this.sizeOf(at);
    this.#sizes.delete(at);
    this.held -= size;
    const free = this.#free;
    let i = free.findIndex((b) => b.at > at);
    if (i < 0) i = free.length;
    const [before, after] = [free[i - 1], free[i]];
    const joinsBefore = before !== undefined && before.at + before.size === at;
    const joinsAfter = after !== undefined && at + size === after.at;
    if (joinsBefore) {
      before.size += size + (joinsAfter ? after.size : 0);
      if (joinsAfter) free.splice(i, 1);
    } else if (joinsAfter) {
      after.at = at;
      after.size += size;
    } else free.splice(i, 0, { at, size });
  }

  #takeFree(size: number): number {
    const free = this.#free;
    let best = -1;
    for (let i = 0; i < free.length; i++)
      if (free[i]!.size >= size && (best < 0 || free[i]!.size < free[best]!.size)) best = i;
    if (best < 0) return 0;
    const block = free[best]!;
    const { at } = block;
    if (block.size === size) free.splice(best, 1);
    else {
      block.at += size;
      block.size -= size;
    }
    return at;
  }

  #extend(size: number): number {
    const last = this.#free.at(-1);
    const joins = last !== undefined && last.at + last.size === this.#end;
    const at = joins ? last.at : this.#end;
    if (!this.reach(at + size)) return 0;
    if (joins) this.#free.pop();
    this.#end = at + size;
    return at;
  }
}
