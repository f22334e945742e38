import type { MatrixRule } from '../../backend/kernels.js';
import { ofFinite } from '../../linalg/rules/reflector.js';
import { div } from '../functions.js';
import { hessenberg } from './hessenberg.js';

/** How many steps an eigenvalue may take before it is accepted as it is; a few suffice. */
const maxSteps = 120;

/** The eigenvalue of `[[a, b], [c, d]]`, complex, that is nearer to d. */
function shiftOf(h: Float64Array, n: number, high: number): [re: number, im: number] {
  const at = (i: number, j: number): [number, number] => [h[2 * (i * n + j)]!, h[2 * (i * n + j) + 1]!];
  const [[ar, ai], [br, bi]] = [at(high - 1, high - 1), at(high - 1, high)];
  const [[cr, ci], [dr, di]] = [at(high, high - 1), at(high, high)];
  const [pr, pi] = [(ar - dr) / 2, (ai - di) / 2];
  const [qr, qi] = [br * cr - bi * ci, br * ci + bi * cr];
  // The root of p² + q, on the side of p, so that the difference does not cancel.
  const [sr, si] = [pr * pr - pi * pi + qr, 2 * pr * pi + qi];
  const size = Math.sqrt(Math.hypot(sr, si));
  const angle = Math.atan2(si, sr) / 2;
  let [re, im] = [size * Math.cos(angle), size * Math.sin(angle)];
  if (re * pr + im * pi < 0) [re, im] = [-re, -im];
  const [fr, fi] = [pr + re, pi + im];
  if (fr === 0 && fi === 0) return [dr, di];
  const out = new Float64Array(2);
  div(out, 0, qr, qi, fr, fi);
  return [dr - out[0]!, di - out[1]!];
}

/** `c p + s q` and `c q - conj(s) p` of numbers at `p` and `q`, with a real c. */
function turn(x: Float64Array, p: number, q: number, c: number, sr: number, si: number): void {
  const [a, b, d, e] = [x[p]!, x[p + 1]!, x[q]!, x[q + 1]!];
  x[p] = c * a + sr * d - si * e;
  x[p + 1] = c * b + sr * e + si * d;
  x[q] = c * d - sr * a - si * b;
  x[q + 1] = c * e - sr * b + si * a;
}

/** One QR step with a shift on rows `low` to `high` of a Hessenberg matrix; `q` collects the rotations. */
function step(h: Float64Array, q: Float64Array, n: number, low: number, high: number, re: number, im: number): void {
  const shift = (sign: number) => {
    for (let i = low; i <= high; i++) {
      h[2 * (i * n + i)]! += sign * re;
      h[2 * (i * n + i) + 1]! += sign * im;
    }
  };
  shift(-1);
  const turns: [c: number, sr: number, si: number][] = [];
  for (let k = low; k < high; k++) {
    const [p, r] = [2 * (k * n + k), 2 * ((k + 1) * n + k)];
    const [a, b, c, d] = [h[p]!, h[p + 1]!, h[r]!, h[r + 1]!];
    const [first, second] = [Math.hypot(a, b), Math.hypot(c, d)];
    const length = Math.hypot(first, second);
    // Of [x, y] it makes [r, 0]: c = |x| / r, s = sign(x) conj(y) / r.
    const [er, ei] = first === 0 ? [1, 0] : [a / first, b / first];
    const rotation: [number, number, number] =
      length === 0 ? [1, 0, 0] : [first / length, (er * c + ei * d) / length, (ei * c - er * d) / length];
    turns.push(rotation);
    for (let j = k; j < n; j++) turn(h, 2 * (k * n + j), 2 * ((k + 1) * n + j), ...rotation);
    h[r] = 0;
    h[r + 1] = 0;
  }
  for (const [i, [c, sr, si]] of turns.entries()) {
    const k = low + i;
    // By the conjugate of the rotation, as columns are.
    for (let row = 0; row <= Math.min(k + 1, high); row++)
      turn(h, 2 * (row * n + k), 2 * (row * n + k + 1), c, sr, -si);
    for (let row = 0; row < n; row++) turn(q, 2 * (row * n + k), 2 * (row * n + k + 1), c, sr, -si);
  }
  shift(1);
}

/** Makes a Hessenberg matrix triangular. */
function triangular(h: Float64Array, q: Float64Array, n: number): void {
  const size = (i: number, j: number) => Math.abs(h[2 * (i * n + j)]!) + Math.abs(h[2 * (i * n + j) + 1]!);
  for (let high = n - 1, steps = 0; high > 0; ) {
    let low = high;
    while (low > 0 && size(low, low - 1) > Number.EPSILON * (size(low - 1, low - 1) + size(low, low))) low--;
    if (low > 0) h.fill(0, 2 * (low * n + low - 1), 2 * (low * n + low - 1) + 2);
    if (low === high || steps > maxSteps) {
      high--;
      steps = 0;
      continue;
    }
    steps++;
    // Other shifts now and then, in case those of the corner cycle.
    const [re, im] = steps % 10 === 0 ? [size(high, high - 1) + h[2 * (high * n + high)]!, 0] : shiftOf(h, n, high);
    step(h, q, n, low, high, re, im);
  }
}

/** The eigenvectors of a triangular matrix, as the columns of a triangle. */
function vectorsOf(h: Float64Array, n: number): Float64Array {
  const x = new Float64Array(2 * n * n);
  let largest = Number.MIN_VALUE;
  for (let i = 0; i < h.length; i++) largest = Math.max(largest, Math.abs(h[i]!));
  const least = Number.EPSILON * largest;
  for (let k = 0; k < n; k++) {
    x[2 * (k * n + k)] = 1;
    const [kr, ki] = [h[2 * (k * n + k)]!, h[2 * (k * n + k) + 1]!];
    for (let i = k - 1; i >= 0; i--) {
      let [re, im] = [0, 0];
      for (let j = i + 1; j <= k; j++) {
        const [a, b] = [h[2 * (i * n + j)]!, h[2 * (i * n + j) + 1]!];
        const [c, d] = [x[2 * (j * n + k)]!, x[2 * (j * n + k) + 1]!];
        re -= a * c - b * d;
        im -= a * d + b * c;
      }
      const [p, q] = [h[2 * (i * n + i)]! - kr, h[2 * (i * n + i) + 1]! - ki];
      // Equal values: a small difference in its place, as LAPACK has it.
      if (Math.abs(p) + Math.abs(q) < least) div(x, 2 * (i * n + k), re, im, least, 0);
      else div(x, 2 * (i * n + k), re, im, p, q);
    }
  }
  return x;
}

/** The eigenvalues of `[n, n]` and the eigenvectors as columns of length 1, whose largest elements are real, by their parts. */
export const eig: MatrixRule['loop'] = ofFinite(([a], [real, imag, vectorsReal, vectorsImag], [n]) => {
  const h = a!;
  const q = hessenberg(h, n!, Math.max(0, n! - 2));
  triangular(h, q, n!);
  const x = vectorsOf(h, n!);
  for (let k = 0; k < n!; k++) {
    real![k] = h[2 * (k * n! + k)]!;
    imag![k] = h[2 * (k * n! + k) + 1]!;
    const v = new Float64Array(2 * n!);
    for (let i = 0; i < n!; i++)
      for (let j = 0; j <= k; j++) {
        const [a, b] = [q[2 * (i * n! + j)]!, q[2 * (i * n! + j) + 1]!];
        const [c, d] = [x[2 * (j * n! + k)]!, x[2 * (j * n! + k) + 1]!];
        v[2 * i]! += a * c - b * d;
        v[2 * i + 1]! += a * d + b * c;
      }
    const scale = v.reduce((most, e) => Math.max(most, Math.abs(e)), 0);
    for (let i = 0; i < v.length; i++) v[i]! /= scale;
    let [length, most, re, im] = [0, 0, 1, 0];
    for (let i = 0; i < v.length; i += 2) {
      const size = Math.hypot(v[i]!, v[i + 1]!);
      length += size * size;
      if (size > most) [most, re, im] = [size, v[i]! / size, v[i + 1]! / size];
    }
    length = Math.sqrt(length);
    for (let i = 0; i < n!; i++) {
      vectorsReal![i * n! + k] = (v[2 * i]! * re + v[2 * i + 1]! * im) / length;
      vectorsImag![i * n! + k] = (v[2 * i + 1]! * re - v[2 * i]! * im) / length;
    }
  }
});
