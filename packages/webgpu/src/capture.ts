import type { Storage } from '@gradgate/core';
import type { Captured } from '@gradgate/core/internal';
import type { Gpu, RecordedCall } from './gpu.js';
import type { Block } from './pool.js';
import type { GpuStorage } from './storage.js';

// Records calls of programs with their bind groups, and their numbers in a buffer on the device. Replaying them runs no
// kernel code on the host and writes nothing. Scratch memory of kernels is kept with the calls.

/** What is recorded while kernels run. */
export class Recording {
  readonly calls: RecordedCall[] = [];
  /** Storages made before the recording, whose elements must be written before a replay. */
  readonly before = new Set<GpuStorage>();
  /** Storages that were filled with one number. */
  readonly filled = new Set<GpuStorage>();
  /** Buffers taken from the pool, and those of them that were given back. */
  readonly taken = new Set<Block>();
  readonly kept: Block[] = [];
  /** Whether the device was used in another way than by calling programs. */
  isIncomplete = false;

  /** A kernel uses a storage. */
  use(storage: GpuStorage, block: Block): void {
    if (!this.filled.has(storage) && !this.taken.has(block)) this.before.add(storage);
  }
}

/** Records the calls of `run`; null if it used the device in another way than by calling programs. */
export function capture(gpu: Gpu, run: () => void, bound: readonly Storage[]): Captured | null {
  gpu.settle();
  const recording = new Recording();
  gpu.recording = recording;
  let isKept = false;
  try {
    run();
    gpu.settle();
    isKept = !recording.isIncomplete && gpu.lost === null;
  } finally {
    gpu.recording = null;
    if (!isKept) for (const block of recording.kept) gpu.pool.give(block);
  }
  return isKept ? new Calls(gpu, recording, bound as GpuStorage[]) : null;
}

interface Call extends RecordedCall {
  readonly bindGroup: GPUBindGroup;
  /** The index of its numbers in the buffer. */
  readonly at: number;
  readonly isBound: boolean;
}

class Calls implements Captured {
  readonly #calls: Call[];
  readonly #uniforms: GPUBuffer;
  /** The buffers of the bound storages at the time of recording. */
  readonly #bound: readonly Block[];
  /** All other buffers. */
  readonly #own = new Set<Block>();
  readonly #before: GpuStorage[];
  /** Storages filled with a number: their index among the bound ones, and the number, or null if the calls write it. */
  readonly #filled: readonly { readonly storage: GpuStorage; readonly at: number; readonly left: number | null }[];
  /** Bind groups for other buffers than those at the time of recording. */
  readonly #others = new Map<string, GPUBindGroup>();

  constructor(
    private readonly gpu: Gpu,
    recording: Recording,
    bound: readonly GpuStorage[],
  ) {
    this.#bound = bound.map(({ block }) => block!);
    this.#before = [...recording.before].filter((storage) => !bound.includes(storage));
    this.#filled = [...recording.filled].map((storage) => ({
      storage,
      at: bound.indexOf(storage),
      left: storage.constant,
    }));
    this.#uniforms = gpu.uniforms(recording.calls.map(({ numbers }) => numbers));
    this.#calls = recording.calls.map((call, at) => ({
      ...call,
      at,
      bindGroup: gpu.bind(call.program, this.#uniforms, call.blocks),
      isBound: call.blocks.some((block) => this.#bound.includes(block)),
    }));
    for (const { blocks } of recording.calls)
      for (const block of blocks) if (!this.#bound.includes(block)) this.#own.add(block);
    gone.register(this, { gpu, kept: recording.kept, uniforms: this.#uniforms });
  }

  replay(bound: readonly Storage[]): boolean {
    const { gpu } = this;
    gpu.check('compile');
    const blocks = (bound as GpuStorage[]).map((storage) => storage.ready());
    for (const storage of this.#before) storage.ready();
    // Programs were chosen for operands that are different: they must still be.
    if (new Set(blocks).size !== blocks.length || blocks.some((block) => this.#own.has(block))) return false;
    const isSame = blocks.every((block, i) => block === this.#bound[i]);
    for (const call of this.#calls) {
      if (isSame || !call.isBound) gpu.repeat(call, call.blocks, call.bindGroup, call.at);
      else {
        const now = call.blocks.map((block) => blocks[this.#bound.indexOf(block)] ?? block);
        gpu.repeat(call, now, this.#bindGroup(call, now), call.at);
      }
    }
    for (const { storage, at, left } of this.#filled)
      ((bound[at] as GpuStorage | undefined) ?? storage).constant = left;
    return true;
  }

  #bindGroup({ program, at }: Call, blocks: readonly Block[]): GPUBindGroup {
    const key = `${at} ${blocks.map(({ id }) => id)}`;
    let found = this.#others.get(key);
    if (found) return found;
    found = this.gpu.bind(program, this.#uniforms, blocks);
    if (this.#others.size >= maxOtherBindGroups) this.#others.clear();
    this.#others.set(key, found);
    return found;
  }
}

const maxOtherBindGroups = 256;

const gone = new FinalizationRegistry<{ gpu: Gpu; kept: readonly Block[]; uniforms: GPUBuffer }>(
  ({ gpu, kept, uniforms }) => {
    for (const block of kept) gpu.pool.give(block);
    // Calls that are not submitted yet may use them.
    gpu.flush();
    uniforms.destroy();
  },
);
