import { record } from '../autograd/node.js';
import { checkOptions } from '../check.js';
import { ShapeError } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { map2 } from '../kernels/elementwise.js';
import { gradientWith, mapWith } from '../kernels/gradients.js';
import type { Loop1, Loop2 } from '../kernels/loops.js';
import { checkTensors } from '../tensor/check.js';
import { isFloat } from '../tensor/dtype.js';
import { formatShape, normalizeDim } from '../tensor/shape.js';
import { type InPlaceOf, type MethodsFrom, methods, type Tensor } from '../tensor/tensor.js';
import type * as self from './activation.js';
import {
  add,
  applyUnary,
  exp,
  ge,
  gt,
  le,
  lt,
  mul,
  neg,
  sigmoid,
  sub,
  tanh,
  type UnaryRule,
  unary,
  where,
  withInPlace,
} from './elementwise.js';
import { siluGradient } from './gradients.js';
import { clamp, logicalAnd, logicalOr } from './math.js';
import { celuOptions, eluOptions, geluOptions, hardtanhOptions, softplusOptions } from './options.js';
import { erfOf } from './special.js';

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

/** `x * sigmoid(x)`. */
export const silu = unary('silu', {
  kernel: 'silu',
  forward: (x) => x * sigmoidOf(x),
  backward: (g, x) => siluGradient(g, x),
  saves: 'input',
});

/** `log(sigmoid(x))`, without overflow. */
export const logSigmoid = unary('logSigmoid', {
  forward: (x) => Math.min(0, x) - Math.log1p(Math.exp(-Math.abs(x))),
  backward: (g, x) => mul(g, sigmoid(neg(x))),
  saves: 'input',
});

const cdf = (v: number): number => (1 + erfOf(v / Math.SQRT2)) / 2;
const pdf = (v: number): number => Math.exp((-v * v) / 2) / Math.sqrt(2 * Math.PI);

const exactGelu: UnaryRule = {
  kernel: 'gelu',
  forward: (v) => v * cdf(v),
  backward: (g, x) => geluGradient(g, x),
  saves: 'input',
};

/** `g (Φ(x) + x φ(x))`, in one pass; its own gradients are `g` again, and `g φ(x) (2 - x²)`. */
function geluGradient(g: Tensor, x: Tensor): Tensor {
  const out = map2((a, v) => a * (cdf(v) + v * pdf(v)), g, x, g.shape, g.dtype, undefined, 'geluGradient');
  return record(
    'geluGradient',
    [g, x],
    out,
    (gg, ctx) => {
      const [g, x] = ctx.saved as [Tensor, Tensor];
      const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [
        ctx.needs(0) ? geluGradient(gg, x) : null,
        ctx.needs(1) ? mul(mul(gg, g), mul(density, sub(2, mul(x, x)))) : null,
      ];
    },
    [g, x],
  );
}

/** `x * Φ(x)` (Hendrycks and Gimpel, 2016), exactly or by its `'tanh'` approximation. */
export function gelu(x: Tensor, options?: { approximate?: 'none' | 'tanh' }): Tensor {
  const { approximate = 'none' } = checkOptions('gelu', options, geluOptions);
  checkTensors('gelu', x);
  if (approximate === 'tanh') {
    const inner = mul(add(x, mul(mul(x, mul(x, x)), 0.044715)), Math.sqrt(2 / Math.PI));
    return mul(mul(x, 0.5), add(tanh(inner), 1));
  }
  if (approximate !== 'none') throw new TypeError(`gelu: approximate is 'none' or 'tanh', got ${String(approximate)}`);
  return applyUnary('gelu', exactGelu, x);
}

/** `log(1 + exp(beta x)) / beta`, and `x` itself where `beta x` exceeds `threshold`. */
export function softplus(x: Tensor, options?: { beta?: number; threshold?: number }): Tensor {
  const { beta = 1, threshold = 20 } = checkOptions('softplus', options, softplusOptions);
  checkTensors('softplus', x);
  return applyUnary(
    'softplus',
    {
      forward: (v) => (v * beta > threshold ? v : Math.log1p(Math.exp(v * beta)) / beta),
      backward: (g, x) => mul(g, where(gt(mul(x, beta), threshold), 1, sigmoid(mul(x, beta)))),
      saves: 'input',
    },
    x,
  );
}

/** `x` where positive, else `alpha (exp(x) - 1)`. */
export function elu(x: Tensor, options?: { alpha?: number }): Tensor {
  const { alpha = 1 } = checkOptions('elu', options, eluOptions);
  checkTensors('elu', x);
  if (!isFloat(x.dtype)) return elu(x.float(), { alpha });
  const y = mapWith('elu', [alpha], eluLoop(alpha), x);
  return record('elu', [x], y, (g, ctx) => [eluGradient(g, ctx.saved[0]!, alpha)], [x]);
}

const eluGradient = (g: Tensor, x: Tensor, alpha: number): Tensor =>
  isGradEnabled()
    ? mul(g, where(gt(x, 0), 1, mul(exp(clamp(x, null, 0)), alpha)))
    : gradientWith('eluGradient', [alpha], eluGradientLoop(alpha), g, x);

const eluLoop =
  (alpha: number): Loop1 =>
  (to, n, x, p) => {
    for (let i = 0; i < n; i++, p++) to[i] = x[p]! > 0 ? x[p]! : alpha * Math.expm1(x[p]!);
  };

const eluGradientLoop =
  (alpha: number): Loop2 =>
  (to, i, n, x, p, s, y, q, t) => {
    for (const end = i + n; i < end; i++, p += s, q += t) to[i] = y[q]! > 0 ? x[p]! : x[p]! * alpha * Math.exp(y[q]!);
  };

/** `elu` with the constants that keep mean and variance (Klambauer et al., 2017). */
export const selu = (x: Tensor): Tensor => mul(elu(x, { alpha: 1.6732632423543772 }), 1.0507009873554805);

/** `max(0, x) + min(0, alpha (exp(x / alpha) - 1))`. */
export function celu(x: Tensor, options?: { alpha?: number }): Tensor {
  const { alpha = 1 } = checkOptions('celu', options, celuOptions);
  checkTensors('celu', x);
  return mul(elu(mul(x, 1 / alpha)), alpha);
}

/** `x` where positive, else `negativeSlope x`. */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  checkTensors('leakyRelu', x);
  if (!isFloat(x.dtype)) return leakyRelu(x.float(), negativeSlope);
  const y = mapWith('leakyRelu', [negativeSlope], leakyReluLoop(negativeSlope), x);
  return record('leakyRelu', [x], y, (g, ctx) => [leakyReluGradient(g, ctx.saved[0]!, negativeSlope)], [x]);
}

const leakyReluGradient = (g: Tensor, x: Tensor, slope: number): Tensor =>
  isGradEnabled()
    ? mul(g, where(gt(x, 0), 1, slope))
    : gradientWith('leakyReluGradient', [slope], leakyReluGradientLoop(slope), g, x);

const leakyReluLoop =
  (slope: number): Loop1 =>
  (to, n, x, p) => {
    for (let i = 0; i < n; i++, p++) to[i] = x[p]! > 0 ? x[p]! : x[p]! * slope;
  };

const leakyReluGradientLoop =
  (slope: number): Loop2 =>
  (to, i, n, x, p, s, y, q, t) => {
    for (const end = i + n; i < end; i++, p += s, q += t) to[i] = y[q]! > 0 ? x[p]! : x[p]! * slope;
  };

/** `x` where positive, else `weight x`; `weight` has one element, or one for each channel (dimension 1). */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  checkTensors('prelu', x, weight);
  const slope =
    weight.numel === 1
      ? weight.reshape([])
      : x.ndim < 2
        ? weight
        : weight.reshape([1, -1, ...Array<number>(x.ndim - 2).fill(1)]);
  // What is above 0 takes no part in the product: its gradient would be 0 times an infinity where it is infinite.
  return where(gt(x, 0), x, mul(where(gt(x, 0), 0, x), slope));
}

/** `x` limited to [min, max]. Unlike that of `clamp`, its gradient is 0 at both ends too, and passes where `x` is NaN. */
export function hardtanh(x: Tensor, options?: { min?: number; max?: number }): Tensor {
  const { min = -1, max = 1 } = checkOptions('hardtanh', options, hardtanhOptions);
  return limited('hardtanh', x, min, max);
}

function limited(op: string, x: Tensor, low: number, high: number): Tensor {
  checkTensors(op, x);
  const y = clamp(x.detach(), low, high);
  return isFloat(x.dtype) ? record(op, [x], y, (g, ctx) => [limitedGradient(g, ctx.saved[0]!, low, high)], [x]) : y;
}

const limitedGradient = (g: Tensor, x: Tensor, low: number, high: number): Tensor =>
  isGradEnabled()
    ? where(logicalOr(le(x, low), ge(x, high)), 0, g)
    : gradientWith('hardtanhGradient', [low, high], limitedGradientLoop(low, high), g, x);

const limitedGradientLoop =
  (low: number, high: number): Loop2 =>
  (to, i, n, x, p, s, y, q, t) => {
    for (const end = i + n; i < end; i++, p += s, q += t) to[i] = y[q]! <= low || y[q]! >= high ? 0 : x[p]!;
  };

/** `x` limited to [0, 6]; the gradient is 0 at both ends. */
export const relu6 = (x: Tensor): Tensor => limited('relu6', x, 0, 6);

/** `relu6(x + 3) / 6`; the gradient is 0 from 3 and from -3 on, and at NaN. */
export const hardsigmoid = unary('hardsigmoid', {
  forward: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  backward: (g, x) => where(logicalAnd(gt(x, -3), lt(x, 3)), mul(g, 1 / 6), 0),
  saves: 'input',
});

/** `x hardsigmoid(x)`; the gradient is 0 from -3 down, and passes from 3 up. */
export const hardswish = unary('hardswish', {
  forward: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  backward: (g, x) => where(le(x, -3), 0, where(ge(x, 3), g, mul(g, add(mul(x, 1 / 3), 0.5)))),
  saves: 'input',
});
/** `x tanh(softplus(x))`. */
export const mish = (x: Tensor): Tensor => mul(x, tanh(softplus(x)));
export function softsign(x: Tensor): Tensor {
  checkTensors('softsign', x);
  return x.div(add(x.abs(), 1));
}
export const tanhshrink = (x: Tensor): Tensor => sub(x, tanh(x));
/** `x` moved towards 0 by `lambda`, and 0 within it. */
export const softshrink = (x: Tensor, lambda = 0.5): Tensor =>
  shrunk('softshrink', x, lambda, (v) => (v > 0 ? v - lambda : v + lambda));
/** `x` where its size exceeds `lambda`, else 0. */
export function hardshrink(x: Tensor, lambda = 0.5): Tensor {
  return shrunk('hardshrink', x, lambda, (v) => v);
}

/** 0 within `lambda` of 0, with no gradient; beyond, and where `x` is NaN, `beyond(x)` of slope 1. */
const shrunk = (op: string, x: Tensor, lambda: number, beyond: (v: number) => number): Tensor =>
  applyUnary(
    op,
    {
      forward: (v) => (v >= -lambda && v <= lambda ? 0 : beyond(v)),
      backward: (g, x) => where(logicalAnd(ge(x, -lambda), le(x, lambda)), 0, g),
      saves: 'input',
    },
    x,
  );

/** Half of dimension `dim` times the sigmoid of the other half. */
export function glu(x: Tensor, dim = -1): Tensor {
  checkTensors('glu', x);
  const n = x.shape[normalizeDim('glu', dim, x.ndim)] ?? 1;
  if (n % 2 !== 0) throw new ShapeError('glu', `dimension ${dim} of ${formatShape(x.shape)} has an odd size, ${n}`);
  const [a, b] = [x.narrow(dim, 0, n / 2), x.narrow(dim, n / 2, n / 2)];
  return mul(a, sigmoid(b));
}

const plain = { gelu, softplus, elu, leakyRelu };
methods(plain);

const withForms = { silu, logSigmoid };
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
