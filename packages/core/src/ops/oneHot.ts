import { kernelsOf } from '../backend/backends.js';
import { check, show } from '../check.js';
import { ShapeError } from '../errors.js';
import { repeated, writeTo } from '../graph/positions.js';
import { checkSize } from '../memory/shape.js';
import { checkIntegers, madeOf } from '../tensor/check.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import type * as self from './oneHot.js';

/**
 * One-hot rows of the classes in `x` (integers), `[..., numClasses]`; int32.
 *
 * ```ts
 * oneHot(tensor([0, 2], { dtype: 'int32' })); // [[1, 0, 0], [0, 0, 1]]
 * ```
 */
export const oneHot = /* @__PURE__ */ madeOf('oneHot', (x: Tensor, numClasses = -1): Tensor => {
  checkIntegers('oneHot', 'classes', x);
  check('oneHot', 'numClasses', numClasses, is.integer);
  const counted = () => (x.numel === 0 ? 0 : elementsOf(x.amax(), 'oneHot')[0]! + 1);
  const n = numClasses === -1 ? counted() : numClasses;
  const refuse = (v: number) => new ShapeError('oneHot', `classes must be from 0 to ${n - 1}, got ${show(v)}`);
  kernelsOf('oneHot', x).checkRange(x, 0, n - 1, refuse);
  checkSize('oneHot', [...x.shape, n], x.shape);
  const out = Tensor.zeros('int32', [...x.shape, n], x.storage.backend);
  return writeTo(out, 'oneHot', 'set', x.ndim, x.unsqueeze(-1), repeated(1, [...x.shape, 1], out));
});

const plain = {
  oneHot,
};
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
