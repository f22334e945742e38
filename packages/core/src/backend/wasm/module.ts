import { TensorError } from '../../errors.js';
import { code, frequent } from './binary.js';
import type { BinaryKernel, UnaryKernel } from './elementwise.js';
import type { StepKernel } from './step.js';
import { decodeText } from './text.js';
import { unfuse } from './unfuse.js';

/** `n` elements from `x` to `to`, rounded up to whole vectors; `a` and `b` are parameters. */
type Elementwise = (to: number, x: number, n: number, a?: number, b?: number) => void;

/** The same from `x` and `y`. */
type Elementwise2 = (to: number, x: number, y: number, n: number, a?: number, b?: number) => void;

/** What `assembly/index.ts` exports. Addresses and sizes in bytes, strides in elements. */
export interface Kernels
  extends Record<UnaryKernel, Elementwise>,
    Record<BinaryKernel, Elementwise2>,
    Record<StepKernel, (...addressesSizeAndNumbers: number[]) => void> {
  gemmScratch(): number;
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    aRowStride: number,
    aColStride: number,
    b: number,
    bRowStride: number,
    bColStride: number,
    c: number,
    ldc: number,
    scratch: number,
    accumulate: boolean,
  ): void;
  batchedGemm(count: number, startsA: number, startsB: number, ...shapesAndMatrices: number[]): void;
  /** See `assembly/fill.ts`. */
  fill(to: number, value: number, n: number): void;
  repeat(to: number, n: number, times: number): void;
  copyStrided(to: number, from: number, ...sizesAndStrides: number[]): void;
  /** See `assembly/conv.ts`. */
  convScratch(g: number): number;
  convolve(g: number, images: number, x: number, weight: number, bias: number, out: number, scratch: number): void;
  convolveInput(g: number, images: number, grad: number, weight: number, out: number, scratch: number): void;
  convolveWeight(g: number, images: number, grad: number, x: number, out: number, scratch: number): void;
  gatherWeight(g: number, count: number, from: number, to: number): void;
  flipKernels(g: number, from: number, to: number): void;
  /** See `assembly/pool.ts`. */
  maxPool(x: number, planes: number, first: number, ...windowAndTargets: number[]): void;
  maxPoolGradient(
    to: number,
    grad: number,
    indices: number,
    planes: number,
    first: number,
    plane: number,
    size: number,
  ): void;
  /** See `assembly/rows.ts`. */
  sum(x: number, n: number): number;
  standardize(to: number, means: number, scales: number, x: number, rows: number, n: number, eps: number): void;
  standardizeGradient(to: number, g: number, x: number, means: number, scales: number, rows: number, n: number): void;
  /** See `assembly/norm.ts`. */
  normalizeRows(
    ...args: [
      ...addresses: [number, number, number, number, number, number],
      ...sizes: [number, number, number, boolean],
    ]
  ): void;
  normalizeRowsGradient(
    ...args: [
      ...addresses: [number, number, number, number, number, number, number],
      ...sizes: [number, number, number, boolean],
    ]
  ): void;
  shiftRows(to: number, x: number, means: number, scales: number, shifts: number, rows: number, n: number): void;
  rowProducts(to: number, g: number, x: number, means: number, rows: number, n: number): void;
  shiftRowsGradient(to: number, g: number, x: number, ...coefficientsAndSizes: number[]): void;
  /** See `assembly/reduce.ts`. */
  rowSums(to: number, x: number, rows: number, n: number): void;
  rowMoments(to: number, x: number, rows: number, n: number): void;
  centeredSquares(to: number, x: number, means: number, rows: number, n: number): void;
  columnSums(to: number, x: number, blocks: number, rows: number, n: number): void;
  columnExtrema(
    values: number,
    indices: number,
    x: number,
    blocks: number,
    rows: number,
    n: number,
    flip: number,
  ): void;
  rowExtrema(to: number, x: number, rows: number, n: number, flip: number): void;
  rowPlaces(to: number, x: number, rows: number, n: number, flip: number): void;
  /** See `assembly/softmax.ts`. */
  softmax(to: number, x: number, rows: number, n: number): void;
  softmaxGradient(to: number, g: number, y: number, rows: number, n: number, scale: number): void;
  limitedSoftmax(to: number, x: number, limits: number, rows: number, n: number, scale: number): void;
  softmaxColumns(to: number, x: number, blocks: number, n: number, inner: number, log: boolean): void;
  softmaxColumnsGradient(to: number, g: number, y: number, ...sizesLogAndScale: number[]): void;
  logSoftmax(to: number, x: number, rows: number, n: number): void;
  logSoftmaxGradient(to: number, g: number, y: number, rows: number, n: number, scale: number): void;
  logsumexp(to: number, x: number, rows: number, n: number): void;
  crossEntropy(losses: number, p: number, x: number, classes: number, rows: number, n: number): void;
  crossEntropyGradient(to: number, p: number, g: number, classes: number, rows: number, n: number): void;
  /** See `assembly/loss.ts`. */
  squaredError(x: number, y: number, n: number): number;
  scaledDifference(to: number, x: number, y: number, n: number, scale: number): void;
  logitLosses(x: number, y: number, n: number): number;
  logitLossGradient(to: number, x: number, y: number, n: number, scale: number): void;
}

/** The part of `WebAssembly.Memory` that is used: without the library `dom`, a program lacks its types. */
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/**
 * A Node-API addon that has faster kernels for some of the module's exports, with their names, arguments and memory.
 */
export interface NativeKernels {
  /** The file that threads load it from. */
  readonly file: string;
  /** The kernels over a memory that begins with these bytes. Called again if it may have moved. */
  attach(bytes: Uint8Array): Partial<Kernels>;
}

/** A compiled module over the memory it works on. */
export interface Instance {
  /** The module's exports, with those of a native addon in their place. Read it after `begin`, which may change it. */
  readonly kernels: Kernels;
  /** A `WebAssembly.Module`. */
  readonly module: object;
  readonly memory: Memory;
  /** Whether other threads can work on it too. */
  readonly shared: boolean;
  /** Whether multiply-adds are fused, without rounding in between. */
  readonly fused: boolean;
}

/** Node 20 has relaxed SIMD behind a flag, which V8 also takes at run time. */
function allowRelaxedSimd(): void {
  type V8 = { setFlagsFromString?(flag: string): void };
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): V8 | undefined } };
  process?.getBuiltinModule?.('node:v8')?.setFlagsFromString?.('--experimental-wasm-relaxed-simd');
}

/** A memory, and to how many pages of 64 KiB it can grow. */
interface Reserved {
  readonly memory: WebAssembly.Memory;
  readonly maximum: number;
  readonly shared: boolean;
}

/**
 * The largest memory that the engine reserves, if possible one that threads can share; null if it has none. Phones and
 * limits on address space, as `ulimit -v`, allow less than 4 GiB.
 */
function reserve(canBeShared: boolean): Reserved | null {
  for (const maximum of [65536, 16384, 4096])
    for (const shared of canBeShared ? [true, false] : [false])
      try {
        return { memory: new WebAssembly.Memory({ initial: 16, maximum, shared }), maximum, shared };
      } catch {
        // The next smaller one is tried.
      }
  return null;
}

/** The kernels import a shared memory. The flags of that import follow the names `env` and `memory`, and its kind. */
function unshare(bytes: Uint8Array): Uint8Array {
  const name = [3, ...new TextEncoder().encode('env'), 6, ...new TextEncoder().encode('memory'), 2];
  const at = bytes.findIndex((_, i) => name.every((b, j) => bytes[i + j] === b)) + name.length;
  return bytes.with(at, bytes[at]! & ~2);
}

/** How instances are made. Tests turn `fused` off to run the kernels for engines without relaxed SIMD. */
export const features = { fused: true, native: null as NativeKernels | null };

/** The smallest module: the eight bytes of the header. */
const nothing = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

function runs(): boolean {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(nothing)) instanceof WebAssembly.Instance;
  } catch {
    return false;
  }
}

/** The memory of the first instance: reserved at once, because it decides which kernels there are. */
const first = runs() ? reserve(true) : null;

/** Whether WebAssembly exists, may be compiled here and gets memory; if not, the host's loops compute everything. */
export const isAvailable = first !== null;

/** To how many bytes kernel memory can grow. */
export const maxBytes = (first?.maximum ?? 65536) * 65536;

let unused = first;

/** Compiles the kernels over a memory of their own. Throws a TensorError if the engine has none left. */
export function instantiate(useFused = features.fused, useShared = true): Instance {
  const reserved = (useShared && unused) || reserve(useShared);
  if (useShared) unused = null;
  if (reserved === null) throw new TensorError('WebAssembly', 'the engine has no memory for kernels; raise ulimit -v');
  const { memory, shared } = reserved;
  const decoded = decodeText(code, frequent);
  const bytes = shared ? decoded : unshare(decoded);
  if (useFused && !WebAssembly.validate(bytes as BufferSource)) allowRelaxedSimd();
  const isFused = useFused && WebAssembly.validate(bytes as BufferSource);
  const module = new WebAssembly.Module((isFused ? bytes : unfuse(bytes)) as BufferSource);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const instance = { kernels: { ...(exports as unknown as Kernels) }, module, memory, shared, fused: isFused };
  attachNative(instance);
  return instance;
}

/** Puts the kernels of the addon, if there is one, in the place of the module's. */
export function attachNative({ kernels, memory }: Pick<Instance, 'kernels' | 'memory'>): void {
  if (features.native) Object.assign(kernels, features.native.attach(new Uint8Array(memory.buffer)));
}
