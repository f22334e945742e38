/** The error function and its inverse, and the normal distribution. */
export const errorFunction = {
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
  let h = upper_half(z);
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
  if (is_nan(x) || x == 0.0) { return x; }
  let a = abs(x);
  if (a < 1.0) { return erf_near(x); }
  let y = 1.0 - erfc_of(a);
  return select(y, -y, x < 0.0);
}`,
  erfinv_of: `fn erfinv_of(y: f32) -> f32 {
  let a = abs(y);
  if (y == 0.0) { return y; }
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
};
