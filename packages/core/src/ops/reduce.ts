import { record } from '../autograd/node.js';
import { dataOf } from '../backend/host/data.js';
import { checkOptions } from '../check.js';
import { ShapeError } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { shiftRows } from '../kernels/norm.js';
import * as kernel from '../kernels/reduce.js';
import { rowMoments, rowVariances } from '../kernels/rows.js';
import { checkTensors } from '../tensor/check.js';
import { ones as newOnes, onesLike } from '../tensor/creation.js';
import { isFloat } from '../tensor/dtype.js';
import * as is from '../tensor/kinds.js';
import { formatShape, normalizeDim } from '../tensor/shape.js';
import { type MethodsFrom, methods, Tensor } from '../tensor/tensor.js';
import { applyUnary, floatOnly, unaryOperator } from './define.js';
import { div, eq, mul, ne, sub } from './elementwise.js';
import { divOrZero, evenly } from './gradients.js';
import { square } from './math.js';
import { keepDim } from './options.js';
import type * as self from './reduce.js';
import { type Dim, expandOver, type KeepDim, plan, sum } from './sum.js';

export { type Dim, type KeepDim, sum, sumTo } from './sum.js';

/** The mean over `dim`; over all elements if it is left out. Floating point only; of nothing it is NaN. */
export function mean(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  checkTensors('mean', x);
  floatOnly('mean', x);
  const p = plan('mean', x, dim, options);
  const out = kernel.sumOver(x, p, x.dtype);
  const data = dataOf(out);
  for (let i = 0; i < data.length; i++) data[i] = data[i]! / p.count;
  return recordMean(x, p, out);
}

function recordMean(x: Tensor, p: kernel.Plan, means: Tensor): Tensor {
  const { shape } = x;
  return record('mean', [x], means, (g) => [expandOver(div(g, p.count), p, shape)]);
}

/** The product over `dim`; over all elements if it is left out. */
export function prod(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  const p = plan('prod', x, dim, options);
  return record(
    'prod',
    [x],
    isFloat(x.dtype) ? kernel.reduceWith(x, p, x.dtype, kernel.productOf) : kernel.reduceIntegers('prod', x, p),
    (g, ctx) => [mul(expandOver(g, p, ctx.saved[0]!.shape), productOfOthers(ctx.saved[0]!, p.dims))],
    [x],
  );
}

/** For each element the product of the others along `dims`. Not by division: elements may be 0. */
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  // One dimension at a time: others = (others along this dim) * (product over the remaining dims).
  const [first, ...rest] = dims;
  if (first === undefined) return onesLike(x);
  const n = x.shape[first]!;
  const slices = Array.from({ length: n }, (_, i) => x.narrow(first, i, 1));
  const size = x.shape.map((n, d) => (d === first ? 1 : n));
  const ones = newOnes(size, { dtype: x.dtype });
  const before: Tensor[] = [];
  let acc = ones;
  for (let i = 0; i < n; i++) {
    before.push(acc);
    acc = mul(acc, slices[i]!);
  }
  const whole = acc;
  acc = ones;
  const along: Tensor[] = new Array(n);
  for (let i = n - 1; i >= 0; i--) {
    along[i] = mul(before[i]!, acc);
    acc = mul(acc, slices[i]!);
  }
  if (n === 0) return x;
  const others = n === 1 ? along[0]! : along[0]!.cat(along.slice(1), first);
  return rest.length === 0 ? others : mul(others, productOfOthers(whole, rest));
}

export interface VarOptions extends KeepDim {
  /** Degrees of freedom taken off the count; 1 (Bessel's correction) by default. */
  correction?: number;
}

const varOptions = { keepdim: is.boolean, correction: is.number };

function variance(x: Tensor, dim?: Dim, options: VarOptions = {}): Tensor {
  checkTensors('var', x);
  floatOnly('var', x);
  const p = plan('var', x, dim, options, varOptions);
  return recordVariance(x, p, options, spreads(x, p));
}

/** The means over the reduced dimensions, and the sums of squares around them, in float64. */
function spreads(x: Tensor, p: kernel.Plan): [means: Tensor, squares: ArrayLike<number>] {
  const v = x.detach();
  const rows = kernel.reducedRows(v, p);
  if (rows) {
    const found = rowVariances(rows.data, rows.rows, rows.n);
    const means = Tensor.unwritten('float32', p.shape);
    dataOf(means).set(found.means);
    return [means, found.squares];
  }
  const average = mean(v, p.dims, { keepdim: true });
  const means = new Tensor(average.storage, v.dtype, p.shape);
  const squares = dataOf(kernel.sumOver(square(sub(v, average)), p, v.dtype));
  // Squares beyond what the dtype holds, or below what it holds in full: each is added up in float64 then.
  const exact = v.dtype === 'float64' || (squares as Float32Array).every((s) => s > 1e-30 && s < 1e30);
  return [means, exact ? squares : dataOf(kernel.reduceWith(v, p, 'float64', kernel.squaresAroundMean))];
}

function recordVariance(
  x: Tensor,
  p: kernel.Plan,
  { correction = 1 }: VarOptions,
  [means, squares]: [means: Tensor, squares: ArrayLike<number>],
  root = false,
): Tensor {
  const divisor = Math.max(0, p.count - correction);
  const out = Tensor.unwritten(x.dtype, p.shape);
  // The root of the variance in float64, which may be beyond what float32 holds.
  for (let i = 0; i < dataOf(out).length; i++)
    dataOf(out)[i] = root ? Math.sqrt(squares[i]! / divisor) : squares[i]! / divisor;
  // A copy: the means may be given to the user, who may write to them.
  const around = means.dtype === 'float32' ? Float32Array.from(dataOf(means)) : null;
  return record(
    root ? 'std' : 'var',
    [x],
    out,
    (g, ctx) => {
      const x = ctx.saved[0]!;
      const scale = root ? divOrZero(g, mul(ctx.saved[1]!, divisor)) : div(mul(g, 2), divisor);
      const rows = around && !isGradEnabled() ? kernel.reducedRows(x, p) : null;
      if (rows) {
        const out = Tensor.unwritten('float32', x.shape);
        const scales = scale.elements() as Float32Array;
        shiftRows(dataOf(out) as Float32Array, rows.data, around!, scales, new Float32Array(rows.rows), rows.n);
        return [out];
      }
      return [mul(sub(x, mean(x, p.dims, { keepdim: true })), scale.reshape(p.keepShape))];
    },
    root ? [x, out] : [x],
  );
}

/** Variance and mean over `dim`. */
export function varMean(x: Tensor, dim?: Dim, options: VarOptions = {}): [Tensor, Tensor] {
  checkTensors('varMean', x);
  floatOnly('varMean', x);
  const p = plan('varMean', x, dim, options, varOptions);
  const found = spreads(x, p);
  return [recordVariance(x, p, options, found), recordMean(x, p, found[0])];
}

/** Standard deviation and mean over `dim`. */
export function stdMean(x: Tensor, dim?: Dim, options?: VarOptions): [Tensor, Tensor] {
  checkTensors('stdMean', x);
  floatOnly('stdMean', x);
  const p = plan('stdMean', x, dim, options, varOptions);
  const found = spreads(x, p);
  return [recordVariance(x, p, options ?? {}, found, true), recordMean(x, p, found[0])];
}

/** The variance over `dim`, `sum((x - mean)²) / (n - correction)`. */
export { variance as var };

/** The standard deviation over `dim`. Where it is 0, so is its gradient. */
export function std(x: Tensor, dim?: Dim, options?: VarOptions): Tensor {
  checkTensors('std', x);
  floatOnly('std', x);
  const p = plan('std', x, dim, options, varOptions);
  return recordVariance(x, p, options ?? {}, spreads(x, p), true);
}

function extremum(name: 'amax' | 'amin', which: 'max' | 'min') {
  return (x: Tensor, dim?: Dim, options?: KeepDim): Tensor => {
    const p = plan(name, x, dim, options);
    checkNotEmpty(name, x, p);
    const out = kernel.extremaOver(which, x, p);
    return record(
      name,
      [x],
      out,
      (g, ctx) => {
        const [x, y] = ctx.saved as [Tensor, Tensor];
        // Equal extremes share the gradient.
        const hit = eq(x, y.reshape(p.keepShape));
        return [div(mul(g.reshape(p.keepShape), hit), sum(hit, p.dims, { keepdim: true }))];
      },
      [x, out],
    );
  };
}

function checkNotEmpty(op: string, x: Tensor, { count }: kernel.Plan): void {
  if (count === 0) throw new ShapeError(op, `there is no ${op} of no elements: the shape is ${formatShape(x.shape)}`);
}

/** The largest element over `dim`; equal ones share the gradient. */
export const amax = extremum('amax', 'max');

/** The smallest element over `dim`; equal ones share the gradient. */
export const amin = extremum('amin', 'min');

function argExtremum(name: 'argmax' | 'argmin', which: 'max' | 'min') {
  return (x: Tensor, dim?: number | null, options?: KeepDim): Tensor => {
    checkTensors(name, x);
    const dims = dim == null ? null : normalizeDim(name, dim, x.ndim);
    const p = plan(name, x, dims, options);
    checkNotEmpty(name, x, p);
    return kernel.placesOver(which, x, p);
  };
}

/** The index of the largest element along `dim` (in the flattened tensor if left out); the first of equal ones. int32. */
export const argmax = argExtremum('argmax', 'max');

/** The index of the smallest element along `dim` (in the flattened tensor if left out); the first of equal ones. int32. */
export const argmin = argExtremum('argmin', 'min');

/** Values and where they were found. */
export interface ValuesAndIndices {
  values: Tensor;
  indices: Tensor;
}

function alongDim(name: 'max' | 'min', arg: typeof argmax, whole: typeof amax) {
  function reduce(x: Tensor): Tensor;
  function reduce(x: Tensor, dim: number, options?: KeepDim): ValuesAndIndices;
  function reduce(x: Tensor, dim?: number, options?: KeepDim): Tensor | ValuesAndIndices {
    checkTensors(name, x);
    const { keepdim = false } = checkOptions(name, options, keepDim);
    if (dim === undefined) return evenly(name, x, whole(x.detach()));
    const d = normalizeDim(name, dim, x.ndim);
    const indices = arg(x, d, { keepdim: true });
    const values = x.ndim === 0 ? x.clone() : x.gather(d, indices);
    const squeeze = (t: Tensor) => (keepdim || x.ndim === 0 ? t : t.squeeze(d));
    return { values: squeeze(values), indices: squeeze(indices) };
  }
  return reduce;
}

/** The largest element; with `dim`, the largest along it and their indices. */
export const max = alongDim('max', argmax, amax);

/** The smallest element; with `dim`, the smallest along it and their indices. */
export const min = alongDim('min', argmin, amin);

/** Whether any element over `dim` is not 0. bool. */
export function any(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  const p = plan('any', x, dim, options);
  return kernel.reduceWith(x.dtype === 'int64' ? ne(x, 0) : x, p, 'bool', kernel.anyOf);
}

/** Whether all elements over `dim` are not 0. bool. */
export function all(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  const p = plan('all', x, dim, options);
  return kernel.reduceWith(x.dtype === 'int64' ? ne(x, 0) : x, p, 'bool', kernel.allOf);
}

/**
 * The `p`-norm over `dim`: `(Σ|x|^p)^(1/p)`; the largest size for infinity, the number of elements that are not 0 for 0.
 * The gradient of a norm that is 0 is 0, and so it is at elements that are 0 wherever the slope there is not finite.
 */
export function norm(x: Tensor, p = 2, dim?: Dim, options?: KeepDim): Tensor {
  checkTensors('norm', x);
  floatOnly('norm', x);
  if (p === Number.POSITIVE_INFINITY) return amax(x.abs(), dim, options);
  if (p === Number.NEGATIVE_INFINITY) return amin(x.abs(), dim, options);
  if (typeof p !== 'number' || Number.isNaN(p)) throw new TypeError(`norm: p is a number, got ${String(p)}`);
  if (p === 1) return sum(x.abs(), dim, options);
  const r = plan('norm', x, dim, options);
  if (p === 0) {
    const { dtype, shape } = x;
    return record('norm', [x], sum(x.detach().ne(0).to(dtype), dim, options), () => [Tensor.empty(dtype, shape)]);
  }
  if (p !== 2) return powerNorm(x, p, r);
  const out = lengths(x.detach(), r);
  return record(
    'norm',
    [x],
    out,
    (g, ctx) => {
      const [x, y] = ctx.saved as [Tensor, Tensor];
      const length = y.reshape(r.keepShape);
      // Of no length there is no direction.
      return [mul(g.reshape(r.keepShape), divOrZero(x, length))];
    },
    [x, out],
  );
}

/** The 2-norms, from squares added up in float64. */
function lengths(x: Tensor, p: kernel.Plan): Tensor {
  const rows = kernel.reducedRows(x, p);
  if (!rows) return kernel.reduceWith(x, p, x.dtype, kernel.lengthOf);
  const moments = rowMoments(rows.data, rows.rows, rows.n);
  const out = Tensor.unwritten('float32', p.shape);
  for (let r = 0; r < rows.rows; r++) dataOf(out)[r] = Math.sqrt(moments[2 * r + 1]!);
  return out;
}

/** The `p`-norm for other `p` than 0, 1, 2 and infinities: its gradient is `sign(x) |x|^(p - 1) norm^(1 - p)`. */
function powerNorm(x: Tensor, p: number, r: kernel.Plan): Tensor {
  const out = kernel.reduceWith(x, r, x.dtype, kernel.powerNormOf(p));
  return record(
    'norm',
    [x],
    out,
    (g, ctx) => {
      const [x, y] = ctx.saved as [Tensor, Tensor];
      return [mul(signedPower(x, p - 1), mul(g, absPower(y, 1 - p)).reshape(r.keepShape))];
    },
    [x, out],
  );
}

/** `sign(x) |x|^q` and `|x|^q`, 0 at 0 whatever `q`: the derivative of each is `q` times the other to the next lower power. */
const signedPowerOperator = unaryOperator('signedPower', {
  forward: (v, q) => (v === 0 ? 0 : Math.sign(v) * Math.abs(v) ** q),
  backward: (g, x, _, [q]) => mul(g, mul(absPower(x, q! - 1), q!)),
  saves: 'input',
});
const absPowerOperator = unaryOperator('absPower', {
  forward: (v, q) => (v === 0 ? 0 : Math.abs(v) ** q),
  backward: (g, x, _, [q]) => mul(g, mul(signedPower(x, q! - 1), q!)),
  saves: 'input',
});
const signedPower = (x: Tensor, q: number): Tensor => applyUnary(signedPowerOperator, x, [q]);
const absPower = (x: Tensor, q: number): Tensor => applyUnary(absPowerOperator, x, [q]);

const plain = { norm, mean, prod, std, amax, amin, argmax, argmin, max, min, any, all, var: variance };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
