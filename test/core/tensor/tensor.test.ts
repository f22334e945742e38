import { inspect } from 'node:util';
import * as core from '@gradgate/core';
import { arange, full, ones, Tensor, tensor, zeros } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

describe('a tensor', () => {
  it('tells its shape, size and kind', () => {
    const t = zeros([2, 3, 4]);
    expect([t.ndim, t.numel, t.size(), t.size(-1), t.strides, t.isContiguous, t.isLeaf]).toEqual([
      3,
      24,
      [2, 3, 4],
      4,
      [12, 4, 1],
      true,
      true,
    ]);
    expect(() => t.size(3)).toThrow(/size: dim 3 is out of range for a tensor of 3 dimensions; use -3 to 2/);
  });

  it('gives one element by item(), and refuses where there are more or none', () => {
    expect(tensor([[2.5]]).item()).toBe(2.5);
    expect(() => ones([2]).item()).toThrow(/item: only a tensor of one element.*\[2\]/);
    expect(() => zeros([0]).item()).toThrow(/one element/);
  });

  it('gives its elements in row-major order whatever its strides', () => {
    const t = arange(6).view(2, 3).t();
    expect(t.isContiguous).toBe(false);
    expect(t.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect([...t.toTypedArray()]).toEqual([0, 3, 1, 4, 2, 5]);
    expect(t.contiguous().strides).toEqual([2, 1]);
    expect(tensor([true, false]).toArray()).toEqual([true, false]);
  });

  it('iterates over its first dimension by views', () => {
    const t = zeros([2, 2]);
    for (const row of t) row.fill_(1);
    expect(t.toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(() => [...tensor(1)]).toThrow(/scalar/);
  });

  it('only lets floating point tensors require grad, and only leaves stop', () => {
    expect(() => arange(3).requiresGrad_()).toThrow(/only floating point tensors can require grad, this one is int32/);
    const x = ones([2], { requiresGrad: true });
    const y = x.mul(2);
    expect(() => y.requiresGrad_(false)).toThrow(/computed by mul; use detach\(\)/);
    expect(() => {
      x.requiresGrad = 'yes' as never;
    }).toThrow(TypeError);
    expect(x.requiresGrad_(false).requiresGrad).toBe(false);
  });

  it('drops or zeroes its gradient', () => {
    const x = ones([2], { requiresGrad: true });
    x.sum().backward();
    const { grad } = x;
    x.zeroGrad({ setToNull: false });
    expect(x.grad!.toArray()).toEqual([0, 0]);
    expect(x.grad).toBe(grad);
    x.zeroGrad();
    expect(x.grad).toBeNull();
  });
});

describe('printing', () => {
  const text = (t: Tensor) => {
    expect(inspect(t)).toBe(t.toString());
    return t.toString();
  };

  it('is what print() writes on the console', () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    onTestFinished(() => log.mockRestore());
    ones([2]).print();
    expect(log.mock.calls).toEqual([['tensor([1., 1.])']]);
  });

  it('takes tensors of many short dimensions, whose parts are all shown', () => {
    // More elements than a call can have arguments.
    expect(text(ones(Array<number>(17).fill(2))).match(/1\./g)).toHaveLength(2 ** 17);
    expect(text(full(Array<number>(17).fill(2), 0.5)).match(/0\.5000/g)).toHaveLength(2 ** 17);
  });

  it('aligns columns and shows dtype and grad state where they are not the default', () => {
    expect(
      text(
        tensor([
          [1, -2.5],
          [10, 3],
        ]),
      ),
    ).toBe('tensor([[ 1.0000, -2.5000],\n        [10.0000,  3.0000]])');
    expect(text(tensor([1, 2]))).toBe('tensor([1., 2.])');
    expect(text(tensor(3, { dtype: 'int32' }))).toBe('tensor(3, dtype: int32)');
    expect(text(tensor([true, false]))).toBe('tensor([ true, false])');
    const x = ones([1], { requiresGrad: true });
    expect(text(x)).toBe('tensor([1.], requiresGrad: true)');
    expect(text(x.exp())).toBe('tensor([2.7183], gradFn: exp)');
  });

  it('shows NaN and infinities, empty tensors, blocks, and shortens what is long', () => {
    expect(text(tensor([Number.NaN, Number.POSITIVE_INFINITY, -1.5]))).toBe('tensor([    nan,     inf, -1.5000])');
    expect(text(zeros([0]))).toBe('tensor([])');
    expect(text(zeros([0, 3]))).toBe('tensor([], shape: [0, 3])');
    expect(text(zeros([2, 1, 2]))).toBe('tensor([[[0., 0.]],\n\n        [[0., 0.]]])');
    expect(text(arange(2000))).toBe(
      'tensor([   0,    1,    2,  ..., 1997, 1998, 1999], dtype: int32)'.replace('  ...', ' ...'),
    );
    expect(text(tensor([1e-6, 1]))).toBe('tensor([1.0000e-6, 1.0000e+0])');
  });
});

it.each(['data', 'device', 'ndim', 'version', 'gradFn', 'isLeaf', 'isDisposed', 'T', 'mT'])(
  '%s cannot be assigned, which names the way out',
  (name) => {
    const x = tensor([1, 2]) as unknown as Record<string, unknown>;
    expect(() => {
      x[name] = zeros([2]);
    }).toThrow(`${name}: cannot be assigned; use copy_() under noGrad`);
  },
);

describe('views', () => {
  it('share storage and version with what they were taken of', () => {
    const t = zeros([2, 3]);
    const v = t.t().select(0, 1);
    v.fill_(5);
    expect(t.toArray()).toEqual([
      [0, 5, 0],
      [0, 5, 0],
    ]);
    expect([t.version, v.version, t.detach().version]).toEqual([1, 1, 1]);
  });

  it('give what a copy would, for any chain of reshapes, transposes and slices', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('transpose' as const), a: fc.nat(3), b: fc.nat(3) }),
      fc.record({ kind: fc.constant('narrow' as const), a: fc.nat(3), b: fc.nat(5) }),
      fc.record({ kind: fc.constant('flatten' as const), a: fc.nat(3), b: fc.nat(3) }),
      fc.record({ kind: fc.constant('unsqueeze' as const), a: fc.nat(3), b: fc.nat(0) }),
      fc.record({ kind: fc.constant('split' as const), a: fc.nat(3), b: fc.integer({ min: 1, max: 4 }) }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
        fc.array(step, { maxLength: 6 }),
        (shape, steps) => {
          let view = arange(shape.reduce((a, b) => a * b, 1)).view(shape);
          let copy = view.clone();
          for (const { kind, a, b } of steps) {
            const apply = (t: Tensor): Tensor => {
              const n = Math.max(1, t.ndim);
              const i = a % n;
              const j = b % n;
              if (kind === 'unsqueeze') return t.unsqueeze(a % (t.ndim + 1));
              if (t.ndim === 0) return t;
              if (kind === 'transpose') return t.transpose(i, j);
              if (kind === 'flatten') return t.flatten(Math.min(i, j), Math.max(i, j));
              const size = t.shape[i]!;
              if (kind === 'narrow') return t.narrow(i, Math.min(b, size), size - Math.min(b, size));
              return size % b === 0 && size > 0 ? t.unflatten(i, [size / b, b]) : t;
            };
            view = apply(view);
            copy = apply(copy).clone();
            expect(view.shape).toEqual(copy.shape);
          }
          expect(view.toArray()).toEqual(copy.toArray());
        },
      ),
    );
  });

  it('are refused by view() where they need a copy, which reshape() makes', () => {
    const t = arange(6).view(2, 3).t();
    expect(() => t.view(6)).toThrow(/view: \[3, 2\].*without a copy; use reshape\(\)/);
    expect(t.reshape(6).toArray()).toEqual([0, 3, 1, 4, 2, 5]);
    expect(() => t.reshape(4)).toThrow(/reshape: \[3, 2\] has 6 elements and cannot become \[4\]/);
    expect(() => t.reshape(-1, 4)).toThrow(/-1 .* has no whole value/);
  });
});

describe('shape helpers', () => {
  it('name the operator and what it saw', () => {
    expect(() => ones([2, 3]).add(ones([4]))).toThrow(
      /add: shapes \[2, 3\] and \[4\] do not broadcast: dimension -1 is 3 and 4/,
    );
    expect(() => ones([2]).expand([3])).toThrow(/expand: \[2\] does not expand to \[3\]/);
    expect(() => ones([2, 2]).permute(0, 0)).toThrow(/permute/);
    expect(() => ones([2]).narrow(0, 1, 5)).toThrow(/narrow: start 1 and length 5 leave dimension 0 of \[2\]/);
    expect(() => ones([2]).sum(1)).toThrow(/sum: dim 1 is out of range for a tensor of 1 dimensions; use -1 to 0/);
    expect(() => ones([2]).sum('a' as never)).toThrow(/sum: dim must be a number, an array of numbers.*got 'a'/);
    expect(() => core.sum(3 as never)).toThrow(/sum: expected a Tensor, got 3/);
    expect(() => ones([2, 2]).sum([0, -2])).toThrow(/names a dimension twice/);
    expect(() => ones([2, 3]).matmul(ones([2, 3]))).toThrow(/matmul: \[2, 3\] @ \[2, 3\]/);
  });
});

describe('instances', () => {
  it('are Tensors', () => {
    expect(ones([1])).toBeInstanceOf(Tensor);
  });
});
