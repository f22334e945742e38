// Matrices are row-major float64 arrays. Loops go along rows, so algorithms on columns take the transpose.

/**
 * Turns a vector of `count` elements from `start` on into the reflection `I - tau v vᵀ` that maps it to `[beta, 0,
 * ...]`: writes beta to its first element and `v`, without its first element 1, behind it. Returns tau, 0 if there is
 * nothing to do.
 */
export function reflector(x: Float64Array, start: number, count: number): number {
  let rest = 0;
  for (let i = 1; i < count; i++) rest = Math.max(rest, Math.abs(x[start + i]!));
  if (rest === 0) return 0;
  const alpha = x[start]!;
  const scale = Math.max(rest, Math.abs(alpha));
  let sum = 0;
  for (let i = 0; i < count; i++) sum += (x[start + i]! / scale) ** 2;
  const beta = (alpha < 0 || Object.is(alpha, -0) ? 1 : -1) * scale * Math.sqrt(sum);
  for (let i = 1; i < count; i++) x[start + i]! /= alpha - beta;
  x[start] = beta;
  return (beta - alpha) / beta;
}

/** Reflects `count` elements of `to` from `place` on, given `v` in `from`, whose first element counts as 1. */
export function reflect(
  tau: number,
  from: Float64Array,
  start: number,
  to: Float64Array,
  place: number,
  count: number,
): void {
  let dot = to[place]!;
  for (let i = 1; i < count; i++) dot += from[start + i]! * to[place + i]!;
  dot *= tau;
  to[place]! -= dot;
  for (let i = 1; i < count; i++) to[place + i]! -= dot * from[start + i]!;
}

/** The unit matrix `[n, n]`. */
export function unit(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return out;
}

/** The largest absolute value of the elements. */
export function largest(x: Float64Array): number {
  let most = 0;
  for (const v of x) most = Math.max(most, Math.abs(v));
  return most;
}

/** `[m, n]` to `[n, m]`. */
export function transposed(a: Float64Array, m: number, n: number): Float64Array {
  const t = new Float64Array(a.length);
  for (let i = 0, p = 0; i < m; i++) for (let j = 0; j < n; j++, p++) t[j * m + i] = a[p]!;
  return t;
}

/** Rotates two rows of `count` elements: `c p + s q` and `c q - s p`. */
export function rotate(x: Float64Array, p: number, q: number, count: number, c: number, s: number): void {
  for (let i = 0; i < count; i++) {
    const a = x[p + i]!;
    const b = x[q + i]!;
    x[p + i] = c * a + s * b;
    x[q + i] = c * b - s * a;
  }
}

/** The loop of a rule for finite matrices; all results for others are NaN. */
export const ofFinite =
  <L extends (inputs: readonly Float64Array[], outs: readonly Float64Array[], numbers: readonly number[]) => void>(
    loop: L,
  ) =>
  (inputs: readonly Float64Array[], outs: readonly Float64Array[], numbers: readonly number[]): void => {
    if (inputs.every((x) => x.every(Number.isFinite))) loop(inputs, outs, numbers);
    else for (const out of outs) out.fill(Number.NaN);
  };
