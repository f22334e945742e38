import { eye, manualSeed, randn, type Tensor, tensor } from '@gradgate/core';
import * as linalg from '@gradgate/core/linalg';
import { describe, expect, it } from 'vitest';
import { needGpu } from './gpu.js';

const gpu = await needGpu('decompositions on webgpu');

async function expectClose(got: Tensor, want: Tensor, tolerance = 1e-5): Promise<void> {
  expect(got.shape).toEqual(want.shape);
  expect(got.dtype).toBe(want.dtype);
  const values = await got.data();
  for (const [i, w] of want.toTypedArray().entries())
    if (!(Number.isNaN(w) && Number.isNaN(values[i])) && !(Math.abs(values[i]! - w) <= tolerance))
      expect.fail(`element ${i}: ${values[i]}, expected ${w}`);
}

const diagonalOf = (s: Tensor) => s.unsqueeze(-1).mul(eye(s.shape.at(-1)!, { device: s.device }));

describe.skipIf(!gpu)('on webgpu', () => {
  manualSeed(3);
  const wide = randn([3, 5, 14]);
  const tall = wide.transpose(-1, -2).contiguous();
  const square = randn([2, 12, 12]);

  it.each([
    ['wide', wide, false],
    ['tall', tall, false],
    ['wide, in full', wide, true],
    ['tall, in full', tall, true],
    [
      'of a rank of 1',
      tensor([1, 2, 3])
        .unsqueeze(1)
        .mul(tensor([1, -1])),
      true,
    ],
    [
      'of zeros',
      tensor([
        [0, 0],
        [0, 0],
        [0, 0],
      ]),
      true,
    ],
  ] as const)('svd gives orthonormal vectors and the values of the host: %s', async (_, a, fullMatrices) => {
    const { U, S, Vh } = linalg.svd(a.to(gpu!), { fullMatrices });
    const k = S.shape.at(-1)!;
    await expectClose(S, linalg.svdvals(a));
    await expectClose(
      U.narrow(-1, 0, k)
        .matmul(diagonalOf(S))
        .matmul(Vh.narrow(-2, 0, k)),
      a,
    );
    const one = (x: Tensor) => eye(x.shape.at(-1)!).expand([...x.shape]);
    const [uu, vv] = [U.transpose(-1, -2).matmul(U), Vh.matmul(Vh.transpose(-1, -2))];
    await expectClose(uu, one(uu));
    await expectClose(vv, one(vv));
  });

  it('eigh gives the values of the host in rising order, and their vectors', async () => {
    const a = square.add(square.transpose(-1, -2));
    const { eigenvalues, eigenvectors: v } = linalg.eigh(a.to(gpu!));
    const tolerance = 1e-5 * a.abs().amax().item();
    await expectClose(eigenvalues, linalg.eigvalsh(a), tolerance);
    await expectClose(v.matmul(diagonalOf(eigenvalues)).matmul(v.transpose(-1, -2)), a, tolerance);
  });

  it.each([
    ['reduced', tall],
    ['complete', tall],
    ['reduced', wide],
  ] as const)('qr, %s', async (mode, a) => {
    const [want, got] = [linalg.qr(a, { mode }), linalg.qr(a.to(gpu!), { mode })];
    await expectClose(got.Q, want.Q);
    await expectClose(got.R, want.R);
  });

  it('lu and its exchanges of rows are those of the host', async () => {
    for (const a of [wide, tall, square]) {
      const [want, got] = [linalg.lu(a), linalg.lu(a.to(gpu!))];
      await expectClose(got.P, want.P, 0);
      await expectClose(got.L, want.L);
      await expectClose(got.U, want.U);
      await expectClose(linalg.luFactor(a.to(gpu!)).pivots, linalg.luFactor(a).pivots, 0);
    }
  });

  it('ldlFactor exchanges the rows that the host does, in blocks of one and of two, and ldlSolve solves by its factors', async () => {
    const near0 = square.mul(eye(12).neg().add(1));
    for (const a of [square, near0, near0.narrow(1, 0, 5).narrow(2, 0, 5)]) {
      const symmetric = a.add(a.transpose(-1, -2));
      const want = linalg.ldlFactor(symmetric);
      const got = linalg.ldlFactor(symmetric.to(gpu!));
      await expectClose(got.pivots, want.pivots, 0);
      await expectClose(got.LD, want.LD, 1e-4);
      const b = randn([2, symmetric.shape[1]!, 3]);
      const x = linalg.ldlSolve(got.LD, got.pivots, b.to(gpu!));
      await expectClose(symmetric.to(gpu!).matmul(x), b, 1e-4);
    }
    const { pivots } = linalg.ldlFactor(near0.add(near0.transpose(-1, -2)));
    expect(pivots.amin().item()).toBeLessThan(0);
  });

  it('matrixExp of what has to be halved often', async () => {
    const a = square.mul(0.5);
    const want = linalg.matrixExp(a);
    await expectClose(linalg.matrixExp(a.to(gpu!)), want, 1e-5 * want.abs().amax().item());
  });

  it('what reads strides, of half types, of no element, and of what is not finite', async () => {
    const turned = tall.transpose(-1, -2);
    await expectClose(linalg.qr(turned.to(gpu!)).R, linalg.qr(turned).R);
    const half = square.to('float16');
    await expectClose(linalg.qr(half.to(gpu!)).R, linalg.qr(half).R, 4e-3);
    expect(linalg.svdvals(randn([2, 0, 3], { device: gpu! })).shape).toEqual([2, 0]);
    expect(linalg.qr(randn([0, 4, 3], { device: gpu! })).Q.shape).toEqual([0, 4, 3]);
    const broken = square.clone();
    broken.select(0, 1).select(0, 2).fill_(Number.NaN);
    for (const of of [linalg.svdvals, linalg.eigvalsh, linalg.matrixExp, (x: Tensor) => linalg.qr(x).R]) {
      const rows = await of(broken.to(gpu!)).data();
      expect(rows.every((v, i) => Number.isNaN(v) === i >= rows.length / 2)).toBe(true);
    }
  });

  it('eigenvalues of what is not symmetric are refused by name', () => {
    expect(() => linalg.eig(square.to(gpu!))).toThrow(/^eig: is not available on webgpu/);
  });
});
