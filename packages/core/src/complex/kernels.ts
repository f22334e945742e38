import { cpu } from '../backend/cpu.js';
import type { BinaryFunction, Parameters, UnaryFunction } from '../backend/functions.js';
import { broadcastView, elementsOf, targetOf } from '../backend/host/data.js';
import { HostStorage } from '../backend/host/storage.js';
import type { Kernels, View } from '../backend/kernels.js';
import { DTypeError } from '../errors.js';
import { allocateUninitialized } from '../memory/allocate.js';
import type { TypedArray } from '../memory/dtype.js';
import { contiguousStrides } from '../memory/shape.js';
import type { Storage } from '../memory/storage.js';
import { binaryFunctions, unaryFunctions } from './functions.js';
import { ComplexStorage, isComplexView, pairsOf, partOf } from './storage.js';

// Kernels of complex numbers. Moving elements, and operations that are the same for both parts, are done by the real
// kernels on a view that has the parts along a last dimension of 2.

/** The elements of a storage in the shape of a view, in row-major order. */
function viewOn(storage: Storage, { shape, numel }: View): View {
  const strides = contiguousStrides(shape);
  return { storage, dtype: storage.dtype, shape, numel, strides, offset: 0, isContiguous: true };
}

/** An operand as a complex one; real ones are converted. */
function complexOf(x: View): View {
  if (isComplexView(x)) return x;
  const isDouble = x.dtype === 'float64';
  const parts = allocateUninitialized(isDouble ? 'float64' : 'float32', 2 * x.numel);
  const out = viewOn(new ComplexStorage(parts, isDouble ? 'complex128' : 'complex64'), x);
  copy(x, out);
  return out;
}

const zero = HostStorage.zeros('float64', 1);

const zerosOf = ({ shape, numel }: View): View => ({
  storage: zero,
  dtype: 'float64',
  shape,
  numel,
  strides: shape.map(() => 0),
  offset: 0,
  isContiguous: numel <= 1,
});

const copy: Kernels['copy'] = (x, out) => {
  const { kernels } = cpu;
  if (isComplexView(x) && isComplexView(out)) kernels.copy(pairsOf(x), pairsOf(out));
  else if (isComplexView(out)) {
    kernels.copy(x, partOf(out, 0));
    kernels.copy(zerosOf(out), partOf(out, 1));
  } else if (out.dtype !== 'bool') kernels.copy(partOf(x, 0), out);
  else {
    const [from, to] = [elementsOf(pairsOf(x)), targetOf(out)];
    for (let i = 0; i < to.length; i++) to[i] = Number(from[2 * i] !== 0 || from[2 * i + 1] !== 0);
  }
};

/** A real operand repeated for both parts. */
const repeated = (x: View): View => ({
  ...x,
  shape: [...x.shape, 2],
  numel: 2 * x.numel,
  strides: [...x.strides, 0],
  isContiguous: false,
});

const indexed = (x: View): View => pairsOf(complexOf(x));

const unary = (fn: UnaryFunction, x: View, out: View, parameters: Parameters = []): void => {
  // Negation works on each part.
  if (fn.name === 'neg') {
    cpu.kernels.unary(fn, pairsOf(x), pairsOf(out));
    return;
  }
  const f = unaryFunctions[fn.name] ?? refuse(fn.name, x);
  const from = elementsOf(pairsOf(x));
  const to = targetOf(pairsOf(out));
  const [parameter = 0] = parameters;
  for (let i = 0; i < to.length; i += 2) f(to, i, from[i]!, from[i + 1]!, parameter);
};

/** The interleaved parts of an operand broadcast to `shape`, and the step between numbers: 0 for a single number. */
function operand(x: View, shape: View['shape']): { parts: TypedArray; step: number } {
  if (x.numel === 1) return { parts: elementsOf(pairsOf(x)), step: 0 };
  return { parts: elementsOf(broadcastView(pairsOf(x), [...shape, 2])), step: 2 };
}

const binary = (fn: BinaryFunction, a: View, b: View, out: View): void => {
  const { name } = fn;
  if (name === 'add' || name === 'sub') {
    cpu.kernels.binary(fn, pairsOf(complexOf(a)), pairsOf(complexOf(b)), pairsOf(out));
    return;
  }
  const isComparison = name === 'eq' || name === 'ne';
  const f = isComparison || name === 'mul' ? null : (binaryFunctions[name] ?? refuse(name, isComplexView(a) ? a : b));
  const { parts: x, step: s } = operand(complexOf(a), out.shape);
  const { parts: y, step: t } = operand(complexOf(b), out.shape);
  const to = targetOf(isComplexView(out) ? pairsOf(out) : out);
  if (name === 'mul') multiply(x, s, y, t, to);
  else if (f !== null)
    for (let i = 0, p = 0, q = 0; i < to.length; i += 2, p += s, q += t) f(to, i, x[p]!, x[p + 1]!, y[q]!, y[q + 1]!);
  else
    for (let i = 0, p = 0, q = 0; i < to.length; i++, p += s, q += t)
      to[i] = Number((x[p] === y[q] && x[p + 1] === y[q + 1]) === (name === 'eq'));
};

/** The most frequent function has a loop without calls. */
function multiply(x: TypedArray, s: number, y: TypedArray, t: number, to: TypedArray): void {
  for (let i = 0, p = 0, q = 0; i < to.length; i += 2, p += s, q += t) {
    const [a, b, c, d] = [x[p]!, x[p + 1]!, y[q]!, y[q + 1]!];
    to[i] = a * c - b * d;
    to[i + 1] = a * d + b * c;
  }
}

/** Which numbers are not 0, as a view of bools. */
function maskOf(x: View): View {
  const mask = viewOn(HostStorage.heap('bool', x.numel), x);
  copy(x, mask);
  return mask;
}

const reduce: Kernels['reduce'] = (which, x, dims, out) => {
  if (which === 'sum' || which === 'mean') return cpu.kernels.reduce(which, pairsOf(x), dims, pairsOf(out));
  if (which === 'any' || which === 'all') return cpu.kernels.reduce(which, maskOf(x), dims, out);
  if (which !== 'prod') refuse(which, x);
  // Multiply along the reduced dimensions, which are moved behind the others.
  const kept = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const order = [...kept, ...dims];
  const { storage, dtype, numel, offset } = x;
  const moved = order.map((d) => x.shape[d]!);
  const strides = order.map((d) => x.strides[d]!);
  const from = elementsOf(pairsOf({ storage, dtype, numel, offset, shape: moved, strides, isContiguous: false }));
  const to = targetOf(pairsOf(out));
  const count = out.numel === 0 ? 0 : numel / out.numel;
  for (let i = 0, p = 0; i < to.length; i += 2) {
    let [re, im] = [1, 0];
    for (let j = 0; j < count; j++, p += 2)
      [re, im] = [re * from[p]! - im * from[p + 1]!, re * from[p + 1]! + im * from[p]!];
    to[i] = re;
    to[i + 1] = im;
  }
};

/** A copy of the real or imaginary parts of a view. */
function ownPart(x: View, part: 0 | 1): View {
  const from = partOf(x, part);
  return viewOn(HostStorage.of(elementsOf(from), from.dtype), x);
}

/** What is linear in both operands, as products and convolutions are, by four real ones. */
function byParts(a: View, b: View, out: View, compute: (x: View, y: View, result: View) => void): void {
  const [ar, ai, br, bi] = [ownPart(a, 0), ownPart(a, 1), ownPart(b, 0), ownPart(b, 1)];
  const product = (x: View, y: View): TypedArray => {
    const result = viewOn(HostStorage.heap(x.dtype, out.numel), out);
    compute(x, y, result);
    return targetOf(result);
  };
  const [rr, ii, ri, ir] = [product(ar, br), product(ai, bi), product(ar, bi), product(ai, br)];
  const to = targetOf(pairsOf(out));
  for (let i = 0; i < out.numel; i++) {
    to[2 * i] = rr[i]! - ii[i]!;
    to[2 * i + 1] = ri[i]! + ir[i]!;
  }
}

/** By four real products. */
const matmul: Kernels['matmul'] = (a, ta, b, tb, out, bias) => {
  byParts(a, b, out, (x, y, result) => cpu.kernels.matmul(x, ta, y, tb, result, null));
  if (bias === null) return;
  const [to, row] = [targetOf(pairsOf(out)), elementsOf(pairsOf(bias))];
  for (let i = 0; i < to.length; i++) to[i]! += row[i % row.length]!;
};

const conv: Kernels['conv'] = (x, weight, bias, geometry, out) => {
  byParts(x, weight, out, (a, b, result) => cpu.kernels.conv(a, b, null, geometry, result));
  if (bias === null) return;
  const [to, ofChannel] = [targetOf(pairsOf(out)), elementsOf(pairsOf(bias))];
  const [, channels, h, w] = out.shape as [number, number, number, number];
  for (let i = 0; i < to.length; i++) to[i]! += ofChannel[2 * (Math.floor(i / (2 * h * w)) % channels) + (i % 2)]!;
};

/** Refuses complex operands, in the name of the function that called the kernel; `instead` is what to do. */
export function refuse(op: string, { dtype }: Pick<View, 'dtype'>, instead = 'use real(), imag() or abs()'): never {
  throw new DTypeError(op, `takes real tensors, got ${dtype}; ${instead}`);
}

/** What to do where the kernels for complex matrices are not there. */
const ofMatrices = /^(matrices|solve|slogdet|det|cholesky)$/;
export const orImport = "use real(), imag() or abs(), or import '@gradgate/core/complex/linalg'";

/** The running products along a dimension. */
function products(x: View, dim: number, out: View): void {
  const [from, to] = [elementsOf(pairsOf(x)), targetOf(pairsOf(out))];
  const inner = x.shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const n = x.shape[dim] ?? 1;
  for (let at = 0; at < from.length; at += 2) {
    const before = at - 2 * inner;
    const [p, q] = Math.floor(at / 2 / inner) % n === 0 ? [1, 0] : [to[before]!, to[before + 1]!];
    const [re, im] = [from[at]!, from[at + 1]!];
    to[at] = re * p - im * q;
    to[at + 1] = re * q + im * p;
  }
}

/** The functions that call the kernels of scans. */
const scans = { logsumexp: 'logcumsumexp', argmax: 'cummax', argmin: 'cummin' };

/** The kernels for complex numbers; `linalg/` adds those for matrices. */
export const own: Partial<Kernels> = {
  copy,
  fill(value, out) {
    const { data } = (out.storage as ComplexStorage).parts;
    const number = Number(value);
    for (let i = 0; i < data.length; i += 2) {
      data[i] = number;
      data[i + 1] = 0;
    }
  },
  where: (condition, a, b, out) => cpu.kernels.where(repeated(condition), indexed(a), indexed(b), pairsOf(out)),
  gather: (x, dim, index, out) => cpu.kernels.gather(pairsOf(x), dim, repeated(index), pairsOf(out)),
  scatter(how, dim, index, src, out) {
    if (how !== 'set' && how !== 'add') refuse('scatter', out);
    cpu.kernels.scatter(how, dim, repeated(index), indexed(src), pairsOf(out));
  },
  indexSelect: (x, dim, index, out) => cpu.kernels.indexSelect(pairsOf(x), dim, index, pairsOf(out)),
  indexAdd: (dim, index, src, out) => cpu.kernels.indexAdd(dim, index, indexed(src), pairsOf(out)),
  scan(which, x, dim, out) {
    if (which === 'prod') products(x, dim, out);
    else if (which === 'sum') cpu.kernels.scan(which, pairsOf(x), dim, pairsOf(out));
    else refuse(scans[which], x);
  },
  unary,
  binary,
  reduce,
  matmul,
  conv,
  convInput: (g, weight, geometry, out) =>
    byParts(g, weight, out, (a, b, result) => cpu.kernels.convInput(a, b, geometry, result)),
  convWeight: (g, x, geometry, out) =>
    byParts(g, x, out, (a, b, result) => cpu.kernels.convWeight(a, b, geometry, result)),
};

/** All other kernels throw for complex numbers, in the name of the function that called them or their own. */
export const kernels = new Proxy(own as Kernels, {
  get: (table, name) =>
    table[name as keyof Kernels] ??
    ((...args: unknown[]) => {
      const [first] = args as [string | { readonly name?: string }];
      const isComplexArgument = (arg: unknown): arg is View =>
        (arg as View | null)?.storage !== undefined && isComplexView(arg as View);
      const complex = args.flat().find(isComplexArgument);
      if (complex !== undefined)
        refuse(
          (typeof first === 'string' ? first : first?.name) ?? String(name),
          complex,
          ofMatrices.test(String(name)) ? orImport : undefined,
        );
      // A call on real operands of an operator, such as indices.
      return (cpu.kernels[name as keyof Kernels] as (...args: unknown[]) => void)(...args);
    }),
});
