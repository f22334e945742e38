/** Quotients, remainders and divisors. */
export const division = {
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
  // A constant of -0 may lose its sign.
  if (q == 0.0) { return bitcast<f32>((bitcast<u32>(x) ^ bitcast<u32>(y)) & 0x80000000u); }
  let whole = floor(q);
  return select(whole, whole + 1.0, q - whole > 0.5);
}`,
  divided: `fn divided(a: f32, b: f32) -> f32 {
  if (b == 0.0) {
    if (is_nan(a) || a == 0.0) { return not_a_number(); }
    return select(infinity(), -infinity(), is_negative(a) != is_negative(b));
  }
  return a / b;
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
  lcm: 'fn lcm(a: i32, b: i32) -> i32 { if (a == 0 || b == 0) { return 0; } return abs(a / gcd(a, b)) * abs(b); }',
};
