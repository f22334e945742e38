// C[m, n] (+)= A[m, k] @ B[k, n] in float32, as Goto and van de Geijn (2008) lay it out: blocks of A and B are packed
// into panels that stream through the cache, and a kernel keeps a 4x8 tile of C in registers (6x8 would
// need all of the 16 there are, and V8 keeps one for itself). Packing reads A and B by
// strides, so transposes cost nothing more.
import { madd } from './fma';

const MR: usize = 4;
const NR: usize = 8;
const KC: usize = 256;
const MC: usize = 96;
const NC: usize = 1024;

/** Bytes of scratch memory that `gemm` needs: a block of A, a block of B, a tile of C. */
export function gemmScratch(): usize {
  return (MC * KC + NC * KC + MR * NR) * 4;
}

/** Rows of A, MR at a time, side by side for each k; missing rows are zeros. */
function packA(a: usize, rs: usize, cs: usize, m: usize, k: usize, to: usize): void {
  for (let i: usize = 0; i < m; i += MR) {
    const rows = min(MR, m - i);
    const base = a + i * rs;
    if (rows == MR) {
      for (let p: usize = 0; p < k; p++) {
        const from = base + p * cs;
        store<f32>(to, load<f32>(from));
        store<f32>(to, load<f32>(from + rs), 4);
        store<f32>(to, load<f32>(from + 2 * rs), 8);
        store<f32>(to, load<f32>(from + 3 * rs), 12);
        to += MR * 4;
      }
    } else {
      for (let p: usize = 0; p < k; p++) {
        for (let r: usize = 0; r < MR; r++) store<f32>(to + r * 4, r < rows ? load<f32>(base + r * rs + p * cs) : 0);
        to += MR * 4;
      }
    }
  }
}

/** Columns of B, NR at a time, side by side for each k; missing columns are zeros. */
function packB(b: usize, rs: usize, cs: usize, k: usize, n: usize, to: usize): void {
  for (let j: usize = 0; j < n; j += NR) {
    const columns = min(NR, n - j);
    const base = b + j * cs;
    if (columns == NR && cs == 4) {
      for (let p: usize = 0; p < k; p++) {
        const from = base + p * rs;
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        to += NR * 4;
      }
    } else if (columns == NR) {
      for (let p: usize = 0; p < k; p++) {
        const from = base + p * rs;
        store<f32>(to, load<f32>(from));
        store<f32>(to, load<f32>(from + cs), 4);
        store<f32>(to, load<f32>(from + 2 * cs), 8);
        store<f32>(to, load<f32>(from + 3 * cs), 12);
        store<f32>(to, load<f32>(from + 4 * cs), 16);
        store<f32>(to, load<f32>(from + 5 * cs), 20);
        store<f32>(to, load<f32>(from + 6 * cs), 24);
        store<f32>(to, load<f32>(from + 7 * cs), 28);
        to += NR * 4;
      }
    } else {
      for (let p: usize = 0; p < k; p++) {
        for (let c: usize = 0; c < NR; c++) store<f32>(to + c * 4, c < columns ? load<f32>(base + p * rs + c * cs) : 0);
        to += NR * 4;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function put(c: usize, lo: v128, hi: v128, add: bool): void {
  v128.store(c, add ? f32x4.add(v128.load(c), lo) : lo);
  v128.store(c, add ? f32x4.add(v128.load(c, 16), hi) : hi, 16);
}

/** One 4x8 tile: `c` has rows `ldc` bytes apart. */
function tile(k: usize, a: usize, b: usize, c: usize, ldc: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  for (let p: usize = 0; p < k; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load_splat<f32>(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load_splat<f32>(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load_splat<f32>(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    a += MR * 4;
    b += NR * 4;
  }
  put(c, c00, c01, add);
  put(c + ldc, c10, c11, add);
  put(c + 2 * ldc, c20, c21, add);
  put(c + 3 * ldc, c30, c31, add);
}

/**
 * Strides in elements; C is row-major with rows `n` apart; `scratch` has `gemmScratch()` bytes. With `accumulate` the
 * product is added to C.
 */
export function gemm(
  m: usize, n: usize, k: usize,
  a: usize, ars: usize, acs: usize,
  b: usize, brs: usize, bcs: usize,
  c: usize, scratch: usize, accumulate: bool,
): void {
  ars *= 4; acs *= 4; brs *= 4; bcs *= 4;
  const ldc = n * 4;
  const packedA = scratch;
  const packedB = packedA + MC * KC * 4;
  const edge = packedB + NC * KC * 4;
  for (let jc: usize = 0; jc < n; jc += NC) {
    const nc = min(NC, n - jc);
    for (let pc: usize = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      const add = accumulate || pc > 0;
      packB(b + pc * brs + jc * bcs, brs, bcs, kc, nc, packedB);
      for (let ic: usize = 0; ic < m; ic += MC) {
        const mc = min(MC, m - ic);
        packA(a + ic * ars + pc * acs, ars, acs, mc, kc, packedA);
        for (let j: usize = 0; j < nc; j += NR) {
          const pb = packedB + j * kc * 4;
          const nr = min(NR, nc - j);
          for (let i: usize = 0; i < mc; i += MR) {
            const pa = packedA + i * kc * 4;
            const mr = min(MR, mc - i);
            const to = c + (ic + i) * ldc + (jc + j) * 4;
            if (mr == MR && nr == NR) tile(kc, pa, pb, to, ldc, add);
            else {
              tile(kc, pa, pb, edge, NR * 4, false);
              for (let r: usize = 0; r < mr; r++)
                for (let s: usize = 0; s < nr; s++) {
                  const at = to + r * ldc + s * 4;
                  const v = load<f32>(edge + (r * NR + s) * 4);
                  store<f32>(at, add ? load<f32>(at) + v : v);
                }
            }
          }
        }
      }
    }
  }
}
