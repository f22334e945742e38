import type { Kernels, View } from '@gradgate/core';
import type { Areas, Taps, Window } from '@gradgate/core/internal';
import { groupsFor } from '../gpu.js';
import { type Scratch, withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { stored } from '../words.js';

type Images = readonly [batch: number, channels: number, h: number, w: number];

/** `Kernels.maxPool`. */
function maxPool(x: View, { kernel, stride, padding, dilation }: Window, out: View, places: View): void {
  withScratch(out, (scratch) => {
    const from = scratch.packed(x);
    const [, , h, w] = x.shape as Images;
    const [, , rows, columns] = out.shape as Images;
    gpuOf(out).run(
      `maxPool ${out.dtype}`,
      () => ({
        reads: { x: 'f32' },
        writes: { out: 'f32', places: 'i32' },
        numbers: ['n', 'h', 'w', 'rows', 'columns', 'kh', 'kw', 'sh', 'sw', 'ph', 'pw', 'dh', 'dw', 'offset'],
        body: `if (i >= u.n) { return; }
let column = i % u.columns;
let row = (i / u.columns) % u.rows;
let plane = (i / (u.columns * u.rows)) * u.h * u.w;
var best = -infinity();
var place = -1;
for (var a = 0u; a < u.kh; a++) {
  // Coordinates below 0 wrap around and are too large.
  let y = row * u.sh + a * u.dh - u.ph;
  if (y >= u.h) { continue; }
  for (var b = 0u; b < u.kw; b++) {
    let z = column * u.sw + b * u.dw - u.pw;
    if (z >= u.w) { continue; }
    let p = plane + y * u.w + z;
    let v = x[u.offset + p];
    if (place < 0 || v > best || is_nan(v)) { best = v; place = i32(p); }
  }
}
out[i] = ${stored('best', 'f32', out.dtype)};
places[i] = place;`,
      }),
      [blockOf(from), blockOf(out), blockOf(places)],
      [out.numel, h, w, rows, columns, ...kernel, ...stride, ...padding, ...dilation, from.offset],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

/** `Kernels.maxPoolGradient`: one thread for each plane, so that sums have one order. */
function maxPoolGradient(g: View, places: View, out: View): void {
  withScratch(out, (scratch) => {
    const [gradient, at] = [scratch.packed(g), scratch.packed(places)];
    const [batch, channels, h, w] = out.shape as Images;
    const planes = batch * channels;
    gpuOf(out).run(
      `maxPoolGradient ${out.dtype}`,
      () => ({
        reads: { g: 'f32', places: 'i32' },
        writes: { out: 'f32' },
        numbers: ['planes', 'size', 'count', 'go', 'po'],
        body: `if (i >= u.planes) { return; }
for (var p = i * u.size; p < (i + 1u) * u.size; p++) { out[p] = 0.0; }
for (var j = i * u.count; j < (i + 1u) * u.count; j++) {
  let p = places[u.po + j];
  if (p >= 0) { out[p] = ${stored('out[p] + g[u.go + j]', 'f32', out.dtype)}; }
}`,
      }),
      [blockOf(gradient), blockOf(at), blockOf(out)],
      [planes, h * w, planes === 0 ? 0 : g.numel / planes, gradient.offset, at.offset],
      groupsFor(Math.ceil(planes / 64)),
    );
  });
}

/** Uploads numbers for a call. */
function table(scratch: Scratch, values: Int32Array | Float32Array): View {
  const view = scratch.make(values instanceof Int32Array ? 'int32' : 'float32', values.length);
  gpuOf(view).write(blockOf(view), values, 0);
  return view;
}

/** `Kernels.avgPool`. */
function avgPool(x: View, areas: Areas, out: View): void {
  withScratch(out, (scratch) => {
    const from = scratch.packed(x);
    const [rows, columns] = [table(scratch, areas.rows), table(scratch, areas.columns)];
    const [, , h, w] = x.shape as Images;
    gpuOf(out).run(
      `avgPool ${out.dtype}`,
      () => ({
        reads: { x: 'f32', rows: 'i32', columns: 'i32' },
        writes: { out: 'f32' },
        numbers: ['n', 'h', 'w', 'm', 'k', 'offset', 'divisor:f32'],
        body: `if (i >= u.n) { return; }
let z = (i % u.k) * 2u;
let y = ((i / u.k) % u.m) * 2u;
let plane = u.offset + (i / (u.k * u.m)) * u.h * u.w;
var sum = 0.0;
for (var a = u32(rows[y]); a < u32(rows[y + 1u]); a++) {
  for (var b = u32(columns[z]); b < u32(columns[z + 1u]); b++) { sum += x[plane + a * u.w + b]; }
}
let count = f32(rows[y + 1u] - rows[y]) * f32(columns[z + 1u] - columns[z]);
out[i] = ${stored('divided(sum, select(u.divisor, count, u.divisor == 0.0))', 'f32', out.dtype)};`,
      }),
      [blockOf(from), blockOf(rows), blockOf(columns), blockOf(out)],
      [out.numel, h, w, areas.rows.length / 2, areas.columns.length / 2, from.offset, areas.divisor],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

/** `Kernels.avgPoolGradient`: each element adds up the gradients of the areas that contain it. */
function avgPoolGradient(g: View, areas: Areas, out: View): void {
  withScratch(out, (scratch) => {
    const gradient = scratch.packed(g);
    const [rows, columns] = [table(scratch, areas.rows), table(scratch, areas.columns)];
    const [, , h, w] = out.shape as Images;
    gpuOf(out).run(
      `avgPoolGradient ${out.dtype}`,
      () => ({
        reads: { g: 'f32', rows: 'i32', columns: 'i32' },
        writes: { out: 'f32' },
        numbers: ['n', 'h', 'w', 'm', 'k', 'offset', 'divisor:f32'],
        body: `if (i >= u.n) { return; }
let column = i32(i % u.w);
let row = i32((i / u.w) % u.h);
let plane = u.offset + (i / (u.w * u.h)) * u.m * u.k;
var sum = 0.0;
for (var y = 0u; y < u.m; y++) {
  if (row < rows[2u * y] || row >= rows[2u * y + 1u]) { continue; }
  for (var z = 0u; z < u.k; z++) {
    if (column < columns[2u * z] || column >= columns[2u * z + 1u]) { continue; }
    let count = f32(rows[2u * y + 1u] - rows[2u * y]) * f32(columns[2u * z + 1u] - columns[2u * z]);
    sum += g[plane + y * u.k + z] / select(u.divisor, count, u.divisor == 0.0);
  }
}
out[i] = ${stored('sum', 'f32', out.dtype)};`,
      }),
      [blockOf(gradient), blockOf(rows), blockOf(columns), blockOf(out)],
      [out.numel, h, w, areas.rows.length / 2, areas.columns.length / 2, gradient.offset, areas.divisor],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

/** `Kernels.resample`. */
function resample(x: View, { first, second, weight }: Taps, out: View): void {
  withScratch(out, (scratch) => {
    const from = scratch.packed(x);
    const tables = [table(scratch, first), table(scratch, second), table(scratch, Float32Array.from(weight))];
    const [, n, inner] = x.shape as [number, number, number];
    gpuOf(out).run(
      `resample ${out.dtype}`,
      () => ({
        reads: { x: 'f32', first: 'i32', second: 'i32', weight: 'f32' },
        writes: { out: 'f32' },
        numbers: ['count', 'n', 'm', 'inner', 'offset'],
        body: `if (i >= u.count) { return; }
let tap = (i / u.inner) % u.m;
let base = u.offset + (i / (u.inner * u.m)) * u.n * u.inner + i % u.inner;
let w = weight[tap];
var y = x[base + u32(first[tap]) * u.inner];
if (w != 0.0) { y = (1.0 - w) * y + w * x[base + u32(second[tap]) * u.inner]; }
out[i] = ${stored('y', 'f32', out.dtype)};`,
      }),
      [blockOf(from), ...tables.map(blockOf), blockOf(out)],
      [out.numel, n, first.length, inner, from.offset],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

/** `Kernels.resampleGradient`: each element adds up the gradients of the taps that read it. */
function resampleGradient(g: View, { first, second, weight }: Taps, out: View): void {
  withScratch(out, (scratch) => {
    const gradient = scratch.packed(g);
    const tables = [table(scratch, first), table(scratch, second), table(scratch, Float32Array.from(weight))];
    const [, n, inner] = out.shape as [number, number, number];
    gpuOf(out).run(
      `resampleGradient ${out.dtype}`,
      () => ({
        reads: { g: 'f32', first: 'i32', second: 'i32', weight: 'f32' },
        writes: { out: 'f32' },
        numbers: ['count', 'n', 'm', 'inner', 'offset'],
        body: `if (i >= u.count) { return; }
let at = i32((i / u.inner) % u.n);
let base = u.offset + (i / (u.inner * u.n)) * u.m * u.inner + i % u.inner;
var sum = 0.0;
for (var tap = 0u; tap < u.m; tap++) {
  let v = g[base + tap * u.inner];
  let w = weight[tap];
  if (first[tap] == at) { sum += select((1.0 - w) * v, v, w == 0.0); }
  if (w != 0.0 && second[tap] == at) { sum += w * v; }
}
out[i] = ${stored('sum', 'f32', out.dtype)};`,
      }),
      [blockOf(gradient), ...tables.map(blockOf), blockOf(out)],
      [out.numel, n, first.length, inner, gradient.offset],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

export const poolKernels = {
  maxPool,
  maxPoolGradient,
  avgPool,
  avgPoolGradient,
  resample,
  resampleGradient,
} satisfies Partial<Kernels>;
