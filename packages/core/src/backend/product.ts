import { broadcastStrides, stridedOffsets } from '../memory/shape.js';
import type { View } from './kernels.js';

/** The distances of the rows of a matrix, and of its columns. */
export interface Layout {
  readonly rowStride: number;
  readonly colStride: number;
}

/** The matrices of a batched product: a pair for each matrix of the result. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Layout;
  readonly b: Layout;
  /** The offsets of the first elements of the matrices. */
  readonly startsA: ArrayLike<number>;
  readonly startsB: ArrayLike<number>;
}

/** The layout of the matrices in the last two dimensions, transposed if asked. */
function layoutOf({ strides }: View, transposed: boolean): Layout {
  const rowStride = strides[strides.length - 2]!;
  const colStride = strides[strides.length - 1]!;
  return transposed ? { rowStride: colStride, colStride: rowStride } : { rowStride, colStride };
}

/** The matrices and sizes in the operands of `Kernels.matmul`. */
export function productOf(a: View, transposeA: boolean, b: View, transposeB: boolean, out: View): Product {
  const { shape } = out;
  const d = shape.length - 2;
  const [layoutA, layoutB] = [layoutOf(a, transposeA), layoutOf(b, transposeB)];
  const sizes = { m: shape[d]!, n: shape[d + 1]!, k: a.shape[a.shape.length - (transposeA ? 2 : 1)]! };
  if (d === 0) return { ...sizes, a: layoutA, b: layoutB, startsA: [a.offset], startsB: [b.offset] };
  const batch = shape.slice(0, d);
  const starts = (x: View) =>
    stridedOffsets(batch, broadcastStrides(x.shape.slice(0, -2), x.strides.slice(0, -2), batch), x.offset);
  return { ...sizes, a: layoutA, b: layoutB, startsA: starts(a), startsB: starts(b) };
}
