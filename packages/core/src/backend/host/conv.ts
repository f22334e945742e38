import { allocate } from '../../memory/allocate.js';
import type { TypedArray } from '../../memory/dtype.js';
import { type Geometry, type Sizes, sizesOf } from '../convolution.js';
import type { View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';
import { gemmLoops as gemm, type Matrix } from './matmul.js';

/** `Kernels.conv` for any dtype, as a product of matrices. */
export function conv(x: View, weight: View, bias: View | null, geometry: Geometry, out: View): void {
  const sizes = sizesOf(geometry);
  const { patch, positions } = sizes;
  const { outputs, groups } = geometry;
  const [images, kernels, to] = [elementsOf(x), elementsOf(weight), dataOf(out)];
  const columns = allocate64(patch * positions);
  eachGroup(geometry, sizes, (i, k, r) => {
    im2col(images, i, geometry, columns);
    gemm(outputs, positions, patch, rows(kernels, k, patch), rows(columns, 0, positions), to, r);
  });
  if (bias === null) return;
  const added = elementsOf(bias);
  for (let i = 0; i < to.length; i++) to[i]! += added[Math.floor(i / positions) % (outputs * groups)]!;
}

/** `Kernels.convInput` for any dtype. */
export function convInput(g: View, weight: View, geometry: Geometry, out: View): void {
  const sizes = sizesOf(geometry);
  const { patch, positions } = sizes;
  const { outputs } = geometry;
  const [gradient, kernels, to] = [elementsOf(g), elementsOf(weight), dataOf(out)];
  const columns = allocate64(patch * positions);
  to.fill(0);
  eachGroup(geometry, sizes, (i, k, r) => {
    const turned = { data: kernels, offset: k, rowStride: 1, colStride: patch };
    gemm(patch, positions, outputs, turned, rows(gradient, r, positions), columns, 0);
    col2im(columns, geometry, to, i);
  });
}

/** `Kernels.convWeight` for any dtype. */
export function convWeight(g: View, x: View, geometry: Geometry, out: View): void {
  const sizes = sizesOf(geometry);
  const { patch, positions } = sizes;
  const { outputs } = geometry;
  const [gradient, images, to] = [elementsOf(g), elementsOf(x), dataOf(out)];
  const columns = allocate64(patch * positions);
  const part = allocate64(outputs * patch);
  to.fill(0);
  eachGroup(geometry, sizes, (i, k, r) => {
    im2col(images, i, geometry, columns);
    const turned = { data: columns, offset: 0, rowStride: 1, colStride: positions };
    gemm(outputs, patch, positions, rows(gradient, r, positions), turned, part, 0);
    for (let p = 0; p < part.length; p++) to[k + p]! += part[p]!;
  });
}

/** Calls `visit` with the offsets of each group of each image, of the group's kernels, and of its result. */
function eachGroup(
  { batch, groups }: Geometry,
  { image, kernels, result }: Sizes,
  visit: (image: number, kernels: number, result: number) => void,
): void {
  for (let n = 0; n < batch; n++)
    for (let g = 0; g < groups; g++) visit((n * groups + g) * image, g * kernels, (n * groups + g) * result);
}

const rows = (data: TypedArray, offset: number, rowStride: number): Matrix => ({
  data,
  offset,
  rowStride,
  colStride: 1,
});
const allocate64 = (n: number): TypedArray => allocate('float64', n);

/** Calls `visit(image, column)` with the positions of each pixel of each patch, for images that start at `start`. */
function eachPixel(
  { inputs, h, w, window, positions: [rows, columns] }: Geometry,
  start: number,
  visit: (image: number, column: number) => void,
): void {
  const { kernel, stride, padding, dilation } = window;
  let at = 0;
  for (let plane = 0; plane < inputs; plane++)
    for (let i = 0; i < kernel[0]; i++)
      for (let j = 0; j < kernel[1]; j++)
        for (let y = 0; y < rows; y++) {
          const row = y * stride[0] - padding[0] + i * dilation[0];
          const inside = row >= 0 && row < h;
          const from = start + (plane * h + row) * w;
          for (let x = 0; x < columns; x++, at++) {
            const column = x * stride[1] - padding[1] + j * dilation[1];
            if (inside && column >= 0 && column < w) visit(from + column, at);
          }
        }
}

/** The patches of an image as columns `[patch, positions]`, zeros beyond the border. */
function im2col(x: TypedArray, start: number, geometry: Geometry, to: TypedArray): void {
  to.fill(0);
  eachPixel(geometry, start, (image, column) => {
    to[column] = x[image]!;
  });
}

/** Adds columns into the image that they are patches of: the transpose of `im2col`. */
function col2im(columns: TypedArray, geometry: Geometry, out: TypedArray, start: number): void {
  eachPixel(geometry, start, (image, column) => {
    out[image]! += columns[column]!;
  });
}
