import type { Kernels, View } from '@gradgate/core';
import { contiguousStrides, rowsAlong, sizeOf } from '@gradgate/core/internal';
import { groupsFor, type Source } from '../gpu.js';
import { withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { stored, wordOf } from '../words.js';

// Indices out of range, for which the host throws, are clamped here: the device cannot report them.

const named = 'fn named(at: i32, n: u32) -> u32 { return u32(clamp(select(at, at + i32(n), at < 0), 0, i32(n) - 1)); }';

/** The sizes of `index` and the strides of the other tensor, for a program of this rank. */
const indexNames = (rank: number): string[] => Array.from({ length: rank }, (_, d) => [`s${d}`, `t${d}`]).flat();

const indexNumbers = ({ shape }: View, { strides }: View): number[] => shape.flatMap((n, d) => [n, strides[d]!]);

/** `Kernels.gather`. */
function gather(x: View, dim: number, index: View, out: View): void {
  if (out.numel === 0) return;
  withScratch(out, (scratch) => {
    const at = scratch.packed(index);
    const rank = index.shape.length;
    const lines: string[] = [];
    for (let d = rank - 1; d >= 0; d--) {
      if (d !== dim) lines.push(`p += (rest % u.s${d}) * u.t${d};`);
      lines.push(`rest /= u.s${d};`);
    }
    const word = wordOf(x.dtype);
    const source = (): Source => ({
      reads: { x: word, index: 'i32' },
      writes: { out: word },
      numbers: ['n', 'size', 'step', 'xo', 'io', ...indexNames(rank)],
      head: named,
      body: `if (i >= u.n) { return; }
var rest = i;
var p = u.xo + named(index[u.io + i], u.size) * u.step;
${lines.join('\n')}
out[i] = x[p];`,
    });
    gpuOf(out).run(
      `gather ${word} ${rank} ${dim}`,
      source,
      [blockOf(x), blockOf(at), blockOf(out)],
      [out.numel, x.shape[dim] ?? 1, x.strides[dim] ?? 0, x.offset, at.offset, ...indexNumbers(at, x)],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

type How = Parameters<Kernels['scatter']>[0];

/** WGSL that combines the target `to` with the new element `v`. */
function mixed(how: How, { dtype }: View): string {
  const isFloat = wordOf(dtype) === 'f32';
  const nan = isFloat ? ' || is_nan(v)' : '';
  if (how === 'set') return 'v';
  if (how === 'amax' || dtype === 'bool')
    return how === 'amin' ? 'select(to, v, v < to)' : `select(to, v, v > to${nan})`;
  if (how === 'amin') return `select(to, v, v < to${nan})`;
  return stored('to + v', wordOf(dtype), dtype);
}

/**
 * `Kernels.scatter`: a thread runs along a line of the index, so that the last of several elements with the same target
 * wins, and sums have one order. Lines write to different targets.
 */
function scatter(how: How, dim: number, index: View, src: View, out: View): void {
  if (index.numel === 0) return;
  withScratch(out, (scratch) => {
    const [at, from] = [scratch.packed(index), scratch.packed(src)];
    const rank = index.shape.length;
    const { outer, n, inner } = rowsAlong(index.shape, dim);
    const lines: string[] = [];
    for (let d = rank - 1; d >= 0; d--) if (d !== dim) lines.push(`p += (rest % u.s${d}) * u.t${d}; rest /= u.s${d};`);
    const word = wordOf(out.dtype);
    const source = (): Source => ({
      reads: { index: 'i32', src: word },
      writes: { out: word },
      numbers: ['lines', 'n', 'inner', 'size', 'step', 'io', 'so', 'oo', ...indexNames(rank)],
      head: named,
      body: `if (i >= u.lines) { return; }
var rest = i;
var p = u.oo;
${lines.join('\n')}
let start = (i / u.inner) * u.n * u.inner + i % u.inner;
for (var j = 0u; j < u.n; j++) {
  let q = start + j * u.inner;
  let place = p + named(index[u.io + q], u.size) * u.step;
  let v = src[u.so + q];
  let to = out[place];
  out[place] = ${mixed(how, out)};
}`,
    });
    gpuOf(out).run(
      `scatter ${how} ${out.dtype} ${rank} ${dim}`,
      source,
      [blockOf(at), blockOf(from), blockOf(out)],
      [
        outer * inner,
        n,
        inner,
        out.shape[dim] ?? 1,
        out.strides[dim] ?? 0,
        at.offset,
        from.offset,
        out.offset,
        ...indexNumbers(at, out),
      ],
      groupsFor(Math.ceil((outer * inner) / 64)),
    );
  });
}

/** `Kernels.indexSelect`. */
function indexSelect(x: View, dim: number, index: View, out: View): void {
  if (out.numel === 0) return;
  withScratch(out, (scratch) => {
    const [from, at] = [scratch.packed(x), scratch.packed(index)];
    const { n, inner } = rowsAlong(x.shape, dim);
    const word = wordOf(x.dtype);
    gpuOf(out).run(
      `indexSelect ${word}`,
      () => ({
        reads: { x: word, index: 'i32' },
        writes: { out: word },
        numbers: ['count', 'rows', 'n', 'inner', 'xo', 'io'],
        head: named,
        body: `if (i >= u.count) { return; }
let row = (i / u.inner) % u.rows;
let o = i / (u.inner * u.rows);
out[i] = x[u.xo + (o * u.n + named(index[u.io + row], u.n)) * u.inner + i % u.inner];`,
      }),
      [blockOf(from), blockOf(at), blockOf(out)],
      [out.numel, index.numel, n, inner, from.offset, at.offset],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

/** `Kernels.indexAdd`: a thread adds the elements along a line, in the order of the index. */
function indexAdd(dim: number, index: View, src: View, out: View): void {
  if (src.numel === 0) return;
  withScratch(out, (scratch) => {
    const [at, from] = [scratch.packed(index), scratch.packed(src)];
    const { outer, n, inner } = rowsAlong(out.shape, dim);
    const word = wordOf(out.dtype);
    gpuOf(out).run(
      `indexAdd ${out.dtype}`,
      () => ({
        reads: { index: 'i32', src: word },
        writes: { out: word },
        numbers: ['lines', 'rows', 'n', 'inner', 'io', 'so', 'oo'],
        head: named,
        body: `if (i >= u.lines) { return; }
let o = i / u.inner;
for (var r = 0u; r < u.rows; r++) {
  let p = u.oo + (o * u.n + named(index[u.io + r], u.n)) * u.inner + i % u.inner;
  let v = src[u.so + (o * u.rows + r) * u.inner + i % u.inner];
  let to = out[p];
  out[p] = ${mixed('add', out)};
}`,
      }),
      [blockOf(at), blockOf(from), blockOf(out)],
      [outer * inner, index.numel, n, inner, at.offset, from.offset, out.offset],
      groupsFor(Math.ceil((outer * inner) / 64)),
    );
  });
}

/** `Kernels.ravelIndex`: each list adds its part of the index. */
function ravelIndex(lists: readonly (View | null)[], shape: readonly number[], lead: number, out: View): void {
  if (out.numel === 0) return;
  const steps = contiguousStrides(shape);
  const whole = shape.map((_, d) => d).filter((d) => lists[d] === null);
  const count = lists.find((list) => list !== null)!.numel;
  const inner = sizeOf(whole.slice(lead).map((d) => shape[d]!));
  // First the part of dimensions without a list, which are taken whole.
  const lines = (dims: readonly number[], value: string) => {
    const made = [`rest = ${value};`];
    for (const d of [...dims].reverse()) made.push(`p += (rest % u.n${d}) * u.t${d}; rest /= u.n${d};`);
    return made.join(' ');
  };
  gpuOf(out).run(
    `ravelIndex whole ${whole.join()} ${lead}`,
    () => ({
      reads: {},
      writes: { out: 'i32' },
      numbers: ['count', 'listed', 'inner', ...whole.flatMap((d) => [`n${d}`, `t${d}`])],
      body: `if (i >= u.count) { return; }
var p = 0u;
var rest = 0u;
${lines(whole.slice(lead), 'i % u.inner')}
${lines(whole.slice(0, lead), 'i / (u.inner * u.listed)')}
out[i] = i32(p);`,
    }),
    [blockOf(out)],
    [out.numel, count, inner, ...whole.flatMap((d) => [shape[d]!, steps[d]!])],
    groupsFor(Math.ceil(out.numel / 64)),
  );
  withScratch(out, (scratch) => {
    lists.forEach((list, d) => {
      if (list === null) return;
      const at = scratch.packed(list);
      gpuOf(out).run(
        'ravelIndex list',
        () => ({
          reads: { index: 'i32' },
          writes: { out: 'i32' },
          numbers: ['count', 'listed', 'inner', 'n', 'step', 'offset'],
          head: named,
          body: `if (i >= u.count) { return; }
out[i] += i32(named(index[u.offset + (i / u.inner) % u.listed], u.n) * u.step);`,
        }),
        [blockOf(at), blockOf(out)],
        [out.numel, count, inner, shape[d]!, steps[d]!, at.offset],
        groupsFor(Math.ceil(out.numel / 64)),
      );
    });
  });
}

/** `Kernels.isin`. */
function isin(x: View, values: View, invert: boolean, out: View): void {
  withScratch(out, (scratch) => {
    const [from, known] = [scratch.packed(x), scratch.packed(values)];
    const word = wordOf(x.dtype) === 'f32' || wordOf(values.dtype) === 'f32' ? 'f32' : 'i32';
    gpuOf(out).run(
      `isin ${wordOf(x.dtype)} ${wordOf(values.dtype)}`,
      () => ({
        reads: { x: wordOf(x.dtype), values: wordOf(values.dtype) },
        writes: { out: 'i32' },
        numbers: ['n', 'count', 'xo', 'vo', 'invert'],
        body: `if (i >= u.n) { return; }
let v = ${word}(x[u.xo + i]);
var found = 0u;
for (var j = 0u; j < u.count; j++) { if (${word}(values[u.vo + j]) == v) { found = 1u; } }
out[i] = i32(found ^ u.invert);`,
      }),
      [blockOf(from), blockOf(known), blockOf(out)],
      [out.numel, values.numel, from.offset, known.offset, Number(invert)],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

/** `Kernels.searchsorted`, by bisection. */
function searchsorted(sorted: View, values: View, right: boolean, out: View): void {
  withScratch(out, (scratch) => {
    const [edges, from] = [scratch.packed(sorted), scratch.packed(values)];
    const n = sorted.shape.at(-1)!;
    const perLine = sorted.shape.length > 1 ? values.shape.at(-1)! : values.numel;
    gpuOf(out).run(
      `searchsorted ${wordOf(sorted.dtype)} ${wordOf(values.dtype)}`,
      () => ({
        reads: { edges: wordOf(sorted.dtype), values: wordOf(values.dtype) },
        writes: { out: 'i32' },
        numbers: ['count', 'n', 'line', 'right', 'eo', 'vo'],
        body: `if (i >= u.count) { return; }
let start = u.eo + (i / u.line) * u.n;
let v = f32(values[u.vo + i]);
var low = 0u;
var high = u.n;
while (low < high) {
  let middle = (low + high) / 2u;
  let e = f32(edges[start + middle]);
  if (before(e, v) || (u.right == 1u && !before(v, e))) { low = middle + 1u; } else { high = middle; }
}
out[i] = i32(low);`,
      }),
      [blockOf(edges), blockOf(from), blockOf(out)],
      [out.numel, n, Math.max(1, perLine), Number(right), edges.offset, from.offset],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

/** `Kernels.histogram`: each workgroup counts a part of the elements. */
function histogram(x: View, low: number, high: number, out: View): void {
  withScratch(out, (scratch) => {
    const from = scratch.packed(x);
    gpuOf(out).run(
      `histogram ${wordOf(x.dtype)} ${out.dtype}`,
      () => ({
        reads: { x: wordOf(x.dtype) },
        writes: { out: wordOf(out.dtype) },
        numbers: ['bins', 'n', 'offset', 'low:f32', 'high:f32'],
        body: `if (group >= u.bins) { return; }
var count = 0.0;
for (var j = lane; j < u.n; j += 64u) {
  let v = f32(x[u.offset + j]);
  if (v >= u.low && v <= u.high) {
    let bin = min(u.bins - 1u, u32(floor((v - u.low) / (u.high - u.low) * f32(u.bins))));
    count += select(0.0, 1.0, bin == group);
  }
}
let sum = group_sum(lane, count);
if (lane == 0u) { out[group] = ${stored('sum', 'f32', out.dtype)}; }`,
      }),
      [blockOf(from), blockOf(out)],
      [out.numel, x.numel, from.offset, low, high],
      groupsFor(out.numel),
    );
  });
}

export const indexingKernels = {
  gather,
  scatter,
  indexSelect,
  indexAdd,
  ravelIndex,
  isin,
  searchsorted,
  histogram,
} satisfies Partial<Kernels>;
