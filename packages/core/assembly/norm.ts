// Normalization over rows of `n` float32 elements, with weights and biases, and its gradients.
import { madd } from './fma';
import { firstLanes, storeFirst, sumOfLanes } from './lanes';
import { sum } from './rows';

/** The sum of (x - mean)². */
// @ts-ignore: decorator
@inline
function squaresAround(x: usize, n: usize, mean: f64): f64 {
  const m = f64x2.splat(mean);
  // Four independent sums, so that none waits for another.
  let a = f64x2.splat(0), b = a, c = a, d = a;
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const p = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4)), m);
    const q = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 8)), m);
    const r = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 16)), m);
    const s = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 24)), m);
    a = f64x2.add(a, f64x2.mul(p, p));
    b = f64x2.add(b, f64x2.mul(q, q));
    c = f64x2.add(c, f64x2.mul(r, r));
    d = f64x2.add(d, f64x2.mul(s, s));
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let total = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (; i < n; i++) {
    const v = <f64>load<f32>(x + i * 4) - mean;
    total += v * v;
  }
  return total;
}

/**
 * (x - mean) scale weight + bias of each row, where scale is 1 / sqrt(var + eps); mean and scale are written out, one for each
 * row. Without `center` the mean is taken as 0.
 */
export function normalizeRows(
  to: usize, means: usize, scales: usize, x: usize, weight: usize, bias: usize,
  rows: usize, n: usize, eps: f64, center: bool,
): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, x += n * 4, means += 4, scales += 4) {
    const mean = center ? sum(x, n) / <f64>n : 0;
    const scale = <f32>(1 / Math.sqrt(squaresAround(x, n, mean) / <f64>n + eps));
    store<f32>(means, <f32>mean);
    store<f32>(scales, scale);
    const m = f32x4.splat(<f32>mean), s = f32x4.splat(scale);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) {
      const y = f32x4.mul(f32x4.sub(v128.load(x + i * 4), m), s);
      v128.store(to + i * 4, madd(y, v128.load(weight + i * 4), v128.load(bias + i * 4)));
    }
    if (i < n) {
      const y = f32x4.mul(f32x4.sub(v128.load(x + i * 4), m), s);
      storeFirst(to + i * 4, madd(y, v128.load(weight + i * 4), v128.load(bias + i * 4)), n - i);
    }
  }
}

/**
 * The gradient of `normalizeRows` for x, and for each of `blocks` blocks of `height` rows the gradients of weight and bias,
 * consecutively.
 */
export function normalizeRowsGradient(
  to: usize, sums: usize, g: usize, x: usize, means: usize, scales: usize, weight: usize,
  blocks: usize, height: usize, n: usize, center: bool,
): void {
  const step = n * 4;
  for (let k: usize = 0; k < blocks; k++, sums += 2 * step) {
    memory.fill(sums, 0, 2 * step);
    for (let r: usize = 0; r < height; r++, to += step, g += step, x += step, means += 4, scales += 4) {
      const m = v128.load_splat<f32>(means), s = v128.load_splat<f32>(scales);
      let total = f32x4.splat(0), slope = total;
      let i: usize = 0;
      for (; i + 4 <= n; i += 4) {
        const y = f32x4.mul(f32x4.sub(v128.load(x + i * 4), m), s), d = v128.load(g + i * 4);
        const h = f32x4.mul(d, v128.load(weight + i * 4));
        total = f32x4.add(total, h);
        slope = madd(h, y, slope);
        v128.store(sums + i * 4, madd(d, y, v128.load(sums + i * 4)));
        v128.store(sums + step + i * 4, f32x4.add(d, v128.load(sums + step + i * 4)));
      }
      if (i < n) {
        const inside = firstLanes(n - i);
        const y = v128.and(f32x4.mul(f32x4.sub(v128.load(x + i * 4), m), s), inside);
        const d = v128.and(v128.load(g + i * 4), inside);
        const h = v128.and(f32x4.mul(d, v128.load(weight + i * 4)), inside);
        total = f32x4.add(total, h);
        slope = madd(h, y, slope);
        storeFirst(sums + i * 4, madd(d, y, v128.load(sums + i * 4)), n - i);
        storeFirst(sums + step + i * 4, f32x4.add(d, v128.load(sums + step + i * 4)), n - i);
      }
      const a = f32x4.splat(center ? sumOfLanes(total) / <f32>n : 0), b = f32x4.splat(sumOfLanes(slope) / <f32>n);
      for (i = 0; i + 4 <= n; i += 4) {
        const y = f32x4.mul(f32x4.sub(v128.load(x + i * 4), m), s);
        const h = f32x4.mul(v128.load(g + i * 4), v128.load(weight + i * 4));
        v128.store(to + i * 4, f32x4.mul(f32x4.sub(f32x4.sub(h, a), f32x4.mul(y, b)), s));
      }
      if (i < n) {
        const y = f32x4.mul(f32x4.sub(v128.load(x + i * 4), m), s);
        const h = f32x4.mul(v128.load(g + i * 4), v128.load(weight + i * 4));
        storeFirst(to + i * 4, f32x4.mul(f32x4.sub(f32x4.sub(h, a), f32x4.mul(y, b)), s), n - i);
      }
    }
  }
}

/** (x - mean) scale + shift, each one number for a row. */
export function shiftRows(
  to: usize, x: usize, means: usize, scales: usize, shifts: usize, rows: usize, n: usize,
): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, x += n * 4, means += 4, scales += 4, shifts += 4) {
    const m = v128.load_splat<f32>(means), s = v128.load_splat<f32>(scales), b = v128.load_splat<f32>(shifts);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) v128.store(to + i * 4, madd(f32x4.sub(v128.load(x + i * 4), m), s, b));
    if (i < n) storeFirst(to + i * 4, madd(f32x4.sub(v128.load(x + i * 4), m), s, b), n - i);
  }
}

/** The sums of g and of g (x - mean) of each row, float64, one after the other. */
export function rowProducts(to: usize, g: usize, x: usize, means: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += 16, g += n * 4, x += n * 4, means += 4) {
    const mean = <f64>load<f32>(means);
    const m = f64x2.splat(mean);
    let a = f64x2.splat(0), b = a;
    let i: usize = 0;
    for (; i + 2 <= n; i += 2) {
      const d = f64x2.promote_low_f32x4(v128.load64_zero(g + i * 4));
      const v = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4)), m);
      a = f64x2.add(a, d);
      b = f64x2.add(b, f64x2.mul(d, v));
    }
    let total = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
    let products = f64x2.extract_lane(b, 0) + f64x2.extract_lane(b, 1);
    if (i < n) {
      const d = <f64>load<f32>(g + i * 4);
      total += d;
      products += d * (<f64>load<f32>(x + i * 4) - mean);
    }
    store<f64>(to, total);
    store<f64>(to, products, 8);
  }
}

/** g p + (x - mean) q + shift, where all but g and x are one number for a row. */
export function shiftRowsGradient(
  to: usize, g: usize, x: usize, means: usize, ps: usize, qs: usize, shifts: usize, rows: usize, n: usize,
): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, g += n * 4, x += n * 4, means += 4, ps += 4, qs += 4, shifts += 4) {
    const m = v128.load_splat<f32>(means), p = v128.load_splat<f32>(ps);
    const q = v128.load_splat<f32>(qs), b = v128.load_splat<f32>(shifts);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4)
      v128.store(to + i * 4, madd(v128.load(g + i * 4), p, madd(f32x4.sub(v128.load(x + i * 4), m), q, b)));
    if (i < n)
      storeFirst(to + i * 4, madd(v128.load(g + i * 4), p, madd(f32x4.sub(v128.load(x + i * 4), m), q, b)), n - i);
  }
}
