/** Powers, and lengths. */
export const powers = {
  exponent_of: 'fn exponent_of(x: f32) -> i32 { return frexp(x).exp; }',
  scaled: 'fn scaled(x: f32, e: i32) -> f32 { return ldexp(x, e); }',
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
  hypot: `fn hypot(x: f32, y: f32) -> f32 {
  if (is_infinite(x) || is_infinite(y)) { return infinity(); }
  if (is_nan(x) || is_nan(y)) { return not_a_number(); }
  let a = max(abs(x), abs(y));
  let b = min(abs(x), abs(y));
  if (a == 0.0) { return 0.0; }
  let r = b / a;
  return a * sqrt(1.0 + r * r);
}`,
};
