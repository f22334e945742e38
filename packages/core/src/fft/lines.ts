import type { TypedArray } from '../memory/dtype.js';
import { rootsOfUnity, transformOf } from './plan.js';

// Transforms along one dimension of contiguous arrays `[outer, n, inner]`, with complex numbers as interleaved parts.

/** The products of the sizes before and after the transformed dimension. */
export interface Around {
  readonly outer: number;
  readonly inner: number;
}

/** Calls `line` for the first element of each line. */
function eachLine({ outer, inner }: Around, from: number, to: number, line: (p: number, q: number) => void): void {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) line(o * from * inner + i, o * to * inner + i);
}

/** Complex to complex. An inverse transform is a forward one with real and imaginary parts exchanged. */
export function complexLines(
  x: TypedArray,
  out: TypedArray,
  n: number,
  around: Around,
  inverse: boolean,
  scale: number,
): void {
  const transform = transformOf(n);
  const line = new Float64Array(2 * n);
  const step = 2 * around.inner;
  const [re, im] = inverse ? [1, 0] : [0, 1];
  eachLine(around, n, n, (start) => {
    for (let k = 0, p = 2 * start; k < 2 * n; k += 2, p += step) {
      line[k + re] = x[p]!;
      line[k + im] = x[p + 1]!;
    }
    transform(line);
    for (let k = 0, p = 2 * start; k < 2 * n; k += 2, p += step) {
      out[p] = line[k + re]! * scale;
      out[p + 1] = line[k + im]! * scale;
    }
  });
}

/** Real lines of length `n` to the first `n / 2 + 1` numbers of their transforms; the others are their conjugates. */
export function realLines(x: TypedArray, out: TypedArray, n: number, around: Around, scale: number): void {
  const { inner } = around;
  const count = Math.floor(n / 2) + 1;
  if (n % 2 === 1) {
    const transform = transformOf(n);
    const line = new Float64Array(2 * n);
    eachLine(around, n, count, (p, q) => {
      for (let k = 0; k < n; k++) {
        line[2 * k] = x[p + k * inner]!;
        line[2 * k + 1] = 0;
      }
      transform(line);
      for (let k = 0, o = 2 * q; k < count; k++, o += 2 * inner) {
        out[o] = line[2 * k]! * scale;
        out[o + 1] = line[2 * k + 1]! * scale;
      }
    });
    return;
  }
  // Even and odd elements become the parts of one complex line of half the length.
  const half = n / 2;
  const transform = transformOf(half);
  const line = new Float64Array(n);
  const roots = rootsOfUnity(count, n);
  eachLine(around, n, count, (p, q) => {
    for (let k = 0; k < n; k++) line[k] = x[p + k * inner]!;
    transform(line);
    for (let k = 0, o = 2 * q; k < count; k++, o += 2 * inner) {
      const a = 2 * (k % half);
      const b = 2 * ((half - k) % half);
      const [evenRe, evenIm] = [(line[a]! + line[b]!) / 2, (line[a + 1]! - line[b + 1]!) / 2];
      const [oddRe, oddIm] = [(line[a + 1]! + line[b + 1]!) / 2, (line[b]! - line[a]!) / 2];
      const [c, s] = [roots[2 * k]!, roots[2 * k + 1]!];
      out[o] = (evenRe + oddRe * c - oddIm * s) * scale;
      out[o + 1] = k === 0 || k === half ? 0 : (evenIm + oddRe * s + oddIm * c) * scale;
    }
  });
}

/** The inverse: the first `n / 2 + 1` numbers of transforms to real lines of length `n`. */
export function halfLines(x: TypedArray, out: TypedArray, n: number, around: Around, scale: number): void {
  const { inner } = around;
  const count = Math.floor(n / 2) + 1;
  const step = 2 * inner;
  if (n % 2 === 1) {
    const transform = transformOf(n);
    const line = new Float64Array(2 * n);
    eachLine(around, count, n, (p, q) => {
      // Exchange the parts, since the transform is an inverse one.
      line[0] = 0;
      line[1] = x[2 * p]!;
      for (let k = 1, at = 2 * p + step; k < count; k++, at += step) {
        line[2 * k] = x[at + 1]!;
        line[2 * k + 1] = x[at]!;
        line[2 * (n - k)] = -x[at + 1]!;
        line[2 * (n - k) + 1] = x[at]!;
      }
      transform(line);
      for (let k = 0; k < n; k++) out[q + k * inner] = line[2 * k + 1]! * scale;
    });
    return;
  }
  const half = n / 2;
  const transform = transformOf(half);
  const line = new Float64Array(n);
  const roots = rootsOfUnity(half, n);
  eachLine(around, count, n, (p, q) => {
    for (let k = 0; k < half; k++) {
      const a = 2 * p + k * step;
      const b = 2 * p + (half - k) * step;
      // The first and the last number are real.
      const [ai, bi] = k === 0 ? [0, 0] : [x[a + 1]!, x[b + 1]!];
      const [evenRe, evenIm] = [x[a]! + x[b]!, ai - bi];
      const [re, im] = [x[a]! - x[b]!, ai + bi];
      const [c, s] = [roots[2 * k]!, -roots[2 * k + 1]!];
      const [oddRe, oddIm] = [re * c - im * s, re * s + im * c];
      // even + i odd, with the parts exchanged.
      line[2 * k + 1] = evenRe - oddIm;
      line[2 * k] = evenIm + oddRe;
    }
    transform(line);
    for (let k = 0; k < half; k++) {
      out[q + 2 * k * inner] = line[2 * k + 1]! * scale;
      out[q + (2 * k + 1) * inner] = line[2 * k]! * scale;
    }
  });
}
