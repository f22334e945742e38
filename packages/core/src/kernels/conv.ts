import { allocate, type TypedArray } from '../tensor/dtype.js';
import { gemm, type Matrix } from './matmul.js';
import { kernelMemory } from './wasm/memory.js';

/** Where a kernel goes over an image. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** How often a kernel fits along a dimension of size `n`. */
export const steps = (n: number, d: 0 | 1, { kernel, stride, padding, dilation }: Window): number =>
  Math.floor((n + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1;

/** A convolution of images `[batch, groups * inputs, h, w]` with kernels `[groups * outputs, inputs, ...window.kernel]`. */
export interface Geometry {
  readonly batch: number;
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly h: number;
  readonly w: number;
  readonly window: Window;
}

/** The image's part of a call of the patch kernels. */
function planes({ inputs, h, w, window }: Geometry): number[] {
  const { kernel, stride, padding, dilation } = window;
  return [inputs, h, w, ...kernel, ...stride, ...padding, ...dilation, steps(h, 0, window), steps(w, 1, window)];
}

interface Sizes {
  /** Elements of one group of one image, of one group's kernels, and of its result. */
  image: number;
  kernels: number;
  result: number;
  /** Elements of a patch, and how many patches there are. */
  patch: number;
  places: number;
}

export function sizesOf({ inputs, outputs, h, w, window }: Geometry): Sizes {
  const patch = inputs * window.kernel[0] * window.kernel[1];
  const places = steps(h, 0, window) * steps(w, 1, window);
  return { image: inputs * h * w, kernels: outputs * patch, result: outputs * places, patch, places };
}

/** Calls `visit` with the offsets of each group of each image, of its kernels and of its result. */
function eachGroup(
  { batch, groups }: Geometry,
  { image, kernels, result }: Sizes,
  visit: (image: number, kernels: number, result: number) => void,
): void {
  for (let n = 0; n < batch; n++)
    for (let g = 0; g < groups; g++) visit((n * groups + g) * image, g * kernels, (n * groups + g) * result);
}

/** Kernel memory for one group of one image, and for all kernels. */
function stage({ image, patch, places, result }: Sizes, weights: number) {
  const kernel = kernelMemory();
  const scratchBytes = kernel.instance.kernels.gemmScratch();
  kernel.begin('conv2d', (image + weights + patch * places + result) * 4 + scratchBytes);
  const [scratch, atW, atX] = [kernel.take(scratchBytes), kernel.take(weights * 4), kernel.take(image * 4)];
  return { kernel, scratch, atW, atX, atColumns: kernel.take(patch * places * 4), atResult: kernel.take(result * 4) };
}

/** `[batch, groups * outputs, ...]`: each result is a kernel times a patch, and the bias. As a product of matrices. */
export function convolve(
  x: TypedArray,
  weight: TypedArray,
  bias: TypedArray | null,
  geometry: Geometry,
  out: TypedArray,
): void {
  const sizes = sizesOf(geometry);
  const { image, result, patch, places } = sizes;
  const { outputs, groups } = geometry;
  if (!(out instanceof Float32Array && x instanceof Float32Array)) {
    const columns = allocate64(patch * places);
    eachGroup(geometry, sizes, (i, k, r) => {
      im2col(x, i, geometry, columns);
      gemm(outputs, places, patch, rows(weight, k, patch), rows(columns, 0, places), out, r);
    });
    if (bias) for (let i = 0; i < out.length; i++) out[i]! += bias[Math.floor(i / places) % (outputs * groups)]!;
    return;
  }
  const { kernel, scratch, atW, atX, atColumns, atResult: atOut } = stage(sizes, weight.length);
  const { kernels } = kernel.instance;
  kernel.write(atW, weight as Float32Array, 0, weight.length);
  const shape = planes(geometry);
  eachGroup(geometry, sizes, (i, k, r) => {
    kernel.write(atX, x, i, image);
    kernels.im2col(atX, ...shape, atColumns);
    const first = (r / places) % (outputs * groups);
    if (bias) for (let o = 0; o < outputs; o++) kernel.fill(atOut + o * places * 4, bias[first + o]!, places);
    kernels.gemm(
      outputs,
      places,
      patch,
      atW + k * 4,
      patch,
      1,
      atColumns,
      places,
      1,
      atOut,
      places,
      scratch,
      bias !== null,
    );
    kernel.get(atOut, out, r, result);
  });
}

/** The gradient of `convolve` for its images; also a transposed convolution. */
export function convolveInput(g: TypedArray, weight: TypedArray, geometry: Geometry, out: TypedArray): void {
  const sizes = sizesOf(geometry);
  const { image, result, patch, places } = sizes;
  const { outputs } = geometry;
  if (!(out instanceof Float32Array && g instanceof Float32Array)) {
    const columns = allocate64(patch * places);
    eachGroup(geometry, sizes, (i, k, r) => {
      gemm(
        patch,
        places,
        outputs,
        { data: weight, offset: k, rowStride: 1, colStride: patch },
        rows(g, r, places),
        columns,
        0,
      );
      col2im(columns, geometry, out, i);
    });
    return;
  }
  const { kernel, scratch, atW, atX, atColumns, atResult: atG } = stage(sizes, weight.length);
  const { kernels } = kernel.instance;
  kernel.write(atW, weight as Float32Array, 0, weight.length);
  const shape = planes(geometry);
  eachGroup(geometry, sizes, (i, k, r) => {
    kernel.write(atG, g, r, result);
    kernels.gemm(patch, places, outputs, atW + k * 4, 1, patch, atG, places, 1, atColumns, places, scratch, false);
    kernel.fill(atX, 0, image);
    kernels.col2im(atColumns, ...shape, atX);
    kernel.get(atX, out, i, image);
  });
}

/** The gradient of `convolve` for its kernels: added up over the batch. */
export function convolveWeight(g: TypedArray, x: TypedArray, geometry: Geometry, out: TypedArray): void {
  const sizes = sizesOf(geometry);
  const { image, result, patch, places } = sizes;
  const { outputs } = geometry;
  if (!(out instanceof Float32Array && g instanceof Float32Array && x instanceof Float32Array)) {
    const columns = allocate64(patch * places);
    const part = allocate64(outputs * patch);
    eachGroup(geometry, sizes, (i, k, r) => {
      im2col(x, i, geometry, columns);
      gemm(
        outputs,
        patch,
        places,
        rows(g, r, places),
        { data: columns, offset: 0, rowStride: 1, colStride: places },
        part,
        0,
      );
      for (let p = 0; p < part.length; p++) out[k + p]! += part[p]!;
    });
    return;
  }
  const { kernel, scratch, atW, atX, atColumns, atResult: atG } = stage(sizes, out.length);
  const { kernels } = kernel.instance;
  kernel.fill(atW, 0, out.length);
  const shape = planes(geometry);
  eachGroup(geometry, sizes, (i, k, r) => {
    kernel.write(atX, x, i, image);
    kernel.write(atG, g, r, result);
    kernels.im2col(atX, ...shape, atColumns);
    kernels.gemm(outputs, patch, places, atG, places, 1, atColumns, 1, places, atW + k * 4, patch, scratch, true);
  });
  kernel.get(atW, out, 0, out.length);
}

const rows = (data: TypedArray, offset: number, rowStride: number): Matrix => ({
  data,
  offset,
  rowStride,
  colStride: 1,
});
const allocate64 = (n: number): TypedArray => allocate('float64', n);

/** Calls `visit(image, column)` with the places of each pixel that a patch holds, for images that start at `start`. */
function eachPixel(
  { inputs, h, w, window }: Geometry,
  start: number,
  visit: (image: number, column: number) => void,
): void {
  const { kernel, stride, padding, dilation } = window;
  const [rows, columns] = [steps(h, 0, window), steps(w, 1, window)];
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

/** The patches of an image as columns `[patch, places]`, zeros beyond the border. */
export function im2col(x: TypedArray, start: number, geometry: Geometry, to: TypedArray): void {
  to.fill(0);
  eachPixel(geometry, start, (image, column) => {
    to[column] = x[image]!;
  });
}

/** Columns added into the image they are patches of: the transpose of `im2col`. */
export function col2im(columns: TypedArray, geometry: Geometry, out: TypedArray, start: number): void {
  eachPixel(geometry, start, (image, column) => {
    out[image]! += columns[column]!;
  });
}
