// Functions of core/special but Bessel's and Airy's, for programs on the device: the methods of core, cut off where
// float32 has no more digits.

export const special: Readonly<Record<string, string>> = {
  // exp(x²) erfc(x), where exp(x²) is that of the square of what has few digits, and of the rest.
  erfcx: `fn erfcx(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x > 1e30) { return 0.0; }
  if (x < -9.5) { return infinity(); }
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.5 * a);
  let above = t * exp_of(erfc_tail(t));
  if (x >= 0.0) { return above; }
  let h = upper_half(a);
  return 2.0 * exp_of(h * h) * exp_of((a - h) * (a + h)) - above;
}`,
  log_ndtr: `fn log_ndtr(x: f32) -> f32 {
  if (is_infinite(x)) { return select(0.0, x, x < 0.0); }
  if (x < -1.0) { return log_of(0.5 * erfcx(-0.70710678 * x)) - 0.5 * x * x; }
  return log1p(-0.5 * erfc_of(0.70710678 * x));
}`,
  // By Newton's steps on the logarithm, which is concave, from where the tail's size is about right.
  ndtri: `fn ndtri(v: f32) -> f32 {
  if (!(v >= 0.0 && v <= 1.0)) { return not_a_number(); }
  let p = min(v, 1.0 - v);
  if (p == 0.0) { return select(-infinity(), infinity(), v > 0.5); }
  if (p == 0.5) { return 0.0; }
  let wanted = log_of(p);
  var x = -sqrt(-2.0 * wanted);
  for (var i = 0; i < 12; i++) {
    let step = (log_ndtr(x) - wanted) * erfcx(-0.70710678 * x) * 1.2533141;
    x -= step;
    if (abs(step) <= 1e-7 * abs(x)) { break; }
  }
  return select(x, -x, v > 0.5);
}`,
  entr: `fn entr(x: f32) -> f32 {
  if (is_nan(x) || x == 0.0) { return x; }
  if (x < 0.0) { return -infinity(); }
  return -x * log_of(x);
}`,
  // log(1 + m) - m, without the difference near 0.
  log1p_less: `fn log1p_less(m: f32) -> f32 {
  if (abs(m) > 0.4) { return log_of(1.0 + m) - m; }
  let s = m / (2.0 + m);
  let r = s * s;
  return 2.0 * s * r * (0.33333334 + r * (0.2 + r * (0.14285715 + r * (0.11111111 + r * 0.09090909)))) - m * s;
}`,
  // x^a e^-x / Γ(a); from 10 up by Stirling's series, in which what cancels is taken together.
  gamma_weight: `fn gamma_weight(a: f32, x: f32) -> f32 {
  if (a < 10.0) { return exp_of(a * log_of(x) - x - lgamma_of(a)); }
  let r = 1.0 / (a * a);
  let series = (0.083333336 - r * (0.0027777778 - r * 0.00079365081)) / a;
  return exp_of(a * log1p_less((x - a) / a) - series) * sqrt(a * 0.15915494);
}`,
  // The part of the gamma function below x, or above it: by its series or its continued fraction, and from 200 up by
  // Temme's expansion (DLMF 8.12).
  gamma_part: `fn gamma_part(a: f32, x: f32, isAbove: bool) -> f32 {
  if (is_nan(a) || is_nan(x) || a < 0.0 || x < 0.0 || (a == 0.0 && x == 0.0)) { return not_a_number(); }
  if (is_infinite(a)) { if (is_infinite(x)) { return not_a_number(); } return select(0.0, 1.0, isAbove); }
  if (a == 0.0 || is_infinite(x)) { return select(1.0, 0.0, isAbove); }
  if (x == 0.0) { return select(0.0, 1.0, isAbove); }
  if (a > 200.0) {
    let m = (x - a) / a;
    let half = -log1p_less(m);
    let size = sqrt(2.0 * half);
    let e = select(size, -size, m < 0.0);
    var c = -0.33333334 + e * (0.083333336 + e * (-0.014814815 + e * (0.0011574074 + e * (0.00035273369 + e * -0.00017875514))));
    if (size > 0.5) { c = 1.0 / m - 1.0 / e; }
    let rest = exp_of(-a * half) * sqrt(0.15915494 / a) * (c - 0.0018518519 / a);
    let z = e * sqrt(0.5 * a);
    return select(0.5 * erfc_of(-z) - rest, 0.5 * erfc_of(z) + rest, isAbove);
  }
  if (x <= a + 1.0) {
    var term = 1.0 / a;
    var sum = term;
    for (var n = 1.0; n < 400.0 && term > sum * 1e-9; n += 1.0) {
      term *= x / (a + n);
      sum += term;
    }
    let below = sum * gamma_weight(a, x);
    return select(below, 1.0 - below, isAbove);
  }
  // Lentz' method; its first numerator is without bounds, so that c begins as b.
  var b = x + 1.0 - a;
  var d = 1.0 / b;
  var value = d;
  var c = 0.0;
  for (var n = 1.0; n < 400.0; n += 1.0) {
    let an = -n * (n - a);
    b += 2.0;
    d = 1.0 / (an * d + b);
    if (n == 1.0) { c = b; } else { c = b + an / c; }
    let step = c * d;
    value *= step;
    if (abs(step - 1.0) < 1e-7) { break; }
  }
  let over = value * gamma_weight(a, x);
  return select(1.0 - over, over, isAbove);
}`,
  zeta_of: `fn zeta_of(s: f32, q: f32) -> f32 {
  if (is_nan(s) || is_nan(q) || s < 1.0) { return not_a_number(); }
  if (s == 1.0) { return infinity(); }
  if (is_infinite(q)) { return select(not_a_number(), 0.0, q > 0.0); }
  if (q <= 0.0 && floor(q) == q) { return infinity(); }
  if (q < 0.0 && floor(s) != s) { return not_a_number(); }
  // All terms but the largest are too small.
  if (s > 100.0 && q > 0.0) { return power(q, -s); }
  return hurwitz(s, q);
}`,
};
