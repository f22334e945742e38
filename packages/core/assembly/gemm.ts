// C[m, n] (+)= A[m, k] @ B[k, n] in float32, as Goto and van de Geijn (2008) lay it out: blocks of A and B are packed
// into panels that stream through the cache, and a kernel keeps a 6x8 tile of C in registers (12 of the 15 that V8
// hands out; the loop must not be unrolled, or it spills). Packing reads A and B by strides, so transposes cost nothing
// more.
import { madd } from './fma';
import { packColumns, packRows, panelHeight } from './pack';

const MR: usize = 6;
const NR: usize = 8;
export const KC: usize = 400;
const MC: usize = 96;
export const NC: usize = 512;
/** Bytes of scratch memory for a tile that extends beyond the edge of C. */
export const EDGE: usize = MR * NR * 4;

/** Bytes of scratch memory that `gemm` needs: a block of A, a block of B, a tile of C. */
export function gemmScratch(): usize {
  return (MC * KC + NC * KC) * 4 + EDGE;
}

// @ts-ignore: decorator
@inline
function start(c: usize, add: bool): v128 {
  return add ? v128.load(c) : f32x4.splat(0);
}

// @ts-ignore: decorator
@inline
function put(c: usize, lo: v128, hi: v128): void {
  v128.store(c, lo);
  v128.store(c, hi, 16);
}

/** One 6x8 tile: `c` has rows `ldc` bytes apart. `add` is a constant: a branch would cost registers. */
// @ts-ignore: decorator
@inline
function tileOf6(k: usize, a: usize, b: usize, c: usize, ldc: usize, add: bool): void {
  let c00 = start(c, add), c01 = start(c + 16, add);
  let c10 = start(c + ldc, add), c11 = start(c + ldc + 16, add);
  let c20 = start(c + 2 * ldc, add), c21 = start(c + 2 * ldc + 16, add);
  let c30 = start(c + 3 * ldc, add), c31 = start(c + 3 * ldc + 16, add);
  let c40 = start(c + 4 * ldc, add), c41 = start(c + 4 * ldc + 16, add);
  let c50 = start(c + 5 * ldc, add), c51 = start(c + 5 * ldc + 16, add);
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
    x = v128.load_splat<f32>(a, 16);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    x = v128.load_splat<f32>(a, 20);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
    a += 24;
    b += NR * 4;
  }
  put(c, c00, c01);
  put(c + ldc, c10, c11);
  put(c + 2 * ldc, c20, c21);
  put(c + 3 * ldc, c30, c31);
  put(c + 4 * ldc, c40, c41);
  put(c + 5 * ldc, c50, c51);
}

/** One 4x8 tile, where six rows would waste more. */
// @ts-ignore: decorator
@inline
function tileOf4(k: usize, a: usize, b: usize, c: usize, ldc: usize, add: bool): void {
  let c00 = start(c, add), c01 = start(c + 16, add);
  let c10 = start(c + ldc, add), c11 = start(c + ldc + 16, add);
  let c20 = start(c + 2 * ldc, add), c21 = start(c + 2 * ldc + 16, add);
  let c30 = start(c + 3 * ldc, add), c31 = start(c + 3 * ldc + 16, add);
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
    a += 16;
    b += NR * 4;
  }
  put(c, c00, c01);
  put(c + ldc, c10, c11);
  put(c + 2 * ldc, c20, c21);
  put(c + 3 * ldc, c30, c31);
}

function tile6(k: usize, a: usize, b: usize, c: usize, ldc: usize): void {
  tileOf6(k, a, b, c, ldc, false);
}

function addTile6(k: usize, a: usize, b: usize, c: usize, ldc: usize): void {
  tileOf6(k, a, b, c, ldc, true);
}

function tile4(k: usize, a: usize, b: usize, c: usize, ldc: usize): void {
  tileOf4(k, a, b, c, ldc, false);
}

function addTile4(k: usize, a: usize, b: usize, c: usize, ldc: usize): void {
  tileOf4(k, a, b, c, ldc, true);
}

/** The product of packed rows of A and columns of B: C[m, n], or added to it; `edge` has `EDGE` bytes. */
export function multiplyPanels(
  m: usize, n: usize, k: usize, packedA: usize, packedB: usize, c: usize, ldc: usize, edge: usize, add: bool,
): void {
  for (let j: usize = 0; j < n; j += NR) {
    const pb = packedB + j * k * 4;
    const nr = min(NR, n - j);
    for (let i: usize = 0; i < m; ) {
      const pa = packedA + i * k * 4;
      const height = panelHeight(m - i);
      const mr = min(height, m - i);
      const to = c + i * ldc + j * 4;
      i += height;
      if (nr == NR && mr == 6) {
        if (add) addTile6(k, pa, pb, to, ldc);
        else tile6(k, pa, pb, to, ldc);
      } else if (nr == NR && mr == 4) {
        if (add) addTile4(k, pa, pb, to, ldc);
        else tile4(k, pa, pb, to, ldc);
      } else {
        if (height == 6) tile6(k, pa, pb, edge, NR * 4);
        else tile4(k, pa, pb, edge, NR * 4);
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

/** The block size, at most `most`, that splits `n` evenly. */
// @ts-ignore: decorator
@inline
export function evenly(n: usize, most: usize, unit: usize): usize {
  const blocks = (n + most - 1) / most;
  const size = (n + blocks - 1) / blocks;
  return (size + unit - 1) / unit * unit;
}

/**
 * Strides in elements; rows of C are `ldc` apart; `scratch` has `gemmScratch()` bytes. With `accumulate` the product is
 * added to C.
 */
export function gemm(
  m: usize, n: usize, k: usize,
  a: usize, ars: usize, acs: usize,
  b: usize, brs: usize, bcs: usize,
  c: usize, ldc: usize, scratch: usize, accumulate: bool,
): void {
  ars *= 4; acs *= 4; brs *= 4; bcs *= 4; ldc *= 4;
  const packedA = scratch;
  const packedB = packedA + MC * KC * 4;
  const edge = packedB + NC * KC * 4;
  if (k == 0 && !accumulate) {
    for (let i: usize = 0; i < m; i++) memory.fill(c + i * ldc, 0, n * 4);
    return;
  }
  const blockN = evenly(n, NC, NR), blockK = evenly(k, KC, 4), blockM = evenly(m, MC, MR);
  for (let jc: usize = 0; jc < n; jc += blockN) {
    const nc = min(blockN, n - jc);
    for (let pc: usize = 0; pc < k; pc += blockK) {
      const kc = min(blockK, k - pc);
      const add = accumulate || pc > 0;
      packColumns(b + pc * brs + jc * bcs, brs, bcs, kc, nc, packedB);
      for (let ic: usize = 0; ic < m; ic += blockM) {
        const mc = min(blockM, m - ic);
        packRows(a + ic * ars + pc * acs, ars, acs, mc, kc, packedA);
        multiplyPanels(mc, nc, kc, packedA, packedB, c + ic * ldc + jc * 4, ldc, edge, add);
      }
    }
  }
}

/**
 * The products of `count` pairs of matrices, whose offsets in elements from `a` and `b` are in `startsA` and `startsB`;
 * results are consecutive. Otherwise like `gemm`.
 */
export function batchedGemm(
  count: usize, startsA: usize, startsB: usize,
  m: usize, n: usize, k: usize,
  a: usize, ars: usize, acs: usize,
  b: usize, brs: usize, bcs: usize,
  c: usize, scratch: usize,
): void {
  for (let i: usize = 0; i < count; i++, c += m * n * 4)
    gemm(
      m, n, k,
      a + <usize>load<u32>(startsA + i * 4) * 4, ars, acs,
      b + <usize>load<u32>(startsB + i * 4) * 4, brs, bcs,
      c, n, scratch, false,
    );
}
