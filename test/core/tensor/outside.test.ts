import { backward, eye, Generator, ones, randn, Tensor, tensor, zeros } from '@gradgate/core';
import { brand } from '@gradgate/core/internal';
import * as matchers from '@gradgate/core/matchers';
import { describe, expect, it, vi } from 'vitest';

// What tools and libraries see of a tensor.

it.each([
  [[-0, 1], 'tensor([-0.,  1.])'],
  [[-0, 0.5], 'tensor([-0.0000,  0.5000])'],
  [[-0, 1e9, 0], 'tensor([-0.0000e+0,  1.0000e+9,  0.0000e+0])'],
])('%j prints the sign of zeros, as PyTorch does', (values, text) => {
  expect(String(tensor(values))).toBe(text);
});

describe('JSON', () => {
  it('has the elements as nested arrays, and of a view those that it shows', () => {
    const t = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(JSON.stringify({ t, column: t.select(1, 1), one: t.sum() })).toBe(
      '{"t":[[1,2],[3,4]],"column":[2,4],"one":10}',
    );
    expect(JSON.stringify(tensor([true, false]))).toBe('[true,false]');
    expect(JSON.stringify(tensor([Number.NaN, Number.POSITIVE_INFINITY, 1]))).toBe('[null,null,1]');
  });
});

describe("JavaScript's operators", () => {
  const t: any = tensor([2]);
  it.each([
    ['+', () => 1 + t],
    ['+= on text', () => ['loss', t].reduce((text, value) => text + value)],
    ['-', () => t - 1],
    ['>', () => t > 1],
    ['<=', () => t <= 2],
    ['unary +', () => +t],
    ['Number', () => Number(t)],
    ['Math.max', () => Math.max(t, 1)],
  ])('%s is refused, with item() as the way', (_, f) => {
    expect(f).toThrow(/a Tensor is no number.*item\(\)/);
  });

  it('templates and String() give text', () => {
    expect(`${t}`).toBe('tensor([2.])');
    expect(String(t)).toBe('tensor([2.])');
  });
});

it('notebooks and debuggers show tensors as text', () => {
  const t = tensor([1]) as any;
  expect(t[Symbol.for('Jupyter.display')]()).toEqual({ 'text/plain': 'tensor([1.])' });
  expect(t[Symbol.for('debug.description')]()).toBe('tensor([1.])');
});

it('a tensor of another copy of the package is told as such', () => {
  const other = Object.create({ [brand]: {} }, { shape: { value: [2] }, dtype: { value: 'float32' } });
  for (const use of [
    () => ones([2]).add(other),
    () => ones([2, 2]).matmul(other),
    () => tensor(other),
    () => backward(other),
  ])
    expect(use).toThrow(/another copy of gradgate; two copies are loaded/);
  expect(() => ones(tensor([2]) as never)).not.toThrow(/another copy/);
});

describe('toEqual compares tensors by value, without any set-up', () => {
  it.each([
    ['the same values', () => ones([2]), () => ones([2])],
    ['numbers', () => tensor(3), () => tensor(3)],
    ['a view and a copy', () => eye(3).select(0, 1), () => tensor([0, 1, 0])],
    [
      'strides',
      () =>
        tensor([
          [1, 2],
          [3, 4],
        ]).t(),
      () =>
        tensor([
          [1, 3],
          [2, 4],
        ]),
    ],
    ['NaN', () => tensor([Number.NaN]), () => tensor([Number.NaN])],
    ['a computed one', () => ones([2]).requiresGrad_().mul(2), () => tensor([2, 2])],
    ['no elements', () => zeros([0, 3]), () => zeros([0, 3])],
  ])('equal: %s', (_, a, b) => {
    expect(a()).toEqual(b());
    expect({ x: [a()] }).toEqual({ x: [b()] });
    expect(a()).toStrictEqual(b());
    const f = vi.fn();
    f(a());
    expect(f).toHaveBeenCalledWith(b());
  });

  it.each([
    ['a value', () => ones([2]), () => tensor([1, 2])],
    ['a number', () => tensor(3), () => tensor(4)],
    ['shape', () => ones([2]), () => ones([2, 1])],
    ['dtype', () => ones([2]), () => ones([2], { dtype: 'float64' })],
    ['a tensor and an array', () => ones([2]), () => [1, 1]],
  ])('different: %s', (_, a, b) => {
    expect(a()).not.toEqual(b());
    expect({ x: [a()] }).not.toEqual({ x: [b()] });
    expect(() => expect(a()).toEqual(b())).toThrow(/to deeply equal/);
  });
});

describe('matchers', () => {
  const { toBeCloseToTensor, toEqualTensor, toHaveShape } = matchers;

  it('are for expect.extend', () => {
    expect.extend(matchers as never);
    const third = () => expect(ones([2]).div(3)) as any;
    third().toBeCloseToTensor([0.333333, 0.333333]);
    third().not.toEqualTensor([1, 1]);
    third().toHaveShape([2]);
    expect(() => third().toHaveShape([3])).toThrow('toHaveShape: expected a tensor of shape [3], got [2]');
  });

  it('toBeCloseToTensor: within the tolerance of the dtype, or of its own', () => {
    expect(toBeCloseToTensor(tensor([1.00001]), [1]).pass).toBe(true);
    expect(toBeCloseToTensor(tensor([1.0001]), [1]).pass).toBe(false);
    expect(toBeCloseToTensor(tensor([1.0001]), [1], { atol: 1e-3 }).pass).toBe(true);
    expect(toBeCloseToTensor(tensor([1.00001], { dtype: 'float64' }), [1]).pass).toBe(false);
    expect(toBeCloseToTensor(tensor([Number.NaN, Infinity]), [Number.NaN, Infinity]).pass).toBe(true);
    expect(toBeCloseToTensor(tensor([Infinity]), [-Infinity]).pass).toBe(false);
    expect(toBeCloseToTensor(tensor([1]), [Infinity]).pass).toBe(false);
    expect(toBeCloseToTensor(tensor([1]), [Number.NaN]).pass).toBe(false);
    expect(toBeCloseToTensor(tensor([1, 2], { dtype: 'int32' }), [1, 3]).pass).toBe(false);
  });

  it('tell shape, dtype, how many elements differ, and where most', () => {
    const t = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(
      toBeCloseToTensor(t, [
        [1, 2.5],
        [3, 9],
      ]).message(),
    ).toMatch(/2 of 4 elements differ, most at \[1, 1\]: expected 9, got 4\n\nexpected: tensor/);
    expect(toBeCloseToTensor(t, [1]).message()).toMatch(/expected a tensor of shape \[1\], got \[2, 2\]/);
    expect(toEqualTensor(t, t.double()).message()).toMatch(/expected a float64 tensor, got float32/);
    expect(toEqualTensor(t, t.clone()).message()).toMatch(/another tensor than\ntensor/);
  });

  it('refuse what they cannot compare', () => {
    expect(() => toBeCloseToTensor([1], [1])).toThrow(/toBeCloseToTensor: expect\(\) takes a Tensor here, got \[1\]/);
    expect(() => toBeCloseToTensor(ones([1]), [1], { tolerance: 1 } as never)).toThrow(/no option 'tolerance'/);
    expect(() => toHaveShape(ones([1]), 1 as never)).toThrow(/toHaveShape: the shape must be/);
  });
});

it('tags, by which libraries tell them from plain objects', () => {
  expect([randn([1]), new Generator(1)].map((x) => Object.prototype.toString.call(x))).toEqual([
    '[object Tensor]',
    '[object Generator]',
  ]);
  expect(randn([1])).toBeInstanceOf(Tensor);
});

describe('memory that tensors share', () => {
  it('is handed out by no method: arrays hold the elements and nothing else', async () => {
    const parts = [tensor([1, 2, 3]), ones([40, 50]).requiresGrad_(), ones([4, 6]).select(0, 1), ones([2, 3]).t()];
    // Small ones lie beside others on a slab.
    parts.push(ones([100]), ones([10, 20]).t(), ones([30], { dtype: 'int32' }));
    for (const t of parts)
      for (const array of [t.toTypedArray(), await t.data()])
        expect([array.length, array.byteOffset, array.buffer.byteLength]).toEqual([t.numel, 0, 4 * t.numel]);
    const methods = Object.getOwnPropertyNames(parts[0]!.constructor.prototype as object);
    expect(methods.filter((name) => /^(elements|exact|stored|bits|writableElements)$/.test(name))).toEqual([]);
  });
});
