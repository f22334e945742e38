/** The gamma function and its derivatives, and Hurwitz's zeta function. */
export const gamma = {
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
};
