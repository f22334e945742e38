// Reductions of rows of `n` float32 elements. Sums are of float64, as PyTorch's are, and written as such.
import { firstLanes, storeFirst } from './lanes';
import { sum } from './rows';

/** The sum of each row. */
export function rowSums(to: usize, x: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += 8, x += n * 4) store<f64>(to, sum(x, n));
}

/** The sum of each row, and that of its squares. */
export function rowMoments(to: usize, x: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += 16, x += n * 4) {
    let a = f64x2.splat(0), b = a, c = a, d = a;
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) {
      const p = f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4));
      const q = f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 8));
      a = f64x2.add(a, p);
      b = f64x2.add(b, q);
      c = f64x2.add(c, f64x2.mul(p, p));
      d = f64x2.add(d, f64x2.mul(q, q));
    }
    a = f64x2.add(a, b);
    c = f64x2.add(c, d);
    let total = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
    let squares = f64x2.extract_lane(c, 0) + f64x2.extract_lane(c, 1);
    for (; i < n; i++) {
      const v = <f64>load<f32>(x + i * 4);
      total += v;
      squares += v * v;
    }
    store<f64>(to, total);
    store<f64>(to, squares, 8);
  }
}

/** The sum of (x - mean)² of each row, whose mean is float64. */
export function centeredSquares(to: usize, x: usize, means: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, to += 8, means += 8, x += n * 4) {
    const mean = load<f64>(means);
    const m = f64x2.splat(mean);
    let a = f64x2.splat(0), b = a;
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) {
      const p = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4)), m);
      const q = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 8)), m);
      a = f64x2.add(a, f64x2.mul(p, p));
      b = f64x2.add(b, f64x2.mul(q, q));
    }
    a = f64x2.add(a, b);
    let total = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
    for (; i < n; i++) {
      const v = <f64>load<f32>(x + i * 4) - mean;
      total += v * v;
    }
    store<f64>(to, total);
  }
}

/** The sum of each of `n` columns over each of `blocks` blocks of `rows` rows. */
export function columnSums(to: usize, x: usize, blocks: usize, rows: usize, n: usize): void {
  const step = n * 4;
  for (let k: usize = 0; k < blocks; k++, x += rows * step, to += n * 8) {
    let j: usize = 0;
    for (; j + 8 <= n; j += 8) {
      let a = f64x2.splat(0), b = a, c = a, d = a;
      let from = x + j * 4;
      for (let r: usize = 0; r < rows; r++, from += step) {
        a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(from)));
        b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(from, 8)));
        c = f64x2.add(c, f64x2.promote_low_f32x4(v128.load64_zero(from, 16)));
        d = f64x2.add(d, f64x2.promote_low_f32x4(v128.load64_zero(from, 24)));
      }
      v128.store(to + j * 8, a);
      v128.store(to + j * 8, b, 16);
      v128.store(to + j * 8, c, 32);
      v128.store(to + j * 8, d, 48);
    }
    for (; j + 2 <= n; j += 2) {
      let a = f64x2.splat(0);
      let from = x + j * 4;
      for (let r: usize = 0; r < rows; r++, from += step)
        a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(from)));
      v128.store(to + j * 8, a);
    }
    if (j < n) {
      let total: f64 = 0;
      let from = x + j * 4;
      for (let r: usize = 0; r < rows; r++, from += step) total += <f64>load<f32>(from);
      store<f64>(to + j * 8, total);
    }
  }
}

/** The largest element of a row after its bits are XORed with `flip`, 0 or the sign bit; NaN if there is one. */
// @ts-ignore: decorator
@inline
function top(x: usize, n: usize, flip: u32): f32 {
  const f = i32x4.splat(flip);
  let a = f32x4.splat(-Infinity), b = a, nan = i32x4.splat(0);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const p = v128.load(x + i * 4), q = v128.load(x + i * 4, 16);
    nan = v128.or(nan, v128.or(f32x4.ne(p, p), f32x4.ne(q, q)));
    a = f32x4.pmax(a, v128.xor(p, f));
    b = f32x4.pmax(b, v128.xor(q, f));
  }
  for (; i < n; i += 4) {
    let p = v128.load(x + i * 4);
    // Lanes after the end repeat the first element.
    if (n - i < 4) p = v128.bitselect(p, v128.load_splat<f32>(x), firstLanes(n - i));
    nan = v128.or(nan, f32x4.ne(p, p));
    a = f32x4.pmax(a, v128.xor(p, f));
  }
  if (v128.any_true(nan)) return NaN;
  a = f32x4.pmax(a, b);
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
}

/** The largest element of each row, or with the sign bit as `flip` the smallest; NaN counts as either. */
export function rowExtrema(to: usize, x: usize, rows: usize, n: usize, flip: u32): void {
  for (let r: usize = 0; r < rows; r++, to += 4, x += n * 4)
    store<u32>(to, reinterpret<u32>(top(x, n, flip)) ^ flip);
}

/** The index in each row of the first extremum. */
export function rowPlaces(to: usize, x: usize, rows: usize, n: usize, flip: u32): void {
  for (let r: usize = 0; r < rows; r++, to += 4, x += n * 4) {
    const best = top(x, n, flip);
    const wanted = f32x4.splat(reinterpret<f32>(reinterpret<u32>(best) ^ flip));
    const isNaN = best != best;
    // In a vector that extends beyond the row, lanes of the row are found first.
    for (let i: usize = 0; i < n; i += 4) {
      const v = v128.load(x + i * 4);
      const hits = i32x4.bitmask(isNaN ? f32x4.ne(v, v) : f32x4.eq(v, wanted));
      if (hits != 0) {
        store<u32>(to, <u32>i + ctz(hits));
        break;
      }
    }
  }
}

/** The largest or smallest element of each of `n` columns of each of `blocks` blocks, and the index of the first row with it. */
export function columnExtrema(
  values: usize, indices: usize, x: usize, blocks: usize, rows: usize, n: usize, flip: u32,
): void {
  const f = i32x4.splat(flip);
  const step = n * 4;
  for (let k: usize = 0; k < blocks; k++, x += rows * step, values += step, indices += step)
    for (let j: usize = 0; j < n; j += 4) {
      let from = x + j * 4;
      let best = v128.xor(v128.load(from), f);
      let at = i32x4.splat(0);
      for (let r: usize = 1; r < rows; r++) {
        from += step;
        const v = v128.xor(v128.load(from), f);
        // NaN replaces a number.
        const take = v128.or(f32x4.gt(v, best), v128.and(f32x4.ne(v, v), f32x4.eq(best, best)));
        best = v128.bitselect(v, best, take);
        at = v128.bitselect(i32x4.splat(<i32>r), at, take);
      }
      best = v128.xor(best, f);
      if (n - j >= 4) {
        v128.store(values + j * 4, best);
        v128.store(indices + j * 4, at);
      } else {
        storeFirst(values + j * 4, best, n - j);
        storeFirst(indices + j * 4, at, n - j);
      }
    }
}
