import { readFileSync } from 'node:fs';
import { eye, grad, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { complex, conj, imag, real, viewAsReal } from '@gradgate/core/complex';
import * as linalg from '@gradgate/core/complex/linalg';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import { describe, expect, it } from 'vitest';
import { expectClose, lossOf, numbers, type Stored, stored } from './golden.js';

interface Golden {
  readonly name: string;
  readonly inputs: Stored[];
  readonly out: Stored;
  readonly grads: Stored[];
}
const file = new URL('../../golden/complex_linalg.json', import.meta.url);
const golden = (JSON.parse(readFileSync(file, 'utf8')) as { cases: Golden[] }).cases;

const mH = (x: Tensor) => conj(x.transpose(-1, -2));
const hermitian = (x: Tensor) => x.add(mH(x));
const positive = (x: Tensor) => x.matmul(mH(x)).add(counted(x.shape.at(-1)!));
/** 1, 2, ... on the diagonal. */
const counted = (n: number) =>
  tensor(
    Array.from({ length: n }, (_, i) => i + 1),
    { dtype: 'float64' },
  ).diag();
const scaled = (vectors: Tensor, values: Tensor) => vectors.mul(values.unsqueeze(-2));

type Fn = (x: Tensor, y: Tensor) => Tensor;
const own: Record<string, Fn> = {
  'slogdet sign': (x) => x.slogdet().sign,
  'slogdet logabsdet': (x) => x.slogdet().logabsdet,
  'solve right': (x, y) => linalg.solve(x, y.transpose(-1, -2), { left: false }),
  'matrixPower 3': (x) => x.matrixPower(3),
  'matrixPower -2': (x) => x.matrixPower(-2),
  cholesky: (x) => linalg.cholesky(positive(x)),
  'cholesky upper': (x) => linalg.cholesky(positive(x), { upper: true }),
  'solveTriangular upper': (x, y) => linalg.solveTriangular(x, y, { upper: true }),
  'solveTriangular lower right unit': (x, y) =>
    linalg.solveTriangular(x, y.transpose(-1, -2), { upper: false, left: false, unitriangular: true }),
  eigvalsh: (x) => linalg.eigvalsh(hermitian(x)),
  'eigh vectors': (x) => linalg.eigh(hermitian(x)).eigenvectors.abs(),
  'eigh of the upper triangle': (x) => linalg.eigvalsh(x.triu(1).add(hermitian(x)), { UPLO: 'U' }),
  'eigh and back': (x) => {
    const { eigenvalues, eigenvectors } = linalg.eigh(hermitian(x));
    return scaled(eigenvectors, eigenvalues.sin()).matmul(mH(eigenvectors));
  },
  eigvals: (x) => linalg.eigvals(x).abs().sort(-1).values,
  'eig vectors': (x) => linalg.eig(x).eigenvectors.abs().sum(-1),
  luFactor: (x) => linalg.luFactor(x).LU,
  luSolve: (x, y) => {
    const { LU, pivots } = linalg.luFactor(x);
    return linalg.luSolve(LU, pivots, y);
  },
  'cond 1': (x) => linalg.matrixNorm(x, 1).mul(linalg.matrixNorm(x.inverse(), 1)),
  choleskySolve: (x, y) => linalg.choleskySolve(y, linalg.cholesky(positive(x))),
  'svd U': (x) => linalg.svd(x, { fullMatrices: false }).U.abs(),
  'svd Vh': (x) => linalg.svd(x, { fullMatrices: false }).Vh.abs(),
  'svd and back': (x) => {
    const { U, S, Vh } = linalg.svd(x, { fullMatrices: false });
    return scaled(U, S.sin()).matmul(Vh);
  },
  'qr Q': (x) => linalg.qr(x).Q,
  'qr R': (x) => linalg.qr(x).R,
  'lu L': (x) => linalg.lu(x).L,
  'lu U': (x) => linalg.lu(x).U,
  lstsq: (x, y) => linalg.lstsq(x, y).solution,
  ...Object.fromEntries(
    (['fro', 'nuc', 1, -1, 2, -2, Number.POSITIVE_INFINITY] as const).map((ord) => [
      `matrixNorm ${ord}`,
      (x: Tensor) => linalg.matrixNorm(x, ord),
    ]),
  ),
};
const functions = { ...linalg, ...own } as unknown as Record<string, Fn>;

describe('values, dtypes and gradients are those of PyTorch', () => {
  it.each(golden.map((c, i) => [`${i} ${c.name}`, c] as const))('%s', (_, { name, inputs, out, grads }) => {
    const leaves = inputs.map((x) => stored(x).requiresGrad_()) as [Tensor, Tensor];
    const y = functions[name]!(...leaves);
    const digits = inputs[0]!.dtype === 'complex64' ? 2e-5 : 1e-9;
    expectClose(y, out, digits);
    lossOf(y).backward();
    for (const [i, x] of leaves.entries()) expectClose(x.grad!, grads[i]!, digits * 10);
  });
});

const z = (...shape: number[]) =>
  complex(randn(shape, { dtype: 'float64' }), randn(shape, { dtype: 'float64' })).detach();
const largest = (x: Tensor) => Math.max(0, ...numbers(x).map(Math.abs));
const unit = (n: number) => eye(n, { dtype: 'complex128' });

describe('what was taken apart is the matrix again, of any shape', () => {
  it.each([[[1, 1]], [[5, 5]], [[7, 3]], [[3, 7]], [[20, 20]], [[2, 0, 3]], [[2, 3, 0]], [[0, 4, 3]], [[2, 3, 4, 4]]])(
    '%j',
    (shape) => {
      const a = z(...shape);
      const [m, n] = shape.slice(-2) as [number, number];
      const { U, S, Vh } = linalg.svd(a);
      const k = Math.min(m, n);
      expect(
        largest(
          scaled(U.narrow(-1, 0, k), S)
            .matmul(Vh.narrow(-2, 0, k))
            .sub(a),
        ),
      ).toBeLessThan(1e-12);
      expect(largest(mH(U).matmul(U).sub(unit(m)))).toBeLessThan(1e-12);
      expect(largest(Vh.matmul(mH(Vh)).sub(unit(n)))).toBeLessThan(1e-12);
      const { Q, R } = linalg.qr(a, { mode: 'complete' });
      expect(largest(Q.matmul(R).sub(a))).toBeLessThan(1e-12);
      expect(largest(mH(Q).matmul(Q).sub(unit(m)))).toBeLessThan(1e-12);
      const { P, L, U: upper } = linalg.lu(a);
      expect(largest(P.matmul(L).matmul(upper).sub(a))).toBeLessThan(1e-12);
      if (m !== n) return;
      const { eigenvalues, eigenvectors } = linalg.eig(a);
      expect(largest(a.matmul(eigenvectors).sub(eigenvectors.mul(eigenvalues.unsqueeze(-2))))).toBeLessThan(1e-10);
      const h = hermitian(a);
      const own = linalg.eigh(h);
      expect(largest(h.matmul(own.eigenvectors).sub(scaled(own.eigenvectors, own.eigenvalues)))).toBeLessThan(1e-11);
      expect(largest(mH(own.eigenvectors).matmul(own.eigenvectors).sub(unit(n)))).toBeLessThan(1e-12);
      expect(largest(a.inverse().matmul(a).sub(unit(n)))).toBeLessThan(1e-10);
    },
  );

  it('equal and zero values, and matrices that have no n vectors', () => {
    const { U, S, Vh } = linalg.svd(zeros([3, 2], { dtype: 'complex128' }));
    expect(numbers(S)).toEqual([0, 0]);
    expect(largest(mH(U).matmul(U).sub(unit(3)))).toBeLessThan(1e-15);
    expect(largest(Vh.matmul(mH(Vh)).sub(unit(2)))).toBeLessThan(1e-15);
    const { eigenvalues, eigenvectors } = linalg.eigh(unit(3));
    expect(numbers(eigenvalues)).toEqual([1, 1, 1]);
    expect(largest(mH(eigenvectors).matmul(eigenvectors).sub(unit(3)))).toBeLessThan(1e-15);
    const jordan = complex(
      tensor(
        [
          [2, 1],
          [0, 2],
        ],
        { dtype: 'float64' },
      ),
      0,
    );
    expect(numbers(linalg.eigvals(jordan))).toEqual([2, 0, 2, 0]);
  });
});

describe('gradients and their gradients', () => {
  const parts = (x: Tensor) => [real(x), imag(x)].map((t) => t.clone().requiresGrad_());
  const asReal = (t: Tensor) => (t.dtype.startsWith('complex') ? viewAsReal(t) : t);
  const check = (fn: (x: Tensor) => Tensor[], x: Tensor) => {
    const ofParts = (re: Tensor, im: Tensor) => fn(complex(re, im)).map(asReal);
    expect(gradcheck(ofParts, parts(x))).toBe(true);
    expect(gradgradcheck(ofParts, parts(x))).toBe(true);
  };
  it.each<[string, (x: Tensor) => Tensor[], number[]]>([
    ['inverse', (x) => [x.inverse()], [3, 3]],
    ['slogdet', (x) => Object.values(x.slogdet()), [3, 3]],
    ['cholesky', (x) => [positive(x).cholesky()], [3, 3]],
    ['svd', (x) => [own['svd and back']!(x, x), linalg.svd(x, { fullMatrices: false }).U.abs()], [3, 2]],
    ['wide svd', (x) => [own['svd and back']!(x, x)], [2, 3]],
    ['qr', (x) => Object.values(linalg.qr(x)), [3, 2]],
    ['wide qr', (x) => Object.values(linalg.qr(x)), [2, 3]],
    ['lu', (x) => [linalg.lu(x).L, linalg.lu(x).U], [3, 3]],
    ['eigh', (x) => [own['eigh and back']!(x, x)], [3, 3]],
    ['eig', (x) => [linalg.eig(x).eigenvalues, linalg.eig(x).eigenvectors.abs()], [3, 3]],
    ['matrixExp', (x) => [linalg.matrixExp(x)], [2, 2]],
    ['pinv', (x) => [linalg.pinv(x)], [3, 2]],
  ])('%s', (_, fn, shape) => check(fn, z(...shape)));

  it('the determinant of a singular matrix, by minors', () => {
    const row = z(1, 3);
    const singular = row.repeat(3, 1).mul(z(3, 1)).detach().requiresGrad_();
    const [g] = grad(viewAsReal(singular.det()).sum(), [singular]) as [Tensor];
    expect(largest(g)).toBeLessThan(1e-12);
    const almost = complex(
      tensor(
        [
          [1, 0],
          [0, 0],
        ],
        { dtype: 'float64' },
      ),
      0,
    ).requiresGrad_();
    const [h] = grad(real(almost.det()), [almost]) as [Tensor];
    expect(numbers(h).map((v) => v + 0)).toEqual([0, 0, 0, 0, 0, 0, 1, 0]);
  });
});

it('all singular vectors of a tall matrix, of one of rank 1 and of zeros are orthonormal', () => {
  const tall = z(20, 3).detach();
  for (const a of [tall, tall.narrow(1, 0, 1).matmul(tall.narrow(0, 0, 1)), tall.mul(0)]) {
    const { U, S, Vh } = linalg.svd(a);
    expect(largest(mH(U).matmul(U).sub(unit(20)))).toBeLessThan(1e-12);
    expect(largest(Vh.matmul(mH(Vh)).sub(unit(3)))).toBeLessThan(1e-12);
    expect(
      largest(
        scaled(U.narrow(1, 0, 3), S)
          .matmul(Vh)
          .sub(a),
      ),
    ).toBeLessThan(1e-12);
  }
});

describe('bad input is refused by name', () => {
  it('singular, not positive definite, and what has no rule for complex numbers', () => {
    expect(() => zeros([2, 2], { dtype: 'complex64' }).inverse()).toThrow(/^inverse: a matrix of \[2, 2\] is singular/);
    expect(() => unit(2).neg().cholesky()).toThrow(/^cholesky: a matrix of \[2, 2\] is not positive definite/);
    expect(() => linalg.ldlFactor(unit(2))).toThrow(/^ldlFactor: takes real tensors, got complex128; use real/);
    expect(() => linalg.solve(unit(2), eye(2))).toThrow(/^solve: both sides must have one dtype/);
    expect(() => linalg.svd(z(3))).toThrow(/^svd: takes matrices, got \[3\]/);
  });

  it('NaN gives NaN', () => {
    const bad = complex(
      tensor([
        [Number.NaN, 0],
        [0, 1],
      ]),
      1,
    );
    expect(numbers(linalg.svdvals(bad))).toEqual([Number.NaN, Number.NaN]);
    expect(numbers(linalg.eigvals(bad)).every(Number.isNaN)).toBe(true);
    expect(numbers(bad.det()).some(Number.isNaN)).toBe(true);
  });
});
