import * as loops from '../backend/host/loops.js';
import { check, checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { isFloat } from '../memory/dtype.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import type { Tensor } from '../tensor/tensor.js';
import type * as self from './activation.js';
import { clamp } from './arithmetic.js';
import {
  applyUnary,
  fusedGradient,
  type Gradient,
  type UnaryRule,
  unary,
  unaryOperator,
  withInPlace,
} from './define.js';
import { add, exp, mul, neg, sigmoid, sub, tanh } from './elementwise.js';
import { logicalAnd, logicalOr } from './logical.js';
import { celuOptions, eluOptions, geluOptions, hardtanhOptions, softplusOptions } from './options.js';
import { ge, gt, le, lt } from './relational.js';
import { erfOf } from './special.js';
import { where } from './where.js';

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

function aNumber(op: string, name: string, value: number): number {
  check(op, name, value, is.number);
  return value;
}

/**
 * `x * sigmoid(x)` of each element, also called swish. The result has the shape of `x`.
 *
 * ```ts
 * silu(tensor([-1, 0, 2])); // [-0.2689, 0, 1.762]
 * ```
 */
export const silu = unary('silu', {
  forward: (x) => x * sigmoidOf(x),
  backward: (g, x) => siluGradient(g, x),
  saves: 'input',
});

const siluGradient = fusedGradient('siluGradient', {
  forward: (g, x) => g * sigmoidOf(x) * (1 + x * (1 - sigmoidOf(x))),
  loop: loops.siluGradient,
  recorded: (g, x) => {
    const s = sigmoid(x);
    return mul(g, mul(s, add(mul(x, sub(1, s)), 1)));
  },
});

/**
 * `log(sigmoid(x))` of each element, without overflow. The result has the shape of `x`.
 *
 * ```ts
 * logSigmoid(tensor([-1, 0, 2])); // [-1.313, -0.6931, -0.1269]
 * ```
 */
export const logSigmoid = unary('logSigmoid', {
  forward: (x) => Math.min(0, x) - Math.log1p(Math.exp(-Math.abs(x))),
  backward: (g, x) => mul(g, sigmoid(neg(x))),
  saves: 'input',
});

const cdf = (v: number): number => (1 + erfOf(v / Math.SQRT2)) / 2;
const pdf = (v: number): number => Math.exp((-v * v) / 2) / Math.sqrt(2 * Math.PI);

const exactGelu = unaryOperator('gelu', {
  forward: (v) => v * cdf(v),
  backward: (g, x) => geluGradient(g, x),
  saves: 'input',
});

/** `g (Φ(x) + x φ(x))`. Its gradients are the function itself for `g`, and `g φ(x) (2 - x²)` for `x`. */
const geluGradient: Gradient = fusedGradient('geluGradient', {
  forward: (g, x) => g * (cdf(x) + x * pdf(x)),
  recorded: (g, x, _, fused) =>
    record(
      'geluGradient',
      [g, x],
      fused(g, x),
      (gg, ctx) => {
        const [g, x] = ctx.saved as [Tensor, Tensor];
        const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
        return [
          ctx.needs(0) ? geluGradient(gg, x) : null,
          ctx.needs(1) ? mul(mul(gg, g), mul(density, sub(2, mul(x, x)))) : null,
        ];
      },
      [g, x],
    ),
});

/**
 * `x * Φ(x)` (Hendrycks and Gimpel, 2016), exactly or by its `'tanh'` approximation.
 *
 * ```ts
 * gelu(tensor([-1, 0, 2])); // [-0.1587, 0, 1.954]
 * ```
 */
export function gelu(x: Tensor, options?: { approximate?: 'none' | 'tanh' }): Tensor {
  const { approximate = 'none' } = checkOptions('gelu', options, geluOptions);
  checkTensors('gelu', x);
  if (approximate === 'tanh') {
    const inner = mul(add(x, mul(mul(x, mul(x, x)), 0.044715)), Math.sqrt(2 / Math.PI));
    return mul(mul(x, 0.5), add(tanh(inner), 1));
  }
  return applyUnary(exactGelu, x);
}

/**
 * `log(1 + exp(beta x)) / beta`, and `x` itself where `beta x` exceeds `threshold`.
 *
 * ```ts
 * softplus(tensor([-1, 0, 30])); // [0.3133, 0.6931, 30]
 * ```
 */
export function softplus(x: Tensor, options?: { beta?: number; threshold?: number }): Tensor {
  const { beta = 1, threshold = 20 } = checkOptions('softplus', options, softplusOptions);
  checkTensors('softplus', x);
  return applyUnary(softplusOperator, x, [beta, threshold]);
}

const softplusOperator = unaryOperator('softplus', {
  forward: (v, beta, threshold) => (v * beta > threshold ? v : Math.log1p(Math.exp(v * beta)) / beta),
  backward: (g, x, _, [beta, threshold]) => mul(g, where(gt(mul(x, beta!), threshold!), 1, sigmoid(mul(x, beta!)))),
  saves: 'input',
});

/**
 * `x` where positive, else `alpha (exp(x) - 1)`, of each element; `alpha` is 1 by default. The result has the shape of
 * `x`.
 *
 * ```ts
 * elu(tensor([-1, 2])); // [-0.6321, 2]
 * ```
 */
export const elu = /* @__PURE__ */ madeOf('elu', (x: Tensor, options?: { alpha?: number }): Tensor => {
  const { alpha = 1 } = checkOptions('elu', options, eluOptions);
  return applyUnary(eluOperator, x, [alpha]);
});

const eluOperator = unaryOperator('elu', {
  forward: (v, alpha) => (v > 0 ? v : alpha * Math.expm1(v)),
  loop: loops.elu,
  backward: (g, x, _, alpha) => eluGradient(g, x, alpha),
  saves: 'input',
});

const eluGradient = fusedGradient('eluGradient', {
  forward: (g, x, alpha) => (x > 0 ? g : g * alpha * Math.exp(x)),
  loop: loops.eluGradient,
  recorded: (g, x, [alpha]) => mul(g, where(gt(x, 0), 1, mul(exp(clamp(x, null, 0)), alpha!))),
});

/**
 * `elu` with the constants that keep mean and variance (Klambauer et al., 2017).
 *
 * ```ts
 * selu(tensor([-1, 2])); // [-1.111, 2.101]
 * ```
 */
export const selu = /* @__PURE__ */ named(
  'selu',
  (x: Tensor): Tensor => mul(elu(x, { alpha: 1.6732632423543772 }), 1.0507009873554805),
);

/**
 * `max(0, x) + min(0, alpha (exp(x / alpha) - 1))` of each element; `alpha` is 1 by default. The result has the shape
 * of `x`.
 *
 * ```ts
 * celu(tensor([-1, 2]), { alpha: 2 }); // [-0.7869, 2]
 * ```
 */
export const celu = /* @__PURE__ */ named('celu', (x: Tensor, options?: { alpha?: number }): Tensor => {
  const { alpha = 1 } = checkOptions('celu', options, celuOptions);
  checkTensors('celu', x);
  return mul(elu(mul(x, 1 / alpha)), alpha);
});

/**
 * `x` where positive, else `negativeSlope * x`, of each element; `negativeSlope` is 0.01 by default. The result has the
 * shape of `x`.
 *
 * ```ts
 * leakyRelu(tensor([-1, 2]), 0.1); // [-0.1, 2]
 * ```
 */
export const leakyRelu = /* @__PURE__ */ named(
  'leakyRelu',
  (x: Tensor, negativeSlope = 0.01): Tensor =>
    applyUnary(leakyReluOperator, x, [aNumber('leakyRelu', 'negativeSlope', negativeSlope)]),
);

const leakyReluOperator = unaryOperator('leakyRelu', {
  forward: (v, slope) => (v > 0 ? v : v * slope),
  loop: loops.leakyRelu,
  backward: (g, x, _, slope) => leakyReluGradient(g, x, slope),
  saves: 'input',
});

const leakyReluGradient = fusedGradient('leakyReluGradient', {
  forward: (g, x, slope) => (x > 0 ? g : g * slope),
  loop: loops.leakyReluGradient,
  recorded: (g, x, [slope]) => mul(g, where(gt(x, 0), 1, slope!)),
});

/**
 * `x` where positive, else `weight x`; `weight` has one element, or one for each channel (dimension 1).
 *
 * ```ts
 * prelu(tensor([-4, 4]), tensor([0.25])); // [-1, 4]
 * ```
 */
export const prelu = /* @__PURE__ */ named('prelu', (x: Tensor, weight: Tensor): Tensor => {
  checkTensors('prelu', x, weight);
  const slope =
    weight.numel === 1
      ? weight.reshape([])
      : x.ndim < 2
        ? weight
        : weight.reshape([1, x.shape[1]!, ...Array<number>(x.ndim - 2).fill(1)]);
  // The negative part only, so that no infinite `x` above 0 is multiplied by a gradient of 0.
  return where(gt(x, 0), x, mul(where(gt(x, 0), 0, x), slope));
});

/**
 * `x` limited to [min, max]. Unlike that of `clamp`, the gradient is 0 at both ends, and passes where `x` is NaN.
 *
 * ```ts
 * hardtanh(tensor([-3, 0.5, 3])); // [-1, 0.5, 1]
 * ```
 */
export const hardtanh = /* @__PURE__ */ named(
  'hardtanh',
  (x: Tensor, options?: { min?: number; max?: number }): Tensor => {
    const { min = -1, max = 1 } = checkOptions('hardtanh', options, hardtanhOptions);
    return limited('hardtanh', x, min, max);
  },
);

function limited(op: string, x: Tensor, low: number, high: number): Tensor {
  checkTensors(op, x);
  const y = clamp(x.detach(), low, high);
  if (!isFloat(x.dtype)) return y;
  return record(op, [x], y, (g, ctx) => [hardtanhGradient(g, ctx.saved[0]!, [low, high])], [x]);
}

const hardtanhGradient = fusedGradient('hardtanhGradient', {
  forward: (g, x, low, high) => (x <= low || x >= high ? 0 : g),
  loop: loops.hardtanhGradient,
  recorded: (g, x, [low, high]) => where(logicalOr(le(x, low!), ge(x, high!)), 0, g),
});

/**
 * Each element limited to [0, 6]; the gradient is 0 at both ends. The result has the shape of `x`.
 *
 * ```ts
 * relu6(tensor([-1, 3, 8])); // [0, 3, 6]
 * ```
 */
export const relu6 = /* @__PURE__ */ named('relu6', (x: Tensor): Tensor => limited('relu6', x, 0, 6));

/**
 * `relu6(x + 3) / 6`; the gradient is 0 from 3 and from -3 on, and at NaN.
 *
 * ```ts
 * hardsigmoid(tensor([-4, 0, 4])); // [0, 0.5, 1]
 * ```
 */
export const hardsigmoid = unary('hardsigmoid', {
  forward: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  backward: (g, x) => where(logicalAnd(gt(x, -3), lt(x, 3)), mul(g, 1 / 6), 0),
  saves: 'input',
});

/**
 * `x hardsigmoid(x)`; the gradient is 0 from -3 down, and passes from 3 up.
 *
 * ```ts
 * hardswish(tensor([-4, 1, 4])); // [0, 0.6667, 4]
 * ```
 */
export const hardswish = unary('hardswish', {
  forward: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  backward: (g, x) => where(le(x, -3), 0, where(ge(x, 3), g, mul(g, add(mul(x, 1 / 3), 0.5)))),
  saves: 'input',
});

/**
 * `x * tanh(softplus(x))` of each element. The result has the shape of `x`.
 *
 * ```ts
 * mish(tensor([-1, 2])); // [-0.3034, 1.944]
 * ```
 */
export const mish = /* @__PURE__ */ named('mish', (x: Tensor): Tensor => mul(x, tanh(softplus(x))));

/**
 * `x / (1 + |x|)` of each element. The result has the shape of `x`.
 *
 * ```ts
 * softsign(tensor([-1, 3])); // [-0.5, 0.75]
 * ```
 */
export const softsign = /* @__PURE__ */ madeOf('softsign', (x: Tensor): Tensor => {
  return x.div(add(x.abs(), 1));
});

/**
 * `x - tanh(x)` of each element. The result has the shape of `x`.
 *
 * ```ts
 * tanhshrink(tensor([0, 1])); // [0, 0.2384]
 * ```
 */
export const tanhshrink = /* @__PURE__ */ named('tanhshrink', (x: Tensor): Tensor => sub(x, tanh(x)));

/**
 * Moves each element towards 0 by `lambda`, 0.5 by default, and to 0 if it is within `lambda` of 0. The result has the
 * shape of `x`.
 *
 * ```ts
 * softshrink(tensor([-2, 0.3, 2])); // [-1.5, 0, 1.5]
 * ```
 */
export const softshrink = /* @__PURE__ */ named(
  'softshrink',
  (x: Tensor, lambda = 0.5): Tensor => applyUnary(softshrinkOperator, x, [aNumber('softshrink', 'lambda', lambda)]),
);

/**
 * Each element whose absolute value exceeds `lambda`, 0.5 by default; 0 for the others. The result has the shape of
 * `x`.
 *
 * ```ts
 * hardshrink(tensor([-2, 0.3, 2])); // [-2, 0, 2]
 * ```
 */
export const hardshrink = /* @__PURE__ */ named(
  'hardshrink',
  (x: Tensor, lambda = 0.5): Tensor => applyUnary(hardshrinkOperator, x, [aNumber('hardshrink', 'lambda', lambda)]),
);

const isWithin = (v: number, lambda: number): boolean => v >= -lambda && v <= lambda;

/** The derivative is 0 within `lambda` of 0, and 1 elsewhere, also where `x` is NaN. */
const shrunk: Pick<UnaryRule, 'backward' | 'saves'> = {
  backward: (g, x, _, [lambda]) => where(logicalAnd(ge(x, -lambda!), le(x, lambda!)), 0, g),
  saves: 'input',
};

const softshrinkOperator = unaryOperator('softshrink', {
  ...shrunk,
  forward: (v, lambda) => (isWithin(v, lambda) ? 0 : v > 0 ? v - lambda : v + lambda),
});

const hardshrinkOperator = unaryOperator('hardshrink', {
  ...shrunk,
  forward: (v, lambda) => (isWithin(v, lambda) ? 0 : v),
});

/**
 * The first half of `x` along `dim`, by default the last, times the sigmoid of the second half: `[..., 2 n]` to
 * `[..., n]`. Throws if the size is odd.
 *
 * ```ts
 * glu(tensor([1, 2, 0, 0])); // [0.5, 1]
 * ```
 */
export const glu = /* @__PURE__ */ madeOf('glu', (x: Tensor, dim = -1): Tensor => {
  const n = x.shape[normalizeDim('glu', dim, x.ndim)] ?? 1;
  if (n % 2 !== 0) throw new ShapeError('glu', `dimension ${dim} of ${formatShape(x.shape)} has an odd size, ${n}`);
  const [a, b] = [x.narrow(dim, 0, n / 2), x.narrow(dim, n / 2, n / 2)];
  return mul(a, sigmoid(b));
});

const plain = { gelu, softplus, elu, leakyRelu };
methods(plain);

const withForms = { silu, logSigmoid };
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
