// Convolutions of images [c, h, w] as matrix products. Images are stored one after another, and so are their groups.
#include "product.h"

/** A convolution's sizes; the kernels get the first fifteen as whole numbers. */
struct shape {
  ptrdiff_t groups, inputs, outputs, h, w, kh, kw, sh, sw, ph, pw, dh, dw, rows, columns;
  /** Elements of an image, of a patch and of a padded image; the width of a padded image; the number of output positions. */
  ptrdiff_t image, patch, padded, width, positions;
};

INLINE struct shape shape_at(const int32_t *g) {
  struct shape s = {g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11], g[12], g[13], g[14], 0, 0, 0, 0, 0};
  s.image = s.inputs * s.h * s.w;
  s.patch = s.inputs * s.kh * s.kw;
  s.width = s.w + 2 * s.pw;
  s.padded = s.inputs * (s.h + 2 * s.ph) * s.width;
  s.positions = s.rows * s.columns;
  return s;
}

/**
 * Copies whole vectors: what comes behind the `n` elements is written too, and must be written again later. Reads as far behind
 * them.
 */
INLINE void copy_beyond(float *to, const float *from, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i += LANES) store(to + i, load(from + i));
}

/** The padded image, written to `to`; the image itself if there is no padding. */
static const float *pad(const struct shape *s, const float *image, float *to) {
  if (s->ph == 0 && s->pw == 0) return image;
  clear(to, s->padded);
  float *at = to + s->ph * s->width + s->pw;
  for (ptrdiff_t c = 0; c < s->inputs; c++, at += 2 * s->ph * s->width)
    for (ptrdiff_t y = 0; y < s->h; y++, at += s->width, image += s->w) copy_floats(at, image, s->w);
  return to;
}

/** The offset of a patch in a padded image, and of an element in a patch. */
INLINE ptrdiff_t place_of(const struct shape *s, ptrdiff_t position) {
  return position / s->columns * s->sh * s->width + position % s->columns * s->sw;
}
INLINE ptrdiff_t element_of(const struct shape *s, ptrdiff_t element) {
  const ptrdiff_t size = s->kh * s->kw, c = element / size, i = element % size / s->kw, k = element % s->kw;
  return (c * (s->h + 2 * s->ph) + i * s->dh) * s->width + k * s->dw;
}

/** Elements `pc` to `pc + kc` of the patches at COLUMNS positions from `jc` on; missing ones are zeros. */
static void pack_patches(const struct shape *s, const float *image, ptrdiff_t pc, ptrdiff_t kc, ptrdiff_t jc, ptrdiff_t columns, float *to) {
  // Positions in one row of the result are next to each other, or a stride apart.
  ptrdiff_t begins[COLUMNS], lengths[COLUMNS], runs = 0;
  for (ptrdiff_t c = 0; c < columns; c += lengths[runs++]) {
    begins[runs] = place_of(s, jc + c);
    lengths[runs] = least(columns - c, s->columns - (jc + c) % s->columns);
  }
  for (ptrdiff_t p = pc; p < pc + kc; p++, to += COLUMNS) {
    const float *from = image + element_of(s, p);
    float *at = to;
    for (ptrdiff_t r = 0; r < runs; at += lengths[r++]) {
      const float *run = from + begins[r];
      if (s->sw == 1) copy_beyond(at, run, lengths[r]);
      else
        for (ptrdiff_t c = 0; c < lengths[r]; c++) at[c] = run[c * s->sw];
    }
    for (ptrdiff_t c = columns; c < COLUMNS; c++) to[c] = 0;
  }
}

KERNEL(convScratch) {
  const struct shape s = shape_at(a[0].i);
  const ptrdiff_t forward = (s.outputs * s.patch + s.padded + BLOCK_K * BLOCK_N + BEHIND) * 4;
  const ptrdiff_t backward = (s.patch * s.positions + BEHIND + s.padded) * 4 + product_scratch;
  return (double)((forward > backward ? forward : backward) + 256);
}

KERNEL(convolve) {
  const struct shape s = shape_at(a[0].i);
  const float *weight = a[3].f, *bias = a[4].f;
  float *packed_a = a[6].f, *packed_b = aligned(packed_a + s.outputs * s.patch), *padded = packed_b + BLOCK_K * BLOCK_N + BEHIND;
  const ptrdiff_t block_n = evenly(s.positions, BLOCK_N, COLUMNS), block_k = evenly(s.patch, BLOCK_K, 4), height = evenly(s.outputs, ROWS, 1);
  for (ptrdiff_t group = 0; group < s.groups; group++, weight += s.outputs * s.patch) {
    for (ptrdiff_t pc = 0; pc < s.patch; pc += block_k) {
      const ptrdiff_t kc = least(block_k, s.patch - pc);
      for (ptrdiff_t o = 0; o < s.outputs; o += height)
        pack_rows(packed_a + s.outputs * pc + o * kc, weight + o * s.patch + pc, s.patch, 1, least(height, s.outputs - o), kc);
    }
    for (ptrdiff_t n = 0; n < a[1].n; n++) {
      const ptrdiff_t at = n * s.groups + group;
      float *c = a[5].f + at * s.outputs * s.positions;
      const float *from = pad(&s, a[2].f + at * s.image, padded);
      if (bias)
        for (ptrdiff_t o = 0; o < s.outputs; o++) {
          const vf v = splat(bias[group * s.outputs + o]);
          float *row = c + o * s.positions;
          EACH(s.positions, { PUT(row, v); });
        }
      for (ptrdiff_t jc = 0; jc < s.positions; jc += block_n) {
        const ptrdiff_t nc = least(block_n, s.positions - jc);
        for (ptrdiff_t pc = 0; pc < s.patch; pc += block_k) {
          const ptrdiff_t kc = least(block_k, s.patch - pc);
          for (ptrdiff_t j = 0; j < nc; j += COLUMNS)
            pack_patches(&s, from, pc, kc, jc + j, least(COLUMNS, nc - j), packed_b + j * kc);
          for (ptrdiff_t j = 0; j < nc; j += COLUMNS)
            for (ptrdiff_t o = 0; o < s.outputs; o += height)
              tile_rows(least(height, s.outputs - o), kc, packed_a + s.outputs * pc + o * kc, packed_b + j * kc,
                        c + o * s.positions + jc + j, s.positions, nc - j, bias || pc > 0);
        }
      }
    }
  }
  return 0;
}

/** Adds columns to the image that they are patches of. */
static void col2im(const struct shape *s, const float *from, float *image) {
  for (ptrdiff_t c = 0; c < s->inputs; c++)
    for (ptrdiff_t i = 0; i < s->kh; i++)
      for (ptrdiff_t k = 0; k < s->kw; k++) {
        const ptrdiff_t shift = k * s->dw - s->pw;
        // The first position inside the image, and the first one after it.
        const ptrdiff_t begin = least(s->columns, shift >= 0 ? 0 : (s->sw - 1 - shift) / s->sw);
        ptrdiff_t end = least(s->columns, s->w <= shift ? 0 : (s->w - shift + s->sw - 1) / s->sw);
        if (end < begin) end = begin;
        for (ptrdiff_t y = 0; y < s->rows; y++, from += s->columns) {
          const ptrdiff_t row = y * s->sh - s->ph + i * s->dh;
          if (row < 0 || row >= s->h) continue;
          float *to = image + (c * s->h + row) * s->w + shift;
          if (s->sw == 1) {
            float *at = to + begin;
            const float *values = from + begin;
            EACH(end - begin, { PUT(at, GET(at) + GET(values)); });
          } else
            for (ptrdiff_t x = begin; x < end; x++) to[x * s->sw] += from[x];
        }
      }
}

KERNEL(convolveInput) {
  const struct shape s = shape_at(a[0].i);
  float *columns = a[5].f, *scratch = columns + s.patch * s.positions;
  for (ptrdiff_t n = 0; n < a[1].n; n++)
    for (ptrdiff_t group = 0; group < s.groups; group++) {
      const ptrdiff_t at = n * s.groups + group;
      const struct matrix kernels = {a[3].f + group * s.outputs * s.patch, 1, s.patch};
      const struct matrix grad = {a[2].f + at * s.outputs * s.positions, s.positions, 1};
      float *to = a[4].f + at * s.image;
      multiply(s.patch, s.positions, s.outputs, kernels, grad, columns, s.positions, scratch, 0);
      clear(to, s.image);
      col2im(&s, columns, to);
    }
  return 0;
}

KERNEL(convolveWeight) {
  const struct shape s = shape_at(a[0].i);
  float *patches = a[5].f, *padded = patches + s.patch * s.positions + BEHIND, *scratch = padded + s.padded;
  for (ptrdiff_t n = 0; n < a[1].n; n++)
    for (ptrdiff_t group = 0; group < s.groups; group++) {
      const ptrdiff_t at = n * s.groups + group;
      const float *from = pad(&s, a[3].f + at * s.image, padded);
      float *to = patches;
      for (ptrdiff_t p = 0; p < s.patch; p++) {
        const float *element = from + element_of(&s, p);
        for (ptrdiff_t y = 0; y < s.rows; y++, to += s.columns) {
          const float *row = element + y * s.sh * s.width;
          if (s.sw == 1) copy_beyond(to, row, s.columns);
          else
            for (ptrdiff_t x = 0; x < s.columns; x++) to[x] = row[x * s.sw];
        }
      }
      const struct matrix left = {patches, s.positions, 1}, right = {a[2].f + at * s.outputs * s.positions, 1, s.positions};
      multiply(s.patch, s.outputs, s.positions, left, right, a[4].f + group * s.outputs * s.patch, s.outputs, scratch, n > 0);
    }
  return 0;
}
