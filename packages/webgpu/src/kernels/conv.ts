import type { Kernels, View } from '@gradgate/core';
import type { Geometry } from '@gradgate/core/internal';
import { withScratch } from '../scratch.js';
import { blockOf } from '../storage.js';
import { tiled } from './matmul.js';

// Convolutions as tiled products of kernels and patches, which are read from the images as needed.

const names = [
  ...['groups', 'inputs', 'outputs', 'h', 'w', 'kh', 'kw', 'sh', 'sw', 'ph', 'pw', 'dh', 'dw', 'rows', 'columns'],
  ...['xo', 'wo', 'bo'],
];

const numbersOf = (
  { groups, inputs, outputs, h, w, window, positions }: Geometry,
  offsets: readonly number[],
): number[] => [
  ...[groups, inputs, outputs, h, w],
  ...window.kernel,
  ...window.stride,
  ...window.padding,
  ...window.dilation,
  ...positions,
  ...offsets,
];

/** The element of image and group `b` under element `k` of the kernel at position `place`. */
const patchElement = `fn patchElement(b: u32, k: u32, place: u32) -> f32 {
  let j = k % u.kw;
  let i = (k / u.kw) % u.kh;
  let channel = k / (u.kw * u.kh);
  // Coordinates below 0 wrap around and are too large.
  let y = (place / u.columns) * u.sh + i * u.dh - u.ph;
  let z = (place % u.columns) * u.sw + j * u.dw - u.pw;
  if (y >= u.h || z >= u.w) { return 0.0; }
  return x[u.xo + ((b * u.inputs + channel) * u.h + y) * u.w + z];
}`;

/** `Kernels.conv`. */
function conv(x: View, weight: View, bias: View | null, geometry: Geometry, out: View): void {
  withScratch(out, (scratch) => {
    const [images, kernels] = [scratch.packed(x), scratch.packed(weight)];
    const added = scratch.packedIf(bias);
    const { batch, groups, inputs, outputs, window, positions } = geometry;
    const [k, n] = [inputs * window.kernel[0] * window.kernel[1], positions[0] * positions[1]];
    tiled(
      {
        key: `conv ${out.dtype} ${added !== null}`,
        word: 'f32',
        reads: { x: 'f32', weight: 'f32', ...(added && { bias: 'f32' }) },
        out,
        numbers: names,
        head: `${patchElement}
fn left(b: u32, row: u32, k: u32) -> f32 { return weight[u.wo + ((b % u.groups) * u.m + row) * u.k + k]; }
fn right(b: u32, k: u32, column: u32) -> f32 { return patchElement(b, k, column); }`,
        ...(added && { bias: 'bias[u.bo + (b % u.groups) * u.m + r]' }),
      },
      [blockOf(images), blockOf(kernels), ...(added ? [blockOf(added)] : [])],
      [outputs, n, k, batch * groups],
      numbersOf(geometry, [images.offset, kernels.offset, added?.offset ?? 0]),
    );
  });
}

/**
 * `Kernels.convInput`: each element of an image is a sum over the kernels of weights times the gradients of outputs
 * that it contributed to.
 */
function convInput(g: View, weight: View, geometry: Geometry, out: View): void {
  withScratch(out, (scratch) => {
    const [gradient, kernels] = [scratch.packed(g), scratch.packed(weight)];
    const { batch, groups, inputs, outputs, h, w, window } = geometry;
    tiled(
      {
        key: `convInput ${out.dtype}`,
        word: 'f32',
        reads: { x: 'f32', weight: 'f32' },
        out,
        numbers: names,
        head: `fn left(b: u32, row: u32, k: u32) -> f32 {
  let window = u.kh * u.kw;
  return weight[u.wo + (((b % u.groups) * u.outputs + k / window) * u.inputs + row) * window + k % window];
}
fn right(b: u32, k: u32, column: u32) -> f32 {
  let j = k % u.kw;
  let i = (k / u.kw) % u.kh;
  let output = k / (u.kw * u.kh);
  let y = column / u.w + u.ph - i * u.dh;
  let z = column % u.w + u.pw - j * u.dw;
  if (y / u.sh >= u.rows || y % u.sh != 0u || z / u.sw >= u.columns || z % u.sw != 0u) { return 0.0; }
  return x[u.xo + ((b * u.outputs + output) * u.rows + y / u.sh) * u.columns + z / u.sw];
}`,
      },
      [blockOf(gradient), blockOf(kernels)],
      [inputs, h * w, outputs * window.kernel[0] * window.kernel[1], batch * groups],
      numbersOf(geometry, [gradient.offset, kernels.offset, 0]),
    );
  });
}

/** `Kernels.convWeight`: a product over all positions of all images. */
function convWeight(g: View, x: View, geometry: Geometry, out: View): void {
  withScratch(out, (scratch) => {
    const [gradient, images] = [scratch.packed(g), scratch.packed(x)];
    const { batch, groups, inputs, outputs, window, positions } = geometry;
    tiled(
      {
        key: `convWeight ${out.dtype}`,
        word: 'f32',
        reads: { g: 'f32', x: 'f32' },
        out,
        numbers: names,
        head: `${patchElement}
fn left(b: u32, row: u32, k: u32) -> f32 {
  let places = u.rows * u.columns;
  return g[u.wo + (((k / places) * u.groups + b) * u.outputs + row) * places + k % places];
}
fn right(b: u32, k: u32, column: u32) -> f32 {
  let places = u.rows * u.columns;
  return patchElement((k / places) * u.groups + b, column, k % places);
}`,
      },
      [blockOf(gradient), blockOf(images)],
      [outputs, inputs * window.kernel[0] * window.kernel[1], batch * positions[0] * positions[1], groups],
      numbersOf(geometry, [images.offset, gradient.offset, 0]),
    );
  });
}

export const convKernels = { conv, convInput, convWeight } satisfies Partial<Kernels>;
