import type { Kernels, View } from '@gradgate/core';
import type { Channels } from '@gradgate/core/internal';
import { groupsFor } from '../gpu.js';
import type { Block } from '../pool.js';
import { withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { sums } from '../wgsl/sums.js';
import { stored } from '../words.js';

// One workgroup for each row, or for each group of channels.

const flag = (view: View | null): number => Number(view !== null);

/** The buffer of a view; for null that of another one, which is bound but not read. */
const blockOr = (view: View | null, other: View): Block => blockOf(view ?? other);

/** `Kernels.normRows`. */
const normRows: Kernels['normRows'] = (x, weight, bias, eps, isCentered, out, means, scales) => {
  withScratch(out, (scratch) => {
    const [from, w, b] = [scratch.packed(x), scratch.packedIf(weight), scratch.packedIf(bias)];
    const rows = means.numel;
    gpuOf(out).run(
      `normRows ${out.dtype} ${means.dtype}`,
      () => ({
        reads: { x: 'f32', weight: 'f32', bias: 'f32' },
        writes: { out: 'f32', means: 'f32', scales: 'f32' },
        numbers: ['rows', 'n', 'xo', 'wo', 'bo', 'weighted', 'biased', 'centered', 'eps:f32'],
        body: `if (group >= u.rows) { return; }
let base = group * u.n;
${sums({ index: 'j', end: 'u.n', of: { part: 'x[u.xo + base + j]' } })}
let mean = select(0.0, group_sum(lane, part) / f32(u.n), u.centered == 1u);
${sums({ index: 'j', end: 'u.n', each: 'let d = x[u.xo + base + j] - mean;', of: { squares: 'd * d' } })}
let scale = 1.0 / sqrt(group_sum(lane, squares) / f32(u.n) + u.eps);
for (var j = lane; j < u.n; j += 64u) {
  var y = (x[u.xo + base + j] - mean) * scale;
  if (u.weighted == 1u) { y *= weight[u.wo + j]; }
  if (u.biased == 1u) { y += bias[u.bo + j]; }
  out[base + j] = ${stored('y', 'f32', out.dtype)};
}
if (lane == 0u) { means[group] = ${stored('mean', 'f32', means.dtype)}; scales[group] = ${stored('scale', 'f32', scales.dtype)}; }`,
      }),
      [blockOf(from), blockOr(w, from), blockOr(b, from), blockOf(out), blockOf(means), blockOf(scales)],
      [
        rows,
        rows === 0 ? 0 : x.numel / rows,
        from.offset,
        w?.offset ?? 0,
        b?.offset ?? 0,
        flag(w),
        flag(b),
        Number(isCentered),
        eps,
      ],
      groupsFor(rows),
    );
  });
};

/** `Kernels.normRowsGradient`. */
const normRowsGradient: Kernels['normRowsGradient'] = (
  g,
  x,
  weight,
  means,
  scales,
  isCentered,
  out,
  ofWeight,
  ofBias,
) => {
  withScratch(out, (scratch) => {
    const gpu = gpuOf(out);
    const [gradient, from, w] = [scratch.packed(g), scratch.packed(x), scratch.packedIf(weight)];
    const [m, s] = [scratch.packed(means), scratch.packed(scales)];
    const rows = means.numel;
    const n = rows === 0 ? 0 : x.numel / rows;
    const offsets = [gradient.offset, from.offset, w?.offset ?? 0, m.offset, s.offset];
    const numbers = ['rows', 'n', 'go', 'xo', 'wo', 'mo', 'so', 'weighted', 'centered'];
    gpu.run(
      `normRowsGradient ${out.dtype}`,
      () => ({
        reads: { g: 'f32', x: 'f32', weight: 'f32', means: 'f32', scales: 'f32' },
        writes: { out: 'f32' },
        numbers,
        head: `fn weighted(base: u32, j: u32) -> f32 { let v = g[u.go + base + j]; if (u.weighted == 1u) { return v * weight[u.wo + j]; } return v; }`,
        body: `if (group >= u.rows) { return; }
let base = group * u.n;
let mean = means[u.mo + group];
let scale = scales[u.so + group];
${sums({
  index: 'j',
  end: 'u.n',
  each: 'let h = weighted(base, j);',
  of: { part: 'h', slopes: 'h * (x[u.xo + base + j] - mean) * scale' },
})}
let total = select(0.0, group_sum(lane, part) / f32(u.n), u.centered == 1u);
let slope = group_sum(lane, slopes) / f32(u.n);
for (var j = lane; j < u.n; j += 64u) {
  let y = (x[u.xo + base + j] - mean) * scale;
  out[base + j] = ${stored('(weighted(base, j) - total - y * slope) * scale', 'f32', out.dtype)};
}`,
      }),
      [blockOf(gradient), blockOf(from), blockOr(w, from), blockOf(m), blockOf(s), blockOf(out)],
      [rows, n, ...offsets, flag(w), Number(isCentered)],
      groupsFor(rows),
    );
    // The sums of columns for weight and bias, in one call.
    const outs = { weight: ofWeight, bias: ofBias };
    const names = (['weight', 'bias'] as const).filter((name) => outs[name] !== null);
    if (names.length === 0) return;
    gpu.run(
      `normRowsGradient of ${names.map((name) => `${name} ${outs[name]!.dtype}`).join(' ')}`,
      () => ({
        reads: { g: 'f32', x: 'f32', means: 'f32', scales: 'f32' },
        writes: Object.fromEntries(names.map((name) => [name, 'f32'])),
        numbers,
        body: `if (group >= u.n) { return; }
${sums({
  index: 'r',
  end: 'u.rows',
  each: 'let p = r * u.n + group;',
  of: Object.fromEntries(names.map((name) => [`${name}_part`, summands[name]])),
})}
${names.map((name) => `let ${name}_sum = group_sum(lane, ${name}_part);`).join('\n')}
if (lane == 0u) {
${names.map((name) => `  ${name}[group] = ${stored(`${name}_sum`, 'f32', outs[name]!.dtype)};`).join('\n')}
}`,
      }),
      [blockOf(gradient), blockOf(from), blockOf(m), blockOf(s), ...names.map((name) => blockOf(outs[name]!))],
      [rows, n, ...offsets, 0, 0],
      groupsFor(n),
    );
  });
};

const summands = {
  weight: 'g[u.go + p] * (x[u.xo + p] - means[u.mo + r]) * scales[u.so + r]',
  bias: 'g[u.go + p]',
} as const;

// The address of element `e` of a group: `channels` of one sample, or with `together` 0 one channel of all samples.
const grouped = `fn at(group: u32, e: u32) -> u32 {
  if (u.together == 0u) { return ((e / u.inner) * u.channels + group) * u.inner + e % u.inner; }
  return group * u.together * u.inner + e;
}
fn channel(p: u32) -> u32 { return (p / u.inner) % u.channels; }`;

const layoutNames = ['groups', 'count', 'channels', 'inner', 'together'];

function layoutNumbers({ batch, channels, inner, together }: Channels): [number, number, number, number, number] {
  const groups = together === 0 ? channels : (batch * channels) / together;
  return [groups, groups === 0 ? 0 : (batch * channels * inner) / groups, channels, inner, together];
}

/** `Kernels.normChannels`. */
const normChannels: Kernels['normChannels'] = (x, weight, bias, layout, eps, out, means, variances) => {
  withScratch(out, (scratch) => {
    const [from, w, b] = [scratch.packed(x), scratch.packedIf(weight), scratch.packedIf(bias)];
    const numbers = layoutNumbers(layout);
    gpuOf(out).run(
      `normChannels ${out.dtype} ${means.dtype}`,
      () => ({
        reads: { x: 'f32', weight: 'f32', bias: 'f32' },
        writes: { out: 'f32', means: 'f32', variances: 'f32' },
        numbers: [...layoutNames, 'xo', 'wo', 'bo', 'weighted', 'biased', 'eps:f32'],
        head: grouped,
        body: `if (group >= u.groups) { return; }
${sums({ index: 'e', end: 'u.count', of: { part: 'x[u.xo + at(group, e)]' } })}
let mean = group_sum(lane, part) / f32(u.count);
${sums({ index: 'e', end: 'u.count', each: 'let d = x[u.xo + at(group, e)] - mean;', of: { squares: 'd * d' } })}
let variance = group_sum(lane, squares) / f32(u.count);
let scale = 1.0 / sqrt(variance + u.eps);
for (var e = lane; e < u.count; e += 64u) {
  let p = at(group, e);
  var y = (x[u.xo + p] - mean) * scale;
  if (u.weighted == 1u) { y *= weight[u.wo + channel(p)]; }
  if (u.biased == 1u) { y += bias[u.bo + channel(p)]; }
  out[p] = ${stored('y', 'f32', out.dtype)};
}
if (lane == 0u) { means[group] = ${stored('mean', 'f32', means.dtype)}; variances[group] = ${stored('variance', 'f32', variances.dtype)}; }`,
      }),
      [blockOf(from), blockOr(w, from), blockOr(b, from), blockOf(out), blockOf(means), blockOf(variances)],
      [...numbers, from.offset, w?.offset ?? 0, b?.offset ?? 0, flag(w), flag(b), eps],
      groupsFor(numbers[0]),
    );
  });
};

/** `Kernels.normChannelsGradient`. */
const normChannelsGradient: Kernels['normChannelsGradient'] = (
  g,
  x,
  weight,
  means,
  variances,
  layout,
  eps,
  out,
  ofWeight,
  ofBias,
) => {
  withScratch(out, (scratch) => {
    const gpu = gpuOf(out);
    const [gradient, from, w] = [scratch.packed(g), scratch.packed(x), scratch.packedIf(weight)];
    const [m, v] = [scratch.packed(means), scratch.packed(variances)];
    const numbers = layoutNumbers(layout);
    const names = [...layoutNames, 'go', 'xo', 'wo', 'mo', 'vo', 'weighted', 'batch', 'eps:f32'];
    const values = [
      ...numbers,
      gradient.offset,
      from.offset,
      w?.offset ?? 0,
      m.offset,
      v.offset,
      flag(w),
      layout.batch,
      eps,
    ];
    gpu.run(
      `normChannelsGradient ${out.dtype}`,
      () => ({
        reads: { g: 'f32', x: 'f32', weight: 'f32', means: 'f32', variances: 'f32' },
        writes: { out: 'f32' },
        numbers: names,
        head: `${grouped}
fn weighted(p: u32) -> f32 { let v = g[u.go + p]; if (u.weighted == 1u) { return v * weight[u.wo + channel(p)]; } return v; }`,
        body: `if (group >= u.groups) { return; }
let mean = means[u.mo + group];
let scale = 1.0 / sqrt(variances[u.vo + group] + u.eps);
${sums({
  index: 'e',
  end: 'u.count',
  each: 'let p = at(group, e); let h = weighted(p);',
  of: { part: 'h', slopes: 'h * (x[u.xo + p] - mean) * scale' },
})}
let total = group_sum(lane, part) / f32(u.count);
let slope = group_sum(lane, slopes) / f32(u.count);
for (var e = lane; e < u.count; e += 64u) {
  let p = at(group, e);
  let y = (x[u.xo + p] - mean) * scale;
  out[p] = ${stored('(weighted(p) - total - y * slope) * scale', 'f32', out.dtype)};
}`,
      }),
      [blockOf(gradient), blockOf(from), blockOr(w, from), blockOf(m), blockOf(v), blockOf(out)],
      values,
      groupsFor(numbers[0]),
    );
    const ofChannels = (sum: View, summand: string, name: string) =>
      gpu.run(
        `normChannelsGradient ${name} ${sum.dtype}`,
        () => ({
          reads: { g: 'f32', x: 'f32', means: 'f32', variances: 'f32' },
          writes: { out: 'f32' },
          numbers: names,
          body: `if (group >= u.channels) { return; }
${sums({
  index: 'e',
  end: 'u.batch * u.inner',
  // k is the group of the row, which is a channel of a sample.
  each: `let row = (e / u.inner) * u.channels + group;
  let p = row * u.inner + e % u.inner;
  var k = group;
  if (u.together != 0u) { k = row / u.together; }`,
  of: { part: summand },
})}
let sum = group_sum(lane, part);
if (lane == 0u) { out[group] = ${stored('sum', 'f32', sum.dtype)}; }`,
        }),
        [blockOf(gradient), blockOf(from), blockOf(m), blockOf(v), blockOf(sum)],
        values,
        groupsFor(layout.channels),
      );
    if (ofWeight)
      ofChannels(
        ofWeight,
        'g[u.go + p] * (x[u.xo + p] - means[u.mo + k]) / sqrt(variances[u.vo + k] + u.eps)',
        'weight',
      );
    if (ofBias) ofChannels(ofBias, 'g[u.go + p]', 'bias');
  });
};

export const normKernels = {
  normRows,
  normRowsGradient,
  normChannels,
  normChannelsGradient,
} satisfies Partial<Kernels>;
