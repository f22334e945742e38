import { keepResult, keptResult } from '../autograd/keep.js';
import { record } from '../autograd/node.js';
import { dataOf } from '../backend/host/data.js';
import { DTypeError, ShapeError, TensorError } from '../errors.js';
import { checkTensors } from '../tensor/check.js';
import { eye } from '../tensor/creation.js';
import { isFloat } from '../tensor/dtype.js';
import { broadcastShapes, formatShape, sameShape } from '../tensor/shape.js';
import { type MethodsFrom, methods, Tensor } from '../tensor/tensor.js';
import { tril } from './arrange.js';
import { mul, neg } from './elementwise.js';
import type * as self from './linalg.js';
import { matmul } from './matmul.js';
import { expand, squeeze, transpose, unsqueeze } from './shape.js';

// Factorisations run in float64, in plain loops; leading dimensions are a batch.

/** A matrix that cannot be inverted, or is not positive definite. */
export class LinAlgError extends TensorError {
  override name = 'LinAlgError';
}

function checkSquare(op: string, a: Tensor): number {
  checkTensors(op, a);
  if (!isFloat(a.dtype)) throw new DTypeError(op, `takes floating point matrices, got ${a.dtype}; use .float()`);
  if (a.ndim < 2 || a.shape.at(-1) !== a.shape.at(-2))
    throw new ShapeError(op, `takes square matrices, got ${formatShape(a.shape)}`);
  return a.shape.at(-1)!;
}

interface LU {
  /** Both factors in one matrix, the lower one without its diagonal of ones. */
  readonly data: Float64Array;
  /** Which row of the matrix stands in each row of the factors. */
  readonly rows: number[];
  /** 1 or -1: the determinant of the exchange of rows. */
  readonly sign: number;
}

/** The factors of a matrix, the largest element of a column as its pivot. */
function factor(elements: ArrayLike<number>, start: number, n: number): LU {
  const data = Float64Array.from({ length: n * n }, (_, i) => elements[start + i]!);
  const rows = Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  for (let k = 0; k < n; k++) {
    let p = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(data[i * n + k]!) > Math.abs(data[p * n + k]!)) p = i;
    if (p !== k) {
      for (let j = 0; j < n; j++) [data[k * n + j], data[p * n + j]] = [data[p * n + j]!, data[k * n + j]!];
      [rows[k], rows[p]] = [rows[p]!, rows[k]!];
      sign = -sign;
    }
    const pivot = data[k * n + k]!;
    if (pivot === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const f = data[i * n + k]! / pivot;
      data[i * n + k] = f;
      for (let j = k + 1; j < n; j++) data[i * n + j]! -= f * data[k * n + j]!;
    }
  }
  return { data, rows, sign };
}

/** The x of `A x = b` for each column of `b`. */
function substitute(
  { data, rows }: LU,
  n: number,
  b: (row: number, column: number) => number,
  columns: number,
  out: (row: number, column: number, v: number) => void,
): void {
  const x = new Float64Array(n);
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < n; i++) {
      let v = b(rows[i]!, c);
      for (let j = 0; j < i; j++) v -= data[i * n + j]! * x[j]!;
      x[i] = v;
    }
    for (let i = n - 1; i >= 0; i--) {
      let v = x[i]!;
      for (let j = i + 1; j < n; j++) v -= data[i * n + j]! * x[j]!;
      x[i] = v / data[i * n + i]!;
      out(i, c, x[i]!);
    }
  }
}

/** The `X` of `A X = B`: `[..., n, n]` and `[..., n, k]`, or a vector `[n]`. Leading dimensions broadcast. */
export function solve(a: Tensor, b: Tensor): Tensor {
  const n = checkSquare('solve', a);
  if (!(b instanceof Tensor) || b.dtype !== a.dtype)
    throw new DTypeError(
      'solve',
      `both sides have one dtype, got ${a.dtype} and ${b instanceof Tensor ? b.dtype : typeof b}`,
    );
  if (b.ndim === 1) return squeeze(solve(a, unsqueeze(b, 1)), -1);
  if (b.ndim < 2 || b.shape.at(-2) !== n)
    throw new ShapeError(
      'solve',
      `${formatShape(a.shape)} and ${formatShape(b.shape)}: expected [..., n, n] and [..., n, k]`,
    );
  const k = b.shape.at(-1)!;
  const batch = broadcastShapes('solve', a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (!sameShape(batch, a.shape.slice(0, -2))) return solve(expand(a, [...batch, n, n]), b);
  if (!sameShape(batch, b.shape.slice(0, -2))) return solve(a, expand(b, [...batch, n, k]));
  const out = keptResult('solve') ?? keepResult('solve', solutions(a, b, n, k));
  return record(
    'solve',
    [a, b],
    out,
    (g, ctx) => {
      const [a, x] = ctx.saved as [Tensor, Tensor];
      const gb = solve(transpose(a, -1, -2), g);
      return [ctx.needs(0) ? neg(matmul(gb, transpose(x, -1, -2))) : null, gb];
    },
    [a, out],
  );
}

/** Of equations without broadcasting. */
function solutions(a: Tensor, b: Tensor, n: number, k: number): Tensor {
  const [as, bs] = [a.elements(), b.elements()];
  const out = Tensor.empty(a.dtype, b.shape);
  const to = dataOf(out);
  for (let m = 0; m * n * n < as.length; m++) {
    const lu = factor(as, m * n * n, n);
    checkRegular('solve', lu, n, a);
    const start = m * n * k;
    substitute(
      lu,
      n,
      (r, c) => bs[start + r * k + c]!,
      k,
      (r, c, v) => {
        to[start + r * k + c] = v;
      },
    );
  }
  return out;
}

function checkRegular(op: string, { data }: LU, n: number, a: Tensor): void {
  for (let i = 0; i < n; i++)
    if (data[i * n + i] === 0)
      throw new LinAlgError(op, `a matrix of ${formatShape(a.shape)} is singular; add a multiple of eye(${n}) to it`);
}

/** The inverse of square matrices. */
export function inverse(a: Tensor): Tensor {
  const n = checkSquare('inverse', a);
  return solve(a, eye(n, { dtype: a.dtype }).expand(a.shape));
}

/** Sign and logarithm of the size of the determinants; of singular matrices 0 and -Infinity. */
export function slogdet(a: Tensor): { sign: Tensor; logabsdet: Tensor } {
  const n = checkSquare('slogdet', a);
  const batch = a.shape.slice(0, -2);
  const [sign, logabsdet] = [Tensor.empty(a.dtype, batch), Tensor.empty(a.dtype, batch)];
  const data = a.elements();
  for (let m = 0; m < sign.numel; m++) {
    const lu = factor(data, m * n * n, n);
    let log = 0;
    let s = lu.sign;
    for (let i = 0; i < n; i++) {
      const d = lu.data[i * n + i]!;
      s *= Math.sign(d);
      log += Math.log(Math.abs(d));
    }
    dataOf(sign)[m] = s;
    dataOf(logabsdet)[m] = log;
  }
  record(
    'slogdet',
    [a],
    logabsdet,
    (g, ctx) => [mul(unsqueeze(unsqueeze(g, -1), -1), transpose(inverse(ctx.saved[0]!), -1, -2))],
    [a],
  );
  return { sign, logabsdet };
}

/** The determinants of square matrices. There is no gradient at a singular matrix: it throws. */
export function det(a: Tensor): Tensor {
  const n = checkSquare('det', a);
  const out = Tensor.empty(a.dtype, a.shape.slice(0, -2));
  const data = a.elements();
  for (let m = 0; m < out.numel; m++) {
    const lu = factor(data, m * n * n, n);
    let d = lu.sign;
    for (let i = 0; i < n; i++) d *= lu.data[i * n + i]!;
    dataOf(out)[m] = d;
  }
  return record(
    'det',
    [a],
    out,
    (g, ctx) => {
      const [a] = ctx.saved as [Tensor];
      return [mul(unsqueeze(unsqueeze(mul(g, det(a)), -1), -1), transpose(inverse(a), -1, -2))];
    },
    [a],
  );
}

/** The lower triangular L with `L L^T = A`, for symmetric positive definite matrices; reads the lower triangle. */
export function cholesky(a: Tensor): Tensor {
  const n = checkSquare('cholesky', a);
  const out = keptResult('cholesky') ?? keepResult('cholesky', lowerFactors(a, n));
  return record(
    'cholesky',
    [a],
    out,
    (g, ctx) => {
      // Murray (2016): L^-T Φ(L^T g) L^-1, made symmetric; Φ takes the lower triangle and half of the diagonal.
      const lt = transpose(ctx.saved[0]!, -1, -2);
      const p = matmul(lt, tril(g));
      const phi = mul(tril(p).add(tril(p, -1)), 0.5);
      const left = solve(lt, phi);
      const s = transpose(solve(lt, transpose(left, -1, -2)), -1, -2);
      return [mul(s.add(transpose(s, -1, -2)), 0.5)];
    },
    [out],
  );
}

function lowerFactors(a: Tensor, n: number): Tensor {
  const out = Tensor.empty(a.dtype, a.shape);
  const data = a.elements();
  const l = new Float64Array(n * n);
  for (let start = 0; start < data.length; start += n * n) {
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        let v = data[start + i * n + j]!;
        for (let k = 0; k < j; k++) v -= l[i * n + k]! * l[j * n + k]!;
        if (i === j && !(v > 0))
          throw new LinAlgError(
            'cholesky',
            `a matrix of ${formatShape(a.shape)} is not positive definite; add a multiple of eye(${n}) to it`,
          );
        l[i * n + j] = i === j ? Math.sqrt(v) : v / l[j * n + j]!;
      }
    dataOf(out).set(l as never, start);
  }
  return out;
}

/** A square matrix multiplied with itself; negative powers are of the inverse. */
export function matrixPower(a: Tensor, n: number): Tensor {
  const size = checkSquare('matrixPower', a);
  if (!Number.isInteger(n)) throw new RangeError(`matrixPower: the power is a whole number, got ${n}`);
  if (n < 0) return matrixPower(inverse(a), -n);
  if (n === 0) return eye(size, { dtype: a.dtype }).expand(a.shape).clone();
  const half = n === 1 ? a : matrixPower(a, n >> 1);
  if (n === 1) return a.clone();
  return n % 2 === 0 ? matmul(half, half) : matmul(matmul(half, half), a);
}

const plain = { solve, inverse, det, slogdet, cholesky, matrixPower };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
