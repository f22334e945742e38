// Matrices are row-major, with real and imaginary parts in turn. Loops go along rows.

/** A reflection `I - tau v vᴴ`; `v` stays where the vector was, and its first element counts as 1. */
export interface Reflection {
  readonly re: number;
  readonly im: number;
}

/**
 * Turns a vector of `count` numbers from `start` on into the reflection H whose `Hᴴ` maps it to `[beta, 0, ...]` with a real
 * beta: writes beta to its first number and `v`, without its first number 1, behind it. Null if there is nothing to do.
 */
export function reflector(x: Float64Array, start: number, count: number): Reflection | null {
  const end = start + 2 * count;
  let scale = 0;
  for (let i = start + 1; i < end; i++) scale = Math.max(scale, Math.abs(x[i]!));
  if (scale === 0) return null;
  scale = Math.max(scale, Math.abs(x[start]!));
  let sum = 0;
  for (let i = start; i < end; i++) sum += (x[i]! / scale) ** 2;
  const [re, im] = [x[start]!, x[start + 1]!];
  const beta = (re < 0 || Object.is(re, -0) ? 1 : -1) * scale * Math.sqrt(sum);
  // 1 / (alpha - beta)
  const far = re - beta;
  const size = Math.hypot(far, im);
  const [c, d] = [far / size / size, -im / size / size];
  for (let i = start + 2; i < end; i += 2) {
    const [a, b] = [x[i]!, x[i + 1]!];
    x[i] = a * c - b * d;
    x[i + 1] = a * d + b * c;
  }
  x[start] = beta;
  x[start + 1] = 0;
  return { re: (beta - re) / beta, im: -im / beta };
}

/**
 * Applies `H` to `count` numbers of `to` from `place` on, or with `inverse` its `Hᴴ`, given `v` in `from`, whose first element
 * counts as 1.
 */
export function reflect(
  { re, im }: Reflection,
  from: Float64Array,
  start: number,
  to: Float64Array,
  place: number,
  count: number,
  inverse: boolean,
): void {
  // vᴴ x
  let [p, q] = [to[place]!, to[place + 1]!];
  for (let i = 2; i < 2 * count; i += 2) {
    const [a, b, c, d] = [from[start + i]!, from[start + i + 1]!, to[place + i]!, to[place + i + 1]!];
    p += a * c + b * d;
    q += a * d - b * c;
  }
  const turn = inverse ? -im : im;
  [p, q] = [p * re - q * turn, p * turn + q * re];
  to[place]! -= p;
  to[place + 1]! -= q;
  for (let i = 2; i < 2 * count; i += 2) {
    const [a, b] = [from[start + i]!, from[start + i + 1]!];
    to[place + i]! -= a * p - b * q;
    to[place + i + 1]! -= a * q + b * p;
  }
}

/** `[m, n]` to `[n, m]`, with `conjugated` imaginary parts. */
export function transposed(a: Float64Array, m: number, n: number, conjugated = false): Float64Array {
  const t = new Float64Array(a.length);
  const sign = conjugated ? -1 : 1;
  for (let i = 0, p = 0; i < m; i++)
    for (let j = 0; j < n; j++, p += 2) {
      t[2 * (j * m + i)] = a[p]!;
      t[2 * (j * m + i) + 1] = sign * a[p + 1]!;
    }
  return t;
}

/** The unit matrix `[n, n]`. */
export function unit(n: number): Float64Array {
  const out = new Float64Array(2 * n * n);
  for (let i = 0; i < n; i++) out[2 * (i * n + i)] = 1;
  return out;
}
