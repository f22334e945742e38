// Parts of vectors, and maxima of rows of float32 elements whose length is not a multiple of four.

/** The four lanes' sum. */
// @ts-ignore: decorator
@inline
export function sumOfLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** A mask of the first `count` lanes, 1 to 3. */
// @ts-ignore: decorator
@inline
export function firstLanes(count: usize): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(<i32>count));
}

/** Writes the first `count` lanes, 1 to 3, and nothing after them: that may be another thread's row. */
// @ts-ignore: decorator
@inline
export function storeFirst(to: usize, v: v128, count: usize): void {
  v128.store_lane<f32>(to, v, 0);
  if (count > 1) v128.store_lane<f32>(to, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(to, v, 2, 8);
}

/** The largest element of a row that is a number. A NaN makes all exponentials' sum NaN, whatever they are shifted by. */
// @ts-ignore: decorator
@inline
export function largest(x: usize, n: usize): f32 {
  let a = f32x4.splat(-Infinity), b = a, c = a, d = a;
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    a = f32x4.pmax(a, v128.load(x + i * 4));
    b = f32x4.pmax(b, v128.load(x + i * 4, 16));
    c = f32x4.pmax(c, v128.load(x + i * 4, 32));
    d = f32x4.pmax(d, v128.load(x + i * 4, 48));
  }
  for (; i + 4 <= n; i += 4) a = f32x4.pmax(a, v128.load(x + i * 4));
  if (i < n) a = f32x4.pmax(a, v128.bitselect(v128.load(x + i * 4), a, firstLanes(n - i)));
  a = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
}
