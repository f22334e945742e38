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
import { casting, checkOptions, checkTensors, is, named } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { asBatch, each, likeInput, type Triple, three, triples } from './sizes.js';

// A convolution over volumes is one over planes with more channels: the planes that a kernel covers at one position in
// depth become channels. So conv3d works wherever conv2d does, and gets its gradients from it.

const shared = { stride: triples(is.count), dilation: triples(is.count), groups: is.count };
const convOptions = { ...shared, padding: is.either(triples(is.size), is.oneOf('same', 'valid')) };
const transposeOptions = { ...shared, padding: triples(is.size), outputPadding: triples(is.size) };

type Five = [number, number, number, number, number];

/** Refuses kernels without depth. `conv2d`, which sees only height and width, refuses the other two. */
function checkDepth(op: string, weight: Tensor): void {
  if (weight.shape[2] === 0)
    throw new ShapeError(op, `a kernel must have at least one element a channel, got weight ${shapeText(weight)}`);
}

/** The indices of the planes that kernels of depth `size` and `dilation` read at each of `steps` positions. */
const planesRead = (x: Tensor, steps: number, stride: number, size: number, dilation: number): Tensor => {
  const indices = new Int32Array(steps * size);
  for (let i = 0; i < indices.length; i++) indices[i] = Math.floor(i / size) * stride + (i % size) * dilation;
  return tensor(indices, { device: x.device });
};

/**
 * 3D convolution: `x` `[N, C, D, H, W]` or `[C, D, H, W]`, `weight` `[O, C / groups, d, h, w]` and `bias` `[O]` to `[N,
 * O, D', H', W']`. Options as for `conv2d`; sizes are a number or `[depth, height, width]`. Throws where the weight
 * does not fit the channels, or the kernel not into the input.
 *
 * ```ts
 * functional.conv3d(ones([1, 1, 2, 2, 2]), ones([1, 1, 2, 2, 2])); // [[[[[8]]]]]
 * ```
 */
export const conv3d = /* @__PURE__ */ named(
  'conv3d',
  (input: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions<Triple>): Tensor => {
    checkTensors('conv3d', input, weight);
    if (casting.current !== null) [input, weight, bias] = casting.current.lower([input, weight, bias]);
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = checkOptions('conv3d', options, convOptions);
    const x = asBatch('conv3d', input, 3);
    if (weight.ndim !== 5)
      throw new ShapeError('conv3d', `weight must be [O, C / groups, d, h, w], got ${shapeText(weight)}`);
    const [n, c, depth, h, w] = x.shape as Five;
    const [o, perGroup, kernel, kh, kw] = weight.shape as Five;
    if (perGroup * groups !== c || o % groups !== 0)
      throw new ShapeError(
        'conv3d',
        `input ${shapeText(input)} and weight ${shapeText(weight)} with ${groups} groups: weight must be [O, ${c / groups}, d, h, w], O a multiple of ${groups}`,
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
      throw new ShapeError(
        'conv3d',
        `a kernel ${shapeText(weight)} does not fit into the depth of ${shapeText(input)}`,
      );
    const planes = pad(x, [0, 0, 0, 0, before, behind])
      .indexSelect(2, planesRead(x, positions, step, kernel, apart))
      .reshape([n, c, positions, kernel, h, w])
      .permute(0, 2, 1, 3, 4, 5)
      .reshape([n * positions, c * kernel, h, w]);
    const flat = weight.reshape([o, perGroup * kernel, kh, kw]);
    const y = conv2d(planes, flat, bias, { stride: steps, padding: sides, dilation: gaps, groups });
    const out = y.reshape([n, positions, ...y.shape.slice(1)]).transpose(1, 2);
    return likeInput(out, input, 3);
  },
);

/**
 * The transpose (gradient) of `conv3d`: `x` `[N, C, D, H, W]` or `[C, D, H, W]` and `weight` `[C, O / groups, d, h, w]`
 * to `[N, O, D', H', W']`. Options as for `convTranspose2d`; sizes are a number or `[depth, height, width]`.
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
    if (casting.current !== null) [input, weight, bias] = casting.current.lower([input, weight, bias]);
    const known = checkOptions(op, options, transposeOptions);
    const { stride = 1, padding = 0, dilation = 1, outputPadding = 0, groups = 1 } = known;
    const x = asBatch(op, input, 3);
    const [n, c, depth, h, w] = x.shape as Five;
    if (weight.ndim !== 5 || weight.shape[0] !== c || c % groups !== 0)
      throw new ShapeError(
        op,
        `input ${shapeText(input)} and weight ${shapeText(weight)} with ${groups} groups: weight must be [${c}, O / groups, d, h, w]`,
      );
    checkDepth(op, weight);
    const [, perGroup, kernel, kh, kw] = weight.shape as Five;
    const o = perGroup * groups;
    if (bias != null) {
      checkTensors(op, bias);
      if (bias.shape.join() !== `${o}`) throw new ShapeError(op, `bias ${shapeText(bias)} for ${o} channels`);
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
      throw new ShapeError(op, `padding ${cut} leaves nothing of the depth of ${shapeText(input)}`);
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
    const columns = y
      .reshape([n, depth, o, kernel, ...plane])
      .permute(0, 2, 1, 3, 4, 5)
      .reshape([n, o, depth * kernel, ...plane]);
    const volume = zeros([n, o, Math.max(whole, cut + size), ...plane], { dtype: x.dtype, device: x.device });
    const out = volume.indexAdd(2, planesRead(x, depth, step, kernel, apart), columns).narrow(2, cut, size);
    return likeInput(bias ? out.add(bias.reshape([o, 1, 1, 1])) : out, input, 3);
  },
);
