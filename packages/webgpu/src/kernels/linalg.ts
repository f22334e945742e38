import type { Kernels, View } from '@gradgate/core';
import { sizeOf } from '@gradgate/core/internal';
import { groupsFor, type Source } from '../gpu.js';
import { withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { eliminate, swapRows } from './decomposition.js';

// One thread for each matrix, suited to many small ones. Without a solution, the results are not finite.

/**
 * LU decomposition in `lu`, and the sign of its row swaps; `swapped` also swaps the rows `p` and `q` of the right-hand
 * side.
 */
const factor = (swapped = ''): string => `let at_lu = i * u.n * u.n;
for (var e = 0u; e < u.n * u.n; e++) { lu[at_lu + e] = a[u.ao + at_lu + e]; }
var sign = 1.0;
${eliminate({ rows: 'u.n', swapped: `sign = -sign;\n    ${swapped}` })}`;

function matrices(a: View): [count: number, n: number] {
  const n = a.shape.at(-1)!;
  return [sizeOf(a.shape.slice(0, -2)), n];
}

/** `Kernels.solve` from the LU factors. */
function solve(a: View, b: View, out: View): void {
  withScratch(out, (scratch) => {
    const [left, right] = [scratch.packed(a), scratch.packed(b)];
    const [count, n] = matrices(a);
    const k = b.shape.at(-1)!;
    const lu = scratch.make('float32', a.numel);
    gpuOf(out).run(
      'solve',
      (): Source => ({
        reads: { a: 'f32', b: 'f32' },
        writes: { lu: 'f32', out: 'f32' },
        numbers: ['count', 'n', 'k', 'ao', 'bo'],
        body: `if (i >= u.count) { return; }
let at_out = i * u.n * u.k;
for (var e = 0u; e < u.n * u.k; e++) { out[at_out + e] = b[u.bo + at_out + e]; }
${factor(swapRows('out', 'u.k'))}
for (var c = 0u; c < u.k; c++) {
  for (var r = 0u; r < u.n; r++) {
    var v = out[at_out + r * u.k + c];
    for (var j = 0u; j < r; j++) { v -= lu[at_lu + r * u.n + j] * out[at_out + j * u.k + c]; }
    out[at_out + r * u.k + c] = v;
  }
  for (var s = 0u; s < u.n; s++) {
    let r = u.n - 1u - s;
    var v = out[at_out + r * u.k + c];
    for (var j = r + 1u; j < u.n; j++) { v -= lu[at_lu + r * u.n + j] * out[at_out + j * u.k + c]; }
    let pivot = lu[at_lu + r * u.n + r];
    if (pivot == 0.0) { out[at_out + r * u.k + c] = not_a_number(); } else { out[at_out + r * u.k + c] = v / pivot; }
  }
}`,
      }),
      [blockOf(left), blockOf(right), blockOf(lu), blockOf(out)],
      [count, n, k, left.offset, right.offset],
      groupsFor(Math.ceil(count / 64)),
    );
  });
}

/** Computes one or two numbers from the LU factors of each matrix. */
function ofFactors(key: string, a: View, outs: Readonly<Record<string, View>>, end: string): void {
  const [first] = Object.values(outs);
  withScratch(first!, (scratch) => {
    const left = scratch.packed(a);
    const [count, n] = matrices(a);
    const lu = scratch.make('float32', a.numel);
    gpuOf(first!).run(
      key,
      (): Source => ({
        reads: { a: 'f32' },
        writes: { lu: 'f32', ...Object.fromEntries(Object.keys(outs).map((name) => [name, 'f32' as const])) },
        numbers: ['count', 'n', 'ao'],
        body: `if (i >= u.count) { return; }\n${factor()}\n${end}`,
      }),
      [blockOf(left), blockOf(lu), ...Object.values(outs).map(blockOf)],
      [count, n, left.offset],
      groupsFor(Math.ceil(count / 64)),
    );
  });
}

/** `Kernels.det`. */
const det = (a: View, out: View): void =>
  ofFactors('det', a, { out }, 'for (var k = 0u; k < u.n; k++) { sign *= lu[at_lu + k * u.n + k]; }\nout[i] = sign;');

/** `Kernels.slogdet`. */
const slogdet = (a: View, sign: View, logabsdet: View): void =>
  ofFactors(
    'slogdet',
    a,
    { signs: sign, logs: logabsdet },
    `var total = 0.0;
for (var k = 0u; k < u.n; k++) { let d = lu[at_lu + k * u.n + k]; sign *= select(select(1.0, -1.0, d < 0.0), 0.0, d == 0.0); total += log_of(abs(d)); }
signs[i] = sign;
logs[i] = total;`,
  );

/** `Kernels.cholesky`. */
function cholesky(a: View, out: View): void {
  withScratch(out, (scratch) => {
    const from = scratch.packed(a);
    const [count, n] = matrices(a);
    gpuOf(out).run(
      'cholesky',
      () => ({
        reads: { a: 'f32' },
        writes: { out: 'f32' },
        numbers: ['count', 'n', 'ao'],
        body: `if (i >= u.count) { return; }
let start = i * u.n * u.n;
for (var r = 0u; r < u.n; r++) {
  for (var c = 0u; c < u.n; c++) {
    if (c > r) { out[start + r * u.n + c] = 0.0; continue; }
    var v = a[u.ao + start + r * u.n + c];
    for (var k = 0u; k < c; k++) { v -= out[start + r * u.n + k] * out[start + c * u.n + k]; }
    if (r == c) {
      if (v > 0.0) { v = sqrt(v); } else { v = not_a_number(); }
    } else { v = v / out[start + c * u.n + c]; }
    out[start + r * u.n + c] = v;
  }
}`,
      }),
      [blockOf(from), blockOf(out)],
      [count, n, from.offset],
      groupsFor(Math.ceil(count / 64)),
    );
  });
}

export const linalgKernels = { solve, det, slogdet, cholesky } satisfies Partial<Kernels>;
