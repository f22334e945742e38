import { keepResult, keptResult } from '../autograd/keep.js';
import { kernelsOf } from '../backend/backends.js';
import { show } from '../check.js';
import { DTypeError, entered, named, ShapeError } from '../errors.js';
import { type Backward, record } from '../graph/node.js';
import { broadcastShapes, checkSize, formatShape, type Shape, sizeOf } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { casting } from './casting.js';
import { conjugate } from './define.js';
import type * as self from './matmul.js';
import { sum, sumTo } from './reduce.js';
import { reshape, squeeze, unsqueeze } from './shape.js';

function checkPair(op: string, a: Tensor, b: Tensor): void {
  if (!(Tensor.is(a) && Tensor.is(b)))
    throw new TypeError(`${op}: expected two Tensors, got ${show(Tensor.is(a) ? b : a)}`);
  if (a.dtype !== b.dtype || a.dtype === 'bool')
    throw new DTypeError(op, `takes two tensors of one dtype, got ${a.dtype} and ${b.dtype}; convert with to()`);
}

const none: Shape = [];

/**
 * The product of matrices `[..., m, k] @ [..., k, n]`; leading dimensions broadcast. With `ta` or `tb`, the matrices of
 * that side are given transposed.
 */
function product(a: Tensor, b: Tensor, ta = false, tb = false): Tensor {
  const m = a.shape[a.ndim - (ta ? 1 : 2)]!;
  const n = b.shape[b.ndim - (tb ? 2 : 1)]!;
  const batched = a.ndim > 2 || b.ndim > 2;
  const batch = batched ? broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2)) : none;
  const shape = batched ? [...batch, m, n] : [m, n];
  checkSize('matmul', shape, a.shape, b.shape);
  const out = keptResult('matmul') ?? keepResult('matmul', multiply(a, ta, b, tb, shape));
  const inputs = [a, b];
  return record('matmul', inputs, out, gradients[Number(ta)]![Number(tb)]!, inputs);
}

function multiply(a: Tensor, ta: boolean, b: Tensor, tb: boolean, shape: Shape): Tensor {
  entered.op = 'matmul';
  const out = Tensor.uninitialized(a.dtype, shape, a.storage.backend);
  kernelsOf('matmul', a, b).matmul(a, ta, b, tb, out, null);
  return out;
}

// A closure that is made in the call itself would keep its tensors alive.
const gradientsOf =
  (ta: boolean, tb: boolean): Backward =>
  (g, ctx) => {
    // Read once: hooks on saved tensors see each read.
    const { saved } = ctx;
    const a = conjugate(saved[0]!);
    const b = conjugate(saved[1]!);
    return [
      ctx.needs(0) ? sumTo(ta ? product(b, g, tb, true) : product(g, b, false, !tb), a.shape) : null,
      ctx.needs(1) ? sumTo(tb ? product(g, a, true, ta) : product(a, g, !ta, false), b.shape) : null,
    ];
  };

const gradients = [false, true].map((ta) => [false, true].map((tb) => gradientsOf(ta, tb)));

/**
 * The matrix product, as in PyTorch: vectors `[k]` count as a row or a column, and the result lacks that dimension.
 * Leading dimensions broadcast.
 *
 * ```ts
 * matmul(tensor([[1, 2], [3, 4]]), tensor([1, 1])); // [3, 7]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (casting.current !== null) [a, b] = casting.current.lower([a, b]);
  checkPair('matmul', a, b);
  if (a.ndim === 0 || b.ndim === 0) throw new ShapeError('matmul', 'scalar tensors have no matrix product; use mul()');
  const inner = b.shape[b.ndim === 1 ? 0 : b.ndim - 2]!;
  if (a.shape[a.ndim - 1] !== inner) refuseInner(a, b, inner);
  if (a.ndim === 2 && b.ndim === 2) return product(a, b);
  const left = a.ndim === 1 ? unsqueeze(a, 0) : a;
  const right = b.ndim === 1 ? unsqueeze(b, 1) : b;
  // The product of a batch of rows with one matrix is one large product.
  let out: Tensor;
  if (left.ndim > 2 && right.ndim === 2) {
    out = reshape(product(reshape(left, countRows(left.shape), left.shape.at(-1)!), right), [
      ...left.shape.slice(0, -1),
      right.shape[1]!,
    ]);
  } else out = product(left, right);
  if (a.ndim === 1) out = squeeze(out, -2);
  return b.ndim === 1 ? squeeze(out, -1) : out;
}

// Apart, as `refuseLinear`: V8 makes short functions part of their callers.
function refuseInner(a: Tensor, b: Tensor, inner: number): never {
  throw new ShapeError(
    'matmul',
    `${formatShape(a.shape)} @ ${formatShape(b.shape)}: the last size of the first, ${a.shape.at(-1)}, must equal ${inner}`,
  );
}

/**
 * The product of two matrices: `[m, k] @ [k, n]` to `[m, n]`. `matmul` also takes vectors and batches.
 *
 * ```ts
 * mm(tensor([[1, 2], [3, 4]]), eye(2)); // [[1, 2], [3, 4]]
 * ```
 */
export const mm = /* @__PURE__ */ named('mm', (a: Tensor, b: Tensor): Tensor => {
  checkTensors('mm', a, b);
  if (a.ndim !== 2 || b.ndim !== 2)
    throw new ShapeError(
      'mm',
      `takes two matrices, got ${formatShape(a.shape)} and ${formatShape(b.shape)}; use matmul()`,
    );
  return matmul(a, b);
});

/**
 * The products of matrices in two batches of equal size, `[b, m, k] @ [b, k, n]`.
 *
 * ```ts
 * bmm(zeros([5, 2, 3]), zeros([5, 3, 4])).shape; // [5, 2, 4]
 * ```
 */
export const bmm = /* @__PURE__ */ named('bmm', (a: Tensor, b: Tensor): Tensor => {
  checkTensors('bmm', a, b);
  if (a.ndim !== 3 || b.ndim !== 3 || a.shape[0] !== b.shape[0])
    throw new ShapeError(
      'bmm',
      `takes [b, m, k] and [b, k, n], got ${formatShape(a.shape)} and ${formatShape(b.shape)}; use matmul()`,
    );
  return matmul(a, b);
});

/** The number of rows along the last dimension. */
const countRows = (shape: Shape): number => (shape.length === 2 ? shape[0]! : sizeOf(shape.slice(0, -1)));

/**
 * `x @ weight.T + bias`: `x` is `[..., in]`, `weight` `[out, in]`, `bias` `[out]`.
 *
 * ```ts
 * linear(tensor([[1, 2]]), tensor([[3, 4]]), tensor([5])); // [[16]]
 * ```
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  if (casting.current !== null) [x, weight, bias] = casting.current.lower([x, weight, bias]);
  checkPair('linear', x, weight);
  if (weight.ndim !== 2 || x.ndim === 0 || x.shape[x.ndim - 1] !== weight.shape[1]) refuseLinear(x, weight);
  if (bias) checkBias(x, weight, bias);
  const out = keptResult('linear') ?? keepResult('linear', multiplyRows(x, weight, bias));
  return record('linear', bias ? [x, weight, bias] : [x, weight], out, linearGradients, [x, weight]);
}

function refuseLinear(x: Tensor, weight: Tensor): never {
  throw new ShapeError(
    'linear',
    `input ${formatShape(x.shape)} and weight ${formatShape(weight.shape)}: expected [..., in] and [out, in]`,
  );
}

function checkBias(x: Tensor, weight: Tensor, bias: Tensor): void {
  checkTensors('linear', bias);
  if (bias.ndim !== 1 || bias.shape[0] !== weight.shape[0])
    throw new ShapeError(
      'linear',
      `bias ${formatShape(bias.shape)} for weight ${formatShape(weight.shape)}: expected [${weight.shape[0]}]`,
    );
  if (bias.dtype !== x.dtype)
    throw new DTypeError('linear', `input is ${x.dtype} and bias ${bias.dtype}; convert with to()`);
}

function multiplyRows(x: Tensor, weight: Tensor, bias: Tensor | null | undefined): Tensor {
  const row = bias ? (bias.isContiguous ? bias : bias.detach().contiguous()) : null;
  const outputs = weight.shape[0]!;
  const rows = countRows(x.shape);
  entered.op = 'linear';
  const out = Tensor.uninitialized(x.dtype, [rows, outputs], x.storage.backend);
  const flat = x.ndim === 2 ? x : reshape(x.detach(), [rows, weight.shape[1]!]);
  kernelsOf('linear', x, weight).matmul(flat, false, weight, true, out, row);
  return x.ndim === 2 ? out : new Tensor(out.storage, out.dtype, [...x.shape.slice(0, -1), outputs]);
}

const linearGradients: Backward = (g, ctx) => {
  const { saved } = ctx;
  const x = conjugate(saved[0]!);
  const weight = conjugate(saved[1]!);
  const rowsOf = (t: Tensor) => (t.ndim === 2 ? t : reshape(t, [countRows(t.shape), t.shape.at(-1)!]));
  const gradient = rowsOf(g);
  const ofWeight = ctx.needs(1) ? product(gradient, rowsOf(x), true) : null;
  const ofBias = ctx.edges.length === 3 && ctx.needs(2) ? sum(gradient, 0) : null;
  // That of x last: a device may compute what goes on from it in the same call.
  const ofX = ctx.needs(0) ? product(gradient, weight) : null;
  return [ofX === null || x.ndim === 2 ? ofX : reshape(ofX, x.shape), ofWeight, ofBias];
};

const plain = { matmul, mm, bmm };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
