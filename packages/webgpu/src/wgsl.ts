import { specialHelpers } from './special.js';

// Shared WGSL functions. A program includes those that it calls, and those that they call.

const helpers: Readonly<Record<string, string>> = {
  ...specialHelpers,
  // Compilers may assume that there is no NaN and no infinity, and reject constants of them. So these are made from
  // bits in a variable, and detected by their bits.
  infinity: `var<private> infinity_bits: u32 = 0x7f800000u;
fn infinity() -> f32 { return bitcast<f32>(infinity_bits); }`,
  not_a_number: `var<private> nan_bits: u32 = 0x7fc00000u;
fn not_a_number() -> f32 { return bitcast<f32>(nan_bits); }`,
  is_nan: 'fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }',
  is_infinite: 'fn is_infinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }',
  is_negative: 'fn is_negative(x: f32) -> bool { return (bitcast<u32>(x) & 0x80000000u) != 0u; }',
  // Truncates; NaN becomes 0.
  to_int:
    'fn to_int(x: f32) -> i32 { if (is_nan(x)) { return 0; } return i32(clamp(x, -2147483648.0, 2147483520.0)); }',
  to_bool: 'fn to_bool(x: f32) -> i32 { return select(0, 1, is_nan(x) || x != 0.0); }',
  // Rounds to nearest, ties to even, as `tensor/coding.ts` of core does.
  to_bfloat16: `fn to_bfloat16(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let word = bitcast<u32>(x);
  return bitcast<f32>((word + 0x7fffu + ((word >> 16u) & 1u)) & 0xffff0000u);
}`,
  to_float16: `fn to_float16(x: f32) -> f32 {
  let word = bitcast<u32>(x);
  let size = word & 0x7fffffffu;
  let sign = word & 0x80000000u;
  if (size > 0x7f800000u) { return x; }
  if (size >= 0x47800000u) { return bitcast<f32>(sign | 0x7f800000u); }
  if (size >= 0x38800000u) {
    let rounded = (size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u;
    if (rounded >= 0x47800000u) { return bitcast<f32>(sign | 0x7f800000u); }
    return bitcast<f32>(sign | rounded);
  }
  let small = round(bitcast<f32>(size) * 16777216.0) / 16777216.0;
  return bitcast<f32>(sign | bitcast<u32>(small));
}`,
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
  sin_of: 'fn sin_of(x: f32) -> f32 { return sin_ahead(x, 0); }',
  cos_of: 'fn cos_of(x: f32) -> f32 { return sin_ahead(x, 1); }',
  // The sine of x plus a number of quarter turns.
  sin_ahead: `fn sin_ahead(x: f32, quarters: i32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return not_a_number(); }
  let q = quarter(x);
  let k = (i32(q.y) + quarters) & 3;
  let y = select(sin_near(q.x), cos_near(q.x), (k & 1) == 1);
  return select(y, -y, k >= 2);
}`,
  tanh_of: 'fn tanh_of(x: f32) -> f32 { if (is_nan(x)) { return x; } return tanh(clamp(x, -15.0, 15.0)); }',
  exp_of: `fn exp_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x > 88.72283) { return infinity(); }
  if (x < -103.9) { return 0.0; }
  // The error of exp grows with its argument, so that a power of two is taken out of it.
  let n = round(x * 1.442695);
  let y = exp((x - n * 0.693359375) + n * 0.00021219444);
  let half = i32(n) / 2;
  return ldexp(ldexp(y, half), i32(n) - half);
}`,
  log_of: `fn log_of(x: f32) -> f32 {
  if (is_nan(x) || x == infinity()) { return x; }
  if (x == 0.0) { return -infinity(); }
  if (x < 0.0) { return not_a_number(); }
  return log(x);
}`,
  sqrt_of: `fn sqrt_of(x: f32) -> f32 {
  if (is_nan(x) || x == infinity()) { return x; }
  if (x < 0.0) { return not_a_number(); }
  return sqrt(x);
}`,
  expm1: `fn expm1(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (abs(x) < 0.35) {
    return x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334 + x * (0.0013888889 + x * 0.0001984127))))));
  }
  return exp_of(x) - 1.0;
}`,
  log1p: `fn log1p(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (abs(x) < 0.25) {
    // log(1 + x) = 2 artanh(x / (2 + x))
    let s = x / (2.0 + x);
    let r = s * s;
    return 2.0 * s * (1.0 + r * (0.33333334 + r * (0.2 + r * (0.14285715 + r * 0.11111111))));
  }
  return log_of(1.0 + x);
}`,
  sigmoid:
    'fn sigmoid(x: f32) -> f32 { if (x < 0.0) { let e = exp_of(x); return e / (1.0 + e); } return 1.0 / (1.0 + exp_of(-x)); }',
  sinh_of:
    'fn sinh_of(x: f32) -> f32 { if (abs(x) > 1.0) { return 0.5 * (exp_of(x) - exp_of(-x)); } let e = expm1(x); return 0.5 * (e + e / (e + 1.0)); }',
  asinh_of: `fn asinh_of(x: f32) -> f32 {
  let a = abs(x);
  if (is_nan(x) || is_infinite(x)) { return x; }
  let y = select(log1p(a + a * a / (1.0 + sqrt(a * a + 1.0))), log(a) + 0.6931472, a > 1e8);
  return select(y, -y, is_negative(x));
}`,
  acosh_of: `fn acosh_of(x: f32) -> f32 {
  if (!(x >= 1.0)) { return not_a_number(); }
  if (x > 1e8) { return log_of(x) + 0.6931472; }
  let t = x - 1.0;
  return log1p(t + sqrt(2.0 * t + t * t));
}`,
  atanh_of: `fn atanh_of(x: f32) -> f32 {
  if (!(abs(x) <= 1.0)) { return not_a_number(); }
  let a = abs(x);
  if (a == 1.0) { return select(infinity(), -infinity(), x < 0.0); }
  let y = 0.5 * log1p(2.0 * a / (1.0 - a));
  return select(y, -y, is_negative(x));
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
  // The exact remainder of a division, with the sign of x: WGSL's % loses digits for large quotients.
  fmod_of: `fn fmod_of(x: f32, y: f32) -> f32 {
  if (is_nan(x) || is_nan(y) || is_infinite(x) || y == 0.0) { return not_a_number(); }
  if (is_infinite(y)) { return x; }
  let b = abs(y);
  var a = abs(x);
  while (a >= b) {
    let e = exponent_of(a) - exponent_of(b);
    var step = scaled(b, e);
    if (step > a) { step = scaled(b, e - 1); }
    a -= step;
  }
  return select(a, -a, is_negative(x));
}`,
  exponent_of: 'fn exponent_of(x: f32) -> i32 { return frexp(x).exp; }',
  scaled: 'fn scaled(x: f32, e: i32) -> f32 { return ldexp(x, e); }',
  remainder_of: `fn remainder_of(x: f32, y: f32) -> f32 {
  let r = fmod_of(x, y);
  if (r != 0.0 && (r < 0.0) != (y < 0.0)) { return r + y; }
  return r;
}`,
  floor_divide: `fn floor_divide(x: f32, y: f32) -> f32 {
  if (y == 0.0) {
    if (is_nan(x) || x == 0.0) { return not_a_number(); }
    return select(infinity(), -infinity(), is_negative(x) != is_negative(y));
  }
  let r = fmod_of(x, y);
  if (is_nan(r)) { return r; }
  let q = (x - r) / y - select(0.0, 1.0, r != 0.0 && (y < 0.0) != (r < 0.0));
  if (q == 0.0) { return select(0.0, -0.0, is_negative(x) != is_negative(y)); }
  let whole = floor(q);
  return select(whole, whole + 1.0, q - whole > 0.5);
}`,
  power: `fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0 || (a == -1.0 && is_infinite(b))) { return 1.0; }
  if (is_nan(a) || is_nan(b)) { return not_a_number(); }
  if (b == 1.0) { return a; }
  if (b == 2.0) { return a * a; }
  if (b == 3.0) { return a * a * a; }
  if (b == -1.0) { return divided(1.0, a); }
  if (b == -2.0) { return divided(1.0, a * a); }
  let isWhole = floor(b) == b;
  let isOdd = isWhole && abs(b) < 16777216.0 && (i32(b) & 1) == 1;
  let m = abs(a);
  var y = 0.0;
  if (m == 0.0) { y = select(0.0, infinity(), b < 0.0); }
  else if (is_infinite(m)) { y = select(infinity(), 0.0, b < 0.0); }
  else if (is_infinite(b)) { y = select(0.0, infinity(), (m > 1.0) == (b > 0.0)); if (m == 1.0) { y = 1.0; } }
  else if (b == 0.5) { y = sqrt(m); }
  else if (isWhole && abs(b) <= 64.0) {
    var rest = u32(abs(b));
    var square = m;
    y = 1.0;
    while (rest > 0u) {
      if ((rest & 1u) == 1u) { y *= square; }
      square *= square;
      rest >>= 1u;
    }
    if (b < 0.0) { y = divided(1.0, y); }
  } else {
    // The logarithm in two parts, so that b does not multiply its rounding error.
    let e = frexp(m);
    let l = log2(e.fract);
    let whole = f32(e.exp) * b;
    let rough = (f32(e.exp) + l) * b;
    let n = floor(whole);
    let t = (whole - n) + l * b;
    if (rough > 129.0) { y = infinity(); } else if (rough < -151.0) { y = 0.0; } else {
      let k = floor(t);
      let total = i32(n + k);
      // In two steps, as ldexp does not take exponents below those of normal numbers.
      y = ldexp(ldexp(exp2(t - k), total / 2), total - total / 2);
    }
  }
  if (!is_negative(a) || isWhole) { return select(y, -y, is_negative(a) && isOdd); }
  if (a == 0.0) { return y; }
  if (is_infinite(a)) { return y; }
  return not_a_number();
}`,
  divided: `fn divided(a: f32, b: f32) -> f32 {
  if (b == 0.0) {
    if (is_nan(a) || a == 0.0) { return not_a_number(); }
    return select(infinity(), -infinity(), is_negative(a) != is_negative(b));
  }
  return a / b;
}`,
  power_int: `fn power_int(a: i32, b: i32) -> i32 {
  if (b < 0) {
    if (a == 1) { return 1; }
    if (a == -1) { return select(-1, 1, b % 2 == 0); }
    return 0;
  }
  var rest = b;
  var square = a;
  var y = 1;
  while (rest > 0) {
    if ((rest & 1) == 1) { y *= square; }
    square *= square;
    rest >>= 1u;
  }
  return y;
}`,
  remainder_int: `fn remainder_int(a: i32, b: i32) -> i32 {
  let r = a % b;
  if (r != 0 && (r < 0) != (b < 0)) { return r + b; }
  return r;
}`,
  floor_divide_int: `fn floor_divide_int(a: i32, b: i32) -> i32 {
  let q = a / b;
  if (a % b != 0 && (a < 0) != (b < 0)) { return q - 1; }
  return q;
}`,
  gcd: `fn gcd(a: i32, b: i32) -> i32 {
  var x = abs(a);
  var y = abs(b);
  while (y != 0) { let r = x % y; x = y; y = r; }
  return x;
}`,
  // For x >= 0 and t = 1 / (1 + x / 2), erfc(x) = t * exp(-x² + erfc_tail(t)), with a relative error below 1.2e-7.
  erfc_tail: `fn erfc_tail(t: f32) -> f32 {
  return -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807
    + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
}`,
  // Near 0, 1 - erf(x).
  erfc_of: `fn erfc_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let z = abs(x);
  if (z < 0.5) { return 1.0 - erf_near(x); }
  if (z > 10.1) { return select(0.0, 2.0, x < 0.0); }
  let t = 1.0 / (1.0 + 0.5 * z);
  // exp(-z²) in two factors: the square of a number with few digits is exact.
  let h = bitcast<f32>(bitcast<u32>(z) & 0xfffff000u);
  let y = t * exp_of(-h * h) * exp_of((h - z) * (h + z) + erfc_tail(t));
  return select(y, 2.0 - y, x < 0.0);
}`,
  // The series of erf, for x within (-1, 1).
  erf_near: `fn erf_near(x: f32) -> f32 {
  let r = x * x;
  var term = x;
  var sum = x;
  for (var n = 1.0; n < 14.0; n += 1.0) {
    term *= -r / n;
    sum += term / (2.0 * n + 1.0);
  }
  return 1.1283792 * sum;
}`,
  erf_of: `fn erf_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  if (a < 1.0) { return erf_near(x); }
  let y = 1.0 - erfc_of(a);
  return select(y, -y, x < 0.0);
}`,
  erfinv_of: `fn erfinv_of(y: f32) -> f32 {
  let a = abs(y);
  if (is_nan(y) || a > 1.0) { return not_a_number(); }
  if (a == 1.0) { return y * infinity(); }
  let l = log1p(-a * a);
  let t = 4.3307467 + l / 2.0;
  var x = sqrt(max(0.0, sqrt(max(0.0, t * t - l / 0.147)) - t));
  for (var i = 0; i < 3; i++) {
    let miss = select(erf_of(x) - a, (1.0 - a) - erfc_of(x), a > 0.5);
    let step = 0.8862269 * miss / exp(-x * x);
    x -= step / (1.0 + x * step);
  }
  return select(x, -x, y < 0.0);
}`,
  cdf: 'fn cdf(x: f32) -> f32 { return 0.5 * erfc_of(-x * 0.70710677); }',
  pdf: 'fn pdf(x: f32) -> f32 { return 0.3989423 * exp_of(-0.5 * x * x); }',
  // The sine of π x, from the fraction of x.
  sin_pi: `fn sin_pi(x: f32) -> f32 {
  let n = round(x);
  let s = sin_of(3.1415927 * (x - n));
  return select(s, -s, (n * 0.5) != floor(n * 0.5));
}`,
  lgamma_above: `fn lgamma_above(x: f32) -> f32 {
  if (x == 1.0 || x == 2.0) { return 0.0; }
  var z = x;
  var product = 1.0;
  // The series at 1 and 2, where lgamma is 0.
  if (x > 0.5 && x < 2.5) {
    let atTwo = x > 1.5;
    let t = select(x - 1.0, x - 2.0, atTwo);
    let shift = select(-log1p(t), 0.0, atTwo);
    return shift + t * (0.42278433 + t * (0.32246704 + t * (-0.067352306 + t * (0.020580808 + t * (-0.0073855510
      + t * (0.0028905103 + t * (-0.0011927539 + t * (0.00050966953 + t * (-0.00022315475 + t * 0.000099457511)))))))));
  }
  while (z < 8.0) { product *= z; z += 1.0; }
  let r = 1.0 / (z * z);
  let series = (0.083333336 - r * (0.0027777778 - r * (0.00079365081 - r * 0.00059523811))) / z;
  return (z - 0.5) * log_of(z) - z + 0.9189385 + series - log_of(product);
}`,
  lgamma_of: `fn lgamma_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (is_infinite(x) || (x <= 0.0 && floor(x) == x)) { return infinity(); }
  if (x < 0.5) { return log_of(3.1415927 / abs(sin_pi(x))) - lgamma_above(1.0 - x); }
  return lgamma_above(x);
}`,
  digamma_above: `fn digamma_above(x: f32) -> f32 {
  var sum = 0.0;
  var z = x;
  while (z < 8.0) { sum -= 1.0 / z; z += 1.0; }
  let r = 1.0 / (z * z);
  return sum + log_of(z) - 0.5 / z - r * (0.083333336 - r * (0.0083333338 - r * (0.0039682540 - r * 0.0041666669)));
}`,
  digamma_of: `fn digamma_of(x: f32) -> f32 {
  if (x == 0.0) { return select(-infinity(), infinity(), is_negative(x)); }
  if (x < 0.0) {
    if (floor(x) == x) { return not_a_number(); }
    let s = sin_pi(x);
    return digamma_above(1.0 - x) - 3.1415927 * sin_pi(x + 0.5) / s;
  }
  return digamma_above(x);
}`,
  hurwitz_above: `fn hurwitz_above(s: f32, x: f32) -> f32 {
  if (x <= 0.0) { return infinity(); }
  var sum = 0.0;
  var z = x;
  while (z < 10.0) { sum += power(z, -s); z += 1.0; }
  sum += power(z, 1.0 - s) / (s - 1.0) + power(z, -s) / 2.0;
  let terms = array<f32, 5>(0.083333336, -0.0013888889, 0.000033068783, -8.2671959e-7, 2.0876757e-8);
  var factor = s * power(z, -s - 1.0);
  for (var k = 0; k < 5; k++) {
    sum += terms[k] * factor;
    factor *= ((s + 2.0 * f32(k) + 1.0) * (s + 2.0 * f32(k) + 2.0)) / (z * z);
  }
  return sum;
}`,
  hurwitz: `fn hurwitz(s: f32, x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x > 0.0) { return hurwitz_above(s, x); }
  if (is_infinite(x)) { return not_a_number(); }
  if (floor(x) == x) { return infinity(); }
  let part = x - floor(x);
  let sign = select(-1.0, 1.0, (i32(s) & 1) == 0);
  return hurwitz_above(s, part) + sign * (hurwitz_above(s, ceil(x) - x) - hurwitz_above(s, 1.0 - x));
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
  logit: `fn logit(x: f32, eps: f32) -> f32 {
  var p = x;
  if (!is_nan(eps)) { p = select(select(x, 1.0 - eps, x > 1.0 - eps), eps, x < eps); }
  return log_of(divided(p, 1.0 - p));
}`,
  hypot: `fn hypot(x: f32, y: f32) -> f32 {
  if (is_infinite(x) || is_infinite(y)) { return infinity(); }
  if (is_nan(x) || is_nan(y)) { return not_a_number(); }
  let a = max(abs(x), abs(y));
  let b = min(abs(x), abs(y));
  if (a == 0.0) { return 0.0; }
  let r = b / a;
  return a * sqrt(1.0 + r * r);
}`,
  lcm: 'fn lcm(a: i32, b: i32) -> i32 { if (a == 0 || b == 0) { return 0; } return abs(a / gcd(a, b)) * abs(b); }',
  log_limited: 'fn log_limited(x: f32) -> f32 { let y = log_of(x); if (y < -100.0) { return -100.0; } return y; }',
  six: 'fn six(x: f32) -> f32 { if (is_nan(x)) { return x; } return min(max(x + 3.0, 0.0), 6.0) / 6.0; }',
  is_within: 'fn is_within(x: f32, limit: f32) -> bool { return x >= -limit && x <= limit; }',
  // Sums and maxima over the 64 threads of a workgroup, returned to all of them.
  group_sum: `var<workgroup> summands: array<f32, 64>;
fn group_sum(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  summands[lane] = value;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step) { summands[lane] += summands[lane + step]; }
    workgroupBarrier();
  }
  return summands[0];
}`,
  group_max: `var<workgroup> candidates: array<f32, 64>;
fn group_max(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  candidates[lane] = value;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step && candidates[lane + step] > candidates[lane]) { candidates[lane] = candidates[lane + step]; }
    workgroupBarrier();
  }
  return candidates[0];
}`,
  // Whether a comes before b in ascending order, with NaN last.
  before: 'fn before(a: f32, b: f32) -> bool { if (is_nan(b)) { return !is_nan(a); } return a < b; }',
  alike: 'fn alike(a: f32, b: f32) -> bool { return a == b || (is_nan(a) && is_nan(b)); }',
};

const names = Object.keys(helpers);
const uses = (code: string, name: string): boolean => new RegExp(`\\b${name}\\(`).test(code);

/** The code of the shared functions that `code` calls, and of those that they call. */
export function helpersOf(code: string): string {
  const found = new Set<string>();
  const visit = (text: string) => {
    for (const name of names)
      if (!found.has(name) && uses(text, name)) {
        found.add(name);
        visit(helpers[name]!);
      }
  };
  visit(code);
  return [...found].map((name) => helpers[name]!).join('\n');
}
