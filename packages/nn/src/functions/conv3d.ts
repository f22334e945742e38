import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv2d,
  convTranspose2d,
  pad,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '@gradgate/core';
import { checkOptions, checkTensors, is, named } from '@gradgate/core/internal';
import { asBatch, asGiven, each, type Triple, three, triples } from './sizes.js';

// A kernel goes over a volume as over planes that have more channels: for each step in depth, the planes that it covers
// there lie one behind the other as channels. So these run wherever convolutions of planes do, with their gradients.

const shared = { stride: triples(is.count), dilation: triples(is.count), groups: is.count };
const convOptions = { ...shared, padding: is.either(triples(is.size), is.oneOf('same', 'valid')) };
const transposeOptions = { ...shared, padding: triples(is.size), outputPadding: triples(is.size) };

type Five = [number, number, number, number, number];

const shown = (t: Tensor): string => `[${t.shape.join(', ')}]`;

/** Kernels of no depth: what convolutions of planes refuse of height and width, which is all that they see. */
function checkDepth(op: string, weight: Tensor): void {
  if (weight.shape[2] === 0)
    throw new ShapeError(op, `a kernel has at least one element a channel, got weight ${shown(weight)}`);
}

/** Where kernels of `size` planes, `dilation` apart, read at each of `steps`, `stride` apart. */
const planesRead = (x: Tensor, steps: number, stride: number, size: number, dilation: number): Tensor => {
  const places = new Int32Array(steps * size);
  for (let i = 0; i < places.length; i++) places[i] = Math.floor(i / size) * stride + (i % size) * dilation;
  return tensor(places, { device: x.device });
};

/**
 * Convolution of volumes: `x` `[N, C, D, H, W]` or `[C, D, H, W]`, `weight` `[O, C / groups, d, h, w]`, `bias` `[O]`; gives
 * `[N, O, D', H', W']`. Options as of `conv2d`, each size a number or `[depth, height, width]`.
 *
 * ```ts
 * functional.conv3d(ones([1, 1, 2, 2, 2]), ones([1, 1, 2, 2, 2])); // [[[[[8]]]]]
 * ```
 */
export const conv3d = /* @__PURE__ */ named(
  'conv3d',
  (input: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions<Triple>): Tensor => {
    checkTensors('conv3d', input, weight);
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = checkOptions('conv3d', options, convOptions);
    const x = asBatch('conv3d', input, 3);
    if (weight.ndim !== 5) throw new ShapeError('conv3d', `weight is [O, C / groups, d, h, w], got ${shown(weight)}`);
    const [n, c, depth, h, w] = x.shape as Five;
    const [o, perGroup, kernel, kh, kw] = weight.shape as Five;
    if (perGroup * groups !== c || o % groups !== 0)
      throw new ShapeError(
        'conv3d',
        `input ${shown(input)} and weight ${shown(weight)} with ${groups} groups: weight must be [O, ${c / groups}, d, h, w], O a multiple of ${groups}`,
      );
    checkDepth('conv3d', weight);
    const [[step, steps], [apart, gaps]] = [three(stride), three(dilation)];
    const reach = apart * (kernel - 1);
    if (padding === 'same' && each(stride, 3).some((s) => s !== 1))
      throw new ShapeError('conv3d', "padding 'same' needs stride 1");
    const [zeros, sides] = typeof padding === 'string' ? [0, padding] : three(padding);
    const before = padding === 'same' ? Math.floor(reach / 2) : zeros;
    const behind = padding === 'same' ? reach - before : zeros;
    const positions = Math.floor((depth + before + behind - reach - 1) / step) + 1;
    if (positions < 1)
      throw new ShapeError('conv3d', `a kernel ${shown(weight)} does not fit into the depth of ${shown(input)}`);
    const planes = pad(x, [0, 0, 0, 0, before, behind])
      .indexSelect(2, planesRead(x, positions, step, kernel, apart))
      .reshape([n, c, positions, kernel, h, w])
      .permute(0, 2, 1, 3, 4, 5)
      .reshape([n * positions, c * kernel, h, w]);
    const flat = weight.reshape([o, perGroup * kernel, kh, kw]);
    const y = conv2d(planes, flat, bias, { stride: steps, padding: sides, dilation: gaps, groups });
    const out = y.reshape([n, positions, ...y.shape.slice(1)]).transpose(1, 2);
    return asGiven(out, input, 3);
  },
);

/**
 * The gradient of `conv3d` as an operator: `x` `[N, C, D, H, W]` or `[C, D, H, W]`, `weight` `[C, O / groups, d, h, w]`;
 * gives `[N, O, D', H', W']`. Options as of `convTranspose2d`, each size a number or `[depth, height, width]`.
 *
 * ```ts
 * functional.convTranspose3d(ones([1, 1, 1, 1, 1]), ones([1, 1, 2, 1, 1])); // [[[[[1]], [[1]]]]]
 * ```
 */
export const convTranspose3d = /* @__PURE__ */ named(
  'convTranspose3d',
  (input: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvTransposeOptions<Triple>): Tensor => {
    const op = 'convTranspose3d';
    checkTensors(op, input, weight);
    const known = checkOptions(op, options, transposeOptions);
    const { stride = 1, padding = 0, dilation = 1, outputPadding = 0, groups = 1 } = known;
    const x = asBatch(op, input, 3);
    const [n, c, depth, h, w] = x.shape as Five;
    if (weight.ndim !== 5 || weight.shape[0] !== c || c % groups !== 0)
      throw new ShapeError(
        op,
        `input ${shown(input)} and weight ${shown(weight)} with ${groups} groups: weight must be [${c}, O / groups, d, h, w]`,
      );
    checkDepth(op, weight);
    const [, perGroup, kernel, kh, kw] = weight.shape as Five;
    const o = perGroup * groups;
    if (bias != null) {
      checkTensors(op, bias);
      if (bias.shape.join() !== `${o}`) throw new ShapeError(op, `bias ${shown(bias)} for ${o} channels`);
    }
    const [[step, steps], [cut, sides]] = [three(stride), three(padding)];
    const [[apart, gaps], [more, extra]] = [three(dilation), three(outputPadding)];
    if (more >= Math.max(step, apart))
      throw new ShapeError(
        op,
        `outputPadding ${more} of the depth must be smaller than stride ${step} or dilation ${apart}`,
      );
    const whole = (depth - 1) * step + apart * (kernel - 1) + 1;
    const size = whole - 2 * cut + more;
    if (size < 1 || depth < 1)
      throw new ShapeError(op, `padding ${cut} leaves nothing of the depth of ${shown(input)}`);
    const planes = x.transpose(1, 2).reshape([n * depth, c, h, w]);
    const flat = weight.reshape([c, perGroup * kernel, kh, kw]);
    const y = convTranspose2d(planes, flat, null, {
      stride: steps,
      padding: sides,
      dilation: gaps,
      outputPadding: extra,
      groups,
    });
    const plane = y.shape.slice(2);
    const spread = y
      .reshape([n, depth, o, kernel, ...plane])
      .permute(0, 2, 1, 3, 4, 5)
      .reshape([n, o, depth * kernel, ...plane]);
    const volume = zeros([n, o, Math.max(whole, cut + size), ...plane], { dtype: x.dtype, device: x.device });
    const out = volume.indexAdd(2, planesRead(x, depth, step, kernel, apart), spread).narrow(2, cut, size);
    return asGiven(bias ? out.add(bias.reshape([o, 1, 1, 1])) : out, input, 3);
  },
);
