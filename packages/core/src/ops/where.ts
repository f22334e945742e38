import { kernelsOf } from '../backend/backends.js';
import { check } from '../check.js';
import { DTypeError, named } from '../errors.js';
import { record } from '../graph/node.js';
import { checkFits } from '../memory/dtype.js';
import { broadcastShapes } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { beside, promoted, scalarOf, type TensorLike, toTensor, withInPlace } from './define.js';
import { nonzeroCoordinates } from './nonzero.js';
import { sumTo } from './sum.js';
import type * as self from './where.js';

/**
 * The elements of `a` where `condition` is true, those of `b` elsewhere. All three broadcast. With `condition` alone,
 * of any dtype, the coordinates of what is not 0: an index for each dimension, to be used as
 * `x.at(...where(condition))`.
 *
 * ```ts
 * where(tensor([true, false]), tensor([1, 2]), 0); // [1, 0]
 * where(tensor([[0, 5], [7, 0]])); // [[0, 1], [1, 0]]
 * ```
 */
export function where(condition: Tensor): Tensor[];
/** `a` where `condition` is true, `b` elsewhere; all three broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor;
export function where(condition: Tensor, a?: any, b?: any): any {
  checkTensors('where', condition);
  // biome-ignore lint/complexity/noArguments: `a` may be undefined by mistake.
  if (arguments.length === 1) return nonzeroCoordinates('where', condition);
  if (condition.dtype !== 'bool')
    throw new DTypeError(
      'where',
      `the condition must be a bool tensor, got ${condition.dtype}; compare first, e.g. with ne(0)`,
    );
  let x = beside('where', toTensor('where', a, b), condition);
  let y = beside('where', toTensor('where', b, a), condition);
  if (x.storage.backend !== y.storage.backend) [x, y] = [beside('where', x, y), beside('where', y, x)];
  const dtype = promoted(a, b, x, y);
  const shape = broadcastShapes('where', condition.shape, broadcastShapes('where', x.shape, y.shape));
  const out = Tensor.uninitialized(dtype, shape, condition.storage.backend);
  kernelsOf('where', condition, x, y).where(condition, x, y, out);
  const shapeX = x.shape;
  const shapeY = y.shape;
  return record(
    'where',
    [x, y],
    out,
    (g, ctx) => [
      ctx.needs(0) ? sumTo(where(ctx.saved[0]!, g, 0), shapeX) : null,
      ctx.needs(1) ? sumTo(where(ctx.saved[0]!, 0, g), shapeY) : null,
    ],
    [condition],
  );
}

/**
 * `x` with `value` wherever `mask` is true.
 *
 * ```ts
 * maskedFill(tensor([1, 2]), tensor([true, false]), 0); // [0, 2]
 * ```
 */
export const maskedFill = /* @__PURE__ */ named('maskedFill', (x: Tensor, mask: Tensor, value: number): Tensor => {
  checkTensors('maskedFill', x, mask);
  check('maskedFill', 'value', value, is.either(is.number, is.boolean));
  checkFits('maskedFill', Number(value), x.dtype);
  return where(mask, scalarOf(x.dtype, value, x.storage.backend), x);
});

const withForms = { maskedFill };
methods(withInPlace(withForms));

const own = {
  /** This tensor's elements where `condition` is true, `other`'s elsewhere. */
  where: (x: Tensor, condition: Tensor, other: TensorLike): Tensor => where(condition, x, other),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor
    extends MethodsFrom<typeof self, typeof withForms>,
      InPlaceOf<typeof withForms>,
      MethodsOf<typeof own> {}
}
