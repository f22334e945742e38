// Convolutions of float32 images [c, h, w] as matrix products. The shape is read from `g`: see
// `geometry.ts`; images follow each other, and so do their groups.
import { fill } from './fill';
import { EDGE, evenly, gemm, gemmScratch, KC, multiplyPanels, NC } from './gemm';
import { groupsOf, imageOf, inputsOf, outputsOf, paddedOf, patchOf, positionsOf } from './geometry';
import { packedHeight, packRows } from './pack';
import { col2im, im2row, packPatches, pad } from './patches';

/** Bytes of scratch memory for any of the kernels below; there may be more than can be addressed. */
export function convScratch(g: usize): f64 {
  const h = load<i32>(g, 12) + 2 * load<i32>(g, 36), w = load<i32>(g, 16) + 2 * load<i32>(g, 40);
  const packed = <i32>packedHeight(outputsOf(g)) + positionsOf(g);
  return <f64>packed * <f64>patchOf(g) * 4 + <f64>inputsOf(g) * <f64>h * <f64>w * 4 + <f64>(NC * KC * 4 + EDGE + <i32>gemmScratch() + 320);
}

/**
 * Writes the convolution of `images` images to `out`; `bias`, if not 0, has one number for each output channel.
 * Kernels are packed once; of each image, patches are packed as the product needs them.
 */
export function convolve(g: usize, images: i32, x: usize, weight: usize, bias: usize, out: usize, scratch: usize): void {
  const groups = groupsOf(g), outputs = <usize>outputsOf(g), patch = <usize>patchOf(g), positions = <usize>positionsOf(g);
  const image = <usize>imageOf(g), height = packedHeight(outputs);
  const packedB = scratch + height * patch * 4;
  const edge = packedB + NC * KC * 4 + 64;
  const padded = edge + EDGE;
  const blockN = evenly(positions, NC, 8), blockK = evenly(patch, KC, 4);
  for (let group = 0; group < groups; group++) {
    const kernels = weight + <usize>group * outputs * patch * 4;
    for (let pc: usize = 0; pc < patch; pc += blockK)
      packRows(kernels + pc * 4, patch * 4, 4, outputs, min(blockK, patch - pc), scratch + height * pc * 4);
    for (let n = 0; n < images; n++) {
      const at = <usize>(n * groups + group);
      const c = out + at * outputs * positions * 4;
      const from = pad(g, x + at * image * 4, padded);
      if (bias != 0) {
        const first = bias + <usize>group * outputs * 4;
        for (let o: usize = 0; o < outputs; o++) fill(c + o * positions * 4, load<f32>(first + o * 4), positions);
      }
      for (let jc: usize = 0; jc < positions; jc += blockN) {
        const nc = min(blockN, positions - jc);
        for (let pc: usize = 0; pc < patch; pc += blockK) {
          const kc = min(blockK, patch - pc);
          packPatches(g, from, <i32>pc, <i32>kc, <i32>jc, <i32>nc, packedB);
          const add = bias != 0 || pc > 0;
          multiplyPanels(outputs, nc, kc, scratch + height * pc * 4, packedB, c + jc * 4, positions * 4, edge, add);
        }
      }
    }
  }
}

/** The gradient of `convolve` for its images. */
export function convolveInput(g: usize, images: i32, grad: usize, weight: usize, out: usize, scratch: usize): void {
  const groups = groupsOf(g), outputs = <usize>outputsOf(g), patch = <usize>patchOf(g), positions = <usize>positionsOf(g);
  const image = <usize>imageOf(g);
  const products = scratch + patch * positions * 4;
  for (let n = 0; n < images; n++)
    for (let group = 0; group < groups; group++) {
      const at = <usize>(n * groups + group);
      const kernels = weight + <usize>group * outputs * patch * 4;
      const from = grad + at * outputs * positions * 4, to = out + at * image * 4;
      gemm(patch, positions, outputs, kernels, 1, patch, from, positions, 1, scratch, positions, products, false);
      memory.fill(to, 0, image * 4);
      col2im(g, scratch, to);
    }
}

/**
 * The gradient of `convolve` for its kernels, summed over the images, is written to `out` as `[groups, patch, outputs]`, which
 * fills tiles better than kernels of few inputs would.
 */
export function convolveWeight(g: usize, images: i32, grad: usize, x: usize, out: usize, scratch: usize): void {
  const groups = groupsOf(g), outputs = <usize>outputsOf(g), patch = <usize>patchOf(g), positions = <usize>positionsOf(g);
  const image = <usize>imageOf(g);
  const padded = scratch + patch * positions * 4 + 64;
  const products = padded + <usize>paddedOf(g) * 4;
  for (let n = 0; n < images; n++)
    for (let group = 0; group < groups; group++) {
      const at = <usize>(n * groups + group);
      im2row(g, pad(g, x + at * image * 4, padded), scratch);
      const from = grad + at * outputs * positions * 4, to = out + <usize>group * outputs * patch * 4;
      gemm(patch, outputs, positions, scratch, 1, patch, from, 1, positions, to, outputs, products, n > 0);
    }
}

/** The sum of `count` consecutive gradients written by `convolveWeight`, as `[groups, outputs, patch]`. */
export function gatherWeight(g: usize, count: i32, from: usize, to: usize): void {
  const groups = groupsOf(g), outputs = outputsOf(g), patch = patchOf(g);
  const size = <usize>(groups * outputs * patch) * 4;
  for (let group = 0; group < groups; group++)
    for (let o = 0; o < outputs; o++)
      for (let p = 0; p < patch; p++, to += 4) {
        let at = from + (<usize>((group * patch + p) * outputs + o) << 2);
        let sum = load<f32>(at);
        for (let i = 1; i < count; i++) {
          at += size;
          sum += load<f32>(at);
        }
        store<f32>(to, sum);
      }
}

/**
 * The kernels of the flipped convolution of shape `g`, `[groups, outputs, inputs, kh, kw]`, from those of the one that it
 * is the gradient of, `[groups, inputs, outputs, kh, kw]`.
 */
export function flipKernels(g: usize, from: usize, to: usize): void {
  const groups = groupsOf(g), outputs = outputsOf(g), inputs = inputsOf(g), size = patchOf(g) / inputs;
  for (let group = 0; group < groups; group++)
    for (let o = 0; o < outputs; o++)
      for (let c = 0; c < inputs; c++)
        for (let i = size - 1; i >= 0; i--, to += 4)
          store<f32>(to, load<f32>(from + (<usize>(((group * inputs + c) * outputs + o) * size + i) << 2)));
}
