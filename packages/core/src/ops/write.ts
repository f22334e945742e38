import { DTypeError, named, ShapeError } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { inPlace } from '../graph/inplace.js';
import { record } from '../graph/node.js';
import { checkFits, lacksKind } from '../memory/dtype.js';
import { broadcastShapes, formatShape, sameShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { copy, to, toDevice } from './copy.js';
import { type TensorLike, toTensor, zerosFor } from './define.js';
import { sumTo } from './reduce.js';
import { expand } from './shape.js';
import type * as self from './write.js';

/**
 * Writes `src`, which broadcasts, into `x` and returns it; converts dtype and device.
 *
 * ```ts
 * const x = zeros([2]);
 * copy_(x, 3);
 * x; // [3, 3]
 * ```
 */
export const copy_ = /* @__PURE__ */ named('copy_', (x: Tensor, src: TensorLike): Tensor => {
  return assign('copy_', x, src);
});

function assign(op: string, x: Tensor, src: TensorLike): Tensor {
  checkTensors(op, x);
  if (typeof src === 'number') checkFits(op, src, x.dtype);
  const value = toTensor(op, src, x);
  return inPlace(op, x, () => {
    if (!sameShape(broadcastShapes(op, x.shape, value.shape), x.shape))
      throw new ShapeError(op, `${formatShape(value.shape)} does not broadcast to ${formatShape(x.shape)}`);
    if (lacksKind(x.dtype, value.dtype) && Tensor.is(src))
      throw new DTypeError(op, `a ${value.dtype} tensor cannot be written into a ${x.dtype} one; convert it with to()`);
    const { shape, dtype, device } = value;
    // Also from another device: the values are moved first.
    const moved = device === x.device ? value.detach() : value.detach().moved(x.storage.backend);
    const whole = expand(moved, x.shape);
    // Without a graph, the given tensor itself can be written; a graph needs a new one.
    if (!isGradEnabled() && value.dtype === x.dtype) return whole;
    return record(op, [x, value], copy(whole, x.dtype), (g, ctx) => [
      ctx.needs(0) ? zerosFor(g) : null,
      ctx.needs(1) ? toDevice(to(sumTo(g, shape), dtype), device) : null,
    ]);
  });
}

const plain = {
  copy_,
};
methods(plain);

const own = {
  /** Sets all elements to `value`. */
  fill_: (x: Tensor, value: number): Tensor => assign('fill_', x, value),
  /** Sets all elements to 0. */
  zero_: (x: Tensor): Tensor => assign('zero_', x, 0),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain>, MethodsOf<typeof own> {}
}
