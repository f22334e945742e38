// Elementwise functions, their gradients, losses of pairs of elements, and steps of optimizers.
#include "functions.h"

/** to = f(v), with the parameters p and q. */
#define UNARY(name, ...)                                        \
  KERNEL(name) {                                                \
    float *to = a[0].f;                                         \
    const float *x = a[1].f;                                    \
    const vf p = splat((float)a[3].x), q = splat((float)a[4].x); \
    (void)p, (void)q;                                           \
    EACH(a[2].n, {                                              \
      const vf v = GET(x);                                      \
      PUT(to, __VA_ARGS__);                                     \
    });                                                         \
    return 0;                                                   \
  }

/** to = f(v, w). For gradients, v is the gradient of the result. */
#define BINARY(name, ...)                                       \
  KERNEL(name) {                                                \
    float *to = a[0].f;                                         \
    const float *x = a[1].f, *y = a[2].f;                       \
    const vf p = splat((float)a[4].x), q = splat((float)a[5].x); \
    (void)p, (void)q;                                           \
    EACH(a[3].n, {                                              \
      const vf v = GET(x), w = GET(y);                          \
      PUT(to, __VA_ARGS__);                                     \
    });                                                         \
    return 0;                                                   \
  }

#define NUMBER_OR_NAN(other, v, w) ((v) != (v) ? (v) : (w) != (w) ? (w) : (other))
#define ONES(m) (vf)((m) & (vi)splat(1))

UNARY(abs, absolute(v))
UNARY(clamp, smaller(larger(v, p), q))
UNARY(elu, v > 0 ? v : expm1_of(v) * p)
UNARY(erf, erf_of(v))
UNARY(exp, exp_of(v))
UNARY(expm1, expm1_of(v))
UNARY(gelu, v * cdf_of(v))
UNARY(leakyRelu, v > 0 ? v : v * p)
UNARY(log, log_of(v))
UNARY(log1p, log1p_of(v))
UNARY(neg, -v)
UNARY(reciprocal, 1 / v)
UNARY(relu, larger(v, splat(0)))
UNARY(rsqrt, 1 / square_root(v))
UNARY(sigmoid, sigmoid_of(v))
UNARY(silu, v * sigmoid_of(v))
UNARY(sqrt, square_root(v))
UNARY(square, v * v)
UNARY(tanh, tanh_of(v))

BINARY(add, v + w)
BINARY(sub, v - w)
BINARY(mul, v * w)
BINARY(div, v / w)
// Of 0 and -0, the larger is 0 and the smaller -0.
BINARY(maximum, NUMBER_OR_NAN(v == w ? (vf)((vi)v & (vi)w) : larger(v, w), v, w))
BINARY(minimum, NUMBER_OR_NAN(v == w ? (vf)((vi)v | (vi)w) : smaller(v, w), v, w))

BINARY(absGradient, v *(ONES(w > 0) - ONES(w < 0)))
BINARY(clampGradient, (vf)((vi)v & (w >= p & w <= q)))
BINARY(eluGradient, w > 0 ? v : v * (exp_of(w) * p))
BINARY(geluGradient, v *madd(w, exp_of(w * w * -0.5f) * 0.39894228040143268f, cdf_of(w)))
BINARY(hardtanhGradient, (vf)((vi)v & ~(w <= p | w >= q)))
BINARY(leakyReluGradient, w > 0 ? v : v * p)
BINARY(reciprocalGradient, -(v * (w * w)))
BINARY(reluGradient, (vf)((vi)v & ~(w <= 0)))
BINARY(rsqrtGradient, v *(w *(w *w) * -0.5f))
BINARY(sigmoidGradient, v *(w *(1 - w)))
BINARY(sqrtGradient, v / (w + w))
BINARY(squareGradient, v *(w + w))
BINARY(tanhGradient, v *(1 - w * w))

INLINE vf silu_slope(vf x) {
  const vf s = sigmoid_of(x);
  return s * (1 + x * (1 - s));
}
BINARY(siluGradient, v *silu_slope(w))

BINARY(scaledDifference, (v - w) * p)
BINARY(logitLossGradient, (sigmoid_of(v) - w) * p)

INLINE vf squared_error(vf x, vf y) {
  const vf d = x - y;
  return d * d;
}

/** (1 - y) x + max(-x, 0) + log(1 + exp(-|x|)) */
INLINE vf logit_loss(vf x, vf y) {
  return (1 - y) * x + larger(-x, splat(0)) + log1p_of(exp_of(-absolute(x)));
}

/** The sum of f(v, w). */
#define TOTAL(name, ...)                        \
  KERNEL(name) {                                \
    const float *x = a[0].f, *y = a[1].f;       \
    vd total = 0;                               \
    EACH(a[2].n, {                              \
      const vf v = GET(x), w = GET(y);          \
      total += widened(COUNTED(__VA_ARGS__));   \
    });                                         \
    return sum_of_doubles(total);               \
  }
TOTAL(squaredError, squared_error(v, w))
TOTAL(logitLosses, logit_loss(v, w))

#define PARAMETER(i) splat((float)a[i].x)
#define REST(i) splat(1 - (float)a[i].x)

/** The gradient, turned by `sign`, and `penalty` of the weights; without one an infinite weight is no NaN. */
INLINE vf directed(vf g, vf sign, vf w, vf penalty) {
  return madd(penalty, (vf)((vi)w & (penalty != 0)), g * sign);
}

KERNEL(sgd) {
  float *w = a[0].f;
  const float *g = a[1].f;
  const vf sign = PARAMETER(3), penalty = PARAMETER(4), rate = PARAMETER(5);
  EACH(a[2].n, {
    const vf x = GET(w);
    PUT(w, x - rate * directed(GET(g), sign, x, penalty));
  });
  return 0;
}

KERNEL(momentum) {
  float *w = a[0].f, *b = a[2].f;
  const float *g = a[1].f;
  const vf sign = PARAMETER(4), penalty = PARAMETER(5), rate = PARAMETER(6), momentum = PARAMETER(7);
  const vf share = PARAMETER(8), of_gradient = PARAMETER(9), of_buffer = PARAMETER(10);
  EACH(a[3].n, {
    const vf x = GET(w), d = directed(GET(g), sign, x, penalty);
    const vf buffer = madd(momentum, GET(b), share * d);
    PUT(b, buffer);
    PUT(w, x - rate * madd(of_gradient, (vf)((vi)d & (of_gradient != 0)), of_buffer * buffer));
  });
  return 0;
}

KERNEL(rmsprop) {
  float *w = a[0].f, *v = a[2].f;
  const float *g = a[1].f;
  const vf sign = PARAMETER(4), penalty = PARAMETER(5), rate = PARAMETER(6), alpha = PARAMETER(7), rest = REST(7), eps = PARAMETER(8);
  EACH(a[3].n, {
    const vf x = GET(w), d = directed(GET(g), sign, x, penalty);
    const vf square = madd(alpha, GET(v), rest * (d * d));
    PUT(v, square);
    PUT(w, x - rate * d / (square_root(square) + eps));
  });
  return 0;
}

KERNEL(adagrad) {
  float *w = a[0].f, *v = a[2].f;
  const float *g = a[1].f;
  const vf sign = PARAMETER(4), penalty = PARAMETER(5), rate = PARAMETER(6), eps = PARAMETER(7);
  EACH(a[3].n, {
    const vf x = GET(w), d = directed(GET(g), sign, x, penalty);
    const vf square = madd(d, d, GET(v));
    PUT(v, square);
    PUT(w, x - rate * d / (square_root(square) + eps));
  });
  return 0;
}

/** Adam; with `top`, it divides by the largest mean square so far. */
INLINE void adam_step(const arg *a, float *top, const arg *numbers, ptrdiff_t n) {
  float *w = a[0].f, *m = a[2].f, *s = a[3].f;
  const float *g = a[1].f;
  a = numbers;
  const vf keep = PARAMETER(0), penalty = PARAMETER(1), sign = PARAMETER(2), beta1 = PARAMETER(3), beta2 = PARAMETER(4);
  const vf rest1 = REST(3), rest2 = REST(4), rate = PARAMETER(5), correction = PARAMETER(6), eps = PARAMETER(7);
  EACH(n, {
    const vf x = GET(w) * keep, d = directed(GET(g), sign, x, penalty);
    const vf mean = madd(beta1, GET(m), rest1 * d);
    const vf square = madd(beta2, GET(s), rest2 * (d * d));
    const vf largest = top ? larger(GET(top), square) : square;
    PUT(m, mean);
    PUT(s, square);
    if (top) PUT(top, largest);
    PUT(w, x - rate * mean / madd(square_root(largest), correction, eps));
  });
}

KERNEL(adam) {
  adam_step(a, 0, a + 5, a[4].n);
  return 0;
}

KERNEL(amsgrad) {
  adam_step(a, a[4].f, a + 6, a[5].n);
  return 0;
}

KERNEL(lion) {
  float *w = a[0].f, *m = a[2].f;
  const float *g = a[1].f;
  const vf sign = PARAMETER(4), keep = PARAMETER(5), rate = PARAMETER(6);
  const vf beta1 = PARAMETER(7), rest1 = REST(7), beta2 = PARAMETER(8), rest2 = REST(8);
  EACH(a[3].n, {
    const vf d = GET(g) * sign, mean = GET(m);
    const vf c = madd(beta1, mean, rest1 * d);
    const vf step = (vf)((c > 0) & (vi)rate) - (vf)((c < 0) & (vi)rate);
    // NaN in the direction makes the weights NaN.
    const vf odd = (vf)((c != c) & (vi)c);
    PUT(w, GET(w) * keep - (step + odd));
    PUT(m, madd(beta2, mean, rest2 * d));
  });
  return 0;
}

KERNEL(fill) {
  float *to = a[0].f;
  const vf v = splat((float)a[1].x);
  EACH(a[2].n, { PUT(to, v); });
  return 0;
}
