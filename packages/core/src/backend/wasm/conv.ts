import { type Geometry, outputSize, type Sizes, sizesOf } from '../convolution.js';
import * as host from '../host/conv.js';
import type { View } from '../kernels.js';
import { arrayOf, floatsOf } from './floats.js';
import { checkLength, copiedOf, copyMemory, isInKernelMemory, kernelMemory } from './memory.js';
import { bands } from './threads.js';

/** Convolutions with more multiplications than this are shared among threads. */
const largeConvolution = 2 ** 20;
/** How many elements each thread copies in and out at a time: they stay in its cache. */
const copiedAtOnce = 2 ** 16;

/** The shape as the kernels read it: see `assembly/geometry.ts`. */
function numbersOf({ groups, inputs, outputs, h, w, window, positions }: Geometry): number[] {
  const { kernel, stride, padding, dilation } = window;
  return [groups, inputs, outputs, h, w, ...kernel, ...stride, ...padding, ...dilation, ...positions, 0];
}

/** A call of the kernels: the memory, its threads, the address of the geometry, and scratch memory for each thread. */
function begin(
  geometry: Geometry,
  { patch, positions }: Sizes,
  arrays: readonly Float32Array[],
  bytesOf: (threads: number) => number,
) {
  const { batch, groups, outputs } = geometry;
  const pool = batch * groups * outputs * patch * positions >= largeConvolution ? kernelMemory().pool : null;
  const threads = Math.min(batch, pool?.size ?? 1);
  const memory = threads > 1 || arrays.some(isInKernelMemory) ? kernelMemory() : copyMemory();
  const numbers = numbersOf(geometry);
  memory.begin('conv2d', 64);
  const scratchBytes = memory.instance.kernels.convScratch(memory.putIntegers(numbers));
  memory.begin('conv2d', 64 + bytesOf(threads) + scratchBytes * threads);
  const g = memory.putIntegers(numbers);
  const scratch = memory.take(scratchBytes * threads);
  /** Runs `kernel` for each part, on all threads. */
  const run = (kernel: 'convolve' | 'convolveInput' | 'convolveWeight', parts: number[][]) => {
    const calls = parts.map((args, i) => [g, ...args, scratch + i * scratchBytes]);
    // A pool needs shared memory, which a call with one thread does not use.
    if (threads > 1) pool!.run(kernel, calls);
    else for (const args of calls) (memory.instance.kernels[kernel] as (...args: number[]) => void)(...args);
  };
  return { memory, threads, g, run };
}

/** Runs a kernel from one array of images to another, on as many images at a time as are copied efficiently. */
function overImages(
  kernel: 'convolve' | 'convolveInput',
  geometry: Geometry,
  sizes: Sizes,
  [from, sizeFrom]: readonly [Float32Array, number],
  [to, sizeTo]: readonly [Float32Array, number],
  weight: Float32Array,
  bias: Float32Array | null,
  flipped = false,
): void {
  const { batch, groups, outputs } = geometry;
  if (batch === 0) return;
  checkLength(kernel, weight, groups * outputs * sizes.patch);
  if (bias) checkLength(kernel, bias, groups * outputs);
  checkLength(kernel, from, batch * sizeFrom);
  checkLength(kernel, to, batch * sizeTo);
  const copied = copiedOf(from, sizeFrom) + copiedOf(to, sizeTo);
  const atOnce = (threads: number) =>
    Math.min(batch, threads * Math.max(1, Math.floor(copiedAtOnce / Math.max(1, copied))));
  const { memory, threads, g, run } = begin(geometry, sizes, [from, to], (threads) => {
    return (copied * atOnce(threads) + 2 * weight.length + (bias?.length ?? 0)) * 4;
  });
  let atWeight = memory.put(weight, 0, weight.length);
  if (flipped) {
    const given = atWeight;
    atWeight = memory.take(weight.length * 4);
    memory.instance.kernels.flipKernels(g, given, atWeight);
  }
  const atBias = bias ? memory.put(bias, 0, bias.length) : 0;
  const some = atOnce(threads);
  const scratchFrom = isInKernelMemory(from) ? 0 : memory.take(sizeFrom * some * 4);
  const scratchTo = isInKernelMemory(to) ? 0 : memory.take(sizeTo * some * 4);
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

/** Whether the kernels take it: they do not write the results of empty sums. */
const accepts = ({ dtype }: View, { inputs, outputs }: Geometry): boolean =>
  dtype === 'float32' && inputs > 0 && outputs > 0;

/** `Kernels.conv` for float32. */
export function conv(x: View, weight: View, bias: View | null, geometry: Geometry, out: View): void {
  if (!accepts(out, geometry)) {
    host.conv(x, weight, bias, geometry, out);
    return;
  }
  const sizes = sizesOf(geometry);
  const { groups } = geometry;
  const [from, to] = [
    [floatsOf(x), groups * sizes.image],
    [arrayOf(out), groups * sizes.result],
  ] as const;
  overImages('convolve', geometry, sizes, from, to, floatsOf(weight), bias && floatsOf(bias));
}

/**
 * The convolution that computes the gradient for images, if kernels move by one position: over the gradients of the
 * results, padded as far as kernels reach, with flipped kernels. Null if kernels move further or the padding is larger.
 */
function flippedGeometry({ outputs, inputs, h, w, window, positions, ...rest }: Geometry): Geometry | null {
  const { kernel, stride, padding, dilation } = window;
  const reach = (d: 0 | 1) => dilation[d] * (kernel[d] - 1) - padding[d];
  // A transposed convolution may have rows that no kernel reaches; they would be read beyond the padding.
  if (positions[0] !== outputSize(h, 0, window) || positions[1] !== outputSize(w, 1, window)) return null;
  // Packing patches of many outputs costs more than adding patches of fewer inputs.
  if (stride[0] !== 1 || stride[1] !== 1 || reach(0) < 0 || reach(1) < 0 || outputs > inputs) return null;
  const flipped = { kernel, stride, padding: [reach(0), reach(1)], dilation } as const;
  return {
    ...rest,
    inputs: outputs,
    outputs: inputs,
    h: positions[0],
    w: positions[1],
    window: flipped,
    positions: [h, w],
  };
}

/** `Kernels.convInput` for float32. */
export function convInput(g: View, weight: View, geometry: Geometry, out: View): void {
  if (!accepts(out, geometry)) {
    host.convInput(g, weight, geometry, out);
    return;
  }
  const sizes = sizesOf(geometry);
  const { groups } = geometry;
  const [from, to] = [
    [floatsOf(g), groups * sizes.result],
    [arrayOf(out), groups * sizes.image],
  ] as const;
  const kernels = floatsOf(weight);
  const flipped = flippedGeometry(geometry);
  if (flipped) {
    overImages('convolve', flipped, sizesOf(flipped), from, to, kernels, null, true);
    if (startsFinite(to[0], geometry)) return;
  }
  overImages('convolveInput', geometry, sizes, from, to, kernels, null);
}

/**
 * Whether a flipped convolution multiplied its padding by finite numbers only: 0 times NaN would put NaN in positions
 * that the element of the kernel never reached. The first pixel of a channel depends on all elements of its kernels.
 */
function startsFinite(images: Float32Array, { batch, groups, inputs, h, w }: Geometry): boolean {
  const size = h * w;
  const end = batch === 0 || size === 0 ? 0 : groups * inputs * size;
  for (let i = 0; i < end; i += size) if (!Number.isFinite(images[i]!)) return false;
  return true;
}

/** How many partial sums over images the gradient of kernels of `size` elements has, for any number of threads. */
const sumsOf = (size: number, batch: number): number => Math.min(batch, 8, Math.max(1, Math.floor(2 ** 23 / size)));
/** The largest number of image elements in kernel memory at a time. */
const imagesAtOnce = 2 ** 24;

/** `Kernels.convWeight` for float32. */
export function convWeight(g: View, x: View, geometry: Geometry, out: View): void {
  if (!accepts(out, geometry)) {
    host.convWeight(g, x, geometry, out);
    return;
  }
  weightSums(floatsOf(g), floatsOf(x), geometry, sizesOf(geometry), arrayOf(out));
}

function weightSums(grad: Float32Array, x: Float32Array, geometry: Geometry, sizes: Sizes, out: Float32Array): void {
  const { batch, groups, outputs } = geometry;
  const [image, result] = [groups * sizes.image, groups * sizes.result];
  if (batch === 0 || out.length === 0) return void out.fill(0);
  checkLength('convolveWeight', x, batch * image);
  checkLength('convolveWeight', grad, batch * result);
  checkLength('convolveWeight', out, groups * outputs * sizes.patch);
  const some = Math.min(batch, Math.max(1, Math.floor(imagesAtOnce / Math.max(1, image + result))));
  const blocks = Math.ceil(batch / some);
  const sums = sumsOf(out.length, some);
  const count = bands(some, 1, sums).length * blocks;
  const copied = copiedOf(x, image) + copiedOf(grad, result);
  const { memory, threads, g, run } = begin(geometry, sizes, [grad, x, out], () => {
    return (copied * some + (count + 1) * out.length) * 4;
  });
  const atSums = memory.take(count * out.length * 4);
  const scratchX = isInKernelMemory(x) ? 0 : memory.take(image * some * 4);
  const scratchG = isInKernelMemory(grad) ? 0 : memory.take(result * some * 4);
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
    // As many at a time as there is scratch memory for.
    for (let p = 0; p < parts.length; p += threads) run('convolveWeight', parts.slice(p, p + threads));
  }
  const at = memory.target(out, 0, out.length);
  memory.instance.kernels.gatherWeight(g, done, atSums, at);
  memory.deliver(at, out, 0, out.length);
}
