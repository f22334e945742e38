import { ShapeError, type Tensor } from '@gradgate/core';
import { is, type Kind } from '@gradgate/core/internal';

/** One number for depth, height and width, or one for each. */
export type Triple = number | readonly [number, number, number];

export const pairs = (n: Kind): Kind => is.either(n, is.tuple(n, n));
export const triples = (n: Kind): Kind => is.either(n, is.tuple(n, n, n));

/** What sizes of windows and strides of `dims` dimensions are: `n`, or one for each. */
export const sizesOf = (dims: number): ((n: Kind) => Kind) => [alone, pairs, triples][dims - 1]!;
const alone = (n: Kind): Kind => n;

/** As many numbers as there are dimensions. */
export const each = (v: number | readonly number[], dims: number): number[] =>
  typeof v === 'number' ? Array<number>(dims).fill(v) : [...v];

/** A depth, and height and width. */
export const three = (v: Triple): [depth: number, plane: [number, number]] => {
  const [d, h, w] = each(v, 3) as [number, number, number];
  return [d, [h, w]];
};

const axes = ['', 'L', 'H, W', 'D, H, W'];

/** `x` `[N, C, ...]` of `dims` dimensions of space as it is, or `[C, ...]` as a batch of one. */
export function asBatch(op: string, x: Tensor, dims: number): Tensor {
  if (x.ndim === dims + 2) return x;
  if (x.ndim === dims + 1) return x.unsqueeze(0);
  throw new ShapeError(op, `takes [N, C, ${axes[dims]}] or [C, ${axes[dims]}], got [${x.shape.join(', ')}]`);
}

/** `y`, which comes of `asBatch(x)`, with a batch where `x` has one. */
export const asGiven = (y: Tensor, x: Tensor, dims: number): Tensor => (x.ndim === dims + 2 ? y : y.squeeze(0));
