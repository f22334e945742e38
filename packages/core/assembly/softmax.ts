// Softmax over rows of `n` float32 elements.
import { expOf } from './elementwise';
import { madd } from './fma';

/** The largest element of a row that is a number. A NaN makes all exponentials' sum NaN, whatever they are shifted by. */
// @ts-ignore: decorator
@inline
function largest(x: usize, n: usize): f32 {
  let a = f32x4.splat(-Infinity), b = a, c = a, d = a;
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    a = f32x4.pmax(a, v128.load(x + i * 4));
    b = f32x4.pmax(b, v128.load(x + i * 4, 16));
    c = f32x4.pmax(c, v128.load(x + i * 4, 32));
    d = f32x4.pmax(d, v128.load(x + i * 4, 48));
  }
  for (; i + 4 <= n; i += 4) a = f32x4.pmax(a, v128.load(x + i * 4));
  a = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
  let top = max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
  for (; i < n; i++) {
    const v = load<f32>(x + i * 4);
    if (v > top) top = v;
  }
  return top;
}

// @ts-ignore: decorator
@inline
function expScalar(v: f32): f32 {
  return f32x4.extract_lane(expOf(f32x4.splat(v)), 0);
}

/** exp(x - top) of a row, written to `to`, and their sum. */
// @ts-ignore: decorator
@inline
function exponentials(to: usize, x: usize, n: usize, top: f32): f32 {
  let sums = f32x4.splat(0);
  const shift = f32x4.splat(top);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const e = expOf(f32x4.sub(v128.load(x + i * 4), shift));
    v128.store(to + i * 4, e);
    sums = f32x4.add(sums, e);
  }
  let sum =
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  for (; i < n; i++) {
    const e = expScalar(load<f32>(x + i * 4) - top);
    store<f32>(to + i * 4, e);
    sum += e;
  }
  return sum;
}

/** exp(x) / sum(exp(x)) of each row. */
export function softmax(to: usize, x: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, x += n * 4) {
    const sum = exponentials(to, x, n, largest(x, n));
    const scale = f32x4.splat(<f32>1 / sum);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) v128.store(to + i * 4, f32x4.mul(v128.load(to + i * 4), scale));
    for (; i < n; i++) store<f32>(to + i * 4, load<f32>(to + i * 4) / sum);
  }
}

/** y (g - sum(g y)) of each row: the gradient of softmax, where y is its result. */
export function softmaxGradient(to: usize, g: usize, y: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, g += n * 4, y += n * 4) {
    let sums = f32x4.splat(0);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) sums = madd(v128.load(g + i * 4), v128.load(y + i * 4), sums);
    let sum =
      f32x4.extract_lane(sums, 0) +
      f32x4.extract_lane(sums, 1) +
      (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
    for (; i < n; i++) sum += load<f32>(g + i * 4) * load<f32>(y + i * 4);
    const s = f32x4.splat(sum);
    i = 0;
    for (; i + 4 <= n; i += 4)
      v128.store(to + i * 4, f32x4.mul(v128.load(y + i * 4), f32x4.sub(v128.load(g + i * 4), s)));
    for (; i < n; i++) store<f32>(to + i * 4, load<f32>(y + i * 4) * (load<f32>(g + i * 4) - sum));
  }
}
