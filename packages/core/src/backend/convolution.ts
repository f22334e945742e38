/** How a kernel moves over an image. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** How many positions of a kernel fit along a dimension of size `n`. */
export const outputSize = (n: number, d: 0 | 1, { kernel, stride, padding, dilation }: Window): number =>
  Math.floor((n + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1;

/**
 * A convolution of images `[batch, groups * inputs, h, w]` with kernels `[groups * outputs, inputs, ...window.kernel]`.
 */
export interface Geometry {
  readonly batch: number;
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly h: number;
  readonly w: number;
  readonly window: Window;
  /**
   * Rows and columns of kernel positions. Not always as many as fit: a transposed convolution has one for each element
   * of its input, and its result may be larger.
   */
  readonly positions: readonly [number, number];
}

export interface Sizes {
  /** The sizes of one group of one image, of the kernels of one group, and of one group of a result. */
  image: number;
  kernels: number;
  result: number;
  /** Elements of a patch, and the number of patches. */
  patch: number;
  positions: number;
}

export function sizesOf({ inputs, outputs, h, w, window, positions: [rows, columns] }: Geometry): Sizes {
  const patch = inputs * window.kernel[0] * window.kernel[1];
  const positions = rows * columns;
  return { image: inputs * h * w, kernels: outputs * patch, result: outputs * positions, patch, positions };
}
