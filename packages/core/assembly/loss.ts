// Losses of pairs of float32 elements. Sums are of float64.
import { expOf } from './elementwise';
import { log1pOf } from './log';

/** The sum of (x - y)². */
export function squaredError(x: usize, y: usize, n: usize): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const d = f32x4.sub(v128.load(x + i * 4), v128.load(y + i * 4));
    const s = f32x4.mul(d, d);
    a = f64x2.add(a, f64x2.promote_low_f32x4(s));
    b = f64x2.add(b, f64x2.promote_low_f32x4(i64x2.shuffle(s, s, 1, 0)));
  }
  const v = f64x2.add(a, b);
  let total = f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
  for (; i < n; i++) {
    const d = load<f32>(x + i * 4) - load<f32>(y + i * 4);
    total += <f64>(d * d);
  }
  return total;
}

/** (x - y) scale */
export function scaledDifference(to: usize, x: usize, y: usize, n: usize, scale: f32): void {
  const s = f32x4.splat(scale);
  for (let i: usize = 0; i < n * 4; i += 16)
    v128.store(to + i, f32x4.mul(f32x4.sub(v128.load(x + i), v128.load(y + i)), s));
}

/** (1 - y) x + max(-x, 0) + log(1 + exp(-|x|)): the binary cross entropy of sigmoid(x) with y, without overflow. */
// @ts-ignore: decorator
@inline
function logitLoss(x: v128, y: v128): v128 {
  const rest = log1pOf(expOf(f32x4.neg(f32x4.abs(x))));
  const linear = f32x4.mul(f32x4.sub(f32x4.splat(1), y), x);
  return f32x4.add(f32x4.add(linear, f32x4.pmax(f32x4.neg(x), f32x4.splat(0))), rest);
}

/** The sum of the binary cross entropies of sigmoid(x) with y. */
export function logitLosses(x: usize, y: usize, n: usize): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const s = logitLoss(v128.load(x + i * 4), v128.load(y + i * 4));
    a = f64x2.add(a, f64x2.promote_low_f32x4(s));
    b = f64x2.add(b, f64x2.promote_low_f32x4(i64x2.shuffle(s, s, 1, 0)));
  }
  const v = f64x2.add(a, b);
  let total = f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
  for (; i < n; i++)
    total += <f64>f32x4.extract_lane(logitLoss(v128.load_splat<f32>(x + i * 4), v128.load_splat<f32>(y + i * 4)), 0);
  return total;
}

/** (sigmoid(x) - y) scale */
export function logitLossGradient(to: usize, x: usize, y: usize, n: usize, scale: f32): void {
  const s = f32x4.splat(scale), one = f32x4.splat(1);
  for (let i: usize = 0; i < n * 4; i += 16) {
    const p = f32x4.div(one, f32x4.add(one, expOf(f32x4.neg(v128.load(x + i)))));
    v128.store(to + i, f32x4.mul(f32x4.sub(p, v128.load(y + i)), s));
  }
}
