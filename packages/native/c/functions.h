// Functions of vectors. The polynomials are those of Cephes, as in the WebAssembly kernels: about 1 ulp.
#pragma once
#include "vector.h"

#define INF __builtin_inff()
#define NOT_A_NUMBER __builtin_nanf("")

/** The polynomial with these coefficients, highest power first. */
#define POLYNOMIAL(x, ...) polynomial(x, (const float[]){__VA_ARGS__}, sizeof((const float[]){__VA_ARGS__}) / sizeof(float))
INLINE vf polynomial(vf x, const float *coefficients, size_t count) {
  vf sum = splat(coefficients[0]);
#pragma clang loop unroll(full)
  for (size_t i = 1; i < count; i++) sum = madd(sum, x, splat(coefficients[i]));
  return sum;
}

/** 2^whole as two factors: results below the normal range are rounded once, and results above it are infinite. */
INLINE vf scaled(vf p, vi whole) {
  const vi half = whole >> 1;
  const vf one = splat(1);
  return p * (vf)((half << 23) + (vi)one) * (vf)(((whole - half) << 23) + (vi)one);
}

struct reduced {
  vf r;
  vi whole;
};

/** x = whole ln 2 + r. Adding a large number rounds x to a whole one and leaves that in the lowest bits. */
INLINE struct reduced reduce_exponent(vf x) {
  const vf c = smaller(larger(x, splat(-104)), splat(89));
  const vf magic = splat(12582912.0f);
  const vf s = madd(c, splat(1.44269504088896341f), magic);
  const vf n = s - magic;
  const vf r = madd(n, splat(2.12194440e-4f), madd(n, splat(-0.693359375f), c));
  return (struct reduced){r, (vi)s - (vi)magic};
}

/** (exp(r) - 1 - r) / r² */
INLINE vf exponential_rest(vf r) {
  return POLYNOMIAL(r, 1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f);
}

INLINE vf exp_of(vf x) {
  const struct reduced e = reduce_exponent(x);
  return scaled(madd(exponential_rest(e.r), e.r * e.r, e.r) + 1, e.whole);
}

/** exp(x) - 1, accurate near 0, where exp's polynomial minus 1 is not. */
INLINE vf expm1_of(vf x) {
  const struct reduced e = reduce_exponent(x);
  const vf q = madd(exponential_rest(e.r), e.r * e.r, e.r);
  const vf power = scaled(splat(1), e.whole);
  // 2^n (q + 1) - 1 as two terms: 2^n q is small where q is, and 2^n - 1 is exact where that matters.
  const vf near = power * q + (power - 1);
  // 2^n alone can be infinite where exp is not.
  return e.whole > 64 ? scaled(q + 1, e.whole) : near;
}

INLINE vf sigmoid_of(vf x) { return 1 / (1 + exp_of(-x)); }

INLINE vf tanh_of(vf x) {
  const vf z = x * x;
  const vf p = POLYNOMIAL(z, -5.70498872745e-3f, 2.06390887954e-2f,
                    -5.37397155531e-2f, 1.33314422036e-1f, -3.33332819422e-1f);
  const vf near = madd(p * z, x, x);
  const vf far = 1 - 2 / (exp_of(x + x) + 1);
  return absolute(x) < 0.625f ? near : far;
}

/**
 * The logarithm: a polynomial on [sqrt(1/2), sqrt(2)] plus the exponent's part. Numbers below the normal range are scaled up
 * first.
 */
INLINE vf log_of(vf x) {
  const vi below = x < 1.17549435e-38f;
  const vf up = below ? x * 8388608.0f : x;
  const vi power = ((vi)up - (vi)splat(0.70710678118654752f)) >> 23;
  const vf m = (vf)((vi)up - (power << 23)) - 1;
  const vf e = __builtin_convertvector(power, vf) - (below ? splat(23) : splat(0));
  const vf z = m * m;
  vf p = POLYNOMIAL(m, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f,
                    1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f);
  p = p * m * z;
  p = madd(e, splat(-2.12194440e-4f), p);
  p = madd(z, splat(-0.5f), p);
  const vf log = madd(e, splat(0.693359375f), m + p);
  // -Infinity at 0, NaN below; infinity and NaN stay what they are.
  const vf odd = x == 0 ? splat(-INF) : x < 0 ? splat(NOT_A_NUMBER) : x;
  return (x > 0 & x < INF) ? log : odd;
}

INLINE float log_scalar(float x) { return log_of(splat(x))[0]; }

/** log(1 + x), with a correction for the rounding of 1 + x. */
INLINE vf log1p_of(vf x) {
  const vf u = x + 1;
  const vf log = log_of(u);
  const vf lost = (u - 1 - x) / u;
  return (u > 0 & u < INF) ? log - lost : log;
}

/** erf(a) for a from 0 to 1: an odd polynomial. */
INLINE vf erf_near(vf a) {
  const vf z = a * a;
  return a * POLYNOMIAL(z, 7.853861353153693e-5f, -8.010193625184903e-4f, 5.188327685732524e-3f,
                        -2.685381193529856e-2f, 1.128358514861418e-1f, -3.761262582423300e-1f, 1.128379165726710f);
}

/** 1 - erf(a) for a from 0 up: a polynomial below 1, a tail from there. */
INLINE vf erfc_of(vf a) {
  const vf q = 1 / a, y = q * q;
  const vf p = POLYNOMIAL(y, 2.326819970068386e-2f, -1.387039388740657e-1f, 3.687424674597105e-1f, -5.824733027278666e-1f,
                    6.210004621745983e-1f, -4.944515323274145e-1f, 3.404879937665872e-1f, -2.741127028184656e-1f, 5.638259427386472e-1f);
  const vf r = POLYNOMIAL(y, -1.047766399936249e1f, 1.297719955372516e1f, -7.495518717768503f, 2.921019019210786f,
                    -1.015265279202700f, 4.218463358204948e-1f, -2.820767439740514e-1f, 5.641895067754075e-1f);
  const vf far = exp_of(-(a * a)) * q * (a < 2 ? p : r);
  return a < 1 ? 1 - erf_near(a) : far;
}

INLINE vf erf_of(vf x) {
  const vf a = absolute(x);
  // Below 1 directly: 1 - (1 - erf) would cancel near 0.
  const vf size = a < 1 ? erf_near(a) : 1 - erfc_of(a);
  return (vf)((vi)size | ((vi)x & (vi)splat(-0.0f)));
}

/** The distribution function of the standard normal distribution. */
INLINE vf cdf_of(vf x) {
  const vf half = erfc_of(absolute(x) * 0.70710678118654752f) * 0.5f;
  return x < 0 ? half : 1 - half;
}
