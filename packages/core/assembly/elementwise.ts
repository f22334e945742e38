// Elementwise functions over float32, four at a time: `n` elements, rounded up to whole vectors.
import { madd } from './fma';

// Constants are stored in memory four times each: V8 would rebuild a constant vector in every iteration of a loop.
const table: usize = memory.data<f32>([
  -104.0, 89.0, 1.44269504088896341, 12582912.0, -0.693359375, 2.12194440e-4,
  1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
  1.0, 2.0, 0.5, -0.5, 0.70710678118654752, 0.39894228040143268,
  0.625, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1,
  7.853861353153693e-5, -8.010193625184903e-4, 5.188327685732524e-3, -2.685381193529856e-2, 1.128358514861418e-1, -3.761262582423300e-1,
  1.128379165726710, 2.326819970068386e-2, -1.387039388740657e-1, 3.687424674597105e-1, -5.824733027278666e-1, 6.210004621745983e-1,
  -4.944515323274145e-1, 3.404879937665872e-1, -2.741127028184656e-1, 5.638259427386472e-1, -1.047766399936249e1, 1.297719955372516e1,
  -7.495518717768503, 2.921019019210786, -1.015265279202700, 4.218463358204948e-1, -2.820767439740514e-1, 5.641895067754075e-1,
  64.0, 87.0,
]);

// The offset of each constant in the table.
// @ts-ignore: decorator
@inline const LOW: usize = 0;
// @ts-ignore: decorator
@inline const HIGH: usize = 4;
// @ts-ignore: decorator
@inline const LOG2E: usize = 8;
// @ts-ignore: decorator
@inline const MAGIC: usize = 12;
// @ts-ignore: decorator
@inline const LN2A: usize = 16;
// @ts-ignore: decorator
@inline const LN2B: usize = 20;
// @ts-ignore: decorator
@inline const E0: usize = 24;
// @ts-ignore: decorator
@inline const E1: usize = 28;
// @ts-ignore: decorator
@inline const E2: usize = 32;
// @ts-ignore: decorator
@inline const E3: usize = 36;
// @ts-ignore: decorator
@inline const E4: usize = 40;
// @ts-ignore: decorator
@inline const E5: usize = 44;
// @ts-ignore: decorator
@inline const ONE: usize = 48;
// @ts-ignore: decorator
@inline const TWO: usize = 52;
// @ts-ignore: decorator
@inline const HALF: usize = 56;
// @ts-ignore: decorator
@inline const MINUS_HALF: usize = 60;
// @ts-ignore: decorator
@inline const SQRT_HALF: usize = 64;
// @ts-ignore: decorator
@inline const DENSITY: usize = 68;
// @ts-ignore: decorator
@inline const NEAR: usize = 72;
// @ts-ignore: decorator
@inline const T0: usize = 76;
// @ts-ignore: decorator
@inline const T1: usize = 80;
// @ts-ignore: decorator
@inline const T2: usize = 84;
// @ts-ignore: decorator
@inline const T3: usize = 88;
// @ts-ignore: decorator
@inline const T4: usize = 92;
// @ts-ignore: decorator
@inline const F0: usize = 96;
// @ts-ignore: decorator
@inline const F1: usize = 100;
// @ts-ignore: decorator
@inline const F2: usize = 104;
// @ts-ignore: decorator
@inline const F3: usize = 108;
// @ts-ignore: decorator
@inline const F4: usize = 112;
// @ts-ignore: decorator
@inline const F5: usize = 116;
// @ts-ignore: decorator
@inline const F6: usize = 120;
// @ts-ignore: decorator
@inline const P0: usize = 124;
// @ts-ignore: decorator
@inline const P1: usize = 128;
// @ts-ignore: decorator
@inline const P2: usize = 132;
// @ts-ignore: decorator
@inline const P3: usize = 136;
// @ts-ignore: decorator
@inline const P4: usize = 140;
// @ts-ignore: decorator
@inline const P5: usize = 144;
// @ts-ignore: decorator
@inline const P6: usize = 148;
// @ts-ignore: decorator
@inline const P7: usize = 152;
// @ts-ignore: decorator
@inline const P8: usize = 156;
// @ts-ignore: decorator
@inline const R0: usize = 160;
// @ts-ignore: decorator
@inline const R1: usize = 164;
// @ts-ignore: decorator
@inline const R2: usize = 168;
// @ts-ignore: decorator
@inline const R3: usize = 172;
// @ts-ignore: decorator
@inline const R4: usize = 176;
// @ts-ignore: decorator
@inline const R5: usize = 180;
// @ts-ignore: decorator
@inline const R6: usize = 184;
// @ts-ignore: decorator
@inline const R7: usize = 188;
// @ts-ignore: decorator
@inline const HUGE: usize = 192;
// @ts-ignore: decorator
@inline const PLAIN: usize = 196;

/**
 * exp to about 1 ulp: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2] (Cephes). The power comes in two steps, so that
 * results below the normal range are rounded once, and those beyond it become infinite. Adding a large number rounds to
 * a whole one, and leaves it in the lowest bits.
 */
// @ts-ignore: decorator
@inline
export function expOf(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, v128.load_splat<f32>(table, LOW)), v128.load_splat<f32>(table, HIGH));
  const magic = v128.load_splat<f32>(table, MAGIC);
  const shifted = madd(clamped, v128.load_splat<f32>(table, LOG2E), magic);
  const n = f32x4.sub(shifted, magic);
  let r = madd(n, v128.load_splat<f32>(table, LN2A), clamped);
  r = madd(n, v128.load_splat<f32>(table, LN2B), r);
  let p = madd(v128.load_splat<f32>(table, E0), r, v128.load_splat<f32>(table, E1));
  p = madd(p, r, v128.load_splat<f32>(table, E2));
  p = madd(p, r, v128.load_splat<f32>(table, E3));
  p = madd(p, r, v128.load_splat<f32>(table, E4));
  p = madd(p, r, v128.load_splat<f32>(table, E5));
  const one = v128.load_splat<f32>(table, ONE);
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), one);
  const whole = i32x4.sub(shifted, magic);
  const half = i32x4.shr_s(whole, 1);
  const first = i32x4.add(i32x4.shl(half, 23), one);
  const second = i32x4.add(i32x4.shl(i32x4.sub(whole, half), 23), one);
  return f32x4.mul(f32x4.mul(p, first), second);
}

/** Where the result's exponent may be beyond the normal range, or x is NaN: compared as integers, as NaN is above all numbers. */
// @ts-ignore: decorator
@inline
function isFar(x: v128): v128 {
  return i32x4.gt_s(f32x4.abs(x), v128.load_splat<f32>(table, PLAIN));
}

function writeFar(to: usize, x: v128, y: v128): void {
  v128.store(to, expOf(x));
  v128.store(to, expOf(y), 16);
}

/**
 * exp of eight numbers, written to `to`: the same bits as `expOf`, twice as fast. Each constant is read once for both
 * vectors, and within the normal range the power is added to the exponent.
 */
// @ts-ignore: decorator
@inline
export function writeExp(to: usize, x: v128, y: v128): void {
  if (v128.any_true(v128.or(isFar(x), isFar(y)))) writeFar(to, x, y);
  else {
    const log2e = v128.load_splat<f32>(table, LOG2E), magic = v128.load_splat<f32>(table, MAGIC);
    const s = madd(x, log2e, magic), t = madd(y, log2e, magic);
    const n = f32x4.sub(s, magic), m = f32x4.sub(t, magic);
    let k = v128.load_splat<f32>(table, LN2A);
    let r = madd(n, k, x), q = madd(m, k, y);
    k = v128.load_splat<f32>(table, LN2B);
    r = madd(n, k, r);
    q = madd(m, k, q);
    const first = v128.load_splat<f32>(table, E0);
    k = v128.load_splat<f32>(table, E1);
    let a = madd(first, r, k), b = madd(first, q, k);
    k = v128.load_splat<f32>(table, E2);
    a = madd(a, r, k);
    b = madd(b, q, k);
    k = v128.load_splat<f32>(table, E3);
    a = madd(a, r, k);
    b = madd(b, q, k);
    k = v128.load_splat<f32>(table, E4);
    a = madd(a, r, k);
    b = madd(b, q, k);
    k = v128.load_splat<f32>(table, E5);
    a = madd(a, r, k);
    b = madd(b, q, k);
    k = v128.load_splat<f32>(table, ONE);
    a = f32x4.add(madd(a, f32x4.mul(r, r), r), k);
    b = f32x4.add(madd(b, f32x4.mul(q, q), q), k);
    v128.store(to, i32x4.add(a, i32x4.shl(s, 23)));
    v128.store(to, i32x4.add(b, i32x4.shl(t, 23)), 16);
  }
}

/** exp(x) - 1, without cancellation for small x. */
// @ts-ignore: decorator
@inline
export function expm1Of(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, v128.load_splat<f32>(table, LOW)), v128.load_splat<f32>(table, HIGH));
  const magic = v128.load_splat<f32>(table, MAGIC);
  const shifted = madd(clamped, v128.load_splat<f32>(table, LOG2E), magic);
  const n = f32x4.sub(shifted, magic);
  let r = madd(n, v128.load_splat<f32>(table, LN2A), clamped);
  r = madd(n, v128.load_splat<f32>(table, LN2B), r);
  let p = madd(v128.load_splat<f32>(table, E0), r, v128.load_splat<f32>(table, E1));
  p = madd(p, r, v128.load_splat<f32>(table, E2));
  p = madd(p, r, v128.load_splat<f32>(table, E3));
  p = madd(p, r, v128.load_splat<f32>(table, E4));
  p = madd(p, r, v128.load_splat<f32>(table, E5));
  const one = v128.load_splat<f32>(table, ONE);
  const q = madd(p, f32x4.mul(r, r), r);
  const whole = i32x4.sub(shifted, magic);
  const half = i32x4.shr_s(whole, 1);
  const first = i32x4.add(i32x4.shl(half, 23), one);
  const second = i32x4.add(i32x4.shl(i32x4.sub(whole, half), 23), one);
  // 2^n (q + 1) - 1: 2^n q is small where q is, and 2^n - 1 is exact where that matters.
  const power = f32x4.mul(first, second);
  const near = f32x4.add(f32x4.mul(power, q), f32x4.sub(power, one));
  // 2^n alone may be infinite where exp is not.
  return v128.bitselect(f32x4.mul(f32x4.mul(f32x4.add(q, one), first), second), near, f32x4.gt(n, v128.load_splat<f32>(table, HUGE)));
}

// @ts-ignore: decorator
@inline
export function sigmoidOf(x: v128): v128 {
  return sigmoidFrom(expOf(f32x4.neg(x)));
}

/** sigmoid(x) from exp(-x). */
// @ts-ignore: decorator
@inline
function sigmoidFrom(e: v128): v128 {
  const one = v128.load_splat<f32>(table, ONE);
  return f32x4.div(one, f32x4.add(one, e));
}

/** tanh with the same bits as `writeTanh`. */
// @ts-ignore: decorator
@inline
function tanhOf(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = madd(v128.load_splat<f32>(table, T0), z, v128.load_splat<f32>(table, T1));
  p = madd(p, z, v128.load_splat<f32>(table, T2));
  p = madd(p, z, v128.load_splat<f32>(table, T3));
  p = madd(p, z, v128.load_splat<f32>(table, T4));
  const near = madd(f32x4.mul(p, z), x, x);
  const one = v128.load_splat<f32>(table, ONE);
  const e = expOf(f32x4.add(x, x));
  const far = f32x4.sub(one, f32x4.div(v128.load_splat<f32>(table, TWO), f32x4.add(e, one)));
  return v128.bitselect(near, far, f32x4.lt(f32x4.abs(x), v128.load_splat<f32>(table, NEAR)));
}

/**
 * tanh of eight numbers, written to `to`: by an odd polynomial near 0 (Cephes), where 1 - 2 / (exp(2x) + 1) would cancel.
 */
// @ts-ignore: decorator
@inline
function writeTanh(to: usize, x: v128, y: v128): void {
  writeExp(to, f32x4.add(x, x), f32x4.add(y, y));
  const z = f32x4.mul(x, x), w = f32x4.mul(y, y);
  const first = v128.load_splat<f32>(table, T0);
  let k = v128.load_splat<f32>(table, T1);
  let p = madd(first, z, k), q = madd(first, w, k);
  k = v128.load_splat<f32>(table, T2);
  p = madd(p, z, k);
  q = madd(q, w, k);
  k = v128.load_splat<f32>(table, T3);
  p = madd(p, z, k);
  q = madd(q, w, k);
  k = v128.load_splat<f32>(table, T4);
  p = madd(p, z, k);
  q = madd(q, w, k);
  p = madd(f32x4.mul(p, z), x, x);
  q = madd(f32x4.mul(q, w), y, y);
  const one = v128.load_splat<f32>(table, ONE), two = v128.load_splat<f32>(table, TWO);
  const far = f32x4.sub(one, f32x4.div(two, f32x4.add(v128.load(to), one)));
  const other = f32x4.sub(one, f32x4.div(two, f32x4.add(v128.load(to, 16), one)));
  k = v128.load_splat<f32>(table, NEAR);
  v128.store(to, v128.bitselect(p, far, f32x4.lt(f32x4.abs(x), k)));
  v128.store(to, v128.bitselect(q, other, f32x4.lt(f32x4.abs(y), k)), 16);
}

export function exp(to: usize, x: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) writeExp(to + i * 4, v128.load(x + i * 4), v128.load(x + i * 4, 16));
  for (; i < n; i += 4) v128.store(to + i * 4, expOf(v128.load(x + i * 4)));
}

export function sigmoid(to: usize, x: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const at = to + i * 4;
    writeExp(at, f32x4.neg(v128.load(x + i * 4)), f32x4.neg(v128.load(x + i * 4, 16)));
    v128.store(at, sigmoidFrom(v128.load(at)));
    v128.store(at, sigmoidFrom(v128.load(at, 16)), 16);
  }
  for (; i < n; i += 4) v128.store(to + i * 4, sigmoidOf(v128.load(x + i * 4)));
}

export function tanh(to: usize, x: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) writeTanh(to + i * 4, v128.load(x + i * 4), v128.load(x + i * 4, 16));
  for (; i < n; i += 4) v128.store(to + i * 4, tanhOf(v128.load(x + i * 4)));
}

/** x * sigmoid(x) */
export function silu(to: usize, x: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const at = to + i * 4;
    const v = v128.load(x + i * 4), w = v128.load(x + i * 4, 16);
    writeExp(at, f32x4.neg(v), f32x4.neg(w));
    v128.store(at, f32x4.mul(v, sigmoidFrom(v128.load(at))));
    v128.store(at, f32x4.mul(w, sigmoidFrom(v128.load(at, 16))), 16);
  }
  for (; i < n; i += 4) {
    const v = v128.load(x + i * 4);
    v128.store(to + i * 4, f32x4.mul(v, sigmoidOf(v)));
  }
}

/** max(x, 0); NaN is kept. */
export function relu(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.pmax(v128.load(x + i), f32x4.splat(0)));
}

/** 0 where y <= 0, else g: also where y is NaN. */
export function reluGradient(to: usize, g: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16)
    v128.store(to + i, v128.andnot(v128.load(g + i), f32x4.le(v128.load(y + i), f32x4.splat(0))));
}

/** erf(a) for a from 0 to 1 (Cephes): an odd polynomial. */
// @ts-ignore: decorator
@inline
function erfNear(a: v128): v128 {
  const z = f32x4.mul(a, a);
  let t = madd(v128.load_splat<f32>(table, F0), z, v128.load_splat<f32>(table, F1));
  t = madd(t, z, v128.load_splat<f32>(table, F2));
  t = madd(t, z, v128.load_splat<f32>(table, F3));
  t = madd(t, z, v128.load_splat<f32>(table, F4));
  t = madd(t, z, v128.load_splat<f32>(table, F5));
  t = madd(t, z, v128.load_splat<f32>(table, F6));
  return f32x4.mul(t, a);
}

/** 1 - erf(a) for a from 0 up (Cephes): a polynomial below 1, a tail from there. */
// @ts-ignore: decorator
@inline
function erfcOf(a: v128): v128 {
  const z = f32x4.mul(a, a);
  const near = f32x4.sub(v128.load_splat<f32>(table, ONE), erfNear(a));
  const q = f32x4.div(v128.load_splat<f32>(table, ONE), a);
  const y = f32x4.mul(q, q);
  let p = madd(v128.load_splat<f32>(table, P0), y, v128.load_splat<f32>(table, P1));
  p = madd(p, y, v128.load_splat<f32>(table, P2));
  p = madd(p, y, v128.load_splat<f32>(table, P3));
  p = madd(p, y, v128.load_splat<f32>(table, P4));
  p = madd(p, y, v128.load_splat<f32>(table, P5));
  p = madd(p, y, v128.load_splat<f32>(table, P6));
  p = madd(p, y, v128.load_splat<f32>(table, P7));
  p = madd(p, y, v128.load_splat<f32>(table, P8));
  let r = madd(v128.load_splat<f32>(table, R0), y, v128.load_splat<f32>(table, R1));
  r = madd(r, y, v128.load_splat<f32>(table, R2));
  r = madd(r, y, v128.load_splat<f32>(table, R3));
  r = madd(r, y, v128.load_splat<f32>(table, R4));
  r = madd(r, y, v128.load_splat<f32>(table, R5));
  r = madd(r, y, v128.load_splat<f32>(table, R6));
  r = madd(r, y, v128.load_splat<f32>(table, R7));
  const polynomial = v128.bitselect(p, r, f32x4.lt(a, v128.load_splat<f32>(table, TWO)));
  const far = f32x4.mul(f32x4.mul(expOf(f32x4.neg(z)), q), polynomial);
  return v128.bitselect(near, far, f32x4.lt(a, v128.load_splat<f32>(table, ONE)));
}

/** The cumulative distribution function of the standard normal distribution. */
// @ts-ignore: decorator
@inline
function cdfOf(x: v128): v128 {
  const half = f32x4.mul(erfcOf(f32x4.mul(f32x4.abs(x), v128.load_splat<f32>(table, SQRT_HALF))), v128.load_splat<f32>(table, HALF));
  return v128.bitselect(half, f32x4.sub(v128.load_splat<f32>(table, ONE), half), f32x4.lt(x, f32x4.splat(0)));
}

export function erf(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    const a = f32x4.abs(v);
    // Below 1 without the detour over 1 - erf, which would cancel near 0.
    const far = f32x4.sub(v128.load_splat<f32>(table, ONE), erfcOf(a));
    const size = v128.bitselect(erfNear(a), far, f32x4.lt(a, v128.load_splat<f32>(table, ONE)));
    v128.store(to + i, v128.or(size, v128.and(v, i32x4.splat(0x80000000))));
  }
}

/** x Φ(x) */
export function gelu(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    v128.store(to + i, f32x4.mul(v, cdfOf(v)));
  }
}

/** g (Φ(x) + x φ(x)) */
export function geluGradient(to: usize, g: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    const density = f32x4.mul(expOf(f32x4.mul(f32x4.mul(v, v), v128.load_splat<f32>(table, MINUS_HALF))), v128.load_splat<f32>(table, DENSITY));
    v128.store(to + i, f32x4.mul(v128.load(g + i), madd(v, density, cdfOf(v))));
  }
}

export function add(to: usize, x: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.add(v128.load(x + i), v128.load(y + i)));
}

export function sub(to: usize, x: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.sub(v128.load(x + i), v128.load(y + i)));
}

export function mul(to: usize, x: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.mul(v128.load(x + i), v128.load(y + i)));
}

export function div(to: usize, x: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.div(v128.load(x + i), v128.load(y + i)));
}

/** The larger; NaN if either is. */
export function maximum(to: usize, x: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.max(v128.load(x + i), v128.load(y + i)));
}

/** The smaller; NaN if either is. */
export function minimum(to: usize, x: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.min(v128.load(x + i), v128.load(y + i)));
}

export function neg(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.neg(v128.load(x + i)));
}

export function sqrt(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.sqrt(v128.load(x + i)));
}

export function square(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    v128.store(to + i, f32x4.mul(v, v));
  }
}

export function abs(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.abs(v128.load(x + i)));
}
