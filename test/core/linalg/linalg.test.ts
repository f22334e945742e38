import { cat, eye, manualSeed, noGrad, ones, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { gradcheck } from '@gradgate/core/gradcheck';
import * as linalg from '@gradgate/core/linalg';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectRefusal } from '../refusals.js';

const f64 = { dtype: 'float64' } as const;
const apart = (a: Tensor, b: Tensor): number => a.sub(b).abs().amax().item();
const T = (x: Tensor) => x.transpose(-1, -2);

beforeEach(() => void manualSeed(3));

describe('decompositions put together give the matrix', () => {
  const special: [string, Tensor][] = [
    ['random', randn([2, 40, 40], f64)],
    ['of rank 2', randn([30, 2], f64).matmul(randn([2, 30], f64))],
    ['of zeros', zeros([5, 5], f64)],
    ['the unit', eye(6, f64)],
    ['of one element', tensor([[-3]], f64)],
    [
      'of wide range',
      randn([12, 12], f64).mul(
        tensor(
          Array.from({ length: 12 }, (_, i) => 10 ** -i),
          f64,
        ),
      ),
    ],
    ['huge', randn([5, 5], f64).mul(1e200)],
    ['tiny', randn([5, 5], f64).mul(1e-200)],
    [
      'with a repeated value that has one vector',
      tensor(
        [
          [2, 1, 0],
          [0, 2, 1],
          [0, 0, 2],
        ],
        f64,
      ),
    ],
  ];
  it.each(special)('%s', (_, a) => {
    const size = Math.max(a.abs().amax().item(), 1e-300);
    const near = (x: Tensor, y: Tensor, digits = 1e-12) => expect(apart(x.div(size), y.div(size))).toBeLessThan(digits);
    const orthonormal = (q: Tensor) =>
      expect(apart(T(q).matmul(q), eye(q.shape.at(-1)!, f64).expand(T(q).matmul(q).shape))).toBeLessThan(1e-12);
    const { U, S, Vh } = linalg.svd(a);
    near(U.mul(S.unsqueeze(-2)).matmul(Vh), a);
    orthonormal(U);
    orthonormal(T(Vh));
    expect(S.toTypedArray().every((v) => v >= 0)).toBe(true);
    const { Q, R } = linalg.qr(a);
    near(Q.matmul(R), a);
    orthonormal(Q);
    const { P, L, U: upper } = linalg.lu(a);
    near(P.matmul(L).matmul(upper), a);
    const symmetric = a.add(T(a));
    const { eigenvalues, eigenvectors } = linalg.eigh(symmetric);
    near(eigenvectors.mul(eigenvalues.unsqueeze(-2)).matmul(T(eigenvectors)), symmetric);
    orthonormal(eigenvectors);
    const { eigenvalues: l, eigenvectors: v } = linalg.eig(a);
    expect([l.dtype, v.dtype]).toEqual(['complex128', 'complex128']);
    const [left, right] = [a.cdouble().matmul(v), v.mul(l.unsqueeze(-2))];
    near(left.real(), right.real());
    near(left.imag(), right.imag());
  });

  it.each([
    ['one of rank 1', randn([60, 1], f64).matmul(randn([1, 4], f64))],
    ['one of zeros', zeros([60, 4], f64)],
    ['one that is wide', randn([4, 60], f64)],
  ] as [string, Tensor][])('all vectors of %s are orthonormal', (_, a) => {
    const { U, S, Vh } = linalg.svd(a);
    const [m, n] = a.shape as [number, number];
    for (const [q, size] of [
      [U, m],
      [T(Vh), n],
    ] as const)
      expect(apart(T(q).matmul(q), eye(size, f64))).toBeLessThan(1e-12);
    const k = Math.min(m, n);
    expect(
      apart(
        U.narrow(1, 0, k)
          .mul(S)
          .matmul(Vh.narrow(0, 0, k)),
        a,
      ),
    ).toBeLessThan(1e-12);
  });

  it('tall and wide, whole and reduced', () => {
    for (const shape of [
      [7, 3],
      [3, 7],
      [4, 1],
      [1, 4],
    ]) {
      const a = randn(shape, f64);
      const [m, n] = shape as [number, number];
      const { U, S, Vh } = linalg.svd(a);
      expect([U.shape, S.shape, Vh.shape]).toEqual([[m, m], [Math.min(m, n)], [n, n]]);
      expect(apart(U.matmul(T(U)), eye(m, f64))).toBeLessThan(1e-14);
      expect(apart(Vh.matmul(T(Vh)), eye(n, f64))).toBeLessThan(1e-14);
      const whole = linalg.qr(a, { mode: 'complete' });
      expect([whole.Q.shape, whole.R.shape]).toEqual([
        [m, m],
        [m, n],
      ]);
      expect(apart(whole.Q.matmul(whole.R), a)).toBeLessThan(1e-14);
    }
  });

  it('of no element', () => {
    for (const shape of [
      [0, 0],
      [3, 0],
      [0, 3],
      [0, 2, 2],
    ]) {
      const a = zeros(shape);
      expect(linalg.svd(a, { fullMatrices: false }).S.shape).toEqual([
        ...shape.slice(0, -2),
        Math.min(...shape.slice(-2)),
      ]);
      expect(linalg.qr(a).R.shape.at(-1)).toBe(shape.at(-1));
      expect(linalg.pinv(a).shape).toEqual([...shape.slice(0, -2), shape.at(-1), shape.at(-2)]);
      expect(linalg.matrixRank(a).shape).toEqual(shape.slice(0, -2));
    }
    expect(linalg.eigh(zeros([0, 0])).eigenvalues.shape).toEqual([0]);
  });
});

describe('gradients where values repeat', () => {
  const twice = (values: number[]) => {
    const { Q } = linalg.qr(randn([values.length, values.length], f64));
    return Q.mul(tensor(values, f64)).matmul(T(Q)).requiresGrad_();
  };

  it('of the space that vectors of equal values span, and of their sums, are those of finite differences', () => {
    const a = twice([2, 2, 5, 7]);
    const space = (x: Tensor) => {
      const v = linalg.eigh(x.add(T(x)).mul(0.5)).eigenvectors.narrow(-1, 0, 2);
      return v.matmul(T(v));
    };
    expect(gradcheck(space, [a])).toBe(true);
    expect(
      gradcheck(
        (x: Tensor) =>
          linalg
            .eigvalsh(x.add(T(x)))
            .narrow(0, 0, 2)
            .exp()
            .sum(),
        [a],
      ),
    ).toBe(true);
    const diagonal = tensor(
      [
        [2, 0, 0],
        [0, 2, 0],
        [0, 0, 5],
      ],
      f64,
    ).requiresGrad_();
    expect(gradcheck((x: Tensor) => space(x), [diagonal])).toBe(true);
  });

  it('of the turn that is next to a matrix, and of the sum of singular values, are those of finite differences', () => {
    const turn = (x: Tensor) => {
      const { U, Vh } = linalg.svd(x, { fullMatrices: false });
      return U.matmul(Vh);
    };
    for (const x of [eye(3, f64).mul(3).requiresGrad_(), twice([4, 4, 1])]) {
      expect(gradcheck(turn, [x])).toBe(true);
      expect(gradcheck((t: Tensor) => linalg.matrixNorm(t, 'nuc'), [x])).toBe(true);
    }
  });

  it('are refused for what has none', () => {
    const a = randn([4, 2], { ...f64, requiresGrad: true });
    expect(() => linalg.qr(a, { mode: 'complete' }).R.sum().backward()).toThrow(
      /qr: mode 'complete' of \[4, 2\] has no gradient/,
    );
    expect(() => linalg.qr(a, { mode: 'r' }).R.sum().backward()).toThrow(/mode: 'reduced'/);
    linalg.svd(a).U.sum().backward();
    expect(a.grad!.shape).toEqual([4, 2]);
  });
});

describe('dtypes', () => {
  it.each(['float32', 'float16', 'bfloat16'] as const)('%s is computed in float64, and given back in it', (dtype) => {
    const a = randn([3, 3], f64).to(dtype);
    const all = [
      ...Object.values(linalg.svd(a)),
      ...Object.values(linalg.qr(a)),
      ...Object.values(linalg.eigh(a)),
      ...Object.values(linalg.lu(a)),
      linalg.matrixExp(a),
      linalg.pinv(a),
      linalg.luFactor(a).LU,
      linalg.lstsq(a, a).solution,
      linalg.norm(a, 'nuc'),
      linalg.cond(a),
    ];
    for (const t of all) expect(t.dtype).toBe(dtype);
    expect(linalg.matrixRank(a).dtype).toBe('int64');
    // There are no complex numbers of half types.
    expect(linalg.eigvals(a).dtype).toBe('complex64');
    expect(apart(linalg.svdvals(a).to('float64'), linalg.svdvals(a.to('float64')))).toBeLessThan(0.05);
  });
});

it('what is not finite gives NaN, and ends', () => {
  const a = cat([tensor([[Number.NaN, Number.POSITIVE_INFINITY]], f64), ones([1, 2], f64)]);
  for (const t of [
    linalg.svdvals(a),
    linalg.eigh(a).eigenvectors,
    linalg.eigvals(a).real(),
    linalg.qr(a).Q,
    linalg.luFactor(a).LU,
  ])
    expect(t.toTypedArray().every(Number.isNaN)).toBe(true);
});

it('solutions and ranks of singular matrices', () => {
  const a = tensor(
    [
      [1, 2],
      [2, 4],
    ],
    f64,
  );
  expect(linalg.matrixRank(a).item()).toBe(1);
  expect(
    apart(
      linalg.pinv(a),
      tensor(
        [
          [0.04, 0.08],
          [0.08, 0.16],
        ],
        f64,
      ),
    ),
  ).toBeLessThan(1e-14);
  expect(linalg.lstsq(a, tensor([1, 2], f64)).rank.item()).toBe(1);
  expect(linalg.cond(a, 1).item()).toBe(Number.POSITIVE_INFINITY);
  expect(linalg.solveTriangular(zeros([1, 1]), ones([1, 1]), { upper: true }).item()).toBe(Number.POSITIVE_INFINITY);
  expect(linalg.logdet(a.mul(0)).item()).toBe(Number.NEGATIVE_INFINITY);
});

it('nothing is recorded under noGrad, and batches are as their matrices', () => {
  const a = randn([2, 3, 4, 4], { ...f64, requiresGrad: true });
  expect(noGrad.run(() => linalg.svd(a).S.requiresGrad)).toBe(false);
  const all = linalg.eigvalsh(a.add(T(a)));
  expect(all.shape).toEqual([2, 3, 4]);
  expect(apart(all.at(1, 2), linalg.eigvalsh(a.at(1, 2).add(T(a.at(1, 2)))))).toBe(0);
});

it('ldlFactor and ldlSolve solve with matrices that are symmetric alone, and refuse gradients that they lack', () => {
  const a = randn([30, 30], f64)
    .triu()
    .add(randn([30, 30], f64).triu(1))
    .requiresGrad_();
  const symmetric = a.add(T(a));
  const { LD, pivots } = linalg.ldlFactor(symmetric);
  const b = randn([30, 4], f64);
  expect(pivots.toTypedArray().some((v) => v < 0)).toBe(true);
  expect(apart(symmetric.matmul(linalg.ldlSolve(LD, pivots, b)), b)).toBeLessThan(1e-10);
  expect(() => LD.sum().backward()).toThrow(/^ldlFactor: has no gradient; use detach\(\) on its input, or solve/);
  const x = linalg.ldlSolve(LD, pivots, b);
  expect(() => x.sum().backward()).toThrow(/^ldlSolve: has no gradient to the factors/);
  const nan = linalg.ldlFactor(
    tensor([
      [1, NaN],
      [NaN, 1],
    ]),
  );
  expect(nan.LD.isnan().all().item()).toBe(1);
});

describe('what is wrong is refused by name', () => {
  const a = randn([3, 3]);
  const tall = randn([4, 3]);
  const wrong: Record<string, () => unknown> = {
    'svd of a vector': () => linalg.svd(ones([3])),
    'svd with an unknown option': () => linalg.svd(a, { full: true } as never),
    'svd of integers': () => linalg.svd(ones([2, 2]).int()),
    'eigh of tall matrices': () => linalg.eigh(tall),
    'eigh of another triangle': () => linalg.eigh(a, { UPLO: 'X' as never }),
    'eig of no tensor': () => linalg.eig([[1]] as never),
    'eigvals of tall matrices': () => linalg.eigvals(tall),
    'qr of another mode': () => linalg.qr(a, { mode: 'raw' as never }),
    'lu of a scalar': () => linalg.lu(tensor(1)),
    'luFactor of nothing': () => linalg.luFactor(undefined as never),
    'ldlFactor of nothing': () => linalg.ldlFactor(undefined as never),
    'ldlSolve of another batch': () => linalg.ldlSolve(a, ones([2]).int(), a),
    'ldlSolve of pivots that are none': () => linalg.ldlSolve(a, tensor([1, -9, 2]).int(), a),
    'ldlSolve of pivots that are 0': () => linalg.ldlSolve(a, tensor([1, 0, 2]).int(), a),
    'ldlSolve of a block of two rows whose other row is missing': () => linalg.ldlSolve(a, tensor([1, 2, -3]).int(), a),
    'luSolve of other sizes': () => linalg.luSolve(a, ones([2]).int(), a),
    'luSolve of pivots that are none': () => linalg.luSolve(a, tensor([1, 2, 9]).int(), a),
    'luSolve of float pivots': () => linalg.luSolve(a, ones([3]), a),
    'solveTriangular without a triangle': () => linalg.solveTriangular(a, a, {} as never),
    'solveTriangular of other sizes': () => linalg.solveTriangular(a, tall, { upper: true }),
    'solveTriangular of two dtypes': () => linalg.solveTriangular(a, a.to('float64'), { upper: true }),
    'choleskySolve of other sizes': () => linalg.choleskySolve(tall, a),
    'choleskyInverse of tall matrices': () => linalg.choleskyInverse(tall),
    'pinv with a wrong tolerance': () => linalg.pinv(a, { rtol: -1 }),
    'pinv of tall matrices as symmetric ones': () => linalg.pinv(tall, { hermitian: true }),
    'matrixRank of a vector': () => linalg.matrixRank(ones([2])),
    'lstsq of other sizes': () => linalg.lstsq(tall, a),
    'lstsq of two dtypes': () => linalg.lstsq(a, a.to('float64')),
    'lstsq of a vector and a batch': () => linalg.lstsq(randn([2, 3, 3]), ones([3])),
    'householderProduct of wide matrices': () => linalg.householderProduct(randn([2, 3]), ones([1])),
    'matrixExp of tall matrices': () => linalg.matrixExp(tall),
    'multiDot of one': () => linalg.multiDot([a]),
    'multiDot of no array': () => linalg.multiDot(a as never),
    'multiDot of what does not fit': () => linalg.multiDot([a, tall]),
    'multiDot of a vector between': () => linalg.multiDot([a, ones([3]), a]),
    'vander of a scalar': () => linalg.vander(tensor(2)),
    'vander of no power': () => linalg.vander(ones([2]), { N: 0 }),
    'vander of more powers than can be held': () => linalg.vander(ones([2]), { N: 2 ** 40 }),
    'vecdot of another dimension': () => linalg.vecdot(a, a, { dim: 5 }),
    'tensorinv of other sizes': () => linalg.tensorinv(tall, { ind: 1 }),
    'tensorinv over more than there is': () => linalg.tensorinv(a, { ind: 5 }),
    'tensorsolve of other sizes': () => linalg.tensorsolve(tall, ones([4])),
    'matrixNorm of another ord': () => linalg.matrixNorm(a, 3),
    'matrixNorm over one dimension': () => linalg.matrixNorm(a, 1, { dim: [1, 1] }),
    'norm of three dimensions by a name': () => linalg.norm(ones([2, 2, 2]), 'fro'),
    'vectorNorm by a name': () => linalg.vectorNorm(a, 'fro' as never),
    'cond of tall matrices by a norm': () => linalg.cond(tall, 1),
    'solve from the right of other sizes': () => linalg.solve(a, tall.mT, { left: false }),
    'solve from the right of a vector': () => linalg.solve(a, ones([3]), { left: false }),
    'solve with an unknown option': () => linalg.solve(a, a, { right: true } as never),
    'cholesky with an unknown option': () => linalg.cholesky(a, { lower: true } as never),
    'cholesky of a vector': () => linalg.cholesky(ones([3]), { upper: true }),
    'logdet of a vector': () => linalg.logdet(ones([2])),
  };
  it.each(Object.entries(wrong))('%s', (what, call) => expectRefusal(call, what.split(' ')[0]!, what));
});
