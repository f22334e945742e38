import type { Kernels, View } from '@gradgate/core';
import { sizeOf } from '@gradgate/core/internal';
import { produce } from '../fusion.js';
import { groupsFor, type Word } from '../gpu.js';
import type { Block } from '../pool.js';
import { blockOf } from '../storage.js';
import { addressesOf, addressNumbers, strideNames, viewOf } from '../views.js';
import { stored, wordOf } from '../words.js';

// Tiled matrix products: 64 threads compute 32 by 32 elements, each 4 by 4 of them in registers, from 16 columns of the
// left and 16 rows of the right matrix at a time, which all of them share. Convolutions are products too, of matrices
// that are computed on the fly.

const tile = 32;
const depth = 16;

/** The operands of a product. WGSL functions return their elements; they are not called outside of the matrices. */
interface Tiled {
  readonly key: string;
  readonly word: Word;
  readonly reads: Readonly<Record<string, Word>>;
  readonly out: View;
  /** Numbers in addition to `m`, `n`, `k` and `batches`. */
  readonly numbers: readonly string[];
  /** `fn left(b: u32, row: u32, k: u32)`, `fn right(b: u32, k: u32, column: u32)`. */
  readonly head: string;
  /** An expression that is added to each result, if any. */
  readonly bias?: string;
}

export function tiled(
  { key, word, reads, out, numbers, head, bias }: Tiled,
  operands: readonly Block[],
  [m, n, k, batches]: readonly [number, number, number, number],
  values: readonly number[],
): void {
  if (m * n * batches === 0) return;
  const zero = word === 'f32' ? '0.0' : '0';
  const source = (then: string) => ({
    reads,
    writes: { out: wordOf(out.dtype) },
    numbers: ['m', 'n', 'k', 'batches', ...numbers],
    head: `${head}
var<workgroup> lefts: array<${word}, ${tile * depth}>;
var<workgroup> rights: array<${word}, ${tile * depth}>;`,
    body: `let across = (u.n + ${tile - 1}u) / ${tile}u;
let down = (u.m + ${tile - 1}u) / ${tile}u;
let b = group / (across * down);
if (b >= u.batches) { return; }
let row = (group / across) % down * ${tile}u;
let column = group % across * ${tile}u;
// The thread's own elements of the tile.
let top = lane / 8u * 4u;
let side = lane % 8u * 4u;
var sums: array<array<${word}, 4>, 4>;
for (var start = 0u; start < u.k; start += ${depth}u) {
  for (var t = lane; t < ${tile * depth}u; t += 64u) {
    // The left matrix is in row-major or column-major order; neighboring threads read neighboring elements.
    let r = row + t / ${depth}u;
    let c = start + t % ${depth}u;
    var l = ${word}(${zero});
    if (r < u.m && c < u.k) { l = left(b, r, c); }
    lefts[t] = l;
    let q = start + t / ${tile}u;
    let p = column + t % ${tile}u;
    var s = ${word}(${zero});
    if (q < u.k && p < u.n) { s = right(b, q, p); }
    rights[t] = s;
  }
  workgroupBarrier();
  for (var d = 0u; d < ${depth}u; d++) {
    var mine: array<${word}, 4>;
    for (var y = 0u; y < 4u; y++) { mine[y] = lefts[(top + y) * ${depth}u + d]; }
    for (var z = 0u; z < 4u; z++) {
      let v = rights[d * ${tile}u + side + z];
      for (var y = 0u; y < 4u; y++) { sums[y][z] = sums[y][z] + mine[y] * v; }
    }
  }
  workgroupBarrier();
}
for (var y = 0u; y < 4u; y++) {
  for (var z = 0u; z < 4u; z++) {
    let r = row + top + y;
    let c = column + side + z;
    if (r < u.m && c < u.n) {
      let e = (b * u.m + r) * u.n + c;
      let v0 = ${stored(`sums[y][z]${bias ? ` + ${bias}` : ''}`, word, out.dtype)};
      out[e] = v0;
      ${then}
    }
  }
}`,
  });
  produce({
    key,
    out,
    source,
    reads: operands,
    numbers: [m, n, k, batches, ...values],
    groups: groupsFor(Math.ceil(n / tile) * Math.ceil(m / tile) * batches),
  });
}

/** The strides of the rows and columns of a matrix, possibly transposed. */
const stepsOf = ({ strides }: View, isTransposed: boolean): number[] =>
  isTransposed ? [strides.at(-1)!, strides.at(-2)!] : [strides.at(-2)!, strides.at(-1)!];

/** `Kernels.matmul`. */
function matmul(a: View, transposeA: boolean, b: View, transposeB: boolean, out: View, bias: View | null): void {
  const lead = out.shape.slice(0, -2);
  const [m, n] = out.shape.slice(-2) as [number, number];
  const k = a.shape.at(transposeA ? -2 : -1)!;
  const heads = [a, b].map((v) => ({ ...viewOf(v), shape: v.shape.slice(0, -2), strides: v.strides.slice(0, -2) }));
  const address = addressesOf(lead, heads);
  const rank = address.shape.length;
  const word = wordOf(out.dtype);
  tiled(
    {
      key: `matmul ${out.dtype} ${rank} ${bias !== null}`,
      word,
      reads: { a: word, b: word, ...(bias && { bias: word }) },
      out,
      numbers: ['ar', 'ac', 'br', 'bc', 'bias_o', ...strideNames(['a', 'b'], rank)],
      head: `fn left(i: u32, row: u32, k: u32) -> ${word} { ${address.code(['a', 'b'])} return a[at_a + row * u.ar + k * u.ac]; }
fn right(i: u32, k: u32, column: u32) -> ${word} { ${address.code(['a', 'b'])} return b[at_b + k * u.br + column * u.bc]; }`,
      ...(bias && { bias: 'bias[u.bias_o + c]' }),
    },
    [blockOf(a), blockOf(b), ...(bias ? [blockOf(bias)] : [])],
    [m, n, k, sizeOf(lead)],
    [...stepsOf(a, transposeA), ...stepsOf(b, transposeB), bias?.offset ?? 0, ...addressNumbers(address)],
  );
}

export const matmulKernels = { matmul } satisfies Partial<Kernels>;
