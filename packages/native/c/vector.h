// Vectors of float32 lanes, as wide as the target's registers, and what differs between targets.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#define LANES 16
#elif defined(__AVX2__)
#include <immintrin.h>
#define LANES 8
#else
#define LANES 4
#endif

typedef float v4 __attribute__((ext_vector_type(4)));
typedef float vf8 __attribute__((ext_vector_type(8)));
typedef double d4 __attribute__((ext_vector_type(4)));
typedef float vf __attribute__((ext_vector_type(LANES)));
typedef int32_t vi __attribute__((ext_vector_type(LANES)));
typedef double vd __attribute__((ext_vector_type(LANES)));
// The same, for pointers that need not be aligned.
typedef vf vfu __attribute__((aligned(4)));
typedef vd vdu __attribute__((aligned(8)));

#define INLINE static inline __attribute__((always_inline))

INLINE vf splat(float x) { return (vf)x; }
INLINE vf load(const float *p) { return *(const vfu *)p; }
INLINE void store(float *p, vf v) { *(vfu *)p = v; }

/** A mask of the first `n` lanes. */
INLINE vi first(ptrdiff_t n) {
  vi lane;
  for (int i = 0; i < LANES; i++) lane[i] = i;
  return lane < (vi)(int32_t)n;
}

/** Loads the first `n` elements, 0 < n < LANES, and 0 into the other lanes. Reads nothing after them. */
INLINE vf load_first(const float *p, ptrdiff_t n) {
#if defined(__AVX512F__)
  return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(__AVX2__)
  return (vf)_mm256_maskload_ps(p, (__m256i)first(n));
#else
  vf v = 0;
  v[0] = p[0];
  if (n > 1) v[1] = p[1];
  if (n > 2) v[2] = p[2];
  return v;
#endif
}

/** Stores the first `n` lanes and nothing after them: the memory there may belong to another thread. */
INLINE void store_first(float *p, vf v, ptrdiff_t n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif defined(__AVX2__)
  // Not by a mask: AMD's processors take 12 cycles for such a store.
  __m128 rest = _mm256_castps256_ps128((__m256)v);
  if (n & 4) {
    _mm_storeu_ps(p, rest);
    rest = _mm256_extractf128_ps((__m256)v, 1);
    p += 4;
  }
  if (n & 2) {
    _mm_storel_pi((__m64 *)p, rest);
    rest = _mm_movehl_ps(rest, rest);
    p += 2;
  }
  if (n & 1) _mm_store_ss(p, rest);
#else
  p[0] = v[0];
  if (n > 1) p[1] = v[1];
  if (n > 2) p[2] = v[2];
#endif
}

INLINE vf get(const float *p, ptrdiff_t left) { return left == LANES ? load(p) : load_first(p, left); }
INLINE void put(float *p, vf v, ptrdiff_t left) {
  if (left == LANES) store(p, v);
  else store_first(p, v, left);
}

/**
 * Runs a block for each vector of `n` elements: first for whole vectors, where `left` is a constant, then for the remaining
 * `left` elements. `i` is the offset of the vector.
 */
#define EACH(n, ...)                                                  \
  do {                                                                \
    ptrdiff_t i = 0;                                                  \
    _Pragma("clang loop unroll_count(2)") for (; i + LANES <= (n); i += LANES) { \
      enum { left = LANES };                                          \
      __VA_ARGS__                                                     \
    }                                                                 \
    if (i < (n)) {                                                    \
      const ptrdiff_t left = (n)-i;                                   \
      __VA_ARGS__                                                     \
    }                                                                 \
  } while (0)

// Inside EACH: loads the elements of an array, and stores results.
#define GET(p) get((p) + i, left)
#define PUT(p, v) put((p) + i, v, left)
/** The vector with 0 in the lanes after the end. */
#define COUNTED(v) (left == LANES ? (v) : (vf)((vi)(v) & first(left)))

/**
 * a * b + c, rounded once if the target has fused multiply-add. Nothing else is contracted, so tails have the same bits as
 * whole vectors.
 */
INLINE vf madd(vf a, vf b, vf c) {
#pragma clang fp contract(fast)
  return a * b + c;
}

INLINE vf square_root(vf x) {
  for (int i = 0; i < LANES; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}

INLINE vf absolute(vf x) { return (vf)((vi)x & 0x7fffffff); }
/** b if it compares larger, else `a`; so `a` if either is NaN. */
INLINE vf larger(vf a, vf b) { return b > a ? b : a; }
INLINE vf smaller(vf a, vf b) { return b < a ? b : a; }
INLINE vi larger_int(vi a, vi b) { return b > a ? b : a; }
INLINE vd widened(vf v) { return __builtin_convertvector(v, vd); }

INLINE float sum_of(vf v) {
#if LANES == 16
  const v4 q = (v.lo + v.hi).lo + (v.lo + v.hi).hi;
#elif LANES == 8
  const v4 q = v.lo + v.hi;
#else
  const v4 q = v;
#endif
  return (q[0] + q[2]) + (q[1] + q[3]);
}

// Halves first: adding lane after lane would make each addition wait for the one before.
INLINE double sum_of_doubles(vd v) {
#if LANES == 16
  const d4 q = (v.lo + v.hi).lo + (v.lo + v.hi).hi;
#elif LANES == 8
  const d4 q = v.lo + v.hi;
#else
  const d4 q = v;
#endif
  return (q[0] + q[2]) + (q[1] + q[3]);
}

INLINE float largest_of(vf v) {
#if LANES == 16
  const vf8 half = v.hi > v.lo ? v.hi : v.lo;
#elif LANES == 8
  const vf8 half = v;
#endif
#if LANES == 4
  const v4 q = v;
#else
  const v4 q = half.hi > half.lo ? half.hi : half.lo;
#endif
  const float a = q[2] > q[0] ? q[2] : q[0], b = q[3] > q[1] ? q[3] : q[1];
  return b > a ? b : a;
}

INLINE int any(vi m) {
#if defined(__AVX512F__)
  return _mm512_movepi32_mask((__m512i)m) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps((__m256)m) != 0;
#else
  return (m[0] | m[1] | m[2] | m[3]) != 0;
#endif
}

/** Rounds up to the next cache line. */
INLINE float *aligned(float *p) { return (float *)(((uintptr_t)p + 63) & ~(uintptr_t)63); }

/** Sets `n` elements to 0; there is no `memset` without a libc. */
INLINE void clear(float *to, ptrdiff_t n) { EACH(n, { PUT(to, splat(0)); }); }

INLINE void copy_floats(float *to, const float *from, ptrdiff_t n) { EACH(n, { PUT(to, GET(from)); }); }

/**
 * A kernel's argument, by its letter in the signature: `a` an address, `o` an address or none, `n` a whole number, `x` a
 * number.
 */
typedef union {
  float *f;
  double *d;
  int32_t *i;
  ptrdiff_t n;
  double x;
} arg;

/** A kernel with the name and arguments that it has in `@gradgate/core`'s WebAssembly module. */
struct kernel {
  const char *name;
  const char *signature;
  double (*run)(const arg *);
  int gives_number;
};
#define KERNEL(name) static double k_##name(const arg *a __attribute__((unused)))
