import { record } from '../autograd/node.js';
import { isGradEnabled } from '../grad/index.js';
import { map2 } from '../kernels/elementwise.js';
import * as loops from '../kernels/gradients.js';
import type { Loop2 } from '../kernels/loops.js';
import type { StreamKernel2 } from '../kernels/stream.js';
import { Tensor } from '../tensor/tensor.js';
import { add, div, eq, mul, neg, sigmoid, sign, square, sub, where } from './elementwise.js';
import { sum } from './reduce.js';

type Rule = (g: Tensor, v: Tensor) => Tensor;

const unused = (): number => Number.NaN;

/** A gradient in one pass; made of recorded operators where a gradient of it may be wanted. */
const inOnePass =
  (kernel: StreamKernel2, loop: Loop2, composed: Rule): Rule =>
  (g, v) =>
    isGradEnabled() ? composed(g, v) : map2(unused, g, v, g.shape, g.dtype, loop, kernel);

export const tanhGradient = inOnePass('tanhGradient', loops.tanhGradientLoop, (g, y) => mul(g, sub(1, mul(y, y))));

export const sigmoidGradient = inOnePass('sigmoidGradient', loops.sigmoidGradientLoop, (g, y) =>
  mul(g, mul(y, sub(1, y))),
);

export const siluGradient = inOnePass('siluGradient', loops.siluGradientLoop, (g, x) => {
  const s = sigmoid(x);
  return mul(g, mul(s, add(mul(x, sub(1, s)), 1)));
});

export const squareGradient = inOnePass('squareGradient', loops.squareGradientLoop, (g, x) => mul(g, mul(x, 2)));

export const absGradient = inOnePass('absGradient', loops.absGradientLoop, (g, x) => mul(g, sign(x)));

export const sqrtGradient = inOnePass('sqrtGradient', loops.sqrtGradientLoop, (g, y) => div(g, mul(y, 2)));

export const rsqrtGradient = inOnePass('rsqrtGradient', loops.rsqrtGradientLoop, (g, y) =>
  mul(g, mul(mul(y, mul(y, y)), -0.5)),
);

export const reciprocalGradient = inOnePass('reciprocalGradient', loops.reciprocalGradientLoop, (g, y) =>
  neg(mul(g, square(y))),
);

/** The gradient of a step function: 0, whatever `g` is, also where that is NaN or infinite. */
export function zerosFor(g: Tensor): Tensor {
  return Tensor.empty(g.dtype, g.shape, g.storage.backend);
}

/** `a / b`, and 0 where `b` is 0, with all its gradients. */
export function divOrZero(a: Tensor, b: Tensor): Tensor {
  const none = eq(b, 0);
  return where(none, 0, div(a, where(none, 1, b)));
}

/** An element of `x` that was picked by its value: all that are equal to it share its gradient, NaN with NaN. */
export const evenly = (name: string, x: Tensor, picked: Tensor): Tensor =>
  record(
    name,
    [x],
    picked,
    (g, ctx) => {
      const [x, y] = ctx.saved as [Tensor, Tensor];
      const hit = Number.isNaN(y.item()) ? x.ne(x) : eq(x, y);
      return [where(hit, div(g, sum(hit)), 0)];
    },
    [x, picked],
  );
