// The largest elements of windows over planes, and the gradient of that.
#include "functions.h"

/** `count` elements, `step` apart; nothing behind the last one is read. */
INLINE vf spaced(const float *from, ptrdiff_t step, ptrdiff_t count) {
  if (step == 1) return get(from, count);
  if (step == 2) {
    const ptrdiff_t all = 2 * count - 1, behind = all - (LANES - 1);
    const vf low = all >= LANES ? load(from) : load_first(from, all);
    const vf high = behind <= 0 ? splat(0) : get(from + LANES - 1, behind);
#if LANES == 16
    return __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
#elif LANES == 8
    return __builtin_shufflevector(low, high, 0, 2, 4, 6, 9, 11, 13, 15);
#else
    return __builtin_shufflevector(low, high, 0, 2, 5, 7);
#endif
  }
  vf v = 0;
  for (ptrdiff_t k = 0; k < count; k++) v[k] = from[k * step];
  return v;
}

/** Windows over one plane, `kh` x `kw` elements that are `dh`, `dw` apart, one every `sh`, `sw`, from -`ph`, -`pw` on. */
struct windows {
  ptrdiff_t h, w, kh, kw, sh, sw, ph, pw, dh, dw, rows, columns;
};

/** How many of `n` positions, `step` apart from `from` on, are below `end`. */
INLINE ptrdiff_t count_below(ptrdiff_t from, ptrdiff_t step, ptrdiff_t n, ptrdiff_t end) {
  const ptrdiff_t count = from >= end ? 0 : (end - from + step - 1) / step;
  return count < n ? count : n;
}

/** The first `count` windows from `left` on, of the rows of the plane that lie in it: no column lies outside. */
INLINE void whole_windows(const float *plane, int32_t base, const struct windows *s, ptrdiff_t top, ptrdiff_t left,
                          ptrdiff_t first_row, ptrdiff_t last_row, ptrdiff_t count, float *values, float *places) {
  vi lane;
  for (int i = 0; i < LANES; i++) lane[i] = i;
  vf best = splat(-INF);
  // Counted from the first window's corner.
  vi at = -1;
  for (ptrdiff_t i = first_row; i < last_row; i++)
    for (ptrdiff_t j = 0; j < s->kw; j++) {
      const ptrdiff_t place = (top + i * s->dh) * s->w + left + j * s->dw;
      const vf v = spaced(plane + place, s->sw, count);
      // NaN counts as the largest.
      const vi take = (v > best) | (v != v) | (at < 0);
      best = take ? v : best;
      at = take ? (vi)(int32_t)place : at;
    }
  at = at < 0 ? at : at + lane * (vi)(int32_t)s->sw + (vi)base;
  put(values, best, count);
  put(places, (vf)at, count);
}

KERNEL(maxPool) {
  const float *plane = a[0].f;
  ptrdiff_t base = a[2].n;
  const struct windows s = {a[3].n, a[4].n, a[5].n, a[6].n, a[7].n, a[8].n, a[9].n, a[10].n, a[11].n, a[12].n, a[13].n, a[14].n};
  float *values = a[15].f, *places = a[16].f;
  // The windows of a row that lie within the plane from side to side.
  const ptrdiff_t begin = count_below(-s.pw, s.sw, s.columns, 0);
  const ptrdiff_t end = count_below(-s.pw, s.sw, s.columns, s.w - (s.kw - 1) * s.dw);
  for (ptrdiff_t p = 0; p < a[1].n; p++, plane += s.h * s.w, base += s.h * s.w)
    for (ptrdiff_t y = 0; y < s.rows; y++, values += s.columns, places += s.columns) {
      const ptrdiff_t top = y * s.sh - s.ph;
      const ptrdiff_t first_row = count_below(top, s.dh, s.kh, 0), last_row = count_below(top, s.dh, s.kh, s.h);
      for (ptrdiff_t x = 0; x < s.columns;) {
        const ptrdiff_t left = x * s.sw - s.pw;
        if (x >= begin && x < end) {
          const ptrdiff_t rest = end - x;
          if (rest >= LANES) whole_windows(plane, (int32_t)base, &s, top, left, first_row, last_row, LANES, values + x, places + x);
          else whole_windows(plane, (int32_t)base, &s, top, left, first_row, last_row, rest, values + x, places + x);
          x += rest < LANES ? rest : LANES;
          continue;
        }
        const ptrdiff_t first_column = count_below(left, s.dw, s.kw, 0), last_column = count_below(left, s.dw, s.kw, s.w);
        float best = -INF;
        ptrdiff_t at = -1;
        for (ptrdiff_t i = first_row; i < last_row; i++)
          for (ptrdiff_t j = first_column; j < last_column; j++) {
            const ptrdiff_t place = (top + i * s.dh) * s.w + left + j * s.dw;
            const float v = plane[place];
            if (v > best || v != v || at < 0) {
              best = v;
              at = place;
            }
          }
        values[x] = best;
        ((int32_t *)places)[x] = (int32_t)(at < 0 ? at : base + at);
        x++;
      }
    }
  return 0;
}

KERNEL(maxPoolGradient) {
  float *to = a[0].f;
  const float *grad = a[1].f;
  const int32_t *places = a[2].i;
  const ptrdiff_t planes = a[3].n, plane = a[5].n, size = a[6].n;
  ptrdiff_t base = a[4].n;
  for (ptrdiff_t p = 0; p < planes; p++, base += plane, to += plane, grad += size, places += size) {
    clear(to, plane);
    for (ptrdiff_t i = 0; i < size; i++)
      if (places[i] >= 0) to[places[i] - base] += grad[i];
  }
  return 0;
}
