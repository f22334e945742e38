import { show } from '../check.js';
import { IndexError, ShapeError } from '../errors.js';

/** The sizes of a tensor's dimensions; empty for a tensor without dimensions. */
export type Shape = readonly number[];

/** Shapes as errors show them: `[2, 3]`; also what was given for one. */
export const formatShape = (shape: Shape): string =>
  Array.isArray(shape) && shape.every((n) => typeof n === 'number') ? `[${shape.join(', ')}]` : show(shape);

export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const none: readonly number[] = [];
const unit: readonly number[] = [1];

/** Row-major strides, in elements. Written out for tensors of few dimensions, as every result asks. */
export function contiguousStrides(shape: Shape): readonly number[] {
  if (shape.length === 2) return [shape[1]! || 1, 1];
  return shape.length > 2 ? stridesOf(shape) : shape.length === 1 ? unit : none;
}

function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]! || 1;
  }
  return strides;
}

/** Whether the elements lie in row-major order without gaps; dimensions of size 1 have no say. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const n = shape[i]!;
    if (n === 0) return true;
    if (n !== 1 && strides[i] !== step) return false;
    step *= n;
  }
  return true;
}

/**
 * Refuses a result that no array can hold, or that has no elements but more rows than can be gone through; `a` and `b`
 * are the shapes that it comes of.
 */
export function checkSize(op: string, shape: Shape, a?: Shape, b?: Shape): void {
  const n = sizeOf(shape);
  if ((n || 2 ** 8 * sizeOf(shape.slice(0, shape.indexOf(0)))) <= 2 ** 32) return;
  const of = a ? ` of ${formatShape(a)}${b ? ` and ${formatShape(b)}` : ''}` : '';
  throw new ShapeError(
    op,
    `shape ${formatShape(shape)}${of} has ${n} elements, ${4 * n} bytes in float32; at most 2^32 can be held, or 2^24 rows of none`,
  );
}

/** Deeper than anybody means, and far from where recursion ends. */
export const maxDims = 64;

/** A copy of a shape a user gave: whole numbers from 0 up. What was given may change when it is read again. */
export function checkShape(op: string, given: unknown): number[] {
  const shape = Array.isArray(given) ? [...given] : [-1];
  if (shape.length > maxDims || !shape.every((n) => Number.isInteger(n) && n >= 0))
    throw new ShapeError(
      op,
      `a shape must be an array of at most ${maxDims} whole numbers from 0 up, got ${show(given)}`,
    );
  checkSize(op, shape);
  return shape;
}

/** A dimension of a tensor of `ndim` dimensions, counted from the end when negative. A scalar takes 0 and -1. */
export function normalizeDim(op: string, dim: number, ndim: number): number {
  const n = Math.max(ndim, 1);
  if (!Number.isInteger(dim) || dim < -n || dim >= n)
    throw new IndexError(
      op,
      `dim ${show(dim)} is out of range for a tensor of ${ndim} dimensions; use ${-n} to ${n - 1}`,
    );
  return dim < 0 ? dim + n : dim;
}

/** All dimensions, by how many there are. */
const allDims: (readonly number[])[] = [];

/** Several dimensions, each once; none given means all of them. */
export function normalizeDims(
  op: string,
  dim: number | readonly number[] | null | undefined,
  ndim: number,
): readonly number[] {
  if (dim == null) {
    allDims[ndim] ??= Array.from({ length: ndim }, (_, i) => i);
    return allDims[ndim]!;
  }
  if (typeof dim === 'number') {
    const d = normalizeDim(op, dim, ndim);
    return ndim === 0 ? [] : [d];
  }
  if (!Array.isArray(dim))
    throw new TypeError(`${op}: dim must be a number, an array of numbers, or left out for all, got ${show(dim)}`);
  const dims = (dim as readonly number[]).map((d) => normalizeDim(op, d, ndim));
  if (new Set(dims).size !== dims.length)
    throw new ShapeError(op, `dim ${show(dim)} names a dimension twice; give each once`);
  return ndim === 0 ? [] : dims;
}

/** The shape two shapes broadcast to: aligned at the end, equal sizes or a 1. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  return sameShape(a, b) ? a : broadcast(op, a, b);
}

function broadcast(op: string, a: Shape, b: Shape): Shape {
  const n = Math.max(a.length, b.length);
  const out = new Array<number>(n);
  for (let i = 1; i <= n; i++) {
    const x = i <= a.length ? a[a.length - i]! : 1;
    const y = i <= b.length ? b[b.length - i]! : 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(
        op,
        `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: dimension ${-i} is ${x} and ${y}; ` +
          'sizes must be equal or 1',
      );
    out[n - i] = x === 1 ? y : x;
  }
  checkSize(op, out, a, b);
  return out;
}

/** Strides that read a tensor of `shape` as if it had the broadcast shape `out`: 0 along repeated dimensions. */
export function broadcastStrides(shape: Shape, strides: readonly number[], out: Shape): readonly number[] {
  return sameShape(shape, out) ? strides : repeatingStrides(shape, strides, out);
}

function repeatingStrides(shape: Shape, strides: readonly number[], out: Shape): readonly number[] {
  const lead = out.length - shape.length;
  return out.map((_, i) => (i < lead || (shape[i - lead] === 1 && out[i] !== 1) ? 0 : strides[i - lead]!));
}

/** Storage positions of all elements in row-major order. */
export function stridedOffsets(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(sizeOf(shape));
  if (offsets.length === 0) return offsets;
  offsets[0] = start;
  // What is there already is the first of as many blocks as the dimension before has.
  for (let d = shape.length - 1, block = 1; d >= 0; block *= shape[d--]!)
    for (let j = 1, p = block; j < shape[d]!; j++)
      for (let i = 0, move = j * strides[d]!; i < block; i++) offsets[p++] = offsets[i]! + move;
  return offsets;
}
