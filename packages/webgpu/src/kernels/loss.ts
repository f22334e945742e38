import type { Kernels, View } from '@gradgate/core';
import type { LossReduction, PairLoss } from '@gradgate/core/internal';
import { groupsFor, type Source } from '../gpu.js';
import type { Block } from '../pool.js';
import { type Scratch, withScratch } from '../scratch.js';
import { blockOf, constantOf, gpuOf } from '../storage.js';
import { exponentials } from '../wgsl/exponentials.js';
import { sums } from '../wgsl/sums.js';
import { stored } from '../words.js';

/** `Kernels.crossEntropy`: one workgroup for each row, then one that adds up the losses. */
const crossEntropy: Kernels['crossEntropy'] = (x, target, ignoreIndex, reduction, loss, p, classes) => {
  withScratch(p, (scratch) => {
    const gpu = gpuOf(p);
    const [from, named] = [scratch.packed(x), scratch.packed(target)];
    const [rows, n] = x.shape as [number, number];
    const losses = reduction === 'none' ? loss : scratch.make('float32', rows);
    gpu.run(
      `crossEntropy ${losses.dtype}`,
      () => ({
        reads: { x: 'f32', named: 'i32' },
        writes: { losses: 'f32', p: 'f32', classes: 'i32' },
        numbers: ['rows', 'n', 'xo', 'to', 'ignored:i32'],
        body: `if (group >= u.rows) { return; }
let base = u.xo + group * u.n;
${exponentials({ element: 'x[base + j]' })}
for (var j = lane; j < u.n; j += 64u) { p[group * u.n + j] = exp_of(x[base + j] - top) / sum; }
if (lane == 0u) {
  let name = named[u.to + group];
  let isIgnored = name == u.ignored;
  classes[group] = select(name, -1, isIgnored);
  // The host throws for classes out of range; the device clamps them, as it cannot report them.
  let at = clamp(name, 0, i32(u.n) - 1);
  let value = select(log_of(sum) - (x[base + u32(at)] - top), 0.0, isIgnored);
  losses[group] = ${stored('value', 'f32', losses.dtype)};
}`,
      }),
      [blockOf(from), blockOf(named), blockOf(losses), blockOf(p), blockOf(classes)],
      [rows, n, from.offset, named.offset, ignoreIndex],
      groupsFor(rows),
    );
    if (reduction === 'none') return;
    gpu.run(
      `crossEntropy ${reduction} ${loss.dtype}`,
      () => ({
        reads: { losses: 'f32', classes: 'i32' },
        writes: { loss: 'f32' },
        numbers: ['rows'],
        body: `${sums({ index: 'r', end: 'u.rows', of: { part: 'losses[r]', known: 'select(0.0, 1.0, classes[r] >= 0)' } })}
let sum = group_sum(lane, part);
let count = group_sum(lane, known);
if (lane == 0u) { loss[0] = ${stored(reduction === 'mean' ? 'divided(sum, count)' : 'sum', 'f32', loss.dtype)}; }`,
      }),
      [blockOf(losses), blockOf(classes), blockOf(loss)],
      [rows],
      [1, 1],
    );
  });
};

interface Seed {
  readonly key: string;
  readonly reads: Source['reads'];
  readonly blocks: readonly Block[];
  /** The name and the type of its number, and that. */
  readonly name: string;
  readonly number: number;
  /** WGSL of an element. */
  at(index: string): string;
}

/**
 * The gradient of a loss as an operand: a buffer, or a number where it is one for all, as the 1 that a pass starts
 * from.
 */
function gradientOf(g: View, scratch: Scratch): Seed {
  const number = constantOf(g);
  if (number !== null) return { key: 'number', reads: {}, blocks: [], name: 'gn:f32', number, at: () => 'u.gn' };
  const from = scratch.packed(g);
  return {
    key: '',
    reads: { g: 'f32' },
    blocks: [blockOf(from)],
    name: 'go',
    number: from.offset,
    at: (index) => `g[u.go + ${index}]`,
  };
}

/** WGSL that counts the rows with a class, in each workgroup. */
const counted = `var known = 0.0;
for (var r = lane; r < u.rows; r += 64u) { known += select(0.0, 1.0, classes[u.co + r] >= 0); }
let total = group_sum(lane, known);`;

/** Up to so many rows each workgroup counts for itself, which costs less than a call. */
const fewRows = 1024;

/** `Kernels.crossEntropyGradient`: for the mean of many rows after a call that counts those with a class. */
function crossEntropyGradient(g: View, p: View, classes: View, reduction: LossReduction, out: View): void {
  withScratch(out, (scratch) => {
    const gpu = gpuOf(out);
    const [gradient, from, named] = [gradientOf(g, scratch), scratch.packed(p), scratch.packed(classes)];
    const [rows, n] = p.shape as [number, number];
    const isMean = reduction === 'mean';
    const isFew = isMean && rows <= fewRows;
    const count = isMean && !isFew ? scratch.make('float32', 1) : null;
    if (count !== null)
      gpu.run(
        'crossEntropyGradient count',
        () => ({
          reads: { classes: 'i32' },
          writes: { count: 'f32' },
          numbers: ['rows', 'co'],
          body: `${counted}
if (lane == 0u) { count[0] = total; }`,
        }),
        [blockOf(named), blockOf(count)],
        [rows, named.offset],
        [1, 1],
      );
    gpu.run(
      `crossEntropyGradient ${reduction} ${isFew} ${out.dtype} ${gradient.key}`,
      () => ({
        reads: { ...gradient.reads, p: 'f32', classes: 'i32', ...(count === null ? {} : { count: 'f32' }) },
        writes: { out: 'f32' },
        numbers: ['rows', 'n', gradient.name, 'po', 'co'],
        body: `${isFew ? counted : ''}
if (i >= u.rows * u.n) { return; }
let row = i / u.n;
let name = classes[u.co + row];
let each = ${gradient.at(reduction === 'none' ? 'row' : '0u')}${isFew ? ' / total' : isMean ? ' / count[0]' : ''};
let value = (p[u.po + i] - select(0.0, 1.0, i32(i % u.n) == name)) * each;
out[i] = ${stored('select(value, 0.0, name < 0)', 'f32', out.dtype)};`,
      }),
      [...gradient.blocks, blockOf(from), blockOf(named), ...(count === null ? [] : [blockOf(count)]), blockOf(out)],
      [rows, n, gradient.number, from.offset, named.offset],
      groupsFor(Math.ceil((rows * n) / 64)),
    );
  });
}

const summands: Readonly<Record<PairLoss, string>> = {
  squaredError: '(x - y) * (x - y)',
  logitEntropy: '(1.0 - y) * x + max(-x, 0.0) + log1p(exp_of(-abs(x)))',
};

const slopes: Readonly<Record<PairLoss, string>> = {
  squaredError: '(x - y) * 2.0',
  logitEntropy: 'sigmoid(x) - y',
};

/** `Kernels.pairLoss`: sums over parts, then their sum. */
function pairLoss(name: PairLoss, x: View, y: View, divisor: number, out: View): void {
  withScratch(out, (scratch) => {
    const gpu = gpuOf(out);
    const [a, b] = [scratch.packed(x), scratch.packed(y)];
    const parts = Math.max(1, Math.min(1024, Math.ceil(x.numel / 1024)));
    const found = scratch.make('float32', parts);
    gpu.run(
      `pairLoss ${name}`,
      () => ({
        reads: { a: 'f32', b: 'f32' },
        writes: { sums: 'f32' },
        numbers: ['n', 'stride', 'ao', 'bo'],
        body: `var part = 0.0;
for (var j = i; j < u.n; j += u.stride) { let x = a[u.ao + j]; let y = b[u.bo + j]; part += ${summands[name]}; }
let sum = group_sum(lane, part);
if (lane == 0u) { sums[group] = sum; }`,
      }),
      [blockOf(a), blockOf(b), blockOf(found)],
      [x.numel, parts * 64, a.offset, b.offset],
      [parts, 1],
    );
    gpu.run(
      `pairLoss sum ${out.dtype}`,
      () => ({
        reads: { sums: 'f32' },
        writes: { out: 'f32' },
        numbers: ['parts', 'divisor:f32'],
        body: `var part = 0.0;
for (var j = lane; j < u.parts; j += 64u) { part += sums[j]; }
let sum = group_sum(lane, part);
if (lane == 0u) { out[0] = ${stored('divided(sum, u.divisor)', 'f32', out.dtype)}; }`,
      }),
      [blockOf(found), blockOf(out)],
      [parts, divisor],
      [1, 1],
    );
  });
}

/** `Kernels.pairLossGradient`. */
function pairLossGradient(name: PairLoss, g: View, x: View, y: View, divisor: number, out: View): void {
  withScratch(out, (scratch) => {
    const [gradient, a, b] = [gradientOf(g, scratch), scratch.packed(x), scratch.packed(y)];
    gpuOf(out).run(
      `pairLossGradient ${name} ${out.dtype} ${gradient.key}`,
      () => ({
        reads: { ...gradient.reads, a: 'f32', b: 'f32' },
        writes: { out: 'f32' },
        numbers: ['n', gradient.name, 'ao', 'bo', 'divisor:f32'],
        body: `if (i >= u.n) { return; }
let x = a[u.ao + i];
let y = b[u.bo + i];
out[i] = ${stored(`(${slopes[name]}) * (${gradient.at('0u')} / u.divisor)`, 'f32', out.dtype)};`,
      }),
      [...gradient.blocks, blockOf(a), blockOf(b), blockOf(out)],
      [out.numel, gradient.number, a.offset, b.offset, divisor],
      groupsFor(Math.ceil(out.numel / 64)),
    );
  });
}

export const lossKernels = {
  crossEntropy,
  crossEntropyGradient,
  pairLoss,
  pairLossGradient,
} satisfies Partial<Kernels>;
