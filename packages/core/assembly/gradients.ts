// Gradients of elementwise functions, from that of the result and the function's operand or result, and functions with
// parameters. `n` elements, rounded up to whole vectors.
import { expm1Of, expOf, sigmoidOf } from './elementwise';

/** g (1 - y²) */
export function tanhGradient(to: usize, g: usize, y: usize, n: usize): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(y + i);
    v128.store(to + i, f32x4.mul(v128.load(g + i), f32x4.sub(one, f32x4.mul(v, v))));
  }
}

/** g y (1 - y) */
export function sigmoidGradient(to: usize, g: usize, y: usize, n: usize): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(y + i);
    v128.store(to + i, f32x4.mul(v128.load(g + i), f32x4.mul(v, f32x4.sub(one, v))));
  }
}

/** g s (1 + x (1 - s)) with s = sigmoid(x) */
export function siluGradient(to: usize, g: usize, x: usize, n: usize): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    const s = sigmoidOf(v);
    const slope = f32x4.mul(s, f32x4.add(one, f32x4.mul(v, f32x4.sub(one, s))));
    v128.store(to + i, f32x4.mul(v128.load(g + i), slope));
  }
}

/** 2 g x */
export function squareGradient(to: usize, g: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    v128.store(to + i, f32x4.mul(v128.load(g + i), f32x4.add(v, v)));
  }
}

/** g with the sign of x; 0 for 0 and NaN. */
export function absGradient(to: usize, g: usize, x: usize, n: usize): void {
  const one = f32x4.splat(1), zero = f32x4.splat(0);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    const sign = f32x4.sub(v128.and(f32x4.gt(v, zero), one), v128.and(f32x4.lt(v, zero), one));
    v128.store(to + i, f32x4.mul(v128.load(g + i), sign));
  }
}

/** g / 2y */
export function sqrtGradient(to: usize, g: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(y + i);
    v128.store(to + i, f32x4.div(v128.load(g + i), f32x4.add(v, v)));
  }
}

/** 1 / sqrt(x) */
export function rsqrt(to: usize, x: usize, n: usize): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.div(one, f32x4.sqrt(v128.load(x + i))));
}

/** -g y³ / 2 */
export function rsqrtGradient(to: usize, g: usize, y: usize, n: usize): void {
  const half = f32x4.splat(-0.5);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(y + i);
    v128.store(to + i, f32x4.mul(v128.load(g + i), f32x4.mul(f32x4.mul(v, f32x4.mul(v, v)), half)));
  }
}

/** 1 / x */
export function reciprocal(to: usize, x: usize, n: usize): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.div(one, v128.load(x + i)));
}

/** -g y² */
export function reciprocalGradient(to: usize, g: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(y + i);
    v128.store(to + i, f32x4.neg(f32x4.mul(v128.load(g + i), f32x4.mul(v, v))));
  }
}

export function expm1(to: usize, x: usize, n: usize): void {
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, expm1Of(v128.load(x + i)));
}

/** x clamped to `low` … `high`, where `low` is at most `high`; NaN is kept. */
export function clamp(to: usize, x: usize, n: usize, low: f32, high: f32): void {
  const l = f32x4.splat(low), h = f32x4.splat(high);
  for (let i: usize = 0; i < n * 4; i += 16) v128.store(to + i, f32x4.pmin(f32x4.pmax(v128.load(x + i), l), h));
}

/** g where x is from `low` to `high`, else 0. */
export function clampGradient(to: usize, g: usize, x: usize, n: usize, low: f32, high: f32): void {
  const l = f32x4.splat(low), h = f32x4.splat(high);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    v128.store(to + i, v128.and(v128.load(g + i), v128.and(f32x4.ge(v, l), f32x4.le(v, h))));
  }
}

/** 0 where x is at or beyond `low` or `high`, else g: also where x is NaN. */
export function hardtanhGradient(to: usize, g: usize, x: usize, n: usize, low: f32, high: f32): void {
  const l = f32x4.splat(low), h = f32x4.splat(high);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    v128.store(to + i, v128.andnot(v128.load(g + i), v128.or(f32x4.le(v, l), f32x4.ge(v, h))));
  }
}

/** x where it is above 0, else x `slope`. */
export function leakyRelu(to: usize, x: usize, n: usize, slope: f32): void {
  const s = f32x4.splat(slope), zero = f32x4.splat(0);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    v128.store(to + i, v128.bitselect(v, f32x4.mul(v, s), f32x4.gt(v, zero)));
  }
}

/** g where x is above 0, else g `slope`. */
export function leakyReluGradient(to: usize, g: usize, x: usize, n: usize, slope: f32): void {
  const s = f32x4.splat(slope), zero = f32x4.splat(0);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const d = v128.load(g + i);
    v128.store(to + i, v128.bitselect(d, f32x4.mul(d, s), f32x4.gt(v128.load(x + i), zero)));
  }
}

/** x where it is above 0, else `alpha` (exp(x) - 1). */
export function elu(to: usize, x: usize, n: usize, alpha: f32): void {
  const a = f32x4.splat(alpha), zero = f32x4.splat(0);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i);
    v128.store(to + i, v128.bitselect(v, f32x4.mul(expm1Of(v), a), f32x4.gt(v, zero)));
  }
}

/** g where x is above 0, else g `alpha` exp(x). */
export function eluGradient(to: usize, g: usize, x: usize, n: usize, alpha: f32): void {
  const a = f32x4.splat(alpha), zero = f32x4.splat(0);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const v = v128.load(x + i), d = v128.load(g + i);
    v128.store(to + i, v128.bitselect(d, f32x4.mul(d, f32x4.mul(expOf(v), a)), f32x4.gt(v, zero)));
  }
}
