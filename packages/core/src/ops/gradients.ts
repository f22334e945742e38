import * as loops from '../backend/host/loops.js';
import { record } from '../graph/node.js';
import type { Tensor } from '../tensor/tensor.js';
import { binary } from './define.js';
import { div } from './elementwise.js';
import { eq } from './relational.js';
import { sum } from './sum.js';
import { where } from './where.js';

/** `a / b`, and 0 where `b` is 0, with all its gradients. */
export function divOrZero(a: Tensor, b: Tensor): Tensor {
  const none = eq(b, 0);
  return where(none, 0, div(a, where(none, 1, b)));
}

/** Whether two numbers are equal, where NaN equals NaN. */
const same = binary('same', {
  forward: (a, b) => Number(a === b || (Number.isNaN(a) && Number.isNaN(b))),
  exact: (a, b) => a === b,
  loop: loops.same,
  dtype: () => 'bool',
});

/** An element of `x` that was selected by its value: all elements equal to it share the gradient; NaN equals NaN. */
export const evenly = (name: string, x: Tensor, picked: Tensor): Tensor =>
  record(
    name,
    [x],
    picked,
    (g, ctx) => {
      const [x, y] = ctx.saved as [Tensor, Tensor];
      const hit = same(x, y);
      return [where(hit, div(g, sum(hit)), 0)];
    },
    [x, picked],
  );
