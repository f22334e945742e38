// Elementwise functions over float32, four at a time: `n` elements, rounded up to whole vectors.
import { madd } from './fma';

// @ts-ignore: decorator
@inline
const splat = (v: f32): v128 => f32x4.splat(v);

/**
 * exp to about 1 ulp: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2] (Cephes). The power comes in two steps, so that
 * results below the normal range are rounded once, and those beyond it become infinite.
 */
// @ts-ignore: decorator
@inline
export function expOf(x: v128): v128 {
  const clamped = f32x4.min(f32x4.max(x, splat(-104.0)), splat(89.0));
  const n = f32x4.nearest(f32x4.mul(clamped, splat(1.44269504088896341)));
  let r = madd(n, splat(-0.693359375), clamped);
  r = madd(n, splat(2.12194440e-4), r);
  let p = madd(splat(1.9875691500e-4), r, splat(1.3981999507e-3));
  p = madd(p, r, splat(8.3334519073e-3));
  p = madd(p, r, splat(4.1665795894e-2));
  p = madd(p, r, splat(1.6666665459e-1));
  p = madd(p, r, splat(5.0000001201e-1));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), splat(1.0));
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  const bias = i32x4.splat(127);
  const first = i32x4.shl(i32x4.add(half, bias), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(whole, half), bias), 23);
  return f32x4.mul(f32x4.mul(p, first), second);
}

// @ts-ignore: decorator
@inline
function sigmoidOf(x: v128): v128 {
  return f32x4.div(splat(1.0), f32x4.add(splat(1.0), expOf(f32x4.neg(x))));
}

/** By an odd polynomial near 0 (Cephes), where 1 - 2 / (exp(2x) + 1) would cancel. */
// @ts-ignore: decorator
@inline
function tanhOf(x: v128): v128 {
  const e = expOf(f32x4.add(x, x));
  const far = f32x4.sub(splat(1.0), f32x4.div(splat(2.0), f32x4.add(e, splat(1.0))));
  const z = f32x4.mul(x, x);
  let p = madd(splat(-5.70498872745e-3), z, splat(2.06390887954e-2));
  p = madd(p, z, splat(-5.37397155531e-2));
  p = madd(p, z, splat(1.33314422036e-1));
  p = madd(p, z, splat(-3.33332819422e-1));
  const near = madd(f32x4.mul(p, z), x, x);
  return v128.bitselect(near, far, f32x4.lt(f32x4.abs(x), splat(0.625)));
}

export function exp(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, expOf(v128.load(x + i)));
}

export function sigmoid(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, sigmoidOf(v128.load(x + i)));
}

export function tanh(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, tanhOf(v128.load(x + i)));
}

/** x * sigmoid(x) */
export function silu(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    v128.store(to + i, f32x4.mul(v, sigmoidOf(v)));
  }
}

/** max(x, 0); NaN stays. */
export function relu(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.max(v128.load(x + i), splat(0)));
}

/** g where y > 0, else 0. */
export function reluGradient(to: usize, g: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16)
    v128.store(to + i, v128.and(v128.load(g + i), f32x4.gt(v128.load(y + i), splat(0))));
}

/** 1 - erf(a) for a from 0 up (Cephes): a polynomial below 1, a tail from there. */
// @ts-ignore: decorator
@inline
function erfcOf(a: v128): v128 {
  const z = f32x4.mul(a, a);
  let t = madd(splat(7.853861353153693e-5), z, splat(-8.010193625184903e-4));
  t = madd(t, z, splat(5.188327685732524e-3));
  t = madd(t, z, splat(-2.685381193529856e-2));
  t = madd(t, z, splat(1.128358514861418e-1));
  t = madd(t, z, splat(-3.761262582423300e-1));
  t = madd(t, z, splat(1.128379165726710));
  const near = f32x4.sub(splat(1.0), f32x4.mul(t, a));
  const q = f32x4.div(splat(1.0), a);
  const y = f32x4.mul(q, q);
  let p = madd(splat(2.326819970068386e-2), y, splat(-1.387039388740657e-1));
  p = madd(p, y, splat(3.687424674597105e-1));
  p = madd(p, y, splat(-5.824733027278666e-1));
  p = madd(p, y, splat(6.210004621745983e-1));
  p = madd(p, y, splat(-4.944515323274145e-1));
  p = madd(p, y, splat(3.404879937665872e-1));
  p = madd(p, y, splat(-2.741127028184656e-1));
  p = madd(p, y, splat(5.638259427386472e-1));
  let r = madd(splat(-1.047766399936249e1), y, splat(1.297719955372516e1));
  r = madd(r, y, splat(-7.495518717768503));
  r = madd(r, y, splat(2.921019019210786));
  r = madd(r, y, splat(-1.015265279202700));
  r = madd(r, y, splat(4.218463358204948e-1));
  r = madd(r, y, splat(-2.820767439740514e-1));
  r = madd(r, y, splat(5.641895067754075e-1));
  const polynomial = v128.bitselect(p, r, f32x4.lt(a, splat(2.0)));
  const far = f32x4.mul(f32x4.mul(expOf(f32x4.neg(z)), q), polynomial);
  return v128.bitselect(near, far, f32x4.lt(a, splat(1.0)));
}

/** The share of the standard normal distribution below x. */
// @ts-ignore: decorator
@inline
function cdfOf(x: v128): v128 {
  const half = f32x4.mul(erfcOf(f32x4.mul(f32x4.abs(x), splat(0.70710678118654752))), splat(0.5));
  return v128.bitselect(half, f32x4.sub(splat(1.0), half), f32x4.lt(x, splat(0)));
}

export function erf(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    const a = f32x4.abs(v);
    // Below 1 again without the detour over 1 - erf, which would cancel near 0.
    const z = f32x4.mul(a, a);
    let t = madd(splat(7.853861353153693e-5), z, splat(-8.010193625184903e-4));
    t = madd(t, z, splat(5.188327685732524e-3));
    t = madd(t, z, splat(-2.685381193529856e-2));
    t = madd(t, z, splat(1.128358514861418e-1));
    t = madd(t, z, splat(-3.761262582423300e-1));
    t = madd(t, z, splat(1.128379165726710));
    const far = f32x4.sub(splat(1.0), erfcOf(a));
    const size = v128.bitselect(f32x4.mul(t, a), far, f32x4.lt(a, splat(1.0)));
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
    const density = f32x4.mul(expOf(f32x4.mul(f32x4.mul(v, v), splat(-0.5))), splat(0.39894228040143268));
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
