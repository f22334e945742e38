import { arena } from './wasm/arena.js';

/** Kernels that go over float32 elements one by one. */
export type StreamKernel = 'exp' | 'relu' | 'sigmoid' | 'silu' | 'tanh';

/** So many elements are copied in, computed and copied out at a time: the copies stay in the processor's cache. */
const piece = 8192;

/** Fewer elements are done faster in JavaScript. */
export const streamFrom = 512;

/** `to[i] = kernel(x[p + i])` for the first `n` elements. */
export function stream(name: StreamKernel, to: Float32Array, n: number, x: Float32Array, p: number): void {
  const kernel = arena();
  const run = kernel.instance.kernels[name];
  kernel.begin(name, piece * 8);
  const [from, result] = [kernel.take(piece * 4), kernel.take(piece * 4)];
  for (let i = 0; i < n; i += piece) {
    const count = Math.min(piece, n - i);
    kernel.write(from, x, p + i, count);
    run(result, from, count);
    kernel.get(result, to, i, count);
  }
}

/** `to[i] = x[p + i]` where `y[q + i] > 0`, else 0, for the first `n` elements. */
export function streamReluGradient(
  to: Float32Array,
  n: number,
  x: Float32Array,
  p: number,
  y: Float32Array,
  q: number,
): void {
  const kernel = arena();
  kernel.begin('relu', piece * 12);
  const [g, above, result] = [kernel.take(piece * 4), kernel.take(piece * 4), kernel.take(piece * 4)];
  for (let i = 0; i < n; i += piece) {
    const count = Math.min(piece, n - i);
    kernel.write(g, x, p + i, count);
    kernel.write(above, y, q + i, count);
    kernel.instance.kernels.reluGradient(result, g, above, count);
    kernel.get(result, to, i, count);
  }
}
