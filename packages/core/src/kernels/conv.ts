import { gemmLoops as gemm, type Matrix } from '../backend/host/matmul.js';
import { allocate, type TypedArray } from '../tensor/dtype.js';
import { checkLength, copiedOf, copyMemory, kernelMemory, lives } from './wasm/memory.js';
import { bands } from './wasm/threads.js';

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
  /**
   * Rows and columns of places that the kernel is put at. Not always as many as fit: a transposed convolution has one for
   * each element that it is given, and its result may be larger.
   */
  readonly places: readonly [number, number];
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

function sizesOf({ inputs, outputs, h, w, window, places: [rows, columns] }: Geometry): Sizes {
  const patch = inputs * window.kernel[0] * window.kernel[1];
  const places = rows * columns;
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

/** Convolutions with more multiplications than this are shared among threads. */
const largeConvolution = 2 ** 20;
/** How many elements are copied in and out at a time, for each thread: they stay in its cache. */
const copiedAtOnce = 2 ** 16;

/** The shape as the kernels read it: see `assembly/conv.ts`. */
function numbersOf({ groups, inputs, outputs, h, w, window, places }: Geometry): number[] {
  const { kernel, stride, padding, dilation } = window;
  return [groups, inputs, outputs, h, w, ...kernel, ...stride, ...padding, ...dilation, ...places, 0];
}

/** A call of the kernels: the memory, its threads, the shape there, and scratch memory for each thread. */
function begin(
  geometry: Geometry,
  { patch, places }: Sizes,
  arrays: readonly Float32Array[],
  bytesOf: (threads: number) => number,
) {
  const { batch, groups, outputs } = geometry;
  const pool = batch * groups * outputs * patch * places >= largeConvolution ? kernelMemory().pool : null;
  const threads = Math.min(batch, pool?.size ?? 1);
  const memory = threads > 1 || arrays.some(lives) ? kernelMemory() : copyMemory();
  const numbers = numbersOf(geometry);
  memory.begin('conv2d', 64);
  const scratchBytes = memory.instance.kernels.convScratch(memory.putIntegers(numbers));
  memory.begin('conv2d', 64 + bytesOf(threads) + scratchBytes * threads);
  const g = memory.putIntegers(numbers);
  const scratch = memory.take(scratchBytes * threads);
  /** Runs `kernel` for each part, on all threads. */
  const run = (kernel: 'convolve' | 'convolveInput' | 'convolveWeight', parts: number[][]) => {
    const calls = parts.map((args, i) => [g, ...args, scratch + i * scratchBytes]);
    // A pool works on memory that is shared, which is not taken for one thread alone.
    if (threads > 1) pool!.run(kernel, calls);
    else for (const args of calls) (memory.instance.kernels[kernel] as (...args: number[]) => void)(...args);
  };
  return { memory, threads, g, run };
}

/** Runs a kernel that makes one array of images out of another, as many images at a time as are copied well. */
function overImages(
  kernel: 'convolve' | 'convolveInput',
  geometry: Geometry,
  sizes: Sizes,
  [from, sizeFrom]: readonly [Float32Array, number],
  [to, sizeTo]: readonly [Float32Array, number],
  weight: Float32Array,
  bias: Float32Array | null,
  turned = false,
): void {
  const { batch } = geometry;
  if (batch === 0) return;
  checkLength(kernel, from, batch * sizeFrom);
  checkLength(kernel, to, batch * sizeTo);
  const copied = copiedOf(from, sizeFrom) + copiedOf(to, sizeTo);
  const atOnce = (threads: number) =>
    Math.min(batch, threads * Math.max(1, Math.floor(copiedAtOnce / Math.max(1, copied))));
  const { memory, threads, g, run } = begin(geometry, sizes, [from, to], (threads) => {
    return (copied * atOnce(threads) + 2 * weight.length + (bias?.length ?? 0)) * 4;
  });
  let atWeight = memory.put(weight, 0, weight.length);
  if (turned) {
    const given = atWeight;
    atWeight = memory.take(weight.length * 4);
    memory.instance.kernels.turnKernels(g, given, atWeight);
  }
  const atBias = bias ? memory.put(bias, 0, bias.length) : 0;
  const some = atOnce(threads);
  const scratchFrom = lives(from) ? 0 : memory.take(sizeFrom * some * 4);
  const scratchTo = lives(to) ? 0 : memory.take(sizeTo * some * 4);
  for (let n = 0; n < batch; n += some) {
    const count = Math.min(some, batch - n);
    if (scratchFrom) memory.write(scratchFrom, from, n * sizeFrom, count * sizeFrom);
    const [atFrom, atTo] = [
      scratchFrom || from.byteOffset + n * sizeFrom * 4,
      scratchTo || to.byteOffset + n * sizeTo * 4,
    ];
    run(
      kernel,
      bands(count, 1, threads).map(([first, images]) => {
        const args = [images, atFrom + first * sizeFrom * 4, atWeight];
        if (kernel === 'convolve') args.push(atBias);
        return [...args, atTo + first * sizeTo * 4];
      }),
    );
    if (scratchTo) memory.get(scratchTo, to, n * sizeTo, count * sizeTo);
  }
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
  if (out instanceof Float32Array && x instanceof Float32Array) {
    const [from, to] = [
      [x, groups * image],
      [out, groups * result],
    ] as const;
    overImages('convolve', geometry, sizes, from, to, weight as Float32Array, bias as Float32Array | null);
    return;
  }
  const columns = allocate64(patch * places);
  eachGroup(geometry, sizes, (i, k, r) => {
    im2col(x, i, geometry, columns);
    gemm(outputs, places, patch, rows(weight, k, patch), rows(columns, 0, places), out, r);
  });
  if (bias) for (let i = 0; i < out.length; i++) out[i]! += bias[Math.floor(i / places) % (outputs * groups)]!;
}

/**
 * The convolution that a gradient for images is where kernels move by one place: of the results' gradients, padded as far
 * as kernels reach, with the kernels turned. Null where kernels move further or were padded further.
 */
function turn({ outputs, inputs, h, w, window, places, ...rest }: Geometry): Geometry | null {
  const { kernel, stride, padding, dilation } = window;
  const reach = (d: 0 | 1) => dilation[d] * (kernel[d] - 1) - padding[d];
  // Rows that no kernel reaches, which a transposed convolution may have, would be read beyond the padding.
  if (places[0] !== steps(h, 0, window) || places[1] !== steps(w, 1, window)) return null;
  // Packing patches of many outputs costs more than adding up those of fewer inputs.
  if (stride[0] !== 1 || stride[1] !== 1 || reach(0) < 0 || reach(1) < 0 || outputs > inputs) return null;
  const turned = { kernel, stride, padding: [reach(0), reach(1)], dilation } as const;
  return { ...rest, inputs: outputs, outputs: inputs, h: places[0], w: places[1], window: turned, places: [h, w] };
}

/** The gradient of `convolve` for its images; also a transposed convolution. */
export function convolveInput(g: TypedArray, weight: TypedArray, geometry: Geometry, out: TypedArray): void {
  const sizes = sizesOf(geometry);
  const { image, result, patch, places } = sizes;
  const { outputs, groups } = geometry;
  if (out instanceof Float32Array && g instanceof Float32Array) {
    const [from, to] = [
      [g, groups * result],
      [out, groups * image],
    ] as const;
    const turned = turn(geometry);
    if (turned) overImages('convolve', turned, sizesOf(turned), from, to, weight as Float32Array, null, true);
    else overImages('convolveInput', geometry, sizes, from, to, weight as Float32Array, null);
    return;
  }
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
}

/** How many sums of images there are for the gradient of kernels of `size` elements: however many threads there are. */
const sumsOf = (size: number, batch: number): number => Math.min(batch, 8, Math.max(1, Math.floor(2 ** 23 / size)));
/** How many elements of images are in kernel memory at a time, at most. */
const imagesAtOnce = 2 ** 24;

/** The gradient of `convolve` for its kernels: added up over the batch. */
export function convolveWeight(g: TypedArray, x: TypedArray, geometry: Geometry, out: TypedArray): void {
  const sizes = sizesOf(geometry);
  const { patch, places } = sizes;
  const { outputs } = geometry;
  if (out instanceof Float32Array && g instanceof Float32Array && x instanceof Float32Array) {
    weightSums(g, x, geometry, sizes, out);
    return;
  }
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
}

function weightSums(grad: Float32Array, x: Float32Array, geometry: Geometry, sizes: Sizes, out: Float32Array): void {
  const { batch, groups } = geometry;
  const [image, result] = [groups * sizes.image, groups * sizes.result];
  if (batch === 0 || out.length === 0) return void out.fill(0);
  checkLength('convolveWeight', x, batch * image);
  checkLength('convolveWeight', grad, batch * result);
  const some = Math.min(batch, Math.max(1, Math.floor(imagesAtOnce / Math.max(1, image + result))));
  const blocks = Math.ceil(batch / some);
  const sums = sumsOf(out.length, some);
  const count = bands(some, 1, sums).length * blocks;
  const copied = copiedOf(x, image) + copiedOf(grad, result);
  const { memory, threads, g, run } = begin(geometry, sizes, [grad, x, out], () => {
    return (copied * some + (count + 1) * out.length) * 4;
  });
  const atSums = memory.take(count * out.length * 4);
  const scratchX = lives(x) ? 0 : memory.take(image * some * 4);
  const scratchG = lives(grad) ? 0 : memory.take(result * some * 4);
  let done = 0;
  for (let n = 0; n < batch; n += some) {
    const images = Math.min(some, batch - n);
    if (scratchX) memory.write(scratchX, x, n * image, images * image);
    if (scratchG) memory.write(scratchG, grad, n * result, images * result);
    const [atX, atG] = [scratchX || x.byteOffset + n * image * 4, scratchG || grad.byteOffset + n * result * 4];
    const parts = bands(images, 1, sums).map(([first, length]) => [
      length,
      atG + first * result * 4,
      atX + first * image * 4,
      atSums + done++ * out.length * 4,
    ]);
    // As many at a time as have scratch memory.
    for (let p = 0; p < parts.length; p += threads) run('convolveWeight', parts.slice(p, p + threads));
  }
  const at = memory.target(out, 0, out.length);
  memory.instance.kernels.gatherWeight(g, done, atSums, at);
  memory.deliver(at, out, 0, out.length);
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
  { inputs, h, w, window, places: [rows, columns] }: Geometry,
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

/** The patches of an image as columns `[patch, places]`, zeros beyond the border. */
function im2col(x: TypedArray, start: number, geometry: Geometry, to: TypedArray): void {
  to.fill(0);
  eachPixel(geometry, start, (image, column) => {
    to[column] = x[image]!;
  });
}

/** Columns added into the image they are patches of: the transpose of `im2col`. */
function col2im(columns: TypedArray, geometry: Geometry, out: TypedArray, start: number): void {
  eachPixel(geometry, start, (image, column) => {
    out[image]! += columns[column]!;
  });
}
