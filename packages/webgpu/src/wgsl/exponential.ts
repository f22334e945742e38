/** Exponential, logarithmic and hyperbolic functions. */
export const exponential = {
  tanh_of: 'fn tanh_of(x: f32) -> f32 { if (is_nan(x) || x == 0.0) { return x; } return tanh(clamp(x, -15.0, 15.0)); }',
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
  logit: `fn logit(x: f32, eps: f32) -> f32 {
  var p = x;
  if (!is_nan(eps)) { p = select(select(x, 1.0 - eps, x > 1.0 - eps), eps, x < eps); }
  return log_of(divided(p, 1.0 - p));
}`,
  log_limited: 'fn log_limited(x: f32) -> f32 { let y = log_of(x); if (y < -100.0) { return -100.0; } return y; }',
};
