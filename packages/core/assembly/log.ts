// Logarithms of float32, four at a time.
import { madd } from './fma';

const table: usize = memory.data<f32>([
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1, -2.12194440e-4, 0.693359375, -0.5,
  1.0, 1.17549435e-38, 8388608.0, 23.0, Infinity, NaN, 0.70710678118654752,
]);

// @ts-ignore: decorator
@inline
function constant(i: usize): v128 {
  return v128.load_splat<f32>(table + (i << 2));
}

/**
 * log to about 1 ulp: a polynomial on [sqrt(1/2), sqrt(2)] (Cephes) and the power's share of it. Numbers below the normal
 * range are scaled up first.
 */
// @ts-ignore: decorator
@inline
export function logOf(x: v128): v128 {
  const one = constant(12);
  const below = f32x4.lt(x, constant(13));
  const scaled = v128.bitselect(f32x4.mul(x, constant(14)), x, below);
  // The power counted from sqrt(1/2), by its bits.
  const power = i32x4.shr_s(i32x4.sub(scaled, constant(18)), 23);
  const m = f32x4.sub(i32x4.sub(scaled, i32x4.shl(power, 23)), one);
  const e = f32x4.sub(f32x4.convert_i32x4_s(power), v128.and(below, constant(15)));
  const z = f32x4.mul(m, m);
  let p = madd(constant(0), m, constant(1));
  p = madd(p, m, constant(2));
  p = madd(p, m, constant(3));
  p = madd(p, m, constant(4));
  p = madd(p, m, constant(5));
  p = madd(p, m, constant(6));
  p = madd(p, m, constant(7));
  p = madd(p, m, constant(8));
  p = f32x4.mul(f32x4.mul(p, m), z);
  p = madd(e, constant(9), p);
  p = madd(z, constant(11), p);
  const log = madd(e, constant(10), f32x4.add(m, p));
  // -Infinity of 0, NaN of what is below, and infinity and NaN themselves.
  const infinity = constant(16);
  const zero = f32x4.eq(x, f32x4.splat(0));
  let odd = v128.bitselect(constant(17), x, f32x4.lt(x, f32x4.splat(0)));
  odd = v128.bitselect(f32x4.neg(infinity), odd, zero);
  return v128.bitselect(log, odd, v128.and(f32x4.gt(x, f32x4.splat(0)), f32x4.lt(x, infinity)));
}

/** log of one number. */
// @ts-ignore: decorator
@inline
export function logScalar(x: f32): f32 {
  return f32x4.extract_lane(logOf(f32x4.splat(x)), 0);
}

/** log(1 + x), corrected for the rounding error of 1 + x. */
// @ts-ignore: decorator
@inline
export function log1pOf(x: v128): v128 {
  const one = constant(12);
  const u = f32x4.add(x, one);
  const log = logOf(u);
  const lost = f32x4.div(f32x4.sub(f32x4.sub(u, one), x), u);
  return v128.bitselect(f32x4.sub(log, lost), log, v128.and(f32x4.gt(u, f32x4.splat(0)), f32x4.lt(u, constant(16))));
}

export function log(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, logOf(v128.load(x + i)));
}

export function log1p(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, log1pOf(v128.load(x + i)));
}
