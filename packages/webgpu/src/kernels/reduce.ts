import type { Kernels, View } from '@gradgate/core';
import { sizeOf } from '@gradgate/core/internal';
import { groupsFor, type Source, type Word } from '../gpu.js';
import { withScratch } from '../scratch.js';
import { blockOf, gpuOf } from '../storage.js';
import { dimsOf } from '../views.js';
import { sums } from '../wgsl/sums.js';
import { stored, wordOf } from '../words.js';

type Reduction = Parameters<Kernels['reduce']>[0];

/** A reduction, as WGSL of the accumulator `acc`, the element `v` and its index `j`. */
interface Rule {
  /** The initial accumulator. */
  readonly start: string;
  /** The value of an element, if it is not the element itself. */
  readonly of?: string;
  /** The accumulator combined with `v`. */
  readonly with: string;
  /** The result from the accumulator. */
  readonly end?: string;
}

type Kind = Exclude<Reduction, 'argmax' | 'argmin'>;

const rules: Record<Kind, (word: Word) => Rule> = {
  sum: () => ({ start: '0', with: 'acc + v' }),
  mean: () => ({ start: '0', with: 'acc + v', end: 'acc / f32(u.count)' }),
  prod: () => ({ start: '1', with: 'acc * v' }),
  amax: (word) =>
    word === 'f32'
      ? { start: '-infinity()', with: 'select(acc, v, !is_nan(acc) && (v > acc || is_nan(v)))' }
      : { start: '(-2147483647 - 1)', with: 'max(acc, v)' },
  amin: (word) =>
    word === 'f32'
      ? { start: 'infinity()', with: 'select(acc, v, !is_nan(acc) && (v < acc || is_nan(v)))' }
      : { start: '2147483647', with: 'min(acc, v)' },
  any: (word) => ({ start: '0', of: word === 'f32' ? 'to_bool(v)' : 'select(0, 1, v != 0)', with: 'acc | v' }),
  all: (word) => ({ start: '1', of: word === 'f32' ? 'to_bool(v)' : 'select(0, 1, v != 0)', with: 'acc & v' }),
  norm: () => ({
    start: '0',
    of: 'select(power(abs(v), u.power), v * v, u.power == 2.0)',
    with: 'acc + v',
    end: 'select(power(acc, 1.0 / u.power), sqrt_of(acc), u.power == 2.0)',
  }),
};

/** From so many elements on, a workgroup computes a result; from so many more on, several do, in two steps. */
const forGroup = 32;
const forSeveral = 8192;

/** `Kernels.reduce`. */
function reduce(which: Reduction, x: View, dims: readonly number[], out: View, power = 2): void {
  if (out.numel === 0) return;
  if (which === 'argmax' || which === 'argmin') {
    place(which, x, dims, out);
    return;
  }
  const [, counts] = split(x, dims);
  const count = sizeOf(counts);
  const parts = out.numel < 64 && count >= forSeveral ? Math.min(256, Math.ceil(count / 2048)) : 1;
  if (parts === 1) {
    accumulate(which, x, dims, out, 'whole', 1, count, power);
    return;
  }
  withScratch(out, (scratch) => {
    const isTold = which === 'any' || which === 'all';
    const found = scratch.make(isTold || wordOf(x.dtype) === 'i32' ? 'int32' : 'float32', out.numel * parts);
    accumulate(which, x, dims, found, 'parts', parts, count, power);
    const table: View = { ...found, shape: [out.numel, parts], strides: [parts, 1] };
    accumulate(which, table, [1], out, 'joined', 1, count, power);
  });
}

/** The sizes and strides of the dimensions that are kept and of those that are reduced. */
function split(x: View, dims: readonly number[]) {
  const all = x.shape.map((_, d) => d);
  const [kept, keptStrides] = dimsOf(
    x,
    all.filter((d) => !dims.includes(d)),
  );
  const [sizes, strides] = dimsOf(
    x,
    all.filter((d) => dims.includes(d)),
  );
  return [kept, sizes, keptStrides, strides] as const;
}

/** The numbers for both kinds of dimensions, and WGSL for the address of element `j` of result `o`. */
function addressing(kept: number, reduced: number) {
  const names = (prefix: string, n: number) =>
    Array.from({ length: n }, (_, d) => [`${prefix}n${d}`, `${prefix}t${d}`]).flat();
  const fn = (prefix: string, n: number) => {
    const lines = [];
    for (let d = n - 1; d > 0; d--)
      lines.push(`at += (rest % u.${prefix}n${d}) * u.${prefix}t${d}; rest /= u.${prefix}n${d};`);
    return `fn at_${prefix}(index: u32) -> u32 { var rest = index; var at = 0u; ${lines.join(' ')} return at + rest * u.${prefix}t0; }`;
  };
  return { names: [...names('k', kept), ...names('r', reduced)], head: `${fn('k', kept)}\n${fn('r', reduced)}` };
}

const zipped = (sizes: readonly number[], strides: readonly number[]) => sizes.flatMap((n, d) => [n, strides[d]!]);

/** Accumulates the elements of each result, or with `parts` those of each part; `joined` combines parts. */
function accumulate(
  which: Kind,
  x: View,
  dims: readonly number[],
  out: View,
  step: 'whole' | 'parts' | 'joined',
  parts: number,
  count: number,
  power: number,
): void {
  const gpu = gpuOf(out);
  const [kept, sizes, keptStrides, strides] = split(x, dims);
  const n = sizeOf(sizes);
  const lanes = n >= forGroup ? 64 : 1;
  const word = wordOf(x.dtype);
  const rule = rules[which](word);
  const of = step === 'joined' ? undefined : rule.of;
  const isTold = which === 'any' || which === 'all';
  // Bools of floats are 0 and 1.
  const kind: Word = isTold ? 'i32' : word;
  const key = `reduce ${which} ${step} ${x.dtype} ${out.dtype} ${kept.length} ${sizes.length} ${lanes}`;
  const source = (): Source => {
    const { names, head } = addressing(kept.length, sizes.length);
    const end = step === 'parts' ? 'acc' : (rule.end ?? 'acc');
    // 64 elements before they are joined with others: the error of a sum grows with how many are added one after the
    // other.
    const loop = `var acc = ${kind}(${rule.start});
for (var from_j = first + ${lanes === 64 ? 'lane' : '0u'}; from_j < last; from_j += ${lanes * 64}u) {
  var few = ${kind}(${rule.start});
  for (var j = from_j; j < min(last, from_j + ${lanes * 64}u); j += ${lanes}u) { few = joined(few, valued(x[base + at_r(j)])); }
  acc = joined(acc, few);
}`;
    const write = `out[o * u.parts + part] = ${stored(end, kind, out.dtype)};`;
    const range = `let first = part * u.size; let last = min(u.n, first + u.size);`;
    const combine = `fn joined(acc: ${kind}, v: ${kind}) -> ${kind} { return ${rule.with}; }
fn valued(v: ${word}) -> ${kind} { return ${of ?? 'v'}; }`;
    return {
      reads: { x: word },
      writes: { out: wordOf(out.dtype) },
      numbers: ['results', 'parts', 'size', 'n', 'count', 'offset', 'power:f32', ...names],
      head: `${head}\n${combine}\n${lanes === 64 ? `var<workgroup> partial: array<${kind}, 64>;` : ''}`,
      body:
        lanes === 1
          ? `if (i >= u.results * u.parts) { return; }
let o = i / u.parts; let part = i % u.parts; let base = u.offset + at_k(o); ${range}
${loop}
${write}`
          : `if (group >= u.results * u.parts) { return; }
let o = group / u.parts; let part = group % u.parts; let base = u.offset + at_k(o); ${range}
${loop}
partial[lane] = acc;
workgroupBarrier();
for (var step = 32u; step > 0u; step >>= 1u) {
  if (lane < step) { partial[lane] = joined(partial[lane], partial[lane + step]); }
  workgroupBarrier();
}
if (lane == 0u) { acc = partial[0]; ${write} }`,
    };
  };
  const results = sizeOf(kept);
  const calls = results * parts;
  gpu.run(
    key,
    source,
    [blockOf(x), blockOf(out)],
    [
      results,
      parts,
      Math.ceil(n / parts),
      n,
      count,
      x.offset,
      power,
      ...zipped(kept, keptStrides),
      ...zipped(sizes, strides),
    ],
    groupsFor(lanes === 64 ? calls : Math.ceil(calls / 64)),
  );
}

/** Computes the index of the first best element. */
function place(which: 'argmax' | 'argmin', x: View, dims: readonly number[], out: View): void {
  const [kept, sizes, keptStrides, strides] = split(x, dims);
  const n = sizeOf(sizes);
  const lanes = n >= forGroup ? 64 : 1;
  const word = wordOf(x.dtype);
  const sign = which === 'argmax' ? '>' : '<';
  const source = (): Source => {
    const { names, head } = addressing(kept.length, sizes.length);
    const better =
      word === 'f32'
        ? `fn better(a: f32, b: f32) -> bool { if (is_nan(b)) { return false; } return is_nan(a) || a ${sign} b; }
fn equal(a: f32, b: f32) -> bool { return alike(a, b); }`
        : `fn better(a: i32, b: i32) -> bool { return a ${sign} b; }
fn equal(a: i32, b: i32) -> bool { return a == b; }`;
    const loop = `var best = x[base + at_r(${lanes === 64 ? 'min(lane, u.n - 1u)' : '0u'})];
var place = ${lanes === 64 ? 'min(lane, u.n - 1u)' : '0u'};
for (var j = ${lanes === 64 ? 'lane + 64u' : '1u'}; j < u.n; j += ${lanes}u) {
  let v = x[base + at_r(j)];
  if (better(v, best)) { best = v; place = j; }
}`;
    return {
      reads: { x: word },
      writes: { out: 'i32' },
      numbers: ['results', 'n', 'offset', ...names],
      head: `${head}\n${better}\n${lanes === 64 ? `var<workgroup> bests: array<${word}, 64>;\nvar<workgroup> places: array<u32, 64>;` : ''}`,
      body:
        lanes === 1
          ? `if (i >= u.results) { return; }
let base = u.offset + at_k(i);
${loop}
out[i] = i32(place);`
          : `if (group >= u.results) { return; }
let base = u.offset + at_k(group);
${loop}
bests[lane] = best;
places[lane] = place;
workgroupBarrier();
for (var step = 32u; step > 0u; step >>= 1u) {
  if (lane < step) {
    let other = lane + step;
    if (better(bests[other], bests[lane]) || (equal(bests[other], bests[lane]) && places[other] < places[lane])) {
      bests[lane] = bests[other];
      places[lane] = places[other];
    }
  }
  workgroupBarrier();
}
if (lane == 0u) { out[group] = i32(places[0]); }`,
    };
  };
  const results = sizeOf(kept);
  gpuOf(out).run(
    `${which} ${word} ${kept.length} ${sizes.length} ${lanes}`,
    source,
    [blockOf(x), blockOf(out)],
    [results, n, x.offset, ...zipped(kept, keptStrides), ...zipped(sizes, strides)],
    groupsFor(lanes === 64 ? results : Math.ceil(results / 64)),
  );
}

/** `Kernels.variance`: the means first, then the squared deviations. */
function variance(x: View, dims: readonly number[], correction: number, root: boolean, out: View, means: View): void {
  if (out.numel === 0) return;
  const [kept, sizes, keptStrides, strides] = split(x, dims);
  const [results, n] = [sizeOf(kept), sizeOf(sizes)];
  const source = (): Source => {
    const { names, head } = addressing(kept.length, sizes.length);
    return {
      reads: { x: 'f32' },
      writes: { out: 'f32', means: 'f32' },
      numbers: ['results', 'n', 'offset', 'divisor:f32', ...names],
      head,
      body: `if (group >= u.results) { return; }
let base = u.offset + at_k(group);
${sums({ index: 'j', end: 'u.n', of: { sum: 'x[base + at_r(j)]' } })}
let mean = group_sum(lane, sum) / f32(u.n);
${sums({ index: 'j', end: 'u.n', each: 'let d = x[base + at_r(j)] - mean;', of: { squares: 'd * d' } })}
let total = divided(group_sum(lane, squares), u.divisor);
if (lane == 0u) { out[group] = ${stored(root ? 'sqrt_of(total)' : 'total', 'f32', out.dtype)}; means[group] = ${stored('mean', 'f32', means.dtype)}; }`,
    };
  };
  gpuOf(out).run(
    `variance ${root} ${out.dtype} ${means.dtype} ${kept.length} ${sizes.length}`,
    source,
    [blockOf(x), blockOf(out), blockOf(means)],
    [results, n, x.offset, Math.max(0, n - correction), ...zipped(kept, keptStrides), ...zipped(sizes, strides)],
    groupsFor(results),
  );
}

export const reduceKernels = { reduce, variance } satisfies Partial<Kernels>;
