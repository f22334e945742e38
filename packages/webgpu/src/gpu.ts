import { DeviceError } from '@gradgate/core';
import type { Recording } from './capture.js';
import { withHalves } from './half.js';
import { type Block, Pool } from './pool.js';
import { helpersOf } from './wgsl/helpers.js';

/** The type in which programs compute, and as which they read the 32-bit words of buffers. */
export type Word = 'f32' | 'i32';

/** Elements as they are stored on the device. */
export type Words = Float32Array | Int32Array | Uint16Array;

/** A compute shader without its declarations, which are generated from this. */
export interface Source {
  /** Buffers by name: read-only ones, and ones that are written and may be read. */
  readonly reads: Readonly<Record<string, Word>>;
  readonly writes: Readonly<Record<string, Word>>;
  /** Names of the uniform numbers, `u.name` in WGSL; of type u32, or that after a colon. */
  readonly numbers: readonly string[];
  /** Functions and variables at module scope. */
  readonly head?: string;
  /**
   * The body of each invocation. It has `lane`, its index in its workgroup of 64, `group`, the index of the workgroup,
   * and `i`, its own global index.
   */
  readonly body: string;
}

/** A deferred call, into which following calls may be fused. */
export interface Waiting {
  uses(block: Block): boolean;
  make(): void;
}

/** The layout of bind groups of programs with equally many buffers to read and to write, which share them. */
interface Layout {
  readonly id: number;
  readonly layout: GPUBindGroupLayout;
}

/** A call of a program, as recorded. */
export interface RecordedCall {
  readonly program: Pipeline;
  readonly blocks: readonly Block[];
  /** The uniform numbers, as words. */
  readonly numbers: Uint32Array;
  readonly groups: readonly [number, number];
}

interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: Layout;
  /** The type of each number. */
  readonly types: readonly string[];
  /** The number of read-only buffers. */
  readonly reads: number;
}

/** The largest number of uniform words of a call, and the distance between those of two calls. */
export const maxNumbers = 64;
/** Calls in one submission. Submissions are expensive, but the device should not wait for too many calls. */
const callsPerSubmission = 64;
/** The same for replayed calls, whose numbers are on the device; usually all of a training step. */
const repeatsPerSubmission = 1024;
const maxGroups = 65535;
const maxBindGroups = 16384;

const copying: Source = {
  reads: { from: 'i32' },
  writes: { to: 'i32' },
  numbers: ['n'],
  body: 'if (i < u.n) { to[i] = from[i]; }',
};

/** Which of a call's buffers have elements of 16 bits, as a part of the key of its program. */
function halvesOf(blocks: readonly Block[]): string {
  let key = '';
  for (let i = 0; i < blocks.length; i++) if (blocks[i]!.isHalf) key += ` h${i}`;
  return key;
}

/** The grid of `n` workgroups; `group` is their index. */
export function groupsFor(n: number): [number, number] {
  if (n <= maxGroups) return [n, 1];
  const y = Math.ceil(n / maxGroups);
  return [Math.ceil(n / y), y];
}

/** A device with its programs, and the calls to be submitted together. */
export class Gpu {
  readonly pool: Pool;
  /** Whether the device has f16, so that elements of float16 take 16 bits. */
  readonly hasHalf: boolean;
  /** The reason why it cannot be used any more; null while it can. */
  lost: string | null = null;
  /** The first error reported since the last read. */
  error: string | null = null;
  /** The current recording of calls, if any. */
  recording: Recording | null = null;
  readonly counts = { dispatches: 0, submissions: 0, pipelines: 0, bindGroups: 0 };
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, Layout>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #uniforms: GPUBuffer;
  readonly #staged = new ArrayBuffer(callsPerSubmission * maxNumbers * 4);
  readonly #u32 = new Uint32Array(this.#staged);
  readonly #i32 = new Int32Array(this.#staged);
  readonly #f32 = new Float32Array(this.#staged);
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #calls = 0;
  #repeated = 0;
  #waiting: Waiting | null = null;
  /** The number of the next submission. A block used by calls in it has this number. */
  #turn = 1;

  constructor(readonly device: GPUDevice) {
    this.pool = new Pool(device, this);
    this.hasHalf = device.features.has('shader-f16');
    this.#uniforms = device.createBuffer({ size: this.#staged.byteLength, usage: 0x40 | 0x8 });
    device.addEventListener('uncapturederror', (event) => {
      this.error ??= (event as GPUUncapturedErrorEvent).error.message;
    });
    void device.lost.then(({ reason, message }) => {
      this.lost = `the GPU was lost (${reason}${message ? `: ${message}` : ''}); the contents of its tensors are lost; await device('webgpu') opens it again`;
    });
  }

  /** Throws if the device is lost. */
  check(op: string): void {
    if (this.lost !== null) throw new DeviceError(op, this.lost);
  }

  /** The deferred call, if any. */
  get waiting(): Waiting | null {
    return this.#waiting;
  }

  /** Defers a call until the device is used again; before, calls may be fused into it by `waiting`. */
  wait(call: Waiting): void {
    this.settle();
    this.#waiting = call;
  }

  /** Runs the deferred call. */
  settle(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.make();
  }

  /**
   * Calls the program named `key`, which `source` defines if there is none yet. `buffers` are those to read, then those
   * to write.
   */
  run(
    key: string,
    source: () => Source,
    buffers: readonly Block[],
    numbers: readonly number[],
    groups: readonly [number, number],
  ): void {
    // Without elements there is nothing to do.
    if (groups[0] === 0) return;
    this.settle();
    this.check(key);
    const halves = this.hasHalf ? halvesOf(buffers) : '';
    const program = this.#pipelines.get(key + halves) ?? this.#compile(key + halves, source(), buffers);
    // A buffer that is written cannot be another operand of the call, so a copy is read instead.
    for (let r = 0; r < program.reads; r++)
      if (buffers.indexOf(buffers[r]!, program.reads) >= 0) {
        this.#runOnCopy(key, source, buffers, r, numbers, groups);
        return;
      }
    const bindGroup = this.#bindGroup(program, buffers);
    const offset = this.#calls * maxNumbers;
    numbers.forEach((n, i) => {
      const type = program.types[i];
      (type === 'f32' ? this.#f32 : type === 'i32' ? this.#i32 : this.#u32)[offset + i] = n;
    });
    this.recording?.calls.push({
      program,
      blocks: buffers,
      numbers: this.#u32.slice(offset, offset + maxNumbers),
      groups,
    });
    this.#dispatch(program, buffers, bindGroup, offset * 4, groups);
    if (++this.#calls === callsPerSubmission) this.flush();
  }

  #dispatch(
    { pipeline }: Pipeline,
    blocks: readonly Block[],
    bindGroup: GPUBindGroup,
    offset: number,
    [x, y]: readonly [number, number],
  ): void {
    this.#pass ??= this.#commands().beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, bindGroup, [offset]);
    this.#pass.dispatchWorkgroups(x, y);
    for (const block of blocks) block.turn = this.#turn;
    this.counts.dispatches++;
  }

  /** Repeats a call on `blocks`, with the numbers at index `at` in the uniform buffer of the bind group. */
  repeat({ program, groups }: RecordedCall, blocks: readonly Block[], bindGroup: GPUBindGroup, at: number): void {
    this.settle();
    this.#dispatch(program, blocks, bindGroup, at * maxNumbers * 4, groups);
    if (++this.#repeated === repeatsPerSubmission) this.flush();
  }

  /** Makes a uniform buffer with the numbers of several calls. */
  uniforms(all: readonly Uint32Array[]): GPUBuffer {
    const words = new Uint32Array(Math.max(1, all.length) * maxNumbers);
    all.forEach((numbers, at) => void words.set(numbers, at * maxNumbers));
    const buffer = this.device.createBuffer({ size: words.byteLength, usage: 0x40 | 0x8 });
    this.device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }

  /** Runs without recording. */
  unrecorded(run: () => void): void {
    this.settle();
    const { recording } = this;
    this.recording = null;
    try {
      run();
    } finally {
      this.recording = recording;
    }
  }

  #runOnCopy(
    key: string,
    source: () => Source,
    buffers: readonly Block[],
    read: number,
    numbers: readonly number[],
    groups: readonly [number, number],
  ): void {
    const block = buffers[read]!;
    const copy = this.pool.take(block.bytes);
    copy.isHalf = block.isHalf;
    try {
      this.run(
        'copy of an operand',
        () => copying,
        [block, copy],
        [block.bytes / 4],
        groupsFor(Math.ceil(block.bytes / 256)),
      );
      this.run(
        key,
        source,
        buffers.map((b, i) => (b === block && i <= read ? copy : b)),
        numbers,
        groups,
      );
    } finally {
      this.pool.give(copy);
    }
  }

  #commands(): GPUCommandEncoder {
    this.#encoder ??= this.device.createCommandEncoder();
    return this.#encoder;
  }

  /** The program for buffers such as these. */
  #compile(key: string, source: Source, blocks: readonly Block[]): Pipeline {
    const halves: string[] = [];
    const typed = (all: Source['reads'], first: number): [string, string][] =>
      Object.entries(all).map(([name, word], i) => {
        if (word !== 'f32' || !blocks[first + i]!.isHalf) return [name, word];
        halves.push(name);
        return [name, 'f16'];
      });
    const reads = typed(source.reads, 0);
    const writes = typed(source.writes, reads.length);
    const fields = source.numbers.map((n) => (n.includes(':') ? n.split(':') : [n, 'u32']) as [string, string]);
    if (fields.length > maxNumbers)
      throw new DeviceError(
        key,
        `webgpu takes ${maxNumbers} numbers a call, and this one has ${fields.length}; use fewer dimensions`,
      );
    const declared = [
      halves.length > 0 ? 'enable f16;' : '',
      `struct Numbers { ${fields.map(([name, type]) => `${name}: ${type}`).join(', ') || 'none: u32'} }`,
      '@group(0) @binding(0) var<uniform> u: Numbers;',
      ...reads.map(([name, word], i) => `@group(0) @binding(${1 + i}) var<storage, read> ${name}: array<${word}>;`),
      ...writes.map(
        ([name, word], i) =>
          `@group(0) @binding(${1 + reads.length + i}) var<storage, read_write> ${name}: array<${word}>;`,
      ),
    ];
    const text = `${source.head ?? ''}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u) {
let group = group_id.x + group_id.y * groups.x;
let i = group * 64u + lane;
${source.body}
}`;
    const program = halves.length > 0 ? withHalves(text, halves) : text;
    const code = [...declared, helpersOf(program), program].join('\n');
    const layout = this.#layout(reads.length, writes.length);
    const pipeline = this.device.createComputePipeline({
      label: key,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout.layout] }),
      compute: { module: this.device.createShaderModule({ code, label: key }), entryPoint: 'main' },
    });
    this.counts.pipelines++;
    const made = { pipeline, layout, types: fields.map(([, type]) => type), reads: reads.length };
    this.#pipelines.set(key, made);
    return made;
  }

  #layout(reads: number, writes: number): Layout {
    const key = `${reads} ${writes}`;
    let found = this.#layouts.get(key);
    if (found) return found;
    const buffers: GPUBufferBindingLayout[] = [
      { type: 'uniform', hasDynamicOffset: true },
      ...Array.from({ length: reads }, () => ({ type: 'read-only-storage' }) as const),
      ...Array.from({ length: writes }, () => ({ type: 'storage' }) as const),
    ];
    const layout = this.device.createBindGroupLayout({
      entries: buffers.map((buffer, binding) => ({ binding, visibility: 4, buffer })),
    });
    found = { id: this.#layouts.size, layout };
    this.#layouts.set(key, found);
    return found;
  }

  #bindGroup(program: Pipeline, blocks: readonly Block[]): GPUBindGroup {
    let key = `${program.layout.id}`;
    for (const block of blocks) key += ` ${block.id}`;
    let found = this.#bindGroups.get(key);
    if (found) return found;
    found = this.bind(program, this.#uniforms, blocks);
    if (this.#bindGroups.size >= maxBindGroups) this.#bindGroups.clear();
    this.#bindGroups.set(key, found);
    return found;
  }

  /** Makes a bind group for calls of a program with numbers in `uniforms`. */
  bind({ layout: { layout } }: Pipeline, uniforms: GPUBuffer, blocks: readonly Block[]): GPUBindGroup {
    this.counts.bindGroups++;
    return this.device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: uniforms, size: maxNumbers * 4 } },
        ...blocks.map(({ buffer }, i) => ({ binding: 1 + i, resource: { buffer } })),
      ],
    });
  }

  /** Submits all calls. */
  flush(): void {
    this.settle();
    if (this.#encoder === null) return;
    this.#pass?.end();
    this.#pass = null;
    if (this.#calls > 0)
      this.device.queue.writeBuffer(this.#uniforms, 0, this.#staged, 0, this.#calls * maxNumbers * 4);
    this.device.queue.submit([this.#encoder.finish()]);
    this.#encoder = null;
    this.#calls = this.#repeated = 0;
    this.#turn++;
    this.counts.submissions++;
  }

  /** Writes words to a block, from byte `at` on; whole words of 32 bits, as WebGPU requires. */
  write(block: Block, words: Words, at: number): void {
    this.check('write');
    if (words.length === 0) return;
    this.settle();
    // Writes to scratch memory of a kernel stay valid, and need not be replayed.
    if (this.recording !== null && !this.recording.taken.has(block)) this.recording.isIncomplete = true;
    // The queue would write before calls that are not submitted yet.
    if (block.turn === this.#turn) this.flush();
    // Not every implementation accepts shared memory, such as that of parameters.
    const { buffer, byteOffset, byteLength } = words.buffer instanceof ArrayBuffer ? words : words.slice();
    this.device.queue.writeBuffer(block.buffer, at, buffer as ArrayBuffer, byteOffset, byteLength);
  }

  /** Reads the first bytes of a block, after all calls made before. */
  async read(block: Block, bytes: number): Promise<ArrayBuffer> {
    this.check('data');
    this.settle();
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    const staging = this.device.createBuffer({ size, usage: 0x1 | 0x8 });
    this.#pass?.end();
    this.#pass = null;
    this.#commands().copyBufferToBuffer(block.buffer, 0, staging, 0, size);
    this.flush();
    try {
      await staging.mapAsync(1);
    } catch (error) {
      this.check('data');
      throw new DeviceError('data', this.#explain(error), { cause: error });
    }
    const copy = staging.getMappedRange().slice(0, bytes);
    staging.destroy();
    if (this.error !== null) throw new DeviceError('data', this.#explain(this.error));
    return copy;
  }

  #explain(error: unknown): string {
    const said = this.error ?? String((error as Error)?.message ?? error);
    this.error = null;
    return `the GPU reported an error in an earlier call: ${said}`;
  }
}
