import { DeviceError, type DType, type Kernels, type View } from '@gradgate/core';
import { isFloat } from '@gradgate/core/internal';
import { binary as binaries, type Expression, unary as unaries } from '../functions.js';
import { follow, produce } from '../fusion.js';
import { groupsFor, type Word } from '../gpu.js';
import type { Block } from '../pool.js';
import { blockOf, checkWord, constantOf, fill } from '../storage.js';
import { addressesOf, addressNumbers, strideNames, viewOf } from '../views.js';
import { converted, stored, wordOf } from '../words.js';

// Elementwise kernels: each thread computes one element.

const names = ['x', 'y', 'z'] as const;

export interface Mapping {
  /** The name of the program, together with the types of the operands. */
  readonly name: string;
  /** The types that operands are converted to. */
  readonly types: readonly Word[];
  readonly expression: string;
  /** The type of the expression. */
  readonly gives: Word | 'bool';
}

/** Computes an expression of the elements of `operands`, which broadcast to the shape of `out`, into `out`. */
export function map(
  { name, types, expression, gives }: Mapping,
  operands: readonly View[],
  out: View,
  [p = 0, q = 0]: readonly number[],
): void {
  if (out.numel === 0) return;
  const parameters = [p, q, limitOf(p, Math.ceil), limitOf(q, Math.floor)];
  if (follow({ name, types, expression, gives }, operands, out, parameters)) return;
  const address = addressesOf(out.shape, [...operands, out]);
  const rank = address.shape.length;
  const of = [...operands.map((_, i) => names[i]!), 'out'];
  const from = operands.map((operand, j) => fromOf(operand, names[j]!, out));
  const blocks = from.flatMap(({ block }) => block ?? []);
  const constants = from.flatMap(({ constant }) => constant ?? []);
  produce({
    key: `${name} ${from.map(({ key }) => key).join('')} ${out.dtype} ${rank}`,
    out,
    source: (then) => ({
      reads: Object.fromEntries(
        from.flatMap(({ block }, j) => (block ? [[`data_${names[j]}`, wordOf(operands[j]!.dtype)]] : [])),
      ),
      writes: { data_out: wordOf(out.dtype) },
      numbers: [
        ...['n', 'p:f32', 'q:f32', 'pi:i32', 'qi:i32'],
        ...strideNames(of, rank),
        ...from.flatMap(({ constant }, j) =>
          constant === undefined ? [] : [`number_${names[j]}:${wordOf(operands[j]!.dtype)}`],
        ),
      ],
      body: `if (i >= u.n) { return; }
${address.code(of)}
${from.map(({ code }, j) => `let ${names[j]} = ${converted(code, wordOf(operands[j]!.dtype), types[j]!)};`).join('\n')}
let e = i;
let v0 = ${stored(expression, gives, out.dtype)};
data_out[at_out] = v0;
${then}`,
    }),
    reads: blocks,
    numbers: [out.numel, ...parameters, ...addressNumbers(address), ...constants],
    groups: groupsFor(Math.ceil(out.numel / 64)),
  });
}

/** The source of an operand's elements: a buffer, one number, or the output, which is updated in place. */
interface From {
  readonly key: string;
  readonly code: string;
  readonly block?: Block;
  readonly constant?: number;
}

function fromOf(operand: View, name: string, out: View): From {
  const { dtype } = operand;
  const constant = constantOf(operand);
  if (constant !== null) return { key: `(${dtype})`, code: stored(`u.number_${name}`, wordOf(dtype), dtype), constant };
  // Each thread reads its element before it writes it.
  if (isSame(operand, out)) return { key: 'o', code: `data_out[at_${name}]` };
  return { key: wordOf(dtype)[0]!, code: `data_${name}[at_${name}]`, block: blockOf(operand) };
}

/** Whether two views have the same elements in the same order. */
const isSame = (a: View, b: View): boolean =>
  a.storage === b.storage &&
  a.offset === b.offset &&
  a.shape.length === b.shape.length &&
  a.shape.every((n, d) => n === b.shape[d] && a.strides[d] === b.strides[d]);

/** A limit of clamp as a 32-bit integer. */
const limitOf = (v: number, round: (v: number) => number): number =>
  Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Number.isNaN(v) ? 0 : round(v)));

function expressionOf(all: Readonly<Record<string, Expression>>, name: string): Expression {
  const found = Object.hasOwn(all, name) ? all[name] : undefined;
  if (found === undefined)
    throw new DeviceError(
      name.replace(/^custom /, ''),
      "this function is defined in JavaScript alone, and cannot run on webgpu; compose it of operators, or move its tensors, as in await t.toAsync('cpu')",
    );
  return found;
}

/** The type of the computation: float if an operand or the result is one. */
const typeFor = (...dtypes: DType[]): Word => (dtypes.some(isFloat) ? 'f32' : 'i32');

/** The elements of `of`, expanded to the shape of `x`. */
const expandedTo = ({ shape, numel }: View, of: View, strides: readonly number[]): View => ({
  ...viewOf(of),
  shape,
  numel,
  strides,
  isContiguous: false,
});

type Mapped =
  | 'unary'
  | 'binary'
  | 'where'
  | 'copy'
  | 'fill'
  | 'dropoutMask'
  | 'scaleChannels'
  | 'varianceGradient'
  | 'checkRange';

export const mapKernels: Pick<Kernels, Mapped> = {
  unary(fn, x, out, parameters = []) {
    const { float, integer } = expressionOf(unaries, fn.name);
    const type = integer === undefined ? 'f32' : typeFor(x.dtype, out.dtype);
    map(
      { name: `unary ${fn.name}`, types: [type], expression: type === 'f32' ? float : integer!, gives: type },
      [x],
      out,
      parameters,
    );
  },
  binary(fn, a, b, out, parameters = []) {
    const { float, integer, isBool } = expressionOf(binaries, fn.name);
    const type = integer === undefined ? 'f32' : typeFor(a.dtype, b.dtype, out.dtype);
    const expression = type === 'f32' ? float : integer!;
    map(
      { name: `binary ${fn.name}`, types: [type, type], expression, gives: isBool ? 'bool' : type },
      [a, b],
      out,
      parameters,
    );
  },
  where(condition, a, b, out) {
    const type = wordOf(out.dtype);
    map(
      { name: 'where', types: ['i32', type, type], expression: 'select(z, y, x != 0)', gives: type },
      [condition, a, b],
      out,
      [],
    );
  },
  copy(x, out) {
    const type = typeFor(x.dtype);
    map({ name: 'copy', types: [type], expression: 'x', gives: type }, [x], out, []);
  },
  fill(value, out) {
    const number = out.dtype === 'bool' ? Number(Boolean(value)) : Number(value);
    if (out.dtype === 'int64') checkWord(Math.trunc(number));
    fill(wordOf(out.dtype) === 'f32' ? number : limitOf(number, Math.ceil), out);
  },
  dropoutMask(draws, p, out) {
    const expression = 'select(u.q, 0.0, x < u.p)';
    // Draws are multiples of 2^-24, so the limit is rounded up to one, which float32 represents exactly.
    const limit = Math.ceil(p * 2 ** 24) / 2 ** 24;
    map({ name: 'dropoutMask', types: ['f32'], expression, gives: 'f32' }, [draws], out, [limit, 1 / (1 - p)]);
  },
  scaleChannels(x, scale, shift, out) {
    const spread = (of: View): View =>
      expandedTo(
        x,
        of,
        x.shape.map((_, d) => (d === 1 ? of.strides[0]! : 0)),
      );
    map(
      { name: 'scaleChannels', types: ['f32', 'f32', 'f32'], expression: 'x * y + z', gives: 'f32' },
      [x, spread(scale), spread(shift)],
      out,
      [],
    );
  },
  varianceGradient(x, dims, means, scale, out) {
    const kept = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
    const spread = (of: View): View => {
      // The reduced dimensions may have been kept with size 1.
      const own = of.strides.length === x.shape.length ? kept : kept.map((_, k) => k);
      return expandedTo(
        x,
        of,
        x.shape.map((_, d) => (dims.includes(d) ? 0 : of.strides[own[kept.indexOf(d)]!]!)),
      );
    };
    map(
      { name: 'varianceGradient', types: ['f32', 'f32', 'f32'], expression: '(x - y) * z', gives: 'f32' },
      [x, spread(means), spread(scale)],
      out,
      [],
    );
  },
  // Values are not checked; kernels that read by index clamp it.
  checkRange() {},
};
