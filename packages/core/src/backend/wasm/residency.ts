import { allocateUninitialized } from '../../memory/allocate.js';
import type { TypedArray } from '../../memory/dtype.js';
import type { ManagedMemory } from '../backend.js';
import type { HostStorage as Storage } from '../host/storage.js';
import { isInKernelMemory, type KernelMemory, kernelMemory, maxBytes, memories } from './memory.js';
import { isAvailable } from './module.js';

// Arrays that live in kernel memory, where kernels need not copy them in and out: parameters, the memory of optimizers,
// gradients of both, and what a backward pass has under way. What else user code can hold lives there only where somebody
// says at once when it has been collected; elsewhere it is garbage-collected as any other array is.

/** What tests change, to see that nothing is read after it was freed. */
export const residence = {
  /** Fewer elements are copied sooner than they are looked after. */
  from: 1024,
  /** The most bytes of what is pinned; the rest is for scratch memory and temporaries. */
  budget: maxBytes / 2,
  /** Whether freed blocks are filled with NaN. */
  poison: false,
};

/** What is in kernel memory: how many blocks, their bytes, the most that these have been, and the bytes of those that are pinned. */
const usage = { count: 0, bytes: 0, peak: 0, pinned: 0 };

/** What `memory()` reports. */
export interface MemoryReport {
  /** How many tensors' memory lives in kernel memory: parameters, their gradients, what optimizers remember. */
  readonly tensors: number;
  /** Bytes that these hold. */
  readonly bytes: number;
  /** The most bytes that they have held, with the temporaries of backward passes. */
  readonly peak: number;
  /** Bytes in which kernels keep copies of other arrays while they run. */
  readonly scratch: number;
  /** Bytes of address space that kernel memory has grown to, at most 4 GiB twice. */
  readonly reserved: number;
}

/**
 * What is in kernel memory. All other tensors are typed arrays that the garbage collector looks after; Node counts those
 * in `process.memoryUsage().arrayBuffers`.
 */
export function memory(): MemoryReport {
  const sum = (bytes: (m: KernelMemory) => number) => memories().reduce((all, m) => all + bytes(m), 0);
  return {
    tensors: usage.count,
    bytes: usage.bytes,
    peak: usage.peak,
    scratch: sum((m) => m.scratchBytes),
    reserved: sum((m) => m.reserved),
  };
}

/** An array for `length` floats in kernel memory, its values anything; null where there is no room. */
function arrayFor(length: number): Float32Array | null {
  if (!isAvailable) return null;
  const memory = kernelMemory();
  // Where it is not shared, growing takes the memory away from all arrays on it.
  if (!memory.instance.shared) return null;
  const at = memory.heap.allocate(length * 4);
  if (at === 0) return null;
  usage.count++;
  usage.bytes += memory.heap.sizeOf(at);
  usage.peak = Math.max(usage.peak, usage.bytes);
  return memory.array(at, length);
}

function freeBlock(block: number): void {
  const { heap } = kernelMemory();
  usage.count--;
  usage.bytes -= heap.sizeOf(block);
  heap.free(block);
}

/** Runs `use` with an array of so many floats, its values anything: in kernel memory, where `beside` lies there. */
export function withFloats(length: number, beside: Float32Array, use: (array: Float32Array) => void): void {
  const array = isInKernelMemory(beside) ? arrayFor(length) : null;
  if (array === null) {
    use(new Float32Array(length));
    return;
  }
  try {
    use(array);
  } finally {
    freeBlock(array.byteOffset);
  }
}

/** Puts `storage` on `length` floats in kernel memory; false, and nothing done, where there is no room. */
export function allocateInKernelMemory(storage: Storage, length: number): boolean {
  const array = arrayFor(length);
  if (array === null) return false;
  storage.data = array;
  storage.block = array.byteOffset;
  return true;
}

/** Fills a storage that lives in kernel memory with zeros. */
export function clear(storage: Storage): void {
  kernelMemory().fill(storage.block, 0, storage.data.length);
}

/** Frees the block under `storage`, which nobody may read any more. */
export function free(storage: Storage): void {
  if (residence.poison) storage.data.fill(Number.NaN);
  freeBlock(storage.block);
  storage.block = 0;
  storage.data = gone;
}

/** Takes the elements of a storage away from whoever may still hold it. The gradient of a leaf on it stays until that has been collected. */
function forget(storage: Storage): void {
  const { block, pinned, coded } = storage;
  if (pinned !== null && pinned !== scoped) releaseBlock(pinned);
  else if (block !== 0) free(storage);
  if (coded === null) storage.data = nothing;
  else Object.defineProperty(storage, 'data', { value: nothing });
}

/** No array: see `dataOf`. */
const nothing = undefined as unknown as TypedArray;

/** What is left of a released array: all that reads it would get undefined. */
const gone = new Float32Array(0);

/** Moves `storage` to the JavaScript heap, and frees its block. */
function moveToHeap(storage: Storage): void {
  const copy = allocateUninitialized('float32', storage.data.length);
  copy.set(storage.data as never);
  if (residence.poison) storage.data.fill(Number.NaN);
  freeBlock(storage.block);
  storage.block = 0;
  storage.pinned = null;
  storage.data = copy;
}

/** What a pinned storage leaves behind when it is collected. */
export interface Pinned {
  /** 0 where it has been freed before. */
  block: number;
  readonly bytes: number;
  /** The block of the gradient that a leaf on the storage keeps, or 0. */
  gradient: number;
}

/** How what a `tidy` gives back at its end is pinned. */
export const scoped: Pinned = Object.freeze({ block: 0, bytes: 0, gradient: 0 });

/** Calls `release` with what an object leaves behind once it has been collected. */
export type Watch = (storage: object, pinned: Pinned) => void;

/** Who tells what has been collected. */
export const collected = {
  /** Null where an engine has nobody: what is pinned would not be freed, so that nothing is. */
  watch: typeof FinalizationRegistry === 'undefined' ? null : byRegistry(),
  /** Whether that is told while a synchronous loop goes on, so that results are pinned too. */
  isPrompt: false,
};

/** Tells it when the event loop turns. */
function byRegistry(): Watch {
  const registry = new FinalizationRegistry<Pinned>(release);
  return (storage, pinned) => registry.register(storage, pinned);
}

/** Lets results live in kernel memory until `watch` tells that they have been collected. */
export function pinResults(watch: Watch): void {
  collected.watch = watch;
  collected.isPrompt = true;
}

/** Frees what a storage that has been collected leaves behind. */
export function release(pinned: Pinned): void {
  releaseBlock(pinned);
  if (pinned.gradient === 0) return;
  usage.pinned -= pinned.bytes;
  freeBlock(pinned.gradient);
}

function releaseBlock(pinned: Pinned): void {
  const { block, bytes } = pinned;
  if (block === 0) return;
  if (residence.poison) kernelMemory().fill(block, Number.NaN, bytes / 4);
  usage.pinned -= bytes;
  freeBlock(block);
  pinned.block = 0;
}

/** Whether so many elements more may be pinned. */
export const canPin = (length: number): boolean =>
  collected.watch !== null && usage.pinned + length * 4 <= residence.budget;

/** Leaves its block to a storage for as long as that lives. */
export function own(storage: Storage): void {
  const bytes = storage.data.length * 4;
  usage.pinned += bytes;
  storage.pinned = { block: storage.block, bytes, gradient: 0 };
  collected.watch!(storage, storage.pinned);
}

/**
 * Moves a storage into kernel memory for as long as it lives. This is for what is made once and used often. Small ones, those of
 * other dtypes and those there is no room for stay where they are.
 */
export function pin(storage: Storage): void {
  if (storage.dtype !== 'float32' || storage.block !== 0) return;
  const { data } = storage;
  if (data.length < residence.from) return;
  if (!canPin(data.length) || !allocateInKernelMemory(storage, data.length)) return;
  (storage.data as TypedArray).set(data as never);
  own(storage);
}

/** Leaves a storage in kernel memory to the garbage collector: where it is, if that tells at once, else on the JavaScript heap. */
function keep(storage: Storage): void {
  if (collected.isPrompt && canPin(storage.data.length)) own(storage);
  else moveToHeap(storage);
}

/** Makes a gradient that nobody else holds that of a leaf on `owner`: it stays where it is, within the budget, and is freed with the leaf. */
function adopt(owner: Storage, gradient: Storage): boolean {
  if (gradient.block === 0 || gradient.pinned !== null) return false;
  const { pinned } = owner;
  if (pinned === null || pinned === scoped || pinned.gradient !== 0 || usage.pinned + pinned.bytes > residence.budget) {
    keep(gradient);
    return false;
  }
  usage.pinned += pinned.bytes;
  pinned.gradient = gradient.block;
  return true;
}

/** The host's memory that is given back by hand. */
export const managedMemory: ManagedMemory = {
  isTemporary: (storage) => (storage as Storage).block !== 0 && (storage as Storage).pinned === null,
  free: (storage) => free(storage as Storage),
  isScoped: (storage) => (storage as Storage).pinned === scoped,
  forget: (storage) => forget(storage as Storage),
  keep: (storage) => keep(storage as Storage),
  pin: (storage) => pin(storage as Storage),
  adopt: (owner, gradient) => adopt(owner as Storage, gradient as Storage),
  disown(owner) {
    const pinned = (owner as Storage).pinned!;
    usage.pinned -= pinned.bytes;
    pinned.gradient = 0;
  },
};
