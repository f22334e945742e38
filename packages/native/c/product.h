// C[m, n] (+)= A[m, k] B[k, n], laid out as in Goto and van de Geijn (2008): blocks of A and B are packed into panels that
// stream through the cache, and a tile of C stays in registers. Packing reads through strides, so transposed matrices cost no
// more. For each block of k, an element of C is one chain of multiply-adds, whichever part of C a call computes.
#include "vector.h"

// The tile size is limited by the registers: accumulators, one vector of B for each column of the tile, and one of A.
#if LANES == 16
#define ROWS 14
#elif LANES == 8 || !defined(__aarch64__)
#define ROWS 6
#else
#define ROWS 12
#endif
#define COLUMNS (2 * LANES)
#define BLOCK_K 384
#define BLOCK_M (ROWS * 16)
#define BLOCK_N 1024

/** What is copied in whole vectors writes fewer elements than these behind its end. */
#define BEHIND 16
/** Rows of A are read where they lie, rather than packed, for at most so many columns of B. */
#define FEW_COLUMNS 128
/** Columns of A that lie side by side are read where they are if so many elements hold them: more would push one another out of the cache. */
#define NEAR 4096

/** Bytes of scratch memory: a block of A, a block of B, and padding to whole cache lines. */
static const ptrdiff_t product_scratch = (BLOCK_M * BLOCK_K + BEHIND + BLOCK_K * BLOCK_N) * 4 + 64;

/** The block size, at most `most`, that splits `n` evenly. */
INLINE ptrdiff_t evenly(ptrdiff_t n, ptrdiff_t most, ptrdiff_t unit) {
  const ptrdiff_t blocks = (n + most - 1) / most, size = (n + blocks - 1) / blocks;
  return (size + unit - 1) / unit * unit;
}

INLINE ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/** Transposes four rows of four elements: rows are `step` apart, and the columns that are written `unit` apart. */
INLINE void turn(float *to, ptrdiff_t unit, const float *from, ptrdiff_t step) {
  typedef v4 v4u __attribute__((aligned(4)));
  const v4 a = *(const v4u *)from, b = *(const v4u *)(from + step);
  const v4 c = *(const v4u *)(from + 2 * step), d = *(const v4u *)(from + 3 * step);
  const v4 p = __builtin_shufflevector(a, b, 0, 4, 1, 5), q = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const v4 r = __builtin_shufflevector(a, b, 2, 6, 3, 7), s = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(v4u *)to = __builtin_shufflevector(p, q, 0, 1, 4, 5);
  *(v4u *)(to + unit) = __builtin_shufflevector(p, q, 2, 3, 6, 7);
  *(v4u *)(to + 2 * unit) = __builtin_shufflevector(r, s, 0, 1, 4, 5);
  *(v4u *)(to + 3 * unit) = __builtin_shufflevector(r, s, 2, 3, 6, 7);
}

/**
 * Transposes rows of `k` elements, which are `step` apart: for each of the `k`, the elements of all rows side by side, `unit`
 * apart.
 */
INLINE void pack_turned(float *to, ptrdiff_t unit, const float *from, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t k) {
  ptrdiff_t r = 0;
  for (; r + 4 <= rows; r += 4, from += 4 * step) {
    ptrdiff_t p = 0;
    for (; p + 4 <= k; p += 4) turn(to + p * unit + r, unit, from + p, step);
    for (; p < k; p++)
      for (ptrdiff_t i = 0; i < 4; i++) to[p * unit + r + i] = from[i * step + p];
  }
  for (; r < rows; r++, from += step)
    for (ptrdiff_t p = 0; p < k; p++) to[p * unit + r] = from[p];
}

KERNEL(copyStrided) {
  float *to = a[0].f;
  const ptrdiff_t rows = a[4].n, n = a[5].n, row = a[8].n, step = a[9].n;
  for (ptrdiff_t i = 0; i < a[2].n; i++)
    for (ptrdiff_t j = 0; j < a[3].n; j++, to += rows * n) {
      const float *from = a[1].f + i * a[6].n + j * a[7].n;
      if (row == 1 && step > 1) {
        pack_turned(to, n, from, step, n, rows);
        continue;
      }
      for (ptrdiff_t r = 0; r < rows; r++, from += row) {
        float *at = to + r * n;
        if (step == 1) copy_floats(at, from, n);
        else
          for (ptrdiff_t c = 0; c < n; c++) at[c] = from[c * step];
      }
    }
  return 0;
}

/**
 * Packs some rows of A: for each k their elements side by side. Whole vectors are copied, each over the end of the one before;
 * what is read behind the rows lies in the same matrix, or in the next `LANES` elements of the memory.
 */
INLINE void pack_rows(float *to, const float *from, ptrdiff_t rs, ptrdiff_t cs, ptrdiff_t rows, ptrdiff_t k) {
  if (rs == 1)
    for (ptrdiff_t p = 0; p < k; p++, from += cs, to += rows)
      for (ptrdiff_t r = 0; r < rows; r += LANES) store(to + r, load(from + r));
  else if (cs == 1) pack_turned(to, rows, from, rs, rows, k);
  else
    for (ptrdiff_t r = 0; r < rows; r++)
      for (ptrdiff_t p = 0; p < k; p++) to[p * rows + r] = from[r * rs + p * cs];
}

/** Packs COLUMNS columns of B; missing ones are zeros. */
INLINE void pack_columns(float *to, const float *from, ptrdiff_t rs, ptrdiff_t cs, ptrdiff_t columns, ptrdiff_t k) {
  if (cs == 1) {
    const ptrdiff_t left = least(columns, LANES), right = columns - left;
    for (ptrdiff_t p = 0; p < k; p++, from += rs, to += COLUMNS) {
      store(to, left == LANES ? load(from) : load_first(from, left));
      store(to + LANES, right == LANES ? load(from + LANES) : right > 0 ? load_first(from + LANES, right) : 0);
    }
    return;
  }
  if (columns < COLUMNS)
    for (ptrdiff_t i = 0; i < k * COLUMNS; i += LANES) store(to + i, 0);
  if (rs == 1) pack_turned(to, COLUMNS, from, cs, columns, k);
  else
    for (ptrdiff_t c = 0; c < columns; c++)
      for (ptrdiff_t p = 0; p < k; p++) to[p * COLUMNS + c] = from[c * cs + p * rs];
}

/**
 * A tile of `rows` rows and one or two vectors; both numbers are constants after inlining, and so are the steps to the next row
 * and the next k in packed rows.
 */
INLINE void tile(int rows, int vectors, ptrdiff_t k, const float *a, ptrdiff_t rs, ptrdiff_t cs, const float *b, float *c, ptrdiff_t ldc, ptrdiff_t columns, int add) {
  vf sums[ROWS][2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) sums[r][v] = 0;
#pragma clang loop unroll(disable)
  for (ptrdiff_t p = 0; p < k; p++, a += cs, b += COLUMNS) {
    const vf b0 = load(b), b1 = vectors == 2 ? load(b + LANES) : b0;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const vf x = splat(a[r * rs]);
      sums[r][0] = madd(x, b0, sums[r][0]);
      if (vectors == 2) sums[r][1] = madd(x, b1, sums[r][1]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++, c += ldc)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const ptrdiff_t left = least(LANES, columns - v * LANES);
      float *at = c + v * LANES;
      if (left == LANES) store(at, add ? load(at) + sums[r][v] : sums[r][v]);
      else if (left > 0) store_first(at, add ? load_first(at, left) + sums[r][v] : sums[r][v], left);
    }
}

/** Runs the macro for each height of a tile. */
#if ROWS == 14
#define EACH_HEIGHT(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14)
#elif ROWS == 12
#define EACH_HEIGHT(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12)
#else
#define EACH_HEIGHT(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6)
#endif

/** A tile of packed rows, and one of rows where they lie. */
#define TILE(rows)                                                                                              \
  static void tile##rows(ptrdiff_t k, const float *a, const float *b, float *c, ptrdiff_t ldc, ptrdiff_t columns, int add) { \
    if (columns > LANES) tile(rows, 2, k, a, 1, rows, b, c, ldc, columns, add);                                 \
    else tile(rows, 1, k, a, 1, rows, b, c, ldc, columns, add);                                                 \
  }                                                                                                             \
  static void direct##rows(ptrdiff_t k, const float *a, ptrdiff_t rs, ptrdiff_t cs, const float *b, float *c, ptrdiff_t ldc, ptrdiff_t columns, int add) { \
    if (columns > LANES) tile(rows, 2, k, a, rs, cs, b, c, ldc, columns, add);                                  \
    else tile(rows, 1, k, a, rs, cs, b, c, ldc, columns, add);                                                  \
  }
EACH_HEIGHT(TILE)

static void tile_rows(ptrdiff_t rows, ptrdiff_t k, const float *a, const float *b, float *c, ptrdiff_t ldc, ptrdiff_t columns, int add) {
#define CASE(n)                                \
  case n:                                      \
    tile##n(k, a, b, c, ldc, columns, add);    \
    break;
  switch (rows) { EACH_HEIGHT(CASE) }
#undef CASE
}

static void direct_rows(ptrdiff_t rows, ptrdiff_t k, const float *a, ptrdiff_t rs, ptrdiff_t cs, const float *b, float *c, ptrdiff_t ldc, ptrdiff_t columns, int add) {
#define CASE(n)                                         \
  case n:                                               \
    direct##n(k, a, rs, cs, b, c, ldc, columns, add);   \
    break;
  switch (rows) { EACH_HEIGHT(CASE) }
#undef CASE
}

struct matrix {
  const float *at;
  ptrdiff_t row, column;
};

static void multiply(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, struct matrix a, struct matrix b, float *c, ptrdiff_t ldc, float *scratch, int accumulate) {
  if (k == 0 && !accumulate)
    for (ptrdiff_t i = 0; i < m; i++) clear(c + i * ldc, n);
  if (m == 0 || n == 0 || k == 0) return;
  float *packed_a = aligned(scratch), *packed_b = packed_a + BLOCK_M * BLOCK_K + BEHIND;
  const ptrdiff_t block_n = evenly(n, BLOCK_N, COLUMNS), block_k = evenly(k, BLOCK_K, 4), block_m = evenly(m, BLOCK_M, ROWS);
  for (ptrdiff_t jc = 0; jc < n; jc += block_n) {
    const ptrdiff_t nc = least(block_n, n - jc);
    for (ptrdiff_t pc = 0; pc < k; pc += block_k) {
      const ptrdiff_t kc = least(block_k, k - pc);
      const int add = accumulate || pc > 0;
      for (ptrdiff_t j = 0; j < nc; j += COLUMNS)
        pack_columns(packed_b + j * kc, b.at + pc * b.row + (jc + j) * b.column, b.row, b.column, least(COLUMNS, nc - j), kc);
      for (ptrdiff_t ic = 0; ic < m; ic += block_m) {
        const ptrdiff_t mc = least(block_m, m - ic), height = evenly(mc, ROWS, 1);
        if (n <= FEW_COLUMNS && (a.column == 1 || (a.row == 1 && kc * a.column <= NEAR))) {
          const float *from = a.at + ic * a.row + pc * a.column;
          for (ptrdiff_t j = 0; j < nc; j += COLUMNS)
            for (ptrdiff_t i = 0; i < mc; i += height)
              direct_rows(least(height, mc - i), kc, from + i * a.row, a.row, a.column, packed_b + j * kc, c + (ic + i) * ldc + jc + j, ldc, nc - j, add);
          continue;
        }
        for (ptrdiff_t i = 0; i < mc; i += height)
          pack_rows(packed_a + i * kc, a.at + (ic + i) * a.row + pc * a.column, a.row, a.column, least(height, mc - i), kc);
        for (ptrdiff_t j = 0; j < nc; j += COLUMNS)
          for (ptrdiff_t i = 0; i < mc; i += height)
            tile_rows(least(height, mc - i), kc, packed_a + i * kc, packed_b + j * kc, c + (ic + i) * ldc + jc + j, ldc, nc - j, add);
      }
    }
  }
}

KERNEL(gemmScratch) { return (double)product_scratch; }

KERNEL(gemm) {
  const struct matrix left = {a[3].f, a[4].n, a[5].n}, right = {a[6].f, a[7].n, a[8].n};
  multiply(a[0].n, a[1].n, a[2].n, left, right, a[9].f, a[10].n, a[11].f, a[12].n != 0);
  return 0;
}

KERNEL(batchedGemm) {
  const int32_t *starts_a = a[1].i, *starts_b = a[2].i;
  const ptrdiff_t m = a[3].n, n = a[4].n, k = a[5].n;
  for (ptrdiff_t i = 0; i < a[0].n; i++) {
    const struct matrix left = {a[6].f + (uint32_t)starts_a[i], a[7].n, a[8].n};
    const struct matrix right = {a[9].f + (uint32_t)starts_b[i], a[10].n, a[11].n};
    multiply(m, n, k, left, right, a[12].f + i * m * n, n, a[13].f, 0);
  }
  return 0;
}
