import { dataOf } from '../backend/host/data.js';
import { Tensor } from '../tensor/tensor.js';
import { map, map2 } from './elementwise.js';
import type { Loop1, Loop2 } from './loops.js';
import { type StreamKernel, type StreamKernel2, stream, stream2, streamFrom } from './stream.js';

// Loops of gradients: `x` is the gradient of the result, `y` what the function saw or gave.

export const tanhGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = x[p]! * (1 - y[q]! * y[q]!);
};

export const sigmoidGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = x[p]! * y[q]! * (1 - y[q]!);
};

export const siluGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) {
    const sigmoid = 1 / (1 + Math.exp(-y[q]!));
    to[i] = x[p]! * sigmoid * (1 + y[q]! * (1 - sigmoid));
  }
};

export const squareGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = 2 * x[p]! * y[q]!;
};

export const absGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = x[p]! * (y[q]! > 0 ? 1 : y[q]! < 0 ? -1 : 0);
};

export const sqrtGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = x[p]! / (2 * y[q]!);
};

export const rsqrtGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = -0.5 * x[p]! * y[q]! * y[q]! * y[q]!;
};

export const reciprocalGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = -x[p]! * y[q]! * y[q]!;
};

/** What a kernel takes beside its operands. */
export type Parameters = readonly [number, number?];

const kernelFits = (...tensors: Tensor[]): boolean =>
  tensors.every((t) => t.dtype === 'float32' && t.isContiguous && t.numel >= streamFrom);

const unused = (): number => Number.NaN;

/** `loop` over all elements, or `kernel` with its parameters over many float32. */
export function mapWith(kernel: StreamKernel, parameters: Parameters, loop: Loop1, x: Tensor): Tensor {
  if (!kernelFits(x)) return map(unused, x.isContiguous ? x : x.detach().contiguous(), x.dtype, loop);
  const out = Tensor.unwritten(x.dtype, x.shape);
  stream(kernel, dataOf(out) as Float32Array, x.numel, dataOf(x) as Float32Array, x.offset, ...parameters);
  return out;
}

/** The gradient that `loop` computes from `g` and `x`, of equal shapes; or `kernel` with its parameters. */
export function gradientWith(kernel: StreamKernel2, parameters: Parameters, loop: Loop2, g: Tensor, x: Tensor): Tensor {
  if (!kernelFits(g, x)) return map2(unused, g, x, g.shape, g.dtype, loop);
  const out = Tensor.unwritten(g.dtype, g.shape);
  const operand = (t: Tensor) => ({ data: dataOf(t) as Float32Array, step: 1 }) as const;
  const to = dataOf(out) as Float32Array;
  stream2(kernel, to, g.numel, operand(g), [g.offset], operand(x), [x.offset], ...parameters);
  return out;
}
