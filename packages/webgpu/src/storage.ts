import {
  type Backend,
  DeviceError,
  type DType,
  DTypeError,
  type Storage,
  type TypedArray,
  type View,
} from '@gradgate/core';
import { type Bits, recordOf } from '@gradgate/core/internal';
import { type Gpu, groupsFor, type Words } from './gpu.js';
import type { Block } from './pool.js';
import { stored, wordOf } from './words.js';

/**
 * Memory on the GPU: each element is a word of 32 bits, a float for floating point and an integer for all else; but
 * float16 takes 16 bits where the device has f16. Half types are rounded where they are written; int64 holds what fits
 * in 32 bits.
 */
export class GpuStorage implements Storage {
  version = 0;
  uses = 0;
  refCount = 0;
  /** Made by a rule of a backward pass, which frees it. */
  isTemporary = false;
  /** Null once it is freed. */
  block: Block | null;
  /** Whether its elements take 16 bits. */
  readonly isHalf: boolean;
  /** The number that all elements are, as a word, if they are not written yet; elementwise functions take it as a uniform. */
  constant: number | null = null;
  /**
   * Never touched: it makes the garbage collector see how much the storage holds, so that it looks for what nobody uses
   * before the device is full. For small ones it is larger than they are: there may be many.
   */
  readonly ballast: ArrayBuffer;

  constructor(
    readonly backend: Backend,
    readonly gpu: Gpu,
    readonly dtype: DType,
    readonly length: number,
    /** Another storage, in the memory of which it lies. */
    private readonly base: GpuStorage | null = null,
  ) {
    this.isHalf = gpu.hasHalf && dtype === 'float16';
    this.block = base?.block ?? gpu.pool.take(length * (this.isHalf ? 2 : 4));
    if (base === null) this.block.isHalf = this.isHalf;
    this.ballast = new ArrayBuffer(base === null ? Math.max(minBallast, this.block.bytes) : 0);
    if (base === null) collected.register(this, { gpu, block: this.block }, this);
  }

  /** The block, with all elements. */
  ready(): Block {
    const { block, gpu } = this;
    gpu.check('webgpu');
    if (block === null) throw new DeviceError('webgpu', 'a kernel was given memory that has been freed');
    this.settle();
    return block;
  }

  /** Writes the number that all elements are, if they are not written yet. */
  settle(): void {
    const { constant, gpu } = this;
    if (constant === null) return;
    this.constant = null;
    // It was filled before the recording, so replays must not fill it again.
    if (gpu.recording?.filled.has(this) === false) gpu.unrecorded(() => this.#write(constant));
    else this.#write(constant);
  }

  #write(constant: number): void {
    const { gpu, dtype, length, block } = this;
    const word = wordOf(dtype);
    gpu.run(
      `fill ${dtype}`,
      () => ({
        reads: {},
        writes: { out: word },
        numbers: ['n', `value:${word}`],
        body: `if (i < u.n) { out[i] = ${stored('u.value', word, dtype)}; }`,
      }),
      [block!],
      [length, constant],
      groupsFor(Math.ceil(length / 64)),
    );
  }

  /** Writes elements, in whole words of 32 bits: of those that take 16 an even number, unless they are the last. */
  write(values: TypedArray | Bits, offset = 0): void {
    const { gpu, dtype, isHalf } = this;
    const words = encode(values, dtype, isHalf);
    gpu.write(this.ready(), words, offset * words.BYTES_PER_ELEMENT);
  }

  /** All elements, when what was asked for before is done. */
  async read(): Promise<TypedArray | Bits> {
    const { gpu, dtype, length, isHalf } = this;
    return decode(await gpu.read(this.ready(), length * (isHalf ? 2 : 4)), dtype, isHalf);
  }

  /** Gives the memory back at once. */
  free(): void {
    if (this.block === null || this.base !== null) return;
    collected.unregister(this);
    this.gpu.pool.give(this.block);
    this.block = null;
  }
}

const minBallast = 16384;

const collected = new FinalizationRegistry<{ gpu: Gpu; block: Block }>(({ gpu, block }) => gpu.pool.give(block));

/** The block under a view of this device, with its elements. */
export function blockOf(view: View): Block {
  emptyBlockOf(view);
  return (view.storage as GpuStorage).ready();
}

/** The same where all of its elements are about to be written, or are known. */
export function emptyBlockOf({ storage }: View): Block {
  const { block, gpu } = storage as GpuStorage;
  if (gpu === undefined) throw new DeviceError('webgpu', `a kernel was given memory of ${storage.backend.name}`);
  gpu.check('webgpu');
  if (block === null) throw new DeviceError('webgpu', 'a kernel was given memory that has been freed');
  gpu.recording?.use(storage as GpuStorage, block);
  return block;
}

/** Whether the elements of a view are a number that is not written yet. */
export const isPending = ({ storage }: View): boolean => (storage as GpuStorage).constant !== null;

/** The number that all elements of a view are, if it is not written yet and the same in each replay; otherwise null. */
export function constantOf(view: View): number | null {
  emptyBlockOf(view);
  const { constant, gpu } = view.storage as GpuStorage;
  return gpu.recording?.filled.has(view.storage as GpuStorage) === false ? null : constant;
}

/** Makes all elements of a storage a number. */
export function fill(value: number, view: View): void {
  if (view.numel === 0) return;
  const storage = view.storage as GpuStorage;
  // Recorded first: replays need not find what was there before.
  storage.gpu?.recording?.filled.add(storage);
  const block = emptyBlockOf(view);
  // Calls that wait were asked for before, and read what was there.
  if (storage.gpu.waiting?.uses(block)) storage.gpu.settle();
  storage.constant = value;
}

/** The device that a view's memory is on. */
export const gpuOf = ({ storage }: View): Gpu => (storage as GpuStorage).gpu;

/** Refuses what WGSL has not. */
export function checkDType(dtype: DType): void {
  if (dtype === 'complex64' || dtype === 'complex128')
    throw new DTypeError(
      'webgpu',
      `there is no ${dtype} on webgpu; keep the tensor on 'cpu', or move its parts, as in viewAsReal(x).to('webgpu')`,
    );
  if (dtype === 'float64')
    throw new DTypeError(
      'webgpu',
      "there is no float64 on webgpu; use float32, as in { dtype: 'float32' } or x.to('float32').to('webgpu'), or keep the tensor on 'cpu'",
    );
}

/** An element of int64 as a word of the device; refuses what has more digits. */
export function checkWord(v: number | bigint): number {
  const word = Number(v);
  if (word !== (word | 0))
    throw new DTypeError(
      'webgpu',
      `int64 holds whole numbers of 32 bits on a GPU, from -2^31 to 2^31 - 1, got ${v}; keep such tensors on 'cpu'`,
    );
  return word;
}

/** Elements as core stores them, as they lie on the device: as core has them where they take 16 bits. */
function encode(values: TypedArray | Bits, dtype: DType, isHalf: boolean): Words {
  if (isHalf) {
    const { length } = values;
    if (length % 2 === 0) return values as Uint16Array;
    const words = new Uint16Array(length + 1);
    words.set(values as Uint16Array);
    return words;
  }
  if (dtype === 'float32') return values as Float32Array;
  if (dtype === 'int32') return values as Int32Array;
  if (dtype === 'int64') {
    const words = new Int32Array(values.length);
    (values as BigInt64Array).forEach((v, i) => {
      words[i] = checkWord(v);
    });
    return words;
  }
  const { coding, array } = recordOf(dtype);
  if (coding === undefined) return Int32Array.from(values as TypedArray);
  const numbers = new array(values.length);
  coding.decode(values, numbers);
  return numbers as Float32Array;
}

/** The other way round. */
function decode(words: ArrayBuffer, dtype: DType, isHalf: boolean): TypedArray | Bits {
  if (isHalf) return new Uint16Array(words);
  if (dtype === 'float32') return new Float32Array(words);
  const { coding, array } = recordOf(dtype);
  if (dtype === 'int64') return BigInt64Array.from(new Int32Array(words), BigInt);
  if (coding === undefined) return dtype === 'int32' ? new Int32Array(words) : new array(new Int32Array(words));
  const numbers = new Float32Array(words);
  const bits = new coding.bits(numbers.length);
  coding.encode(numbers, bits);
  return bits;
}
