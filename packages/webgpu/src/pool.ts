import { DeviceError } from '@gradgate/core';
import type { Recording } from './capture.js';
import type { Waiting } from './gpu.js';

/** A buffer of the device, which one storage holds at a time. */
export interface Block {
  readonly buffer: GPUBuffer;
  readonly id: number;
  readonly bytes: number;
  /** The submission that uses it last. */
  turn: number;
  /** Whether it has never been written. */
  isNew: boolean;
  /** Whether its elements take 16 bits: for who holds it, and for calls that wait, of him who held it last. */
  isHalf: boolean;
}

/**
 * Bytes that tensors on the device may take: beyond `soft` an `await` waits for memory to come back, `hard` is refused.
 */
interface Budget {
  readonly soft: number;
  readonly hard: number;
}

/** The calls of the device. */
interface Calls {
  readonly waiting: Waiting | null;
  readonly recording: Recording | null;
  /** Submits all that is not yet. */
  flush(): void;
}

const storageUsage = 0x80 | 0x4 | 0x8;
const smallest = 256;

/** Few sizes, so that buffers are found again: powers of two, and from 64 KiB on three steps between them. */
function sizeClass(bytes: number): number {
  if (bytes <= smallest) return smallest;
  const power = 2 ** Math.floor(Math.log2(bytes));
  if (power === bytes) return bytes;
  if (power < 65536) return power * 2;
  return Math.ceil(bytes / (power / 4)) * (power / 4);
}

/**
 * Buffers by size class. One that is given back may be taken again at once: the device works in the order in which it
 * was asked, so what reads it for its last holder is done before the next one writes to it.
 */
export class Pool {
  budget: Budget = { soft: 2 ** 30, hard: 4 * 2 ** 30 };
  /** Bytes that storages hold, and the most that they have held. */
  held = 0;
  peak = 0;
  /** Bytes of buffers that nobody holds. */
  free = 0;
  tensors = 0;
  /** Buffers that were made in all. */
  made = 0;
  readonly #free = new Map<number, Block[]>();

  constructor(
    readonly device: GPUDevice,
    private readonly calls: Calls,
  ) {}

  take(bytes: number): Block {
    const { maxStorageBufferBindingSize: most } = this.device.limits;
    if (bytes > most)
      throw new DeviceError(
        'memory',
        `a tensor of ${bytes} bytes is more than the ${most} that a buffer of this GPU holds; use smaller batches`,
      );
    const size = Math.min(sizeClass(bytes), most);
    if (this.held + size > this.budget.hard) this.#refuse(bytes);
    let block = this.#find(size);
    if (block) {
      this.free -= size;
      block.isHalf = false;
    } else {
      if (this.held + this.free + size > this.budget.hard) this.trim();
      block = {
        buffer: this.device.createBuffer({ size, usage: storageUsage }),
        id: this.made++,
        bytes: size,
        turn: 0,
        isNew: true,
        isHalf: false,
      };
    }
    this.calls.recording?.taken.add(block);
    this.tensors++;
    this.held += size;
    this.peak = Math.max(this.peak, this.held);
    return block;
  }

  /**
   * A buffer of a size that nobody holds. One that a call uses which still waits is left: what is written to it could
   * not become a part of that call, and whether it does must not depend on which buffers there are.
   */
  #find(size: number): Block | undefined {
    const list = this.#free.get(size);
    if (!list) return undefined;
    const { waiting } = this.calls;
    for (let i = list.length - 1; i >= 0; i--) if (!waiting?.uses(list[i]!)) return list.splice(i, 1)[0];
    return undefined;
  }

  give(block: Block): void {
    const { recording } = this.calls;
    if (recording?.taken.has(block)) {
      // Calls that are made again use it.
      recording.kept.push(block);
      return;
    }
    this.tensors--;
    this.held -= block.bytes;
    this.free += block.bytes;
    block.isNew = false;
    const list = this.#free.get(block.bytes);
    if (!list) {
      this.#free.set(block.bytes, [block]);
      return;
    }
    // The one that was made first is taken first, at the end of the list: so steps of a program take the same ones in
    // turn, whose bind groups there are, whatever order the garbage collector found them in.
    let [low, high] = [0, list.length];
    while (low < high) {
      const mid = (low + high) >> 1;
      if (list[mid]!.id > block.id) low = mid + 1;
      else high = mid;
    }
    list.splice(low, 0, block);
  }

  /**
   * Waits while more is held than the soft budget, as long as that helps: what the garbage collector has found is given
   * back in tasks of their own, and none of them runs between awaits of promises alone.
   */
  async relieve(): Promise<void> {
    for (let before = Number.POSITIVE_INFINITY; this.held > this.budget.soft && this.held < before; ) {
      before = this.held;
      for (let turn = 0; turn < 3; turn++) await new Promise<void>((done) => setTimeout(done));
    }
  }

  /** Gives buffers that nobody holds back to the device. */
  trim(): void {
    // Calls that wait may use them still.
    this.calls.flush();
    for (const list of this.#free.values()) for (const { buffer } of list) buffer.destroy();
    this.#free.clear();
    this.free = 0;
  }

  #refuse(bytes: number): never {
    throw new DeviceError(
      'memory',
      `${bytes} bytes more would exceed the ${this.budget.hard} that tensors may take on webgpu: ${this.tensors} hold ` +
        `${this.held} now. Tensors nobody uses any more are found at an await only: read something in each step, as in ` +
        'await loss.itemAsync(), or run the step in tidy; or use smaller batches, or a larger budget by device(name, { memory })',
    );
  }
}
