// Sums and standardisation over rows of float32 elements. Sums are of float64, as PyTorch's are.

/** The sum of `n` elements. */
export function sum(x: usize, n: usize): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0), c = f64x2.splat(0), d = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4)));
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 8)));
    c = f64x2.add(c, f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 16)));
    d = f64x2.add(d, f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 24)));
  }
  const v = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let total = f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
  for (; i < n; i++) total += <f64>load<f32>(x + i * 4);
  return total;
}

/** The sum of products of the elements of `x` and `y`. */
// @ts-ignore: decorator
@inline
function dot(x: usize, y: usize, n: usize): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const p = f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4));
    const q = f64x2.promote_low_f32x4(v128.load64_zero(y + i * 4));
    a = f64x2.add(a, f64x2.mul(p, q));
    const r = f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 8));
    const s = f64x2.promote_low_f32x4(v128.load64_zero(y + i * 4, 8));
    b = f64x2.add(b, f64x2.mul(r, s));
  }
  const v = f64x2.add(a, b);
  let total = f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
  for (; i < n; i++) total += <f64>load<f32>(x + i * 4) * <f64>load<f32>(y + i * 4);
  return total;
}

/** (x - mean) scale of each row, where scale is 1 / sqrt(var + eps); mean and scale are written out, one for each row. */
export function standardize(
  to: usize, means: usize, scales: usize, x: usize, rows: usize, n: usize, eps: f64,
): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, x += n * 4, means += 4, scales += 4) {
    const mean = sum(x, n) / <f64>n;
    const shift = f32x4.splat(<f32>mean);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) v128.store(to + i * 4, f32x4.sub(v128.load(x + i * 4), shift));
    for (; i < n; i++) store<f32>(to + i * 4, load<f32>(x + i * 4) - <f32>mean);
    const scale = <f32>(1 / Math.sqrt(dot(to, to, n) / <f64>n + eps));
    const s = f32x4.splat(scale);
    for (i = 0; i + 4 <= n; i += 4) v128.store(to + i * 4, f32x4.mul(v128.load(to + i * 4), s));
    for (; i < n; i++) store<f32>(to + i * 4, load<f32>(to + i * 4) * scale);
    store<f32>(means, <f32>mean);
    store<f32>(scales, scale);
  }
}

/** The gradient of `standardize` for x. */
export function standardizeGradient(
  to: usize, g: usize, x: usize, means: usize, scales: usize, rows: usize, n: usize,
): void {
  for (let r: usize = 0; r < rows; r++, to += n * 4, g += n * 4, x += n * 4, means += 4, scales += 4) {
    const mean = load<f32>(means), scale = load<f32>(scales);
    const total = sum(g, n) / <f64>n;
    const product = centeredDot(g, x, n, <f64>mean) / <f64>n;
    const a = f32x4.splat(<f32>total), m = f32x4.splat(mean), s = f32x4.splat(scale);
    const b = <f32>(product * <f64>scale * <f64>scale), k = f32x4.splat(b);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) {
      const slope = f32x4.mul(f32x4.sub(v128.load(x + i * 4), m), k);
      v128.store(to + i * 4, f32x4.mul(f32x4.sub(f32x4.sub(v128.load(g + i * 4), a), slope), s));
    }
    for (; i < n; i++)
      store<f32>(to + i * 4, (load<f32>(g + i * 4) - <f32>total - (load<f32>(x + i * 4) - mean) * b) * scale);
  }
}

/** The sum of g (x - mean). */
// @ts-ignore: decorator
@inline
function centeredDot(g: usize, x: usize, n: usize, mean: f64): f64 {
  const m = f64x2.splat(mean);
  let a = f64x2.splat(0), b = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const p = f64x2.promote_low_f32x4(v128.load64_zero(g + i * 4));
    const q = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4)), m);
    a = f64x2.add(a, f64x2.mul(p, q));
    const r = f64x2.promote_low_f32x4(v128.load64_zero(g + i * 4, 8));
    const s = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4, 8)), m);
    b = f64x2.add(b, f64x2.mul(r, s));
  }
  const v = f64x2.add(a, b);
  let total = f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
  for (; i < n; i++) total += <f64>load<f32>(g + i * 4) * (<f64>load<f32>(x + i * 4) - mean);
  return total;
}
