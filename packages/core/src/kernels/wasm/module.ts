import type { StreamKernel, StreamKernel2 } from '../stream.js';
import { fused, plain } from './binary.js';

/** `n` elements from `x` to `to`, rounded up to whole vectors. */
type Elementwise = (to: number, x: number, n: number) => void;

/** The same from `x` and `y`. */
type Elementwise2 = (to: number, x: number, y: number, n: number) => void;

/** What `assembly/index.ts` exports. Addresses and sizes in bytes, strides in elements. */
export interface Kernels extends Record<StreamKernel, Elementwise>, Record<StreamKernel2, Elementwise2> {
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
    scratch: number,
    accumulate: boolean,
  ): void;
  /** See `kernels/conv.ts`: image [c, h, w], kernel, stride, padding, dilation (two each), rows and columns. */
  im2col(image: number, ...geometryAndTarget: number[]): void;
  col2im(columns: number, ...geometryAndTarget: number[]): void;
  /** See `kernels/pool.ts`. */
  maxPool(plane: number, h: number, w: number, ...windowAndTargets: number[]): void;
  /** See `kernels/optim.ts`. */
  adam(w: number, g: number, m: number, v: number, n: number, ...step: number[]): void;
  /** See `assembly/rows.ts`. */
  sum(x: number, n: number): number;
  standardize(to: number, x: number, rows: number, n: number, eps: number, means: number, variances: number): void;
  standardizeGradient(to: number, g: number, y: number, rows: number, n: number, eps: number, variances: number): void;
  softmax(to: number, x: number, rows: number, n: number): void;
  softmaxGradient(to: number, g: number, y: number, rows: number, n: number): void;
}

/** A compiled module over the memory it works on. */
export interface Instance {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  /** Whether products are added without rounding in between. */
  readonly fused: boolean;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Node 20 has relaxed SIMD behind a flag, which V8 takes at run time as well. */
function allowRelaxedSimd(): void {
  type V8 = { setFlagsFromString?(flag: string): void };
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): V8 | undefined } };
  process?.getBuiltinModule?.('node:v8')?.setFlagsFromString?.('--experimental-wasm-relaxed-simd');
}

export function instantiate(useFused = true): Instance {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  let bytes = decode(fused);
  if (useFused && !WebAssembly.validate(bytes)) allowRelaxedSimd();
  const isFused = useFused && WebAssembly.validate(bytes);
  if (!isFused) bytes = decode(plain);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return { kernels: exports as unknown as Kernels, memory, fused: isFused };
}
