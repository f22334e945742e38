// Softmax over rows of `n` float32 elements, its logarithm, and the cross entropy with target classes.
import { expOf, writeExp } from './elementwise';
import { madd } from './fma';
import { firstLanes, largest, storeFirst, sumOfLanes } from './lanes';
import { logOf, logScalar } from './log';

/** exp(x - top) of a row, written to `to`, and their sum. */
// @ts-ignore: decorator
@inline
function exponentials(to: usize, x: usize, n: usize, top: f32): f32 {
  let sums = f32x4.splat(0);
  const shift = f32x4.splat(top);
  let others = f32x4.splat(0);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const at = to + i * 4;
    writeExp(at, f32x4.sub(v128.load(x + i * 4), shift), f32x4.sub(v128.load(x + i * 4, 16), shift));
    sums = f32x4.add(sums, v128.load(at));
    others = f32x4.add(others, v128.load(at, 16));
  }
  sums = f32x4.add(sums, others);
  for (; i + 4 <= n; i += 4) {
    const e = expOf(f32x4.sub(v128.load(x + i * 4), shift));
    v128.store(to + i * 4, e);
    sums = f32x4.add(sums, e);
  }
  if (i < n) {
    const e = expOf(f32x4.sub(v128.load(x + i * 4), shift));
    storeFirst(to + i * 4, e, n - i);
    sums = f32x4.add(sums, v128.and(e, firstLanes(n - i)));
  }
  return sumOfLanes(sums);
}

/** The same, but not written. */
// @ts-ignore: decorator
@inline
function sumOfExponentials(x: usize, n: usize, top: f32): f32 {
  let sums = f32x4.splat(0);
  const shift = f32x4.splat(top);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) sums = f32x4.add(sums, expOf(f32x4.sub(v128.load(x + i * 4), shift)));
  if (i < n) sums = f32x4.add(sums, v128.and(expOf(f32x4.sub(v128.load(x + i * 4), shift)), firstLanes(n - i)));
  return sumOfLanes(sums);
}

/** Softmax of one row, whose largest element and sum of exponentials are written out. */
// @ts-ignore: decorator
@inline
function softmaxRow(to: usize, x: usize, n: usize, top: f32): f32 {
  const sum = exponentials(to, x, n, top);
  const scale = f32x4.splat(<f32>1 / sum);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) v128.store(to + i * 4, f32x4.mul(v128.load(to + i * 4), scale));
  if (i < n) storeFirst(to + i * 4, f32x4.mul(v128.load(to + i * 4), scale), n - i);
  return sum;
}

/** exp(x) / sum(exp(x)) of each row. */
export function softmax(to: usize, x: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, x += n * 4) softmaxRow(to, x, n, largest(x, n));
}

/** Softmax of `scale` x over the first elements of each row, as many as its limit; 0 after them. */
export function limitedSoftmax(to: usize, x: usize, limits: usize, rows: usize, n: usize, scale: f32): void {
  const s = f32x4.splat(scale);
  for (let r: usize = 0; r < rows; r++, to += n * 4, x += n * 4, limits += 4) {
    const limit = <usize>min(load<u32>(limits), <u32>n);
    let i: usize = 0;
    for (; i + 4 <= limit; i += 4) v128.store(to + i * 4, f32x4.mul(v128.load(x + i * 4), s));
    if (i < limit) storeFirst(to + i * 4, f32x4.mul(v128.load(x + i * 4), s), limit - i);
    softmaxRow(to, to, limit, largest(to, limit));
    memory.fill(to + limit * 4, 0, (n - limit) * 4);
  }
}

/** scale y (g - sum(g y)) of each row: the gradient of softmax, where y is its result. */
export function softmaxGradient(to: usize, g: usize, y: usize, rows: usize, n: usize, scale: f32): void {
  const k = f32x4.splat(scale);
  for (let r: usize = 0; r < rows; r++, to += n * 4, g += n * 4, y += n * 4) {
    let sums = f32x4.splat(0);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) sums = madd(v128.load(g + i * 4), v128.load(y + i * 4), sums);
    if (i < n) {
      const products = f32x4.mul(v128.load(g + i * 4), v128.load(y + i * 4));
      sums = f32x4.add(sums, v128.and(products, firstLanes(n - i)));
    }
    const s = f32x4.splat(sumOfLanes(sums));
    for (i = 0; i + 4 <= n; i += 4) {
      const slope = f32x4.mul(v128.load(y + i * 4), f32x4.sub(v128.load(g + i * 4), s));
      v128.store(to + i * 4, f32x4.mul(slope, k));
    }
    if (i < n) {
      const slope = f32x4.mul(v128.load(y + i * 4), f32x4.sub(v128.load(g + i * 4), s));
      storeFirst(to + i * 4, f32x4.mul(slope, k), n - i);
    }
  }
}

/** log(softmax(x)) of each row. */
export function logSoftmax(to: usize, x: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, x += n * 4) {
    const top = largest(x, n);
    const t = f32x4.splat(top), l = f32x4.splat(logScalar(sumOfExponentials(x, n, top)));
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) v128.store(to + i * 4, f32x4.sub(f32x4.sub(v128.load(x + i * 4), t), l));
    if (i < n) storeFirst(to + i * 4, f32x4.sub(f32x4.sub(v128.load(x + i * 4), t), l), n - i);
  }
}

/** scale (g - exp(y) sum(g)) of each row: the gradient of logSoftmax, where y is its result. */
export function logSoftmaxGradient(to: usize, g: usize, y: usize, rows: usize, n: usize, scale: f32): void {
  const k = f32x4.splat(scale);
  for (let r: usize = 0; r < rows; r++, to += n * 4, g += n * 4, y += n * 4) {
    let sums = f32x4.splat(0);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) sums = f32x4.add(v128.load(g + i * 4), sums);
    if (i < n) sums = f32x4.add(sums, v128.and(v128.load(g + i * 4), firstLanes(n - i)));
    const s = f32x4.splat(-sumOfLanes(sums));
    for (i = 0; i + 4 <= n; i += 4)
      v128.store(to + i * 4, f32x4.mul(madd(expOf(v128.load(y + i * 4)), s, v128.load(g + i * 4)), k));
    if (i < n) storeFirst(to + i * 4, f32x4.mul(madd(expOf(v128.load(y + i * 4)), s, v128.load(g + i * 4)), k), n - i);
  }
}

/** log(sum(exp(x))) of each row; a row with an infinity is not shifted by it. */
export function logsumexp(to: usize, x: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += 4, x += n * 4) {
    let top = largest(x, n);
    if (Math.abs(top) == Infinity) top = 0;
    store<f32>(to, logScalar(sumOfExponentials(x, n, top)) + top);
  }
}

/**
 * The softmax `p` of each row of scores, and its loss, -log(p) of the row's class. For rows with a class below 0 the loss
 * is 0.
 */
export function crossEntropy(losses: usize, p: usize, x: usize, classes: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, losses += 4, classes += 4, p += n * 4, x += n * 4) {
    const top = largest(x, n);
    const log = logScalar(softmaxRow(p, x, n, top));
    const at = load<i32>(classes);
    store<f32>(losses, at < 0 ? 0 : log - (load<f32>(x + ((<usize>at) << 2)) - top));
  }
}

/** The gradient of `crossEntropy` for the scores, from that of each loss: (p - 1 for the class) g. */
export function crossEntropyGradient(to: usize, p: usize, g: usize, classes: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, g += 4, classes += 4, p += n * 4, to += n * 4) {
    const at = load<i32>(classes);
    if (at < 0) {
      memory.fill(to, 0, n * 4);
      continue;
    }
    const scale = load<f32>(g);
    const s = f32x4.splat(scale);
    const score = load<f32>(p + ((<usize>at) << 2));
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) v128.store(to + i * 4, f32x4.mul(v128.load(p + i * 4), s));
    if (i < n) storeFirst(to + i * 4, f32x4.mul(v128.load(p + i * 4), s), n - i);
    store<f32>(to + ((<usize>at) << 2), (score - 1) * scale);
  }
}

/** Writes as many lanes as there are columns left, at most four. */
// @ts-ignore: decorator
@inline
function storeColumns(to: usize, v: v128, columns: usize): void {
  if (columns >= 4) v128.store(to, v);
  else storeFirst(to, v, columns);
}

/** Softmax of each column of each of `blocks` blocks of `n` rows of `inner` elements, or its logarithm. */
export function softmaxColumns(to: usize, x: usize, blocks: usize, n: usize, inner: usize, log: bool): void {
  const step = inner * 4, size = n * step;
  for (let b: usize = 0; b < blocks; b++, to += size, x += size)
    for (let k: usize = 0; k < inner; k += 4) {
      const from = x + k * 4, at = to + k * 4;
      let top = f32x4.splat(-Infinity);
      for (let i: usize = 0; i < size; i += step) top = f32x4.pmax(top, v128.load(from + i));
      let sum = f32x4.splat(0);
      for (let i: usize = 0; i < size; i += step) {
        const e = expOf(f32x4.sub(v128.load(from + i), top));
        sum = f32x4.add(sum, e);
        if (!log) storeColumns(at + i, e, inner - k);
      }
      if (log) {
        const l = logOf(sum);
        for (let i: usize = 0; i < size; i += step)
          storeColumns(at + i, f32x4.sub(f32x4.sub(v128.load(from + i), top), l), inner - k);
      } else {
        const scale = f32x4.div(f32x4.splat(1), sum);
        for (let i: usize = 0; i < size; i += step)
          storeColumns(at + i, f32x4.mul(v128.load(at + i), scale), inner - k);
      }
    }
}

/** The gradient of `softmaxColumns`, where y is its result; that of softmax itself times `scale`. */
export function softmaxColumnsGradient(
  to: usize, g: usize, y: usize, blocks: usize, n: usize, inner: usize, log: bool, scale: f32,
): void {
  const step = inner * 4, size = n * step, factor = f32x4.splat(scale);
  for (let b: usize = 0; b < blocks; b++, to += size, g += size, y += size)
    for (let k: usize = 0; k < inner; k += 4) {
      const gs = g + k * 4, ys = y + k * 4, at = to + k * 4;
      let sum = f32x4.splat(0);
      for (let i: usize = 0; i < size; i += step) {
        const d = v128.load(gs + i);
        sum = log ? f32x4.add(sum, d) : madd(d, v128.load(ys + i), sum);
      }
      for (let i: usize = 0; i < size; i += step) {
        const d = v128.load(gs + i), v = v128.load(ys + i);
        const slope = log ? f32x4.sub(d, f32x4.mul(expOf(v), sum)) : f32x4.mul(v, f32x4.sub(d, sum));
        storeColumns(at + i, f32x4.mul(slope, factor), inner - k);
      }
    }
}
