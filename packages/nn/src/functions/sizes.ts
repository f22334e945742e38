import { ShapeError, type Tensor } from '@gradgate/core';
import { is, type Kind } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

/** One number for depth, height and width, or one for each. */
export type Triple = number | readonly [number, number, number];

export const pairs = (n: Kind): Kind => is.either(n, is.tuple(n, n));
export const triples = (n: Kind): Kind => is.either(n, is.tuple(n, n, n));

/** The check of sizes over `dims` dimensions: one number for all, or one for each. */
export const sizesOf = (dims: number): ((n: Kind) => Kind) => [alone, pairs, triples][dims - 1]!;
const alone = (n: Kind): Kind => n;

/** One number for each of `dims` dimensions. */
export const each = (v: number | readonly number[], dims: number): number[] =>
  typeof v === 'number' ? Array<number>(dims).fill(v) : [...v];

/** Splits a size into depth and `[height, width]`. */
export const three = (v: Triple): [depth: number, plane: [number, number]] => {
  const [d, h, w] = each(v, 3) as [number, number, number];
  return [d, [h, w]];
};

const axes = ['', 'L', 'H, W', 'D, H, W'];

/** `x` `[N, C, ...]` with `dims` spatial dimensions as it is; `[C, ...]` as a batch of one. */
export function asBatch(op: string, x: Tensor, dims: number): Tensor {
  if (x.ndim === dims + 2) return x;
  if (x.ndim === dims + 1) return x.unsqueeze(0);
  throw new ShapeError(op, `takes [N, C, ${axes[dims]}] or [C, ${axes[dims]}], got ${shapeText(x)}`);
}

/** `y`, computed from `asBatch(x)`, without the batch dimension if `x` has none. */
export const likeInput = (y: Tensor, x: Tensor, dims: number): Tensor => (x.ndim === dims + 2 ? y : y.squeeze(0));
