// Reductions, softmax, log-softmax, cross entropy and normalization over rows of `n` elements. Sums are accumulated in float64.
#include "functions.h"

INLINE double row_sum(const float *x, ptrdiff_t n) {
  vd total = 0, other = 0;
  ptrdiff_t k = 0;
  for (; k + 2 * LANES <= n; k += 2 * LANES) {
    total += widened(load(x + k));
    other += widened(load(x + k + LANES));
  }
  x += k;
  EACH(n - k, { total += widened(GET(x)); });
  return sum_of_doubles(total + other);
}

KERNEL(sum) { return row_sum(a[0].f, a[1].n); }

KERNEL(rowSums) {
  double *to = a[0].d;
  const float *x = a[1].f;
  const ptrdiff_t n = a[3].n;
  for (ptrdiff_t r = 0; r < a[2].n; r++, x += n) to[r] = row_sum(x, n);
  return 0;
}

KERNEL(rowMoments) {
  double *to = a[0].d;
  const float *x = a[1].f;
  const ptrdiff_t n = a[3].n;
  for (ptrdiff_t r = 0; r < a[2].n; r++, x += n) {
    vd total = 0, squares = 0;
    EACH(n, {
      const vd v = widened(GET(x));
      total += v;
      squares += v * v;
    });
    to[2 * r] = sum_of_doubles(total);
    to[2 * r + 1] = sum_of_doubles(squares);
  }
  return 0;
}

/** The sum of (x - mean)². */
INLINE double row_spread(const float *x, ptrdiff_t n, double mean) {
  vd squares = 0;
  double rest = 0;
  const ptrdiff_t whole = n - n % LANES;
  EACH(whole, {
    const vd v = widened(GET(x)) - mean;
    squares += v * v;
  });
  for (ptrdiff_t i = whole; i < n; i++) rest += (x[i] - mean) * (x[i] - mean);
  return sum_of_doubles(squares) + rest;
}

KERNEL(centeredSquares) {
  double *to = a[0].d;
  const float *x = a[1].f;
  const double *means = a[2].d;
  const ptrdiff_t n = a[4].n;
  for (ptrdiff_t r = 0; r < a[3].n; r++, x += n) to[r] = row_spread(x, n, means[r]);
  return 0;
}

KERNEL(columnSums) {
  double *to = a[0].d;
  const float *x = a[1].f;
  const ptrdiff_t rows = a[3].n, n = a[4].n;
  for (ptrdiff_t b = 0; b < a[2].n; b++, x += rows * n, to += n) {
    ptrdiff_t j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES) {
      vd p = 0, q = 0;
      const float *from = x + j;
      for (ptrdiff_t r = 0; r < rows; r++, from += n) {
        p += widened(load(from));
        q += widened(load(from + LANES));
      }
      *(vdu *)(to + j) = p;
      *(vdu *)(to + j + LANES) = q;
    }
    const ptrdiff_t whole = (n - j) / LANES * LANES + j;
    for (; j < whole; j += LANES) {
      vd p = 0;
      const float *from = x + j;
      for (ptrdiff_t r = 0; r < rows; r++, from += n) p += widened(load(from));
      *(vdu *)(to + j) = p;
    }
    if (j < n) {
      vd p = 0;
      const float *from = x + j;
      for (ptrdiff_t r = 0; r < rows; r++, from += n) p += widened(load_first(from, n - j));
      for (ptrdiff_t i = j; i < n; i++) to[i] = p[i - j];
    }
  }
  return 0;
}

/** The largest element, NaN ignored. */
INLINE float row_top(const float *x, ptrdiff_t n) {
  vf p = splat(-INF), q = p;
  ptrdiff_t k = 0;
  for (; k + 2 * LANES <= n; k += 2 * LANES) {
    p = larger(p, load(x + k));
    q = larger(q, load(x + k + LANES));
  }
  x += k;
  EACH(n - k, { p = larger(p, left == LANES ? GET(x) : (first(left) ? GET(x) : splat(-INF))); });
  return largest_of(larger(p, q));
}

/** The largest element after flipping the signs by `flip`; NaN if there is one. */
INLINE float row_extremum(const float *x, ptrdiff_t n, int32_t flip) {
  vf p = splat(-INF), q = p;
  // As integers, the bits of NaN are above those of infinity.
  vi bits = 0, other = 0;
  ptrdiff_t k = 0;
  for (; k + 2 * LANES <= n; k += 2 * LANES) {
    const vi u = (vi)load(x + k), v = (vi)load(x + k + LANES);
    bits = larger_int(bits, u & 0x7fffffff);
    other = larger_int(other, v & 0x7fffffff);
    p = larger(p, (vf)(u ^ flip));
    q = larger(q, (vf)(v ^ flip));
  }
  x += k;
  EACH(n - k, {
    const vf v = GET(x);
    const vf turned = (vf)((vi)v ^ flip);
    bits = larger_int(bits, (vi)v & 0x7fffffff);
    p = larger(p, left == LANES ? turned : (first(left) ? turned : splat(-INF)));
  });
  return any(larger_int(bits, other) > 0x7f800000) ? NOT_A_NUMBER : largest_of(larger(p, q));
}

KERNEL(rowExtrema) {
  float *to = a[0].f;
  const float *x = a[1].f;
  const ptrdiff_t n = a[3].n;
  const int32_t flip = (int32_t)a[4].n;
  for (ptrdiff_t r = 0; r < a[2].n; r++, x += n) {
    union {
      float f;
      int32_t i;
    } top = {row_extremum(x, n, flip)};
    top.i ^= flip;
    to[r] = top.f;
  }
  return 0;
}

/** Writes exp(x - top) of a row to `to` and returns the sum. */
INLINE float exponentials(float *to, const float *x, ptrdiff_t n, float top) {
  vf sums = 0;
  EACH(n, {
    const vf e = exp_of(GET(x) - top);
    PUT(to, e);
    sums += COUNTED(e);
  });
  return sum_of(sums);
}

INLINE float sum_of_exponentials(const float *x, ptrdiff_t n, float top) {
  vf sums = 0;
  EACH(n, { sums += COUNTED(exp_of(GET(x) - top)); });
  return sum_of(sums);
}

INLINE float softmax_row(float *to, const float *x, ptrdiff_t n, float top) {
  const float sum = exponentials(to, x, n, top), scale = 1 / sum;
  EACH(n, { PUT(to, GET(to) * scale); });
  return sum;
}

KERNEL(softmax) {
  float *to = a[0].f;
  const float *x = a[1].f;
  const ptrdiff_t n = a[3].n;
  for (ptrdiff_t r = 0; r < a[2].n; r++, to += n, x += n) softmax_row(to, x, n, row_top(x, n));
  return 0;
}

KERNEL(limitedSoftmax) {
  float *to = a[0].f;
  const float *x = a[1].f;
  const int32_t *limits = a[2].i;
  const ptrdiff_t n = a[4].n;
  const float scale = (float)a[5].x;
  for (ptrdiff_t r = 0; r < a[3].n; r++, to += n, x += n) {
    const uint32_t wanted = (uint32_t)limits[r];
    const ptrdiff_t limit = wanted < n ? wanted : n;
    EACH(limit, { PUT(to, GET(x) * scale); });
    softmax_row(to, to, limit, row_top(to, limit));
    clear(to + limit, n - limit);
  }
  return 0;
}

KERNEL(softmaxGradient) {
  float *to = a[0].f;
  const float *g = a[1].f, *y = a[2].f;
  const ptrdiff_t n = a[4].n;
  const float scale = (float)a[5].x;
  for (ptrdiff_t r = 0; r < a[3].n; r++, to += n, g += n, y += n) {
    vf sums = 0;
    EACH(n, { sums = madd(GET(g), GET(y), sums); });
    const float sum = sum_of(sums);
    EACH(n, { PUT(to, GET(y) * (GET(g) - sum) * scale); });
  }
  return 0;
}

KERNEL(logSoftmax) {
  float *to = a[0].f;
  const float *x = a[1].f;
  const ptrdiff_t n = a[3].n;
  for (ptrdiff_t r = 0; r < a[2].n; r++, to += n, x += n) {
    const float top = row_top(x, n), log = log_scalar(sum_of_exponentials(x, n, top));
    EACH(n, { PUT(to, GET(x) - top - log); });
  }
  return 0;
}

KERNEL(logSoftmaxGradient) {
  float *to = a[0].f;
  const float *g = a[1].f, *y = a[2].f;
  const ptrdiff_t n = a[4].n;
  const float scale = (float)a[5].x;
  for (ptrdiff_t r = 0; r < a[3].n; r++, to += n, g += n, y += n) {
    vf sums = 0;
    EACH(n, { sums += GET(g); });
    const vf sum = splat(-sum_of(sums));
    EACH(n, { PUT(to, madd(exp_of(GET(y)), sum, GET(g)) * scale); });
  }
  return 0;
}

KERNEL(logsumexp) {
  float *to = a[0].f;
  const float *x = a[1].f;
  const ptrdiff_t n = a[3].n;
  for (ptrdiff_t r = 0; r < a[2].n; r++, x += n) {
    float top = row_top(x, n);
    if (top == INF || top == -INF) top = 0;
    to[r] = log_scalar(sum_of_exponentials(x, n, top)) + top;
  }
  return 0;
}

KERNEL(crossEntropy) {
  float *losses = a[0].f, *p = a[1].f;
  const float *x = a[2].f;
  const int32_t *classes = a[3].i;
  const ptrdiff_t n = a[5].n;
  for (ptrdiff_t r = 0; r < a[4].n; r++, p += n, x += n) {
    const float top = row_top(x, n), log = log_scalar(softmax_row(p, x, n, top));
    losses[r] = classes[r] < 0 ? 0 : log - (x[classes[r]] - top);
  }
  return 0;
}

KERNEL(crossEntropyGradient) {
  float *to = a[0].f;
  const float *p = a[1].f, *g = a[2].f;
  const int32_t *classes = a[3].i;
  const ptrdiff_t n = a[5].n;
  for (ptrdiff_t r = 0; r < a[4].n; r++, p += n, to += n) {
    if (classes[r] < 0) {
      clear(to, n);
      continue;
    }
    // Results may overwrite `p`, so the score is read first.
    const float scale = g[r], score = p[classes[r]];
    EACH(n, { PUT(to, GET(p) * scale); });
    to[classes[r]] = (score - 1) * scale;
  }
  return 0;
}

KERNEL(normalizeRows) {
  float *to = a[0].f, *means = a[1].f, *scales = a[2].f;
  const float *x = a[3].f, *weight = a[4].f, *bias = a[5].f;
  const ptrdiff_t n = a[7].n;
  for (ptrdiff_t r = 0; r < a[6].n; r++, to += n, x += n) {
    const double mean = a[9].n ? row_sum(x, n) / n : 0;
    const float scale = (float)(1 / __builtin_sqrt(row_spread(x, n, mean) / n + a[8].x)), m = (float)mean;
    means[r] = m;
    scales[r] = scale;
    EACH(n, { PUT(to, madd((GET(x) - m) * scale, GET(weight), GET(bias))); });
  }
  return 0;
}

KERNEL(normalizeRowsGradient) {
  float *to = a[0].f, *sums = a[1].f;
  const float *g = a[2].f, *x = a[3].f, *means = a[4].f, *scales = a[5].f, *weight = a[6].f;
  const ptrdiff_t height = a[8].n, n = a[9].n;
  for (ptrdiff_t k = 0; k < a[7].n; k++, sums += 2 * n) {
    float *other = sums + n;
    clear(sums, 2 * n);
    for (ptrdiff_t r = 0; r < height; r++, to += n, g += n, x += n, means++, scales++) {
      const float m = *means, s = *scales;
      vf total = 0, slope = 0;
      EACH(n, {
        const vf y = (GET(x) - m) * s, d = GET(g), h = d * GET(weight);
        total += h;
        slope = madd(h, COUNTED(y), slope);
        PUT(sums, madd(d, y, GET(sums)));
        PUT(other, d + GET(other));
      });
      const float p = a[10].n ? sum_of(total) / (float)n : 0, q = sum_of(slope) / (float)n;
      EACH(n, {
        const vf y = (GET(x) - m) * s, h = GET(g) * GET(weight);
        PUT(to, (h - p - y * q) * s);
      });
    }
  }
  return 0;
}

KERNEL(shiftRows) {
  float *to = a[0].f;
  const float *x = a[1].f, *means = a[2].f, *scales = a[3].f, *shifts = a[4].f;
  const ptrdiff_t n = a[6].n;
  for (ptrdiff_t r = 0; r < a[5].n; r++, to += n, x += n) {
    const float m = means[r];
    const vf scale = splat(scales[r]), shift = splat(shifts[r]);
    EACH(n, { PUT(to, madd(GET(x) - m, scale, shift)); });
  }
  return 0;
}

KERNEL(rowProducts) {
  double *to = a[0].d;
  const float *g = a[1].f, *x = a[2].f, *means = a[3].f;
  const ptrdiff_t n = a[5].n;
  for (ptrdiff_t r = 0; r < a[4].n; r++, g += n, x += n) {
    const double mean = means[r];
    vd total = 0, products = 0;
    double rest = 0, other = 0;
    const ptrdiff_t whole = n - n % LANES;
    EACH(whole, {
      const vd d = widened(GET(g));
      total += d;
      products += d * (widened(GET(x)) - mean);
    });
    for (ptrdiff_t i = whole; i < n; i++) {
      rest += g[i];
      other += g[i] * (x[i] - mean);
    }
    to[2 * r] = sum_of_doubles(total) + rest;
    to[2 * r + 1] = sum_of_doubles(products) + other;
  }
  return 0;
}

KERNEL(shiftRowsGradient) {
  float *to = a[0].f;
  const float *g = a[1].f, *x = a[2].f, *means = a[3].f, *ps = a[4].f, *qs = a[5].f, *shifts = a[6].f;
  const ptrdiff_t n = a[8].n;
  for (ptrdiff_t r = 0; r < a[7].n; r++, to += n, g += n, x += n) {
    const float m = means[r];
    const vf p = splat(ps[r]), q = splat(qs[r]), shift = splat(shifts[r]);
    EACH(n, { PUT(to, madd(GET(g), p, madd(GET(x) - m, q, shift))); });
  }
  return 0;
}

/** Softmax, or its logarithm, along the columns of each block of `n` rows of `inner` elements. */
KERNEL(softmaxColumns) {
  float *to = a[0].f;
  const float *x = a[1].f;
  const ptrdiff_t n = a[3].n, inner = a[4].n;
  const int log = a[5].n != 0;
  for (ptrdiff_t b = 0; b < a[2].n; b++, to += n * inner, x += n * inner)
    EACH(inner, {
      vf top = splat(-INF), sum = 0;
      for (ptrdiff_t r = 0; r < n; r++) top = larger(top, GET(x + r * inner));
      for (ptrdiff_t r = 0; r < n; r++) {
        const vf e = exp_of(GET(x + r * inner) - top);
        sum += e;
        if (!log) PUT(to + r * inner, e);
      }
      const vf l = log ? log_of(sum) : 1 / sum;
      for (ptrdiff_t r = 0; r < n; r++)
        if (log) PUT(to + r * inner, GET(x + r * inner) - top - l);
        else PUT(to + r * inner, GET(to + r * inner) * l);
    });
  return 0;
}

KERNEL(softmaxColumnsGradient) {
  float *to = a[0].f;
  const float *g = a[1].f, *y = a[2].f;
  const ptrdiff_t n = a[4].n, inner = a[5].n;
  const int log = a[6].n != 0;
  const float scale = (float)a[7].x;
  for (ptrdiff_t b = 0; b < a[3].n; b++, to += n * inner, g += n * inner, y += n * inner)
    EACH(inner, {
      vf sum = 0;
      for (ptrdiff_t r = 0; r < n; r++) {
        const vf d = GET(g + r * inner);
        sum = log ? sum + d : madd(d, GET(y + r * inner), sum);
      }
      for (ptrdiff_t r = 0; r < n; r++) {
        const vf d = GET(g + r * inner), v = GET(y + r * inner);
        PUT(to + r * inner, (log ? d - exp_of(v) * sum : v * (d - sum)) * scale);
      }
    });
  return 0;
}

/** The largest or smallest element of each column of each block, and the row of its first occurrence. */
KERNEL(columnExtrema) {
  float *values = a[0].f, *places = a[1].f;
  const float *x = a[2].f;
  const ptrdiff_t rows = a[4].n, n = a[5].n;
  const int32_t flip = (int32_t)a[6].n;
  for (ptrdiff_t b = 0; b < a[3].n; b++, x += rows * n, values += n, places += n)
    EACH(n, {
      vf best = (vf)((vi)GET(x) ^ flip);
      vi at = 0;
      for (ptrdiff_t r = 1; r < rows; r++) {
        const vf v = (vf)((vi)GET(x + r * n) ^ flip);
        // NaN wins against numbers; the first NaN stays.
        const vi take = (v > best) | ((v != v) & (best == best));
        best = take ? v : best;
        at = take ? (vi)(int32_t)r : at;
      }
      PUT(values, (vf)((vi)best ^ flip));
      PUT(places, (vf)at);
    });
  return 0;
}

/** The position of the first occurrence of the extremum in each row. */
KERNEL(rowPlaces) {
  int32_t *to = a[0].i;
  const float *x = a[1].f;
  const ptrdiff_t n = a[3].n;
  const int32_t flip = (int32_t)a[4].n;
  for (ptrdiff_t r = 0; r < a[2].n; r++, x += n) {
    const vf best = splat(row_extremum(x, n, flip)), wanted = (vf)((vi)best ^ flip);
    const int is_nan = best[0] != best[0];
    // Find the vector that contains it, then the element.
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES) {
      const vf v = load(x + i);
      if (any(is_nan ? v != v : v == wanted)) break;
    }
    for (; i < n; i++)
      if (is_nan ? x[i] != x[i] : x[i] == wanted[0]) break;
    to[r] = (int32_t)i;
  }
  return 0;
}
