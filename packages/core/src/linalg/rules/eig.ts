import type { MatrixRule } from '../../backend/kernels.js';
import { largest, ofFinite, reflector, rotate, transposed, unit } from './reflector.js';

/** How many steps an eigenvalue may take before its block is accepted as it is; a few suffice. */
const maxSteps = 120;

/** Applies the reflection by `v` to rows `row` on of `h` `[n, n]`, in columns `low` to `high`. */
function reflectRows(
  tau: number,
  v: readonly number[],
  h: Float64Array,
  n: number,
  row: number,
  low: number,
  high: number,
): void {
  for (let j = low; j < high; j++) {
    let dot = 0;
    for (let i = 0; i < v.length; i++) dot += v[i]! * h[(row + i) * n + j]!;
    dot *= tau;
    for (let i = 0; i < v.length; i++) h[(row + i) * n + j]! -= dot * v[i]!;
  }
}

/** The same for columns from `column` on, in rows 0 to `high`. */
function reflectColumns(
  tau: number,
  v: readonly number[],
  h: Float64Array,
  n: number,
  column: number,
  high: number,
): void {
  for (let i = 0; i < high; i++) {
    const p = i * n + column;
    let dot = 0;
    for (let j = 0; j < v.length; j++) dot += v[j]! * h[p + j]!;
    dot *= tau;
    for (let j = 0; j < v.length; j++) h[p + j]! -= dot * v[j]!;
  }
}

/** The reflection that maps a vector to a multiple of the first axis. */
function reflection(x: readonly number[]): { tau: number; v: number[]; beta: number } {
  const v = Float64Array.from(x);
  const tau = reflector(v, 0, v.length);
  const beta = v[0]!;
  v[0] = 1;
  return { tau, v: [...v], beta };
}

/** Reduces to Hessenberg form: zeros below the first subdiagonal. `q` collects the reflections. */
function hessenberg(h: Float64Array, q: Float64Array, n: number): void {
  for (let k = 0; k < n - 2; k++) {
    const { tau, v } = reflection(Array.from({ length: n - k - 1 }, (_, i) => h[(k + 1 + i) * n + k]!));
    if (tau === 0) continue;
    reflectRows(tau, v, h, n, k + 1, k, n);
    reflectColumns(tau, v, h, n, k + 1, n);
    reflectColumns(tau, v, q, n, k + 1, n);
    for (let i = k + 2; i < n; i++) h[i * n + k] = 0;
  }
}

/** Francis' double-shift step on rows `low` to `high` (Golub and Van Loan, 7.5.1). */
function francis(h: Float64Array, q: Float64Array, n: number, low: number, high: number, exceptional: boolean): void {
  const at = (i: number, j: number) => h[i * n + j]!;
  let sum = at(high - 1, high - 1) + at(high, high);
  let product = at(high - 1, high - 1) * at(high, high) - at(high - 1, high) * at(high, high - 1);
  if (exceptional) {
    // Other shifts, in case those of the corner cycle.
    const size = Math.abs(at(high, high - 1)) + Math.abs(at(high - 1, high - 2));
    sum = 1.5 * size;
    product = size * size;
  }
  let x = at(low, low) ** 2 + at(low, low + 1) * at(low + 1, low) - sum * at(low, low) + product;
  let y = at(low + 1, low) * (at(low, low) + at(low + 1, low + 1) - sum);
  let z = at(low + 1, low) * at(low + 2, low + 1);
  for (let k = low; k < high; k++) {
    const { tau, v } = reflection(k < high - 1 ? [x, y, z] : [x, y]);
    if (tau !== 0) {
      reflectRows(tau, v, h, n, k, Math.max(low, k - 1), n);
      reflectColumns(tau, v, h, n, k, Math.min(k + 3, high) + 1);
      reflectColumns(tau, v, q, n, k, n);
    }
    if (k > low) for (let i = k + 1; i < Math.min(k + 3, high + 1); i++) h[i * n + k - 1] = 0;
    x = at(k + 1, k);
    if (k < high - 1) y = at(k + 2, k);
    if (k < high - 2) z = at(k + 3, k);
  }
}

/** Makes a block of two rows triangular if its eigenvalues are real. */
function split(h: Float64Array, q: Float64Array, n: number, k: number): void {
  const [a, b, c, d] = [h[k * n + k]!, h[k * n + k + 1]!, h[(k + 1) * n + k]!, h[(k + 1) * n + k + 1]!];
  const half = (a - d) / 2;
  const square = half * half + b * c;
  if (c === 0 || square < 0) return;
  // The eigenvalue, relative to d, whose difference does not cancel.
  const far = half + (half < 0 ? -1 : 1) * Math.sqrt(square);
  const length = Math.hypot(far, c);
  const [cos, sin] = [far / length, c / length];
  rotate(h, k * n, (k + 1) * n, n, cos, sin);
  for (const x of [h, q])
    for (let i = 0; i < n; i++) {
      const [p, r] = [x[i * n + k]!, x[i * n + k + 1]!];
      x[i * n + k] = cos * p + sin * r;
      x[i * n + k + 1] = cos * r - sin * p;
    }
  h[(k + 1) * n + k] = 0;
}

/**
 * The real Schur form `A = q h qᵀ`: on the diagonal blocks of one row, and of two for pairs of complex eigenvalues;
 * zeros below.
 */
function schur(h: Float64Array, n: number): Float64Array {
  const q = unit(n);
  hessenberg(h, q, n);
  const norm = largest(h);
  for (let high = n - 1, steps = 0; high > 0; ) {
    let low = high;
    for (; low > 0; low--) {
      const size = Math.abs(h[(low - 1) * n + low - 1]!) + Math.abs(h[low * n + low]!) || norm;
      if (Math.abs(h[low * n + low - 1]!) > Number.EPSILON * size) continue;
      h[low * n + low - 1] = 0;
      break;
    }
    if (low >= high - 1 || steps > maxSteps) {
      if (low < high - 1) h[(high - 1) * n + high - 2] = 0;
      if (low < high) split(h, q, n, high - 1);
      high -= low === high ? 1 : 2;
      steps = 0;
    } else francis(h, q, n, low, high, ++steps % 10 === 0);
  }
  return q;
}

/** The least difference of eigenvalues, relative to elements of at most 1. */
const tiny = Number.EPSILON;

type Complex = readonly [re: number, im: number];

const times = ([a, b]: Complex, [c, d]: Complex): Complex => [a * c - b * d, a * d + b * c];

/** Smith's quotient, which does not overflow in between. */
function over([a, b]: Complex, [c, d]: Complex): Complex {
  if (Math.abs(c) >= Math.abs(d)) {
    const r = d / c;
    const s = c + d * r;
    return [(a + b * r) / s, (b - a * r) / s];
  }
  const r = c / d;
  const s = c * r + d;
  return [(a * r + b) / s, (b * r - a) / s];
}

/** The x with `(T - value) x = 0` for the block that ends at row `k` of the block-triangular `t`. */
function vectorOf(t: Float64Array, n: number, k: number, value: Complex): { re: Float64Array; im: Float64Array } {
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  const at = (i: number, j: number) => t[i * n + j]!;
  const put = (i: number, [a, b]: Complex) => {
    re[i] = a;
    im[i] = b;
  };
  const shifted = (i: number): Complex => {
    const d: Complex = [at(i, i) - value[0], -value[1]];
    // Equal eigenvalues are moved apart, by no more than rounding would.
    return Math.abs(d[0]) + Math.abs(d[1]) < tiny ? [tiny, 0] : d;
  };
  const isPair = (i: number) => i > 0 && at(i, i - 1) !== 0;
  let i = k;
  if (isPair(k)) {
    put(k, [value[0] - at(k - 1, k - 1), value[1]]);
    put(k - 1, [at(k - 1, k), 0]);
    i = k - 2;
  } else {
    put(k, [1, 0]);
    i = k - 1;
  }
  const side = (row: number, from: number): Complex => {
    let [a, b] = [0, 0];
    for (let j = from; j <= k; j++) {
      a -= at(row, j) * re[j]!;
      b -= at(row, j) * im[j]!;
    }
    return [a, b];
  };
  for (; i >= 0; i--) {
    const below = side(i, i + 1);
    if (!isPair(i)) {
      put(i, over(below, shifted(i)));
      continue;
    }
    const above = side(i - 1, i + 1);
    const [p, s] = [shifted(i - 1), shifted(i)];
    const [b, c] = [at(i - 1, i), at(i, i - 1)];
    const full = times(p, s);
    let det: Complex = [full[0] - b * c, full[1]];
    if (Math.abs(det[0]) + Math.abs(det[1]) < tiny * tiny) det = [tiny * tiny, 0];
    const [first, second] = [times(s, above), times(p, below)];
    put(i - 1, over([first[0] - b * below[0], first[1] - b * below[1]], det));
    put(i, over([second[0] - c * above[0], second[1] - c * above[1]], det));
    i--;
  }
  return { re, im };
}

/** `q x`, of length 1, its largest element real. */
function inBasis(
  q: Float64Array,
  n: number,
  { re, im }: { re: Float64Array; im: Float64Array },
): [Float64Array, Float64Array] {
  const [a, b] = [new Float64Array(n), new Float64Array(n)];
  let [largest, size, length] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      a[i]! += q[i * n + j]! * re[j]!;
      b[i]! += q[i * n + j]! * im[j]!;
    }
    const own = Math.hypot(a[i]!, b[i]!);
    length = Math.hypot(length, own);
    if (own > size) [largest, size] = [i, own];
  }
  const isReal = im.every((v) => v === 0);
  const turn: Complex = isReal ? [1 / length, 0] : [a[largest]! / size / length, -b[largest]! / size / length];
  for (let i = 0; i < n; i++) [a[i], b[i]] = times([a[i]!, b[i]!], turn);
  if (!isReal) b[largest] = 0;
  return [a, b];
}

/**
 * The eigenvalues of `[n, n]` (of a pair the one above the real line first), and the eigenvectors as columns; real and
 * imaginary parts.
 */
export const eig: MatrixRule = {
  name: 'eig',
  real: [0, 1, 2, 3],
  loop: ofFinite(([t], [re, im, vectorsRe, vectorsIm], [n]) => {
    // Scales elements to at most 1, so that products neither overflow nor vanish.
    const scale = largest(t!) || 1;
    for (let i = 0; i < t!.length; i++) t![i]! /= scale;
    const q = schur(t!, n!);
    const rows = [new Float64Array(n! * n!), new Float64Array(n! * n!)] as const;
    const put = (k: number, value: Complex, vector: [Float64Array, Float64Array]) => {
      re![k] = value[0] * scale;
      im![k] = value[1] * scale;
      for (const part of [0, 1] as const) rows[part].set(vector[part], k * n!);
    };
    for (let k = 0; k < n!; k++) {
      const below = k + 1 < n! ? t![(k + 1) * n! + k]! : 0;
      if (below === 0) {
        const value: Complex = [t![k * n! + k]!, 0];
        put(k, value, inBasis(q, n!, vectorOf(t!, n!, k, value)));
        continue;
      }
      const [a, b, d] = [t![k * n! + k]!, t![k * n! + k + 1]!, t![(k + 1) * n! + k + 1]!];
      const half = (a - d) / 2;
      const value: Complex = [(a + d) / 2, Math.sqrt(-(half * half + b * below))];
      const [x, y] = inBasis(q, n!, vectorOf(t!, n!, k + 1, value));
      put(k, value, [x, y]);
      put(k + 1, [value[0], -value[1]], [x, y.map((v) => -v)]);
      k++;
    }
    vectorsRe!.set(transposed(rows[0], n!, n!));
    vectorsIm!.set(transposed(rows[1], n!, n!));
  }),
};
