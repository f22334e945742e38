import type { DType, TypedArray } from '../tensor/dtype.js';
import { type Shape, sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';

/** The elements of `x` where `condition` holds, those of `y` elsewhere, all read as if they had the shape `shape`. */
export function choose(condition: Tensor, x: Tensor, y: Tensor, shape: Shape, dtype: DType): Tensor {
  const out = Tensor.unwritten(dtype, shape);
  const c = condition.expand(shape).elements() as Uint8Array;
  const [xs, stepX] = operand(x, shape);
  const [ys, stepY] = operand(y, shape);
  pick(out.storage.data, c, xs, stepX, ys, stepY);
  return out;
}

/** One element again and again, or as many as there are results. */
function operand(t: Tensor, shape: Shape): [TypedArray, 0 | 1] {
  if (t.numel === 1) return [t.elements(), 0];
  return [(sameShape(t.shape, shape) ? t : t.expand(shape)).elements(), 1];
}

function pick(to: TypedArray, c: Uint8Array, x: TypedArray, stepX: 0 | 1, y: TypedArray, stepY: 0 | 1): void {
  if (stepX === 1 && stepY === 1) for (let i = 0; i < to.length; i++) to[i] = c[i] ? x[i]! : y[i]!;
  else if (stepX === 1) {
    const v = y[0]!;
    for (let i = 0; i < to.length; i++) to[i] = c[i] ? x[i]! : v;
  } else if (stepY === 1) {
    const v = x[0]!;
    for (let i = 0; i < to.length; i++) to[i] = c[i] ? v : y[i]!;
  } else {
    const [v, w] = [x[0]!, y[0]!];
    for (let i = 0; i < to.length; i++) to[i] = c[i] ? v : w;
  }
}
