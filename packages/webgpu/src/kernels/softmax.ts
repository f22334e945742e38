import type { Kernels, View } from '@gradgate/core';
import { rowsAlong } from '@gradgate/core/internal';
import { groupsFor } from '../gpu.js';
import { withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { viewOf } from '../views.js';
import { exponentials } from '../wgsl/exponentials.js';
import { sums } from '../wgsl/sums.js';
import { stored } from '../words.js';

// One workgroup for each row.

type SoftmaxKind = Parameters<Kernels['softmax']>[0];

/** `Kernels.softmax`. */
function softmax(kind: SoftmaxKind, x: View, dim: number, out: View): void {
  withScratch(out, (scratch) => {
    const from = scratch.packed(x);
    const { outer, n, inner } = rowsAlong(x.shape, dim);
    const value = kind === 'softmax' ? 'exp_of(x[u.offset + p] - top) / sum' : 'x[u.offset + p] - top - log_of(sum)';
    gpuOf(out).run(
      `${kind} ${out.dtype}`,
      () => ({
        reads: { x: 'f32' },
        writes: { out: 'f32' },
        numbers: ['rows', 'n', 'inner', 'offset'],
        body: `if (group >= u.rows) { return; }
let base = (group / u.inner) * u.n * u.inner + group % u.inner;
${exponentials({ element: 'x[u.offset + base + j * u.inner]' })}
for (var j = lane; j < u.n; j += 64u) { let p = base + j * u.inner; out[p] = ${stored(value, 'f32', out.dtype)}; }`,
      }),
      [blockOf(from), blockOf(out)],
      [outer * inner, n, inner, from.offset],
      groupsFor(outer * inner),
    );
  });
}

/** `Kernels.softmaxGradient`. */
function softmaxGradient(kind: SoftmaxKind, g: View, y: View, dim: number, scale: number, out: View): void {
  withScratch(out, (scratch) => {
    const [gradient, result] = [scratch.packed(g), scratch.packed(y)];
    const { outer, n, inner } = rowsAlong(y.shape, dim);
    const [summand, value] =
      kind === 'softmax'
        ? ['g[u.go + p] * y[u.yo + p]', 'y[u.yo + p] * (g[u.go + p] - sum) * u.scale']
        : ['g[u.go + p]', '(g[u.go + p] - exp_of(y[u.yo + p]) * sum) * u.scale'];
    gpuOf(out).run(
      `${kind}Gradient ${out.dtype}`,
      () => ({
        reads: { g: 'f32', y: 'f32' },
        writes: { out: 'f32' },
        numbers: ['rows', 'n', 'inner', 'go', 'yo', 'scale:f32'],
        body: `if (group >= u.rows) { return; }
let base = (group / u.inner) * u.n * u.inner + group % u.inner;
${sums({ index: 'j', end: 'u.n', each: 'let p = base + j * u.inner;', of: { part: summand } })}
let sum = group_sum(lane, part);
for (var j = lane; j < u.n; j += 64u) { let p = base + j * u.inner; out[p] = ${stored(value, 'f32', out.dtype)}; }`,
      }),
      [blockOf(gradient), blockOf(result), blockOf(out)],
      [outer * inner, n, inner, gradient.offset, result.offset, scale],
      groupsFor(outer * inner),
    );
  });
}

/** `Kernels.logsumexp`. */
function logsumexp(x: View, dims: readonly number[], out: View): void {
  if (out.numel === 0) return;
  withScratch(out, (scratch) => {
    const order = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
    order.push(...x.shape.map((_, d) => d).filter((d) => dims.includes(d)));
    const moved = order.every((d, i) => d === i)
      ? x
      : {
          ...viewOf(x),
          shape: order.map((d) => x.shape[d]!),
          strides: order.map((d) => x.strides[d]!),
          isContiguous: false,
        };
    const from = scratch.packed(moved);
    gpuOf(out).run(
      `logsumexp ${out.dtype}`,
      () => ({
        reads: { x: 'f32' },
        writes: { out: 'f32' },
        numbers: ['rows', 'n', 'offset'],
        body: `if (group >= u.rows) { return; }
let base = u.offset + group * u.n;
${exponentials({ element: 'x[base + j]', isFinite: true })}
if (lane == 0u) { out[group] = ${stored('log_of(sum) + top', 'f32', out.dtype)}; }`,
      }),
      [blockOf(from), blockOf(out)],
      [out.numel, x.numel / out.numel, from.offset],
      groupsFor(out.numel),
    );
  });
}

/** `Kernels.attentionWeights`. */
function attentionWeights(scores: View, scale: number, isCausal: boolean, out: View): void {
  withScratch(out, (scratch) => {
    const from = scratch.packed(scores);
    const [rows, n] = scores.shape.slice(-2) as [number, number];
    const count = n === 0 ? 0 : out.numel / n;
    gpuOf(out).run(
      `attentionWeights ${out.dtype}`,
      () => ({
        reads: { x: 'f32' },
        writes: { out: 'f32' },
        numbers: ['count', 'rows', 'n', 'causal', 'offset', 'scale:f32'],
        body: `if (group >= u.count) { return; }
let base = group * u.n;
let end = select(u.n, min(u.n, group % u.rows + 1u), u.causal == 1u);
${exponentials({ element: 'x[u.offset + base + j] * u.scale', end: 'end' })}
for (var j = lane; j < u.n; j += 64u) {
  var y = 0.0;
  if (j < end) { y = exp_of(x[u.offset + base + j] * u.scale - top) / sum; }
  out[base + j] = ${stored('y', 'f32', out.dtype)};
}`,
      }),
      [blockOf(from), blockOf(out)],
      [count, rows, n, Number(isCausal), from.offset, scale],
      groupsFor(count),
    );
  });
}

export const softmaxKernels = { softmax, softmaxGradient, logsumexp, attentionWeights } satisfies Partial<Kernels>;
