import type { TypedArray } from '../tensor/dtype.js';

/**
 * `n` results from position `i` of `to`; operands start at `p` and `q` and go on by steps `s` and `t`.
 * Each operator has a loop of its own, so that the engine compiles it for that operator alone.
 */
export type Loop2 = (
  to: TypedArray,
  i: number,
  n: number,
  x: TypedArray,
  p: number,
  s: number,
  y: TypedArray,
  q: number,
  t: number,
) => void;

/** `n` results from the start of `to`; the operand starts at `p`, without gaps. */
export type Loop1 = (to: TypedArray, n: number, x: TypedArray, p: number) => void;

/**
 * The loops below that most programs live on are there twice: the engine compiles each place for the kinds of array
 * that it has seen there, and float32 must not pay for a program that uses others as well.
 */
const areFloat32 = (to: TypedArray, x: TypedArray, y: TypedArray = x): boolean =>
  to instanceof Float32Array && x instanceof Float32Array && y instanceof Float32Array;

export const addLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  const end = i + n;
  if (areFloat32(to, x, y)) for (; i < end; i++, p += s, q += t) to[i] = x[p]! + y[q]!;
  else for (; i < end; i++, p += s, q += t) to[i] = x[p]! + y[q]!;
};

export const subLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  const end = i + n;
  if (areFloat32(to, x, y)) for (; i < end; i++, p += s, q += t) to[i] = x[p]! - y[q]!;
  else for (; i < end; i++, p += s, q += t) to[i] = x[p]! - y[q]!;
};

export const mulLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  const end = i + n;
  if (areFloat32(to, x, y)) for (; i < end; i++, p += s, q += t) to[i] = x[p]! * y[q]!;
  else for (; i < end; i++, p += s, q += t) to[i] = x[p]! * y[q]!;
};

export const divLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  const end = i + n;
  if (areFloat32(to, x, y)) for (; i < end; i++, p += s, q += t) to[i] = x[p]! / y[q]!;
  else for (; i < end; i++, p += s, q += t) to[i] = x[p]! / y[q]!;
};

export const reluGradientLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  const end = i + n;
  if (areFloat32(to, x, y)) for (; i < end; i++, p += s, q += t) to[i] = y[q]! <= 0 ? 0 : x[p]!;
  else for (; i < end; i++, p += s, q += t) to[i] = y[q]! <= 0 ? 0 : x[p]!;
};

export const reluLoop: Loop1 = (to, n, x, p) => {
  if (areFloat32(to, x)) for (let i = 0; i < n; i++, p++) to[i] = Math.max(x[p]!, 0);
  else for (let i = 0; i < n; i++, p++) to[i] = Math.max(x[p]!, 0);
};

// Comparisons without a branch, which could not be foreseen.

export const gtLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = Number(x[p]! > y[q]!);
};

export const eqLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = Number(x[p]! === y[q]!);
};

export const geLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = Number(x[p]! >= y[q]!);
};

export const ltLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = Number(x[p]! < y[q]!);
};

export const leLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = Number(x[p]! <= y[q]!);
};

export const neLoop: Loop2 = (to, i, n, x, p, s, y, q, t) => {
  for (const end = i + n; i < end; i++, p += s, q += t) to[i] = Number(x[p]! !== y[q]!);
};

export const negLoop: Loop1 = (to, n, x, p) => {
  for (let i = 0; i < n; i++, p++) to[i] = -x[p]!;
};

export const squareLoop: Loop1 = (to, n, x, p) => {
  for (let i = 0; i < n; i++, p++) to[i] = x[p]! * x[p]!;
};

export const sqrtLoop: Loop1 = (to, n, x, p) => {
  for (let i = 0; i < n; i++, p++) to[i] = Math.sqrt(x[p]!);
};

export const expLoop: Loop1 = (to, n, x, p) => {
  for (let i = 0; i < n; i++, p++) to[i] = Math.exp(x[p]!);
};
