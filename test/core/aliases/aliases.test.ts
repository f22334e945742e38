import * as core from '@gradgate/core';
import { manualSeed, ones, Tensor, tensor, zeros } from '@gradgate/core';
import * as aliases from '@gradgate/core/aliases';
import { complex } from '@gradgate/core/complex';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import { describe, expect, it } from 'vitest';
import { otherNames } from '../../../packages/core/src/aliases/names.js';

// Values and gradients are in golden/aliases.jsonl.

describe('other names', () => {
  const byName = core as unknown as Record<string, unknown>;
  const named = aliases as unknown as Record<string, unknown>;
  it.each(Object.entries(otherNames))('x.%s does what x.%s does, and the function is the same', (name, own) => {
    const prototype = core.Tensor.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
    const argumentsOf: Record<string, unknown[]> = {
      moveaxis: [0, 1],
      swapdims: [0, 1],
      broadcastTo: [2, 2, 2],
      ger: [ones([2])],
    };
    const binary = /^(arctan2|divide|trueDivide|greater|less|notEqual|multiply|subtract)/.test(name);
    const args = argumentsOf[name] ?? (binary ? [tensor([0.25, 0.75])] : /split|chunk/i.test(name) ? [[1, 1]] : []);
    const given = name === 'unsafeChunk' ? [2] : args;
    const x = () =>
      name === 'ger'
        ? tensor([0.5, 0.25])
        : tensor([
            [0.5, 0.25],
            [1, 0],
          ]);
    expect(prototype[name]!.apply(x(), given)).toEqual(prototype[own]!.apply(x(), given));
    if (name in named && own in byName) expect(named[name]).toBe(byName[own]);
  });

  it('are those in errors', () => {
    expect(() => ones([2]).multiply('a' as never)).toThrow(/^multiply: expected a Tensor or a number/);
    expect(() => ones([2]).lessEqual_(ones([3]))).toThrow(/^lessEqual_: /);
  });

  it('functions of several tensors', () => {
    expect([aliases.concat, aliases.concatenate, aliases.rowStack]).toEqual([core.cat, core.cat, core.vstack]);
    expect([aliases.asarray, aliases.constantPadNd]).toEqual([core.asTensor, core.pad]);
  });

  it('methods have types', () => {
    const x: Tensor = tensor([[1, 4]])
      .multiply(2)
      .subtract(1)
      .clampMin(0)
      .arctan()
      .negative();
    const n: number = x.dim() + x.ndimension() + x.nelement();
    expect(n).toBe(6);
    expect(x.tolist()).toEqual(x.toArray());
    const same: Tensor = x.multiply_(2);
    expect(same).toBe(x);
  });
});

describe('dtypes and shapes', () => {
  it('limits, as PyTorch has them', () => {
    expect(aliases.finfo('float32')).toEqual({
      bits: 32,
      eps: 1.1920928955078125e-7,
      max: 3.4028234663852886e38,
      min: -3.4028234663852886e38,
      tiny: 1.1754943508222875e-38,
    });
    expect(aliases.finfo('bfloat16')).toEqual({
      bits: 16,
      eps: 0.0078125,
      max: 3.3895313892515355e38,
      min: -3.3895313892515355e38,
      tiny: 1.1754943508222875e-38,
    });
    expect(aliases.finfo('float16').tiny).toBe(6.103515625e-5);
    expect(aliases.finfo('float64').eps).toBe(Number.EPSILON);
    expect(aliases.finfo('complex64').bits).toBe(32);
    expect(aliases.iinfo('int16')).toEqual({ bits: 16, max: 32767, min: -32768 });
    expect(() => aliases.finfo('int32')).toThrow('finfo: takes floating point dtypes, got int32; use iinfo()');
    expect(() => aliases.iinfo('float32')).toThrow('iinfo: takes integer dtypes, got float32; use finfo()');
    expect(() => aliases.iinfo('bool')).toThrow(/^iinfo: takes integer dtypes, got bool/);
  });

  it('conversions and results', () => {
    const cast = (a: core.DType, b: core.DType) => aliases.canCast(a, b);
    expect([cast('int64', 'uint8'), cast('float32', 'int64'), cast('int8', 'bool'), cast('bool', 'int8')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect([cast('complex64', 'float64'), cast('float64', 'complex64')]).toEqual([false, true]);
    const i = tensor([1, 2], { dtype: 'int32' });
    expect([aliases.resultType(i, 1), aliases.resultType(i, 1.5)]).toEqual(['int32', 'float32']);
    expect(aliases.resultType(i, tensor(1, { dtype: 'float64' }))).toBe('float64');
    expect(aliases.resultType(ones([2]), tensor(1, { dtype: 'float64' }))).toBe('float32');
    expect(aliases.resultType(i.gt(0), i.gt(1))).toBe('bool');
    expect(aliases.broadcastShapes([2, 1], [3], [])).toEqual([2, 3]);
    expect(() => aliases.broadcastShapes([2], [3])).toThrow(/^broadcastShapes: /);
    expect([i.isFloatingPoint(), i.isSigned(), complex(1, 2).isFloatingPoint()]).toEqual([false, true, false]);
    expect([tensor([0]).isNonzero(), aliases.isTensor([1]), i.isSameSize(ones([2]))]).toEqual([false, false, true]);
    expect(() => ones([2]).isNonzero()).toThrow('isNonzero: takes one element, got [2]; use any() or all()');
  });

  it('complex tensors', () => {
    const z = complex([[1, 2]], [[3, 0]]);
    expect(z.mH.toArray()).toEqual([[{ re: 1, im: -3 }], [{ re: 2, im: -0 }]]);
    expect(z.isreal().toArray()).toEqual([[false, true]]);
    expect(z.at(0).vdot(z.at(0)).toArray()).toEqual({ re: 14, im: 0 });
    expect(() => ones([1, 2, 2]).H).toThrow('H: takes a matrix, got [1, 2, 2]; use mH');
  });
});

describe('gradients of gradients', () => {
  const x = (...shape: number[]) => core.randn(shape, { dtype: 'float64', requiresGrad: true });
  it.each<[string, (a: Tensor, b: Tensor) => Tensor, Tensor, Tensor]>([
    ['inner', (a, b) => aliases.inner(a, b), x(2, 3), x(3)],
    ['pdist', (a) => aliases.pdist(a), x(4, 3), x(1)],
    ['sliceScatter', (a, b) => aliases.sliceScatter(a.mul(a), b.mul(a.at(0, 0)), 1, { step: 2 }), x(2, 3), x(2, 2)],
    ['diagonalScatter', (a, b) => aliases.diagonalScatter(a.mul(a), b.mul(b)), x(3, 3), x(3)],
    ['indexPut', (a, b) => aliases.indexPut(a.mul(a), [tensor([1], { dtype: 'int32' })], b.mul(b)), x(3, 2), x(2)],
    ['logaddexp2', (a, b) => aliases.logaddexp2(a, b), x(3), x(3)],
  ])('%s', (_, fn, a, b) => {
    const used = (p: Tensor, q: Tensor) => fn(p, q).add(q.sum().mul(0));
    expect(gradcheck(used, [a, b])).toBe(true);
    expect(gradgradcheck(used, [a, b])).toBe(true);
  });
});

describe('draws in place', () => {
  it('have the moments and quantiles of their distributions, and repeat by the seed', () => {
    manualSeed(3);
    const at = (t: Tensor, q: number) => t.quantile(q).item() as number;
    const cauchy = zeros([20000]).cauchy_(2, 3);
    expect(at(cauchy, 0.5)).toBeCloseTo(2, 0);
    expect(at(cauchy, 0.75)).toBeCloseTo(5, 0);
    const log = zeros([20000]).logNormal_(0.5, 0.25).log();
    expect(log.mean().item()).toBeCloseTo(0.5, 1);
    expect(log.std().item()).toBeCloseTo(0.25, 1);
    const trials = zeros([20000], { dtype: 'int32' }).geometric_(0.25);
    expect(trials.float().mean().item()).toBeCloseTo(4, 0);
    expect(trials.amin().item()).toBe(1);
    manualSeed(3);
    expect(zeros([20000]).cauchy_(2, 3).equal(cauchy)).toBe(true);
  });
});

describe('bad input is refused by name', () => {
  it.each<[string, () => unknown, string]>([
    [
      'tensorSplit',
      () => aliases.tensorSplit(tensor(1), 2),
      'takes tensors of one dimension or more, got a scalar tensor',
    ],
    ['tensorSplit', () => aliases.tensorSplit(ones([3]), 0), 'the parts must be'],
    ['hsplit', () => aliases.hsplit(ones([3]), 2), '3 does not divide into 2 parts; use tensorSplit(x, 2, 0)'],
    ['vsplit', () => ones([3]).vsplit(3), 'takes 2 dimensions or more, got [3]'],
    [
      'selectScatter',
      () => aliases.selectScatter(ones([2, 2]), ones([3]), 0, 0),
      'the source must have the shape [2], got [3]',
    ],
    ['sliceScatter', () => aliases.sliceScatter(ones([2]), ones([2]), 1), 'there is no dimension 1 in [2]'],
    [
      'fillDiagonal_',
      () => ones([2, 3, 3]).fillDiagonal_(1),
      'takes matrices, or dimensions of one size, got [2, 3, 3]',
    ],
    ['inner', () => aliases.inner(ones([2]), ones([3])), '[2] and [3] have other last dimensions'],
    ['vdot', () => aliases.vdot(ones([2, 2]), ones([2])), ''],
    ['pdist', () => aliases.pdist(ones([3])), 'takes a matrix, got [3]'],
    ['floatPower', () => aliases.floatPower(1, 2), 'expected a Tensor'],
    ['positive', () => tensor([true]).positive(), 'takes numbers, got bool'],
    ['atleast1d', () => aliases.atleast1d(3 as never), 'expected a Tensor, got 3'],
    ['columnStack', () => aliases.columnStack(ones([2]) as never), 'the tensors must be'],
    ['logspace', () => aliases.logspace(0, 1, 3, { base: 'e' as never }), 'base must be'],
    ['geometric_', () => zeros([2]).geometric_(1.5), 'p must be between 0 and 1, got 1.5'],
    ['convTbc', () => aliases.convTbc(ones([3, 1, 2]), ones([2, 1, 1]), zeros([1])), 'takes [T, N, C] and weights'],
    ['clampMin', () => aliases.clampMin(ones([2]), 'a' as never), ''],
  ])('%s: %#', (op, call, words) => {
    let message = '';
    try {
      call();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.startsWith(`${op}: ${words}`), message).toBe(true);
  });
});

it('mH and H refuse in their own names', () => {
  expect(() => ones([3]).mH).toThrow(/^mH: takes matrices, got \[3\]/);
  expect(() => ones([2, 2, 2]).H).toThrow(/^H: takes a matrix, got \[2, 2, 2\]; use mH/);
  for (const name of ['mH', 'H'])
    expect(() => Reflect.get(Tensor.prototype, name, 5)).toThrow(`${name}: expected a Tensor, got 5`);
});
