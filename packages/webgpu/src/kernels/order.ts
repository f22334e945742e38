import type { Kernels, View } from '@gradgate/core';
import { rowsAlong } from '@gradgate/core/internal';
import { groupsFor, type Word } from '../gpu.js';
import { withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { stored, wordOf } from '../words.js';

/** Comparisons of a word, NaN last. */
const compare = (word: Word): string =>
  word === 'f32'
    ? 'fn less(a: f32, b: f32) -> bool { return before(a, b); } fn same(a: f32, b: f32) -> bool { return alike(a, b); }'
    : 'fn less(a: i32, b: i32) -> bool { return a < b; } fn same(a: i32, b: i32) -> bool { return a == b; }';

/** `Kernels.argsort`: each thread counts the elements of its line that come before its own. */
function argsort(x: View, dim: number, descending: boolean, out: View): void {
  withScratch(out, (scratch) => {
    const from = scratch.packed(x);
    const { n, inner } = rowsAlong(x.shape, dim);
    const word = wordOf(x.dtype);
    gpuOf(out).run(
      `argsort ${word}`,
      () => ({
        reads: { x: word },
        writes: { out: 'i32' },
        numbers: ['count', 'n', 'inner', 'offset', 'descending'],
        head: compare(word),
        body: `if (i >= u.count) { return; }
let own = (i / u.inner) % u.n;
let start = (i / (u.inner * u.n)) * u.n * u.inner + i % u.inner;
let v = x[u.offset + i];
var rank = 0u;
for (var j = 0u; j < u.n; j++) {
  let w = x[u.offset + start + j * u.inner];
  var comes = less(w, v);
  if (u.descending == 1u) { comes = less(v, w); }
  if (comes || (j < own && same(v, w))) { rank++; }
}
out[start + rank * u.inner] = i32(own);`,
      }),
      [blockOf(from), blockOf(out)],
      [out.numel, n, inner, from.offset, Number(descending)],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

/** `Kernels.mode`: each thread counts equal elements for each element of its line. NaN equals none. */
function mode(x: View, dim: number, out: View): void {
  if (out.numel === 0) return;
  withScratch(out, (scratch) => {
    const from = scratch.packed(x);
    const { outer, n, inner } = rowsAlong(x.shape, dim);
    const word = wordOf(x.dtype);
    gpuOf(out).run(
      `mode ${word}`,
      () => ({
        reads: { x: word },
        writes: { out: 'i32' },
        numbers: ['lines', 'n', 'inner', 'offset'],
        head: compare(word),
        body: `if (i >= u.lines) { return; }
let start = u.offset + (i / u.inner) * u.n * u.inner + i % u.inner;
var most = 0u;
var place = 0u;
for (var j = 0u; j < u.n; j++) {
  let v = x[start + j * u.inner];
  var count = 1u;
  var last = j;
  for (var k = 0u; k < u.n; k++) {
    if (k != j && x[start + k * u.inner] == v) { count++; last = max(last, k); }
  }
  if (count > most || (count == most && less(v, x[start + place * u.inner]))) { most = count; place = last; }
}
out[i] = i32(place);`,
      }),
      [blockOf(from), blockOf(out)],
      [outer * inner, n, inner, from.offset],
      groupsFor(Math.ceil((outer * inner) / 64)),
    );
  });
}

type Which = Parameters<Kernels['scan']>[0];

/** The accumulator, how an element is added, and the value at its position. */
const scans: Record<Which, (word: Word) => { start: string; step: string; value: string }> = {
  sum: (word) => ({ start: `var acc = ${word}(0);`, step: 'acc += v;', value: 'acc' }),
  prod: (word) => ({ start: `var acc = ${word}(1);`, step: 'acc *= v;', value: 'acc' }),
  logsumexp: () => ({
    start: 'var top = -infinity(); var acc = 0.0;',
    step: `if (is_nan(v)) { acc = v; }
else if (v > top) { acc = acc * exp_of(top - v) + 1.0; top = v; }
else if (v == top) { if (acc != 0.0) { acc += 1.0; } }
else { acc += exp_of(v - top); }
var sum = top; if (is_nan(acc)) { sum = acc; } else if (acc != 0.0) { sum = top + log_of(acc); }`,
    value: 'sum',
  }),
  argmax: () => best('>'),
  argmin: () => best('<'),
};

const best = (sign: '>' | '<') => ({
  start: 'var acc = x[start]; var place = 0u;',
  step: `if (isnt(v) || (!isnt(acc) && (v ${sign} acc || v == acc))) { acc = v; place = j; }`,
  value: 'i32(place)',
});

/** `Kernels.scan`: one thread for each line. */
function scan(which: Which, x: View, dim: number, out: View): void {
  if (out.numel === 0) return;
  withScratch(out, (scratch) => {
    const from = scratch.packed(x);
    const { outer, n, inner } = rowsAlong(x.shape, dim);
    const word = wordOf(x.dtype);
    const { start, step, value } = scans[which](word);
    const given = which.startsWith('arg') ? 'i32' : word;
    gpuOf(out).run(
      `scan ${which} ${word} ${out.dtype}`,
      () => ({
        reads: { x: word },
        writes: { out: wordOf(out.dtype) },
        numbers: ['lines', 'n', 'inner', 'offset'],
        head:
          word === 'f32'
            ? 'fn isnt(v: f32) -> bool { return is_nan(v); }'
            : 'fn isnt(v: i32) -> bool { return false; }',
        body: `if (i >= u.lines) { return; }
let line = (i / u.inner) * u.n * u.inner + i % u.inner;
let start = u.offset + line;
${start}
for (var j = 0u; j < u.n; j++) {
  let v = x[start + j * u.inner];
  ${step}
  out[line + j * u.inner] = ${stored(value, given, out.dtype)};
}`,
      }),
      [blockOf(from), blockOf(out)],
      [outer * inner, n, inner, from.offset],
      groupsFor(Math.ceil((outer * inner) / 64)),
    );
  });
}

export const orderKernels = { argsort, mode, scan } satisfies Partial<Kernels>;
