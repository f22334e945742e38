// Bessel functions and Airy's, for programs on the device: the methods of core, cut off where float32 has no more
// digits.

export const bessel: Readonly<Record<string, string>> = {
  // exp(-|x|) times the modified Bessel function of the first kind of order 0 or 1.
  scaled_i: `fn scaled_i(order: f32, v: f32) -> f32 {
  if (is_nan(v)) { return v; }
  let x = abs(v);
  if (is_infinite(x)) { return 0.0; }
  var sum = 1.0;
  if (x > 10.0) {
    let terms = hankel(order, x, 1.0);
    sum = (terms.x - terms.y) * 0.3989423 / sqrt(x);
  } else {
    var term = select(1.0, 0.5 * x, order == 1.0);
    sum = term;
    for (var k = 1.0; k < 60.0 && term > sum * 1e-9; k += 1.0) {
      term *= (x * x) / (4.0 * k * (k + order));
      sum += term;
    }
    sum *= exp_of(-x);
  }
  return select(sum, -sum, order == 1.0 && is_negative(v));
}`,
  // exp(|x|) in two halves: where it alone overflows, the product may not.
  grown_i: `fn grown_i(order: f32, x: f32) -> f32 {
  if (abs(x) > 100.0) { return select(infinity(), -infinity(), order == 1.0 && is_negative(x)); }
  let half = exp_of(0.5 * abs(x));
  return scaled_i(order, x) * half * half;
}`,
  // The even and the odd terms of Hankel's expansion far from 0; the signs of both alternate where sign is -1.
  hankel: `fn hankel(order: f32, x: f32, sign: f32) -> vec2f {
  let mu = 4.0 * order * order;
  var term = 1.0;
  var sums = vec2f(1.0, 0.0);
  for (var k = 1; k < 24 && abs(term) > 1e-9; k++) {
    let odd = f32(2 * k - 1);
    term *= (mu - odd * odd) / (8.0 * f32(k)) / x;
    if ((k & 1) == 1) { sums.y += term; } else { term *= sign; sums.x += term; }
  }
  return sums;
}`,
  // The Bessel functions of the first kind (x) and of the second kind (y) of order 0 or 1 far from 0.
  bessel_far: `fn bessel_far(order: f32, x: f32) -> vec2f {
  let terms = hankel(order, x, -1.0);
  let c = cos_of(x) * 0.70710678;
  let s = sin_of(x) * 0.70710678;
  let isOne = order == 1.0;
  let cosine = select(c + s, s - c, isOne);
  let sine = select(s - c, -c - s, isOne);
  return sqrt(0.63661977 / x) * vec2f(terms.x * cosine - terms.y * sine, terms.x * sine + terms.y * cosine);
}`,
  // Those of the first kind of orders 0 and 1 near 0, by Miller's recurrence downwards, scaled by J0 + 2 J2 + 2 J4 +
  // ... = 1; then the sums of others that those of the second kind of orders 0 and 1 are made of (Neumann's series).
  bessel_near: `fn bessel_near(x: f32) -> vec4f {
  if (x < 1e-4) { return vec4f(1.0, 0.5 * x, 0.0, 0.0); }
  var above = 0.0;
  var here = 1e-25;
  var sum = 0.0;
  var evens = 0.0;
  var odds = 0.0;
  for (var k = 2 * i32(ceil(0.5 * x + 12.0)); k > 0; k--) {
    let half = f32(k >> 1u);
    let sign = select(1.0, -1.0, (k & 2) != 0);
    if ((k & 1) == 0) {
      sum += 2.0 * here;
      evens += sign * here / half;
    } else if (k > 1) {
      odds += sign * f32(k) * here / (half * (half + 1.0));
    }
    let below = (2.0 * f32(k) / x) * here - above;
    above = here;
    here = below;
    if (abs(here) > 1e20) { above *= 1e-20; here *= 1e-20; sum *= 1e-20; evens *= 1e-20; odds *= 1e-20; }
  }
  return vec4f(here, above, evens, odds) / (sum + here);
}`,
  bessel_j: `fn bessel_j(order: f32, v: f32) -> f32 {
  if (is_nan(v)) { return v; }
  let x = abs(v);
  if (is_infinite(x)) { return 0.0; }
  var y = 0.0;
  if (x > 12.0) {
    y = bessel_far(order, x).x;
  } else {
    let near = bessel_near(x);
    y = select(near.x, near.y, order == 1.0);
  }
  return select(y, -y, order == 1.0 && is_negative(v));
}`,
  bessel_y: `fn bessel_y(order: f32, x: f32) -> f32 {
  if (is_nan(x) || x < 0.0) { return not_a_number(); }
  if (x == 0.0) { return -infinity(); }
  if (is_infinite(x)) { return 0.0; }
  if (x > 12.0) { return bessel_far(order, x).y; }
  let near = bessel_near(x);
  let l = log_of(0.5 * x) + 0.57721566;
  if (order == 0.0) { return 0.63661977 * (l * near.x - 2.0 * near.z); }
  return 0.63661977 * ((l - 1.0) * near.y - near.w - near.x / x);
}`,
  // exp(x) times the modified Bessel function of the second kind of any order up to 1, for x from 0.6 up: the integral
  // of exp(-x (cosh t - 1)) cosh(order t) over t from 0 up, by the trapezoidal rule.
  integral_k: `fn integral_k(order: f32, x: f32) -> f32 {
  if (x > 12.0) {
    let terms = hankel(order, x, 1.0);
    return sqrt(1.5707964 / x) * (terms.x + terms.y);
  }
  var sum = 0.5;
  var term = 1.0;
  for (var t = 0.25; t < 8.0 && term > 1e-9; t += 0.25) {
    let e = exp_of(0.5 * t);
    let s = e - 1.0 / e;
    let grown = exp_of(order * t);
    term = exp_of(-0.5 * x * s * s) * 0.5 * (grown + 1.0 / grown);
    sum += term;
  }
  return 0.25 * sum;
}`,
  // The modified Bessel function of the second kind of order 0 or 1 near 0, by its series.
  near_k: `fn near_k(order: f32, x: f32) -> f32 {
  let l = log_of(0.5 * x);
  var term = select(1.0, 0.5 * x, order == 1.0);
  var first = 0.0;
  var sum = 0.0;
  // The sum of the digamma functions of k + 1 and k + 1 + order.
  var psi = order - 1.1544313;
  for (var k = 1.0; k < 12.0; k += 1.0) {
    first += term;
    sum += 0.5 * psi * term;
    psi += 1.0 / k + 1.0 / (k + order);
    term *= (x * x) / (4.0 * k * (k + order));
  }
  return select(sum - l * first, 1.0 / x + (l * first - sum), order == 1.0);
}`,
  bessel_k: `fn bessel_k(order: f32, x: f32, isScaled: bool) -> f32 {
  if (is_nan(x) || x < 0.0) { return not_a_number(); }
  if (x == 0.0) { return infinity(); }
  if (is_infinite(x)) { return 0.0; }
  if (x <= 1.0) { return near_k(order, x) * select(1.0, exp_of(x), isScaled); }
  return integral_k(order, x) * select(exp_of(-x), 1.0, isScaled);
}`,
  spherical_j0: `fn spherical_j0(x: f32) -> f32 {
  if (x == 0.0) { return 1.0; }
  if (is_infinite(x)) { return 0.0; }
  return sin_of(x) / x;
}`,
  // Minus the derivative of spherical_j0, as a series near 0, where the terms of the formula cancel.
  spherical_j1: `fn spherical_j1(x: f32) -> f32 {
  if (is_infinite(x)) { return 0.0; }
  if (abs(x) > 1.0) { return (sin_of(x) / x - cos_of(x)) / x; }
  var term = x / 3.0;
  var sum = term;
  for (var k = 1.0; k < 7.0; k += 1.0) {
    term *= -(x * x) / (2.0 * k * (2.0 * k + 3.0));
    sum += term;
  }
  return sum;
}`,
  // Airy's function and its derivative: from 1 up by modified Bessel functions of the second kind, near 0 in steps of
  // Taylor's series, and far below it, where they oscillate, by Bessel functions.
  airy: `fn airy(v: f32) -> vec2f {
  if (is_nan(v)) { return vec2f(v); }
  if (is_infinite(v)) { return vec2f(0.0, select(0.0, not_a_number(), v < 0.0)); }
  if (v == 0.0) { return vec2f(0.35502805, -0.25881940); }
  if (v >= 1.0) {
    if (v > 30.0) { return vec2f(0.0); }
    let zeta = 0.6666667 * v * sqrt(v);
    let size = 0.31830987 * exp_of(-zeta);
    return size * vec2f(
      sqrt(v / 3.0) * integral_k(0.33333334, zeta),
      -0.57735026 * v * integral_k(0.6666667, zeta),
    );
  }
  if (v < -7.0) { return airy_far(-v); }
  let steps = max(1.0, ceil(2.0 * abs(v)));
  let h = v / steps;
  var y = vec2f(0.35502805, -0.25881940);
  for (var i = 0.0; i < steps; i += 1.0) {
    // The terms of h^(n - 1), h^n and h^(n + 1).
    var before = 0.0;
    var a = y.x;
    var b = y.y * h;
    var change = vec2f(b, 0.0);
    for (var n = 1.0; n < 12.0; n += 1.0) {
      let next = h * h * (i * h * a + h * before) / (n * (n + 1.0));
      change += vec2f(next, (n + 1.0) * next / h);
      before = a;
      a = b;
      b = next;
    }
    y += change;
  }
  return y;
}`,
  // The phase 2/3 x^1.5 as a sum of two numbers, so that it has its digits after many turns.
  airy_far: `fn airy_far(x: f32) -> vec2f {
  let root = sqrt(x);
  let high = upper_half(root);
  let low = root - high;
  let xHigh = upper_half(x);
  let xLow = x - xHigh;
  let less = (((x - high * high) - 2.0 * high * low) - low * low) / (2.0 * root);
  let product = x * root;
  let lost = ((xHigh * high - product) + xHigh * low + xLow * high) + xLow * low;
  let third = product / 3.0;
  let rest = (product - 2.0 * third) - third;
  let zeta = 2.0 * third;
  let correction = 0.6666667 * (rest + lost + x * less);
  let c0 = cos_of(zeta);
  let s0 = sin_of(zeta);
  let c = 0.70710678 * (c0 - correction * s0);
  let s = 0.70710678 * (s0 + correction * c0);
  let one = hankel(0.33333334, zeta, -1.0);
  let two = hankel(0.6666667, zeta, -1.0);
  let size = 1.0 / sqrt(3.1415927 * root);
  return size * vec2f(one.x * (c + s) - one.y * (s - c), root * (two.x * (s - c) + two.y * (c + s)));
}`,
};
