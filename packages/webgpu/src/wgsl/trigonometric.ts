/** Trigonometric functions. */
export const trigonometric = {
  // WGSL allows errors of 5e-4 in sin and cos. This returns the remainder of x by π/2 and the number of multiples
  // modulo 4. Near 0 the multiples are subtracted in three parts of few digits, so that products are exact.
  quarter: `fn quarter(x: f32) -> vec2f {
  if (abs(x) > 30000.0) { return far_quarter(x); }
  let n = round(x * 0.63661975);
  return vec2f(((x - n * 1.5703125) - n * 0.0004837512969970703) - n * 7.549790e-8, f32(i32(n) & 3));
}`,
  // The same far from 0 (Payne and Hanek, 1983): x times the digits of 1 / (2π) that matter, in integers.
  far_quarter: `const of_turn = array<u32, 7>(0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u, 0x7f9458eau);
fn far_quarter(x: f32) -> vec2f {
  var digits = of_turn;
  let word = bitcast<u32>(x);
  let e = ((word >> 23u) & 255u) - 126u;
  let m = (word << 8u) | 0x80000000u;
  let at = e >> 5u;
  let shift = e & 31u;
  var high = 0u;
  if (at > 0u) { high = digits[at - 1u]; }
  var mid = digits[at];
  var low = digits[at + 1u];
  if (shift > 0u) {
    high = (high << shift) | (mid >> (32u - shift));
    mid = (mid << shift) | (low >> (32u - shift));
    low = (low << shift) | (digits[at + 2u] >> (32u - shift));
  }
  // 64 bits of the fraction of a turn: the first two are quarters.
  let carried = high_product(m, low);
  var second = m * mid + carried;
  var first = m * high + high_product(m, mid) + select(0u, 1u, second < carried);
  var k = first >> 30u;
  first &= 0x3fffffffu;
  let isOver = first >= 0x20000000u;
  if (isOver) {
    k++;
    first = 0x3fffffffu - first + select(0u, 1u, second == 0u);
    second = ~second + 1u;
  }
  let size = (f32(first) * 4294967296.0 + f32(second)) * 3.4061216e-19;
  let r = select(size, -size, isOver != is_negative(x));
  return vec2f(r, f32(select(k, 4u - k, is_negative(x)) & 3u));
}`,
  // The upper 32 bits of a product.
  high_product: `fn high_product(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let mid = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (mid & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (mid >> 16u) + (other >> 16u);
}`,
  sin_near:
    'fn sin_near(r: f32) -> f32 { let z = r * r; return r + r * z * (-0.16666667 + z * (0.008333333 + z * (-0.00019841270 + z * 2.7557319e-6))); }',
  cos_near:
    'fn cos_near(r: f32) -> f32 { let z = r * r; return 1.0 + z * (-0.5 + z * (0.041666668 + z * (-0.0013888889 + z * (0.000024801588 - z * 2.7557319e-7)))); }',
  sin_of: 'fn sin_of(x: f32) -> f32 { if (x == 0.0) { return x; } return sin_ahead(x, 0); }',
  cos_of: 'fn cos_of(x: f32) -> f32 { return sin_ahead(x, 1); }',
  // The sine of x plus a number of quarter turns.
  sin_ahead: `fn sin_ahead(x: f32, quarters: i32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return not_a_number(); }
  let q = quarter(x);
  let k = (i32(q.y) + quarters) & 3;
  let y = select(sin_near(q.x), cos_near(q.x), (k & 1) == 1);
  return select(y, -y, k >= 2);
}`,
  asin_of:
    'fn asin_of(x: f32) -> f32 { if (!(abs(x) <= 1.0)) { return not_a_number(); } return atan2_of(x, sqrt((1.0 - x) * (1.0 + x))); }',
  acos_of:
    'fn acos_of(x: f32) -> f32 { if (!(abs(x) <= 1.0)) { return not_a_number(); } return atan2_of(sqrt((1.0 - x) * (1.0 + x)), x); }',
  atan_of: `fn atan_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  // Reduce to at most tan(π/8), where the series is short.
  let a = abs(x);
  var y = 0.0;
  var t = a;
  if (a > 2.4142135) { y = 1.5707964; t = -1.0 / a; } else if (a > 0.41421357) { y = 0.7853982; t = (a - 1.0) / (a + 1.0); }
  let z = t * t;
  y += t * (1.0 + z * (-0.33333334 + z * (0.2 + z * (-0.14285715 + z * (0.11111111 + z * (-0.09090909 + z * 0.07692308))))));
  return select(y, -y, is_negative(x));
}`,
  atan2_of: `fn atan2_of(y: f32, x: f32) -> f32 {
  if (is_nan(x) || is_nan(y)) { return not_a_number(); }
  let a = abs(y);
  let b = abs(x);
  var angle = 0.0;
  if (is_infinite(a) && is_infinite(b)) { angle = 0.7853982; }
  else if (a > b) { angle = 1.5707964 - atan_of(b / a); }
  else if (b > 0.0) { angle = atan_of(a / b); }
  if (is_negative(x)) { angle = 3.1415927 - angle; }
  return select(angle, -angle, is_negative(y));
}`,
  // The sine of π x, from the fraction of x.
  sin_pi: `fn sin_pi(x: f32) -> f32 {
  let n = round(x);
  let s = sin_of(3.1415927 * (x - n));
  return select(s, -s, (n * 0.5) != floor(n * 0.5));
}`,
  sinc_slope: `fn sinc_slope(v: f32, n: f32) -> f32 {
  let z = 3.1415927 * v;
  let scale = power(3.1415927, n);
  let order = i32(n);
  if (abs(z) < n + 1.0) {
    var sum = 0.0;
    for (var k = (order + 1) / 2; k < 20; k++) {
      var term = select(-1.0, 1.0, k % 2 == 0);
      for (var i = 1; i <= 2 * k - order; i++) { term *= z / f32(i); }
      sum += term / f32(2 * k + 1);
    }
    return scale * sum;
  }
  var value = sin_of(z) / z;
  for (var i = 1; i <= order; i++) { value = (sin_of(z + f32(i) * 1.5707964) - f32(i) * value) / z; }
  return scale * value;
}`,
};
