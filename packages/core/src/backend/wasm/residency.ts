import { allocateUninitialized } from '../../memory/allocate.js';
import type { TypedArray } from '../../memory/dtype.js';
import type { ManagedMemory } from '../backend.js';
import type { HostStorage as Storage } from '../host/storage.js';
import { isInKernelMemory, type KernelMemory, kernelMemory, memories } from './memory.js';
import { isAvailable, maxBytes } from './module.js';

// Arrays in kernel memory, which kernels need not copy in and out: parameters, the memory of optimizers, gradients of
// both, and temporaries of a backward pass. Other tensors that user code can hold are there only if their collection is
// reported promptly; otherwise they are ordinary arrays of the garbage collector.

/** Settings that tests change, for example to find reads of freed memory. */
export const residence = {
  /** The smallest number of elements: copying fewer is cheaper than managing them. */
  from: 1024,
  /** The largest number of pinned bytes; the rest is for scratch memory and temporaries. */
  budget: maxBytes / 2,
  /** Whether freed blocks are filled with NaN. */
  poison: false,
};

/**
 * The use of kernel memory: the number of blocks, their bytes, the largest number of bytes so far, and pinned bytes.
 */
const usage = { count: 0, bytes: 0, peak: 0, pinned: 0 };

/** What `memory()` reports. */
export interface MemoryReport {
  /** The number of tensors in kernel memory: parameters, their gradients, the memory of optimizers. */
  readonly tensors: number;
  /** The bytes that they take. */
  readonly bytes: number;
  /** The largest number of bytes taken so far, including temporaries of backward passes. */
  readonly peak: number;
  /** The bytes for copies of other arrays while kernels run. */
  readonly scratch: number;
  /** The bytes of address space of kernel memory, at most twice 4 GiB. */
  readonly reserved: number;
}

/**
 * Reports the use of kernel memory. All other tensors are typed arrays of the garbage collector, which Node counts in
 * `process.memoryUsage().arrayBuffers`.
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

/** Allocates an uninitialized array of `length` floats in kernel memory; null if there is no room. */
function arrayFor(length: number): Float32Array | null {
  if (!isAvailable) return null;
  const memory = kernelMemory();
  // Growing memory that is not shared detaches all arrays on it.
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

/** Runs `use` with an uninitialized array of `length` floats, in kernel memory if `beside` is. */
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

/** Gives `storage` `length` floats in kernel memory; returns false without changes if there is no room. */
export function allocateInKernelMemory(storage: Storage, length: number): boolean {
  const array = arrayFor(length);
  if (array === null) return false;
  storage.data = array;
  storage.block = array.byteOffset;
  return true;
}

/** Fills a storage in kernel memory with zeros. */
export function clear(storage: Storage): void {
  kernelMemory().fill(storage.block, 0, storage.data.length);
}

/** Frees the block of `storage`, which must not be read afterwards. */
export function free(storage: Storage): void {
  if (residence.poison) storage.data.fill(Number.NaN);
  freeBlock(storage.block);
  storage.block = 0;
  storage.data = gone;
}

/**
 * Removes the elements of a storage that may still be referenced. The gradient of a leaf on it stays until the leaf is
 * collected.
 */
function forget(storage: Storage): void {
  const { block, pinned, coded } = storage;
  if (pinned !== null && pinned !== scoped) releaseBlock(pinned);
  else if (block !== 0) free(storage);
  if (coded === null) storage.data = nothing;
  else Object.defineProperty(storage, 'data', { value: nothing });
}

/** No array: see `dataOf`. */
const nothing = undefined as unknown as TypedArray;

/** The array of a released storage: every read gives undefined. */
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

/** The memory to free when a pinned storage is collected. */
export interface Pinned {
  /** The block; 0 if it has been freed before. */
  block: number;
  readonly bytes: number;
  /** The block of the gradient of a leaf on the storage, or 0. */
  gradient: number;
}

/** The mark of storages that a `tidy` frees at its end. */
export const scoped: Pinned = Object.freeze({ block: 0, bytes: 0, gradient: 0 });

/** The mark of storages over an array that others write to: they stay on it, and own no gradient. */
export const shared: Pinned = Object.freeze({ block: 0, bytes: 0, gradient: 1 });

/** Calls `release` with `pinned` once the object has been collected. */
type Watch = (storage: object, pinned: Pinned) => void;

/** The source of reports on collected objects. */
export const collected = {
  /** Null if the engine has none: nothing is pinned then, as it could not be freed. */
  watch: typeof FinalizationRegistry === 'undefined' ? null : byRegistry(),
  /** Whether reports come during a synchronous loop, so that results can be pinned too. */
  isPrompt: false,
};

/** Reports by FinalizationRegistry, when the event loop runs. */
function byRegistry(): Watch {
  const registry = new FinalizationRegistry<Pinned>(release);
  return (storage, pinned) => registry.register(storage, pinned);
}

/** From now on keeps results in kernel memory until `watch` reports that they have been collected. */
export function pinResults(watch: Watch): void {
  collected.watch = watch;
  collected.isPrompt = true;
}

/** Frees the memory of a collected storage. */
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

/** Whether `length` more elements may be pinned. */
export const canPin = (length: number): boolean =>
  collected.watch !== null && usage.pinned + length * 4 <= residence.budget;

/** Pins the block of a storage for the lifetime of the storage. */
export function own(storage: Storage): void {
  const bytes = storage.data.length * 4;
  usage.pinned += bytes;
  storage.pinned = { block: storage.block, bytes, gradient: 0 };
  collected.watch!(storage, storage.pinned);
}

/**
 * Moves a storage into kernel memory for its lifetime; for memory that is made once and used often. Small storages,
 * those of other dtypes, over shared arrays, and those for which there is no room stay where they are.
 */
export function pin(storage: Storage): void {
  if (storage.dtype !== 'float32' || storage.block !== 0 || storage.pinned !== null) return;
  const { data } = storage;
  if (data.length < residence.from) return;
  if (!canPin(data.length) || !allocateInKernelMemory(storage, data.length)) return;
  (storage.data as TypedArray).set(data as never);
  own(storage);
}

/**
 * Hands a storage to the garbage collector: in kernel memory if collections are reported promptly, otherwise on the
 * JavaScript heap.
 */
function keep(storage: Storage): void {
  if (collected.isPrompt && canPin(storage.data.length)) own(storage);
  else moveToHeap(storage);
}

/**
 * Makes an unshared gradient that of a leaf on `owner`: within the budget it stays in kernel memory, and is freed with
 * the leaf.
 */
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

/** The host's managed memory, for the engine. */
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
