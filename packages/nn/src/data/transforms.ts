import { currentGenerator, type Generator, ShapeError, type Tensor, type TypedArray, tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, show } from '@gradgate/core/internal';
import { interpolate } from '../functions/interpolate.js';
import { typedArray } from '../plain.js';
import { shapeText } from '../shapeText.js';

// All images are tensors [channels, height, width], or batches [..., channels, height, width].

/** A function from an image to an image. */
export type Transform = (image: Tensor) => Tensor;

/** Options of transforms that draw random numbers. */
export interface Random {
  /** The generator that draws; that of the flow when the transform is made by default. */
  generator?: Generator;
}

/** Applies transforms one after another. */
export function compose(...transforms: readonly Transform[]): Transform {
  for (const f of transforms) check('compose', 'a transform', f, is.callback);
  return (image) => transforms.reduce((x, f) => f(x), image);
}

/**
 * Converts pixels `[height, width, channels]`, as canvases and image decoders return them, to `[channels, height,
 * width]`. Bytes become float32 from 0 to 1; other typed arrays keep their values and dtype. `size` is `[height, width,
 * channels]`.
 */
export function toTensor(pixels: TypedArray | Uint8ClampedArray, size: readonly [number, number, number]): Tensor {
  const values = typedArray(pixels) as TypedArray | null;
  if (!values) throw new TypeError(`toTensor: takes a typed array, got ${show(pixels)}`);
  check('toTensor', 'the size', size, is.tuple(is.size, is.size, is.size));
  return imageOf('toTensor', values, size);
}

function imageOf(op: string, values: TypedArray, [height, width, channels]: readonly [number, number, number]): Tensor {
  const isBytes = values instanceof Uint8Array || (values as unknown) instanceof Uint8ClampedArray;
  if (values.length !== height * width * channels)
    throw new ShapeError(
      op,
      `${values.length} ${isBytes ? 'bytes' : 'values'} are no image of ${height} x ${width} x ${channels}`,
    );
  const flat = isBytes ? tensor(Float32Array.from(values, (v) => v / 255)) : tensor(values);
  return flat.reshape(height, width, channels).permute(2, 0, 1).contiguous();
}

/** Pixels as in a canvas's `ImageData`: four bytes each for red, green, blue and opacity. */
export interface Pixels {
  /** The bytes, four for each pixel: red, green, blue, opacity. */
  readonly data: Uint8ClampedArray | Uint8Array;
  /** The number of columns. */
  readonly width: number;
  /** The number of rows. */
  readonly height: number;
}

/**
 * Converts an `ImageData`, such as `context.getImageData(0, 0, width, height)`, to a float32 image `[channels, height,
 * width]` from 0 to 1. `channels` is 3 by default, without opacity; 4 keeps it.
 */
export function fromPixels(image: Pixels, options: { channels?: 3 | 4 } = {}): Tensor {
  const { data, width, height } = (image ?? {}) as Partial<Pixels>;
  const values = typedArray(data) as TypedArray | null;
  if (!values || !is.size.is(width) || !is.size.is(height))
    throw new TypeError(`fromPixels: takes an ImageData, with data, width and height, got ${show(image)}`);
  const { channels = 3 } = checkOptions('fromPixels', options, {
    channels: { text: '3 or 4', is: (v) => v === 3 || v === 4 },
  });
  const all = imageOf('fromPixels', values, [height!, width!, 4]);
  return channels === 4 ? all : all.narrow(0, 0, 3).contiguous();
}

const sizeOrPair = is.either(is.size, is.tuple(is.size, is.size));

function sizes(op: string, image: Tensor): [number, number] {
  checkTensors(op, image);
  if (image.ndim < 3) throw new ShapeError(op, `takes images [..., channels, height, width], got ${shapeText(image)}`);
  return image.shape.slice(-2) as [number, number];
}

function pair(op: string, size: number | readonly [number, number]): readonly [number, number] {
  check(op, 'the size', size, sizeOrPair);
  return typeof size === 'number' ? [size, size] : size;
}

/** Normalizes each channel, `(x - mean) / std`, with a mean and a standard deviation above 0 for each. */
export function normalize(mean: readonly number[], std: readonly number[]): Transform {
  check('normalize', 'mean', mean, is.arrayOf(is.number));
  check('normalize', 'std', std, is.arrayOf(is.number));
  if (mean.length !== std.length || std.some((v) => !(v > 0)))
    throw new RangeError(
      `normalize: needs a mean and a std above 0 for each channel, got ${mean.length} and ${show(std)}`,
    );
  const column = (v: readonly number[]) => tensor([...v], { shape: [v.length, 1, 1] });
  const [m, s] = [column(mean), column(std)];
  return (image) => {
    sizes('normalize', image);
    if (image.shape.at(-3) !== mean.length)
      throw new ShapeError(
        'normalize',
        `takes images of ${mean.length} channels, as many as it has means, got ${shapeText(image)}`,
      );
    return image.sub(m).div(s);
  };
}

/** The window of this size whose corner is at (top, left). */
function crop(
  op: string,
  image: Tensor,
  top: number,
  left: number,
  [height, width]: readonly [number, number],
): Tensor {
  const [h, w] = sizes(op, image);
  if (height > h || width > w)
    throw new ShapeError(op, `a window of ${height} x ${width} does not fit into an image of ${h} x ${w}`);
  return image.narrow(-2, top, height).narrow(-1, left, width);
}

/** Crops the middle of an image to `size`, a number or `[height, width]`. Throws for smaller images. */
export function centerCrop(size: number | readonly [number, number]): Transform {
  const [height, width] = pair('centerCrop', size);
  return (image) => {
    const [h, w] = sizes('centerCrop', image);
    return crop('centerCrop', image, Math.max(0, (h - height) >> 1), Math.max(0, (w - width) >> 1), [height, width]);
  };
}

const randomCropOptions = { padding: is.size, generator: is.generator };

/**
 * Crops a random window of `size`, a number or `[height, width]`, after adding `padding` zeros on each side, 0 by
 * default.
 */
export function randomCrop(
  size: number | readonly [number, number],
  options?: Random & { padding?: number },
): Transform {
  const { padding = 0, generator = currentGenerator() } = checkOptions('randomCrop', options, randomCropOptions);
  const [height, width] = pair('randomCrop', size);
  return (image) => {
    checkTensors('randomCrop', image);
    const padded = padding > 0 ? image.pad([padding, padding, padding, padding]) : image;
    const [h, w] = sizes('randomCrop', padded);
    const offset = (n: number) => (n > 0 ? generator.below(n + 1) : 0);
    return crop('randomCrop', padded, offset(h - height), offset(w - width), [height, width]);
  };
}

const randomFlipOptions = { p: is.probability, generator: is.generator };

const randomFlip =
  (op: string, dim: number) =>
  (options?: Random & { p?: number }): Transform => {
    const { p = 0.5, generator = currentGenerator() } = checkOptions(op, options, randomFlipOptions);
    return (image) => {
      sizes(op, image);
      return generator.uniform() < p ? image.flip(dim) : image;
    };
  };

/** Mirrors images left to right with probability `p`, 0.5 by default. */
export const randomHorizontalFlip = randomFlip('randomHorizontalFlip', -1);

/** Mirrors images top to bottom with probability `p`, 0.5 by default. */
export const randomVerticalFlip = randomFlip('randomVerticalFlip', -2);

const resizeOptions = { mode: is.oneOf('bilinear', 'nearest') };

/** Resizes images to `size`, a number or `[height, width]`. `mode` is 'bilinear' (the default) or 'nearest'. */
export function resize(
  size: number | readonly [number, number],
  options?: { mode?: 'bilinear' | 'nearest' },
): Transform {
  const { mode = 'bilinear' } = checkOptions('resize', options, resizeOptions);
  const to = [...pair('resize', size)];
  return (image) => {
    sizes('resize', image);
    const batch = image.ndim === 3 ? image.unsqueeze(0) : image;
    const out = interpolate(batch, { size: to, mode });
    return image.ndim === 3 ? out.squeeze(0) : out;
  };
}

/** Pads images with `value`, 0 by default: one number for all sides, or `[left, right, top, bottom]`. */
export function pad(
  padding: number | readonly [number, number, number, number],
  options?: { value?: number },
): Transform {
  const { value = 0 } = checkOptions('pad', options, { value: is.number });
  const four = is.tuple(is.integer, is.integer, is.integer, is.integer);
  check('pad', 'the padding', padding, is.either(is.integer, four));
  const sides = typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
  return (image) => {
    checkTensors('pad', image);
    return image.pad(sides, { value });
  };
}

/** Converts images of 3 channels to 1: the weighted mean of red, green and blue (ITU-R 601-2). */
export const grayscale = (): Transform => (image) => {
  sizes('grayscale', image);
  if (image.shape.at(-3) !== 3) throw new ShapeError('grayscale', `takes 3 channels, got ${shapeText(image)}`);
  return image.mul(tensor([0.299, 0.587, 0.114], { shape: [3, 1, 1] })).sum(-3, { keepdim: true });
};

/** Options of `randomErasing`. */
export interface ErasingOptions extends Random {
  /** The probability of erasing; 0.5 by default. */
  p?: number;
  /** The smallest and the largest fraction of the image's area; [0.02, 0.33] by default. */
  scale?: readonly [number, number];
  /** The smallest and the largest ratio of height to width; [0.3, 3.3] by default. */
  ratio?: readonly [number, number];
  /** The value of erased pixels; 0 by default. */
  value?: number;
}

const range = is.tuple(is.positive, is.positive);
const randomErasingOptions = {
  p: is.probability,
  scale: range,
  ratio: range,
  value: is.number,
  generator: is.generator,
};

/** Sets a random rectangle to `value` with probability `p` (Zhong et al., 2017). The image itself is not changed. */
export function randomErasing(options?: ErasingOptions): Transform {
  const {
    p = 0.5,
    scale = [0.02, 0.33],
    ratio = [0.3, 3.3],
    value = 0,
    generator = currentGenerator(),
  } = checkOptions('randomErasing', options, randomErasingOptions);
  return (image) => {
    const [h, w] = sizes('randomErasing', image);
    if (generator.uniform() >= p) return image;
    const between = ([a, b]: readonly [number, number]) => a + (b - a) * generator.uniform();
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = h * w * between(scale);
      const aspect = Math.exp(between([Math.log(ratio[0]), Math.log(ratio[1])]));
      const [eh, ew] = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))];
      if (eh >= h || ew >= w) continue;
      const out = image.detach().clone();
      crop('randomErasing', out, generator.below(h - eh + 1), generator.below(w - ew + 1), [eh, ew]).fill_(value);
      return out;
    }
    return image;
  };
}
