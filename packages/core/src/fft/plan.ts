// Fourier transforms of one line of complex numbers, in float64, with interleaved parts. Lengths are split into factors
// of 4, 2, 3, 5 and other primes (Cooley & Tukey, 1965, in the order of Temperton, 1983, which needs no bit reversal).
// A length with a large prime factor becomes a convolution of a length without one (Bluestein, 1970).

/** Transforms `x` in place: the sum over t of `x[t] * exp(-2πi k t / n)`. */
export type Transform = (x: Float64Array<ArrayBuffer>) => void;

/**
 * `exp(-2πi k / n)`, with the angle reduced to the first eighth of the circle, where sine and cosine are most accurate.
 */
function rootOfUnity(k: number, n: number): [re: number, im: number] {
  const turn = (k % n) / n;
  const eighth = Math.floor(8 * turn);
  const at = (v: number) => 2 * Math.PI * v;
  const c = (v: number) => Math.cos(at(v));
  const s = (v: number) => Math.sin(at(v));
  const far = 8 * (k % n) - eighth * n;
  const part = far / (8 * n);
  const rest = (n - far) / (8 * n);
  switch (eighth) {
    case 0:
      return [c(part), -s(part)];
    case 1:
      return [s(rest), -c(rest)];
    case 2:
      return [-s(part), -c(part)];
    case 3:
      return [-c(rest), -s(rest)];
    case 4:
      return [-c(part), s(part)];
    case 5:
      return [-s(rest), c(rest)];
    case 6:
      return [s(part), c(part)];
    default:
      return [c(rest), s(rest)];
  }
}

/** `exp(-2πi k step / n)` for k from 0 to below `count`. */
export function rootsOfUnity(count: number, n: number, step = 1): Float64Array {
  const out = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) [out[2 * k], out[2 * k + 1]] = rootOfUnity(k * step, n);
  return out;
}

/** The factors of a length; fours first, as they take the fewest multiplications. */
function factorsOf(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  while (rest % 4 === 0) {
    factors.push(4);
    rest /= 4;
  }
  for (let p = 2; rest > 1; p += p === 2 ? 1 : 2) {
    if (p * p > rest) p = rest;
    for (; rest % p === 0; rest /= p) factors.push(p);
  }
  return factors;
}

/** The stage of one factor; `before` is the product of the factors before it, `after` that of those after it. */
interface Stage {
  readonly radix: number;
  readonly before: number;
  readonly after: number;
  /** For `j` below the radix and `i` below `after`: exp(-2πi j i before / n). */
  readonly twiddles: Float64Array;
  /** The roots of unity of a radix that has no code of its own. */
  readonly roots: Float64Array;
}

function stagesOf(n: number, factors: readonly number[]): Stage[] {
  let before = 1;
  return factors.map((radix) => {
    const after = n / (before * radix);
    const twiddles = new Float64Array(2 * radix * after);
    for (let j = 0; j < radix; j++) twiddles.set(rootsOfUnity(after, n, j * before), 2 * j * after);
    const stage = { radix, before, after, twiddles, roots: radix > 5 ? rootsOfUnity(radix, radix) : none };
    before *= radix;
    return stage;
  });
}

const none = new Float64Array(0);

// Each stage computes to[i, k, j] = twiddle[j, i] * sum over q of from[i, q, k] exp(-2πi j q / radix), where i is below
// `after` and k below `before`; the first index changes fastest.

function pass2(from: Float64Array, to: Float64Array, { before, after, twiddles: w }: Stage): void {
  const step = 2 * after;
  const half = step * before;
  for (let k = 0; k < before; k++)
    for (let i = 0; i < step; i += 2) {
      const p = 2 * step * k + i;
      const q = p + step;
      const o = step * k + i;
      to[o] = from[p]! + from[q]!;
      to[o + 1] = from[p + 1]! + from[q + 1]!;
      write(to, o + half, from[p]! - from[q]!, from[p + 1]! - from[q + 1]!, w, step + i);
    }
}

function pass4(from: Float64Array, to: Float64Array, { before, after, twiddles: w }: Stage): void {
  const step = 2 * after;
  const quarter = step * before;
  for (let k = 0; k < before; k++)
    for (let i = 0; i < step; i += 2) {
      const p = 4 * step * k + i;
      const ar = from[p]! + from[p + 2 * step]!;
      const ai = from[p + 1]! + from[p + 2 * step + 1]!;
      const br = from[p]! - from[p + 2 * step]!;
      const bi = from[p + 1]! - from[p + 2 * step + 1]!;
      const cr = from[p + step]! + from[p + 3 * step]!;
      const ci = from[p + step + 1]! + from[p + 3 * step + 1]!;
      // Times -i.
      const dr = from[p + step + 1]! - from[p + 3 * step + 1]!;
      const di = from[p + 3 * step]! - from[p + step]!;
      const o = step * k + i;
      to[o] = ar + cr;
      to[o + 1] = ai + ci;
      write(to, o + quarter, br + dr, bi + di, w, step + i);
      write(to, o + 2 * quarter, ar - cr, ai - ci, w, 2 * step + i);
      write(to, o + 3 * quarter, br - dr, bi - di, w, 3 * step + i);
    }
}

const sin60 = Math.sqrt(3) / 2;

function pass3(from: Float64Array, to: Float64Array, { before, after, twiddles: w }: Stage): void {
  const step = 2 * after;
  const third = step * before;
  for (let k = 0; k < before; k++)
    for (let i = 0; i < step; i += 2) {
      const p = 3 * step * k + i;
      const sr = from[p + step]! + from[p + 2 * step]!;
      const si = from[p + step + 1]! + from[p + 2 * step + 1]!;
      const ar = from[p]! - sr / 2;
      const ai = from[p + 1]! - si / 2;
      const br = (from[p + step + 1]! - from[p + 2 * step + 1]!) * sin60;
      const bi = (from[p + 2 * step]! - from[p + step]!) * sin60;
      const o = step * k + i;
      to[o] = from[p]! + sr;
      to[o + 1] = from[p + 1]! + si;
      write(to, o + third, ar + br, ai + bi, w, step + i);
      write(to, o + 2 * third, ar - br, ai - bi, w, 2 * step + i);
    }
}

const [cos72, sin72] = [(Math.sqrt(5) - 1) / 4, Math.sin((2 * Math.PI) / 5)];
const [cos144, sin144] = [-(Math.sqrt(5) + 1) / 4, Math.sin(Math.PI / 5)];

function pass5(from: Float64Array, to: Float64Array, { before, after, twiddles: w }: Stage): void {
  const step = 2 * after;
  const fifth = step * before;
  for (let k = 0; k < before; k++)
    for (let i = 0; i < step; i += 2) {
      const p = 5 * step * k + i;
      const [q, r, s, t] = [p + step, p + 2 * step, p + 3 * step, p + 4 * step];
      const ar = from[q]! + from[t]!;
      const ai = from[q + 1]! + from[t + 1]!;
      const br = from[r]! + from[s]!;
      const bi = from[r + 1]! + from[s + 1]!;
      // Times -i.
      const cr = from[q + 1]! - from[t + 1]!;
      const ci = from[t]! - from[q]!;
      const dr = from[r + 1]! - from[s + 1]!;
      const di = from[s]! - from[r]!;
      const xr = from[p]!;
      const xi = from[p + 1]!;
      const o = step * k + i;
      to[o] = xr + ar + br;
      to[o + 1] = xi + ai + bi;
      const er = xr + ar * cos72 + br * cos144;
      const ei = xi + ai * cos72 + bi * cos144;
      const fr = cr * sin72 + dr * sin144;
      const fi = ci * sin72 + di * sin144;
      write(to, o + fifth, er + fr, ei + fi, w, step + i);
      write(to, o + 4 * fifth, er - fr, ei - fi, w, 4 * step + i);
      const gr = xr + ar * cos144 + br * cos72;
      const gi = xi + ai * cos144 + bi * cos72;
      const hr = cr * sin144 - dr * sin72;
      const hi = ci * sin144 - di * sin72;
      write(to, o + 2 * fifth, gr + hr, gi + hi, w, 2 * step + i);
      write(to, o + 3 * fifth, gr - hr, gi - hi, w, 3 * step + i);
    }
}

/** For other odd factors. Terms `q` and `radix - q` have conjugate roots, so they are computed together. */
function passOdd(from: Float64Array, to: Float64Array, { radix, before, after, twiddles: w, roots }: Stage): void {
  const step = 2 * after;
  const whole = step * before;
  const half = (radix - 1) / 2;
  for (let k = 0; k < before; k++)
    for (let i = 0; i < step; i += 2) {
      const p = radix * step * k + i;
      const o = step * k + i;
      const r0 = from[p]!;
      const i0 = from[p + 1]!;
      let sr = r0;
      let si = i0;
      for (let q = 1; q < radix; q++) {
        sr += from[p + q * step]!;
        si += from[p + q * step + 1]!;
      }
      to[o] = sr;
      to[o + 1] = si;
      for (let j = 1; j <= half; j++) {
        let ar = r0;
        let ai = i0;
        let br = 0;
        let bi = 0;
        for (let q = 1, root = j; q <= half; q++, root += j) {
          if (root >= radix) root -= radix;
          const c = roots[2 * root]!;
          const s = roots[2 * root + 1]!;
          const near = p + q * step;
          const far = p + (radix - q) * step;
          ar += (from[near]! + from[far]!) * c;
          ai += (from[near + 1]! + from[far + 1]!) * c;
          br += (from[near]! - from[far]!) * s;
          bi += (from[near + 1]! - from[far + 1]!) * s;
        }
        // a + i b, and a - i b for the other one of the pair.
        write(to, o + j * whole, ar - bi, ai + br, w, j * step + i);
        write(to, o + (radix - j) * whole, ar + bi, ai - br, w, (radix - j) * step + i);
      }
    }
}

function write(to: Float64Array, o: number, re: number, im: number, w: Float64Array, t: number): void {
  to[o] = re * w[t]! - im * w[t + 1]!;
  to[o + 1] = re * w[t + 1]! + im * w[t]!;
}

const passes: Readonly<Record<number, typeof passOdd>> = { 2: pass2, 3: pass3, 4: pass4, 5: pass5 };

function mixedRadix(n: number, factors: readonly number[]): Transform {
  const stages = stagesOf(n, factors);
  const other = new Float64Array(2 * n);
  return (x) => {
    let from: Float64Array = x;
    let to: Float64Array = other;
    for (const stage of stages) {
      (passes[stage.radix] ?? passOdd)(from, to, stage);
      [from, to] = [to, from];
    }
    if (from !== x) x.set(from);
  };
}

/** The smallest length from `n` on with no prime factors other than 2, 3 and 5. */
function smoothLength(n: number): number {
  let best = 2 ** Math.ceil(Math.log2(n));
  for (let a = 1; a < best; a *= 5)
    for (let b = a; b < best; b *= 3) {
      const length = b * 2 ** Math.max(0, Math.ceil(Math.log2(n / b)));
      if (length < best) best = length;
    }
  return best;
}

function bluestein(n: number): Transform {
  const m = smoothLength(2 * n - 1);
  const transform = mixedRadix(m, factorsOf(m));
  // exp(-πi k² / n), with k² modulo 2n, as it may exceed 2^53.
  const chirp = new Float64Array(2 * n);
  for (let k = 0, square = 0; k < n; k++) {
    [chirp[2 * k], chirp[2 * k + 1]] = rootOfUnity(square, 2 * n);
    square = (square + 2 * k + 1) % (2 * n);
  }
  const filter = new Float64Array(2 * m);
  for (let k = 0; k < n; k++)
    for (const at of [k, (m - k) % m]) {
      filter[2 * at] = chirp[2 * k]!;
      filter[2 * at + 1] = -chirp[2 * k + 1]!;
    }
  transform(filter);
  const line = new Float64Array(2 * m);
  return (x) => {
    line.fill(0, 2 * n);
    for (let i = 0; i < 2 * n; i += 2) {
      line[i] = x[i]! * chirp[i]! - x[i + 1]! * chirp[i + 1]!;
      line[i + 1] = x[i]! * chirp[i + 1]! + x[i + 1]! * chirp[i]!;
    }
    transform(line);
    // The product, and the inverse transform by exchanging the parts.
    for (let i = 0; i < 2 * m; i += 2) {
      const re = line[i]! * filter[i]! - line[i + 1]! * filter[i + 1]!;
      line[i] = line[i]! * filter[i + 1]! + line[i + 1]! * filter[i]!;
      line[i + 1] = re;
    }
    transform(line);
    for (let i = 0; i < 2 * n; i += 2) {
      const re = line[i + 1]! / m;
      const im = line[i]! / m;
      x[i] = re * chirp[i]! - im * chirp[i + 1]!;
      x[i + 1] = re * chirp[i + 1]! + im * chirp[i]!;
    }
  };
}

/** Up to this prime, its squared number of multiplications takes less time than two longer transforms (measured). */
const largestPrime = 47;

/** The latest plans, as tables of roots take longer to make than a transform. */
const plans = new Map<number, Transform>();
const maxPlans = 32;

/** The transform of lines of length `n`. It has scratch memory, so one call must end before the next begins. */
export function transformOf(n: number): Transform {
  const known = plans.get(n);
  if (known !== undefined) return known;
  const factors = factorsOf(n);
  const made = factors.some((p) => p > largestPrime) ? bluestein(n) : mixedRadix(n, factors);
  if (plans.size === maxPlans) plans.delete(plans.keys().next().value!);
  plans.set(n, made);
  return made;
}
