import { cpu } from '../../backend/cpu.js';
import { elementsOf } from '../../backend/host/data.js';
import { HostStorage } from '../../backend/host/storage.js';
import type { Kernels, MatrixRule, View } from '../../backend/kernels.js';
import { contiguousStrides } from '../../memory/shape.js';
import { own, refuse } from '../kernels.js';
import { isComplexView, pairsOf } from '../storage.js';
import { cholesky } from './cholesky.js';
import { eig } from './eig.js';
import { eigh } from './eigh.js';
import { matrixExp } from './exp.js';
import { factorize, lu, permutation, solveFactorized, solveTriangular } from './lu.js';
import { qr } from './qr.js';
import { svd } from './svd.js';

// Kernels of complex matrices on the host. Loops get and give real and imaginary parts in turn, in float64.

/** The loops for complex matrices, by the names of the rules for real ones. */
const loops: Readonly<Record<string, MatrixRule['loop']>> = {
  lu,
  permutation,
  solveTriangular,
  qr,
  svd,
  eigh,
  eig,
  matrixExp,
};

/** The elements of a batch of matrices as rows of a real one. */
function rowsOf(x: View, count: number): View {
  const view = isComplexView(x) ? pairsOf(x) : x;
  const storage = HostStorage.of(elementsOf(view), view.dtype);
  const { dtype, numel } = view;
  const shape = [count, 1, numel / Math.max(1, count)];
  return { storage, dtype, shape, numel, strides: contiguousStrides(shape), offset: 0, isContiguous: true };
}

const countOf = ({ shape }: View): number => shape.slice(0, -2).reduce((a, b) => a * b, 1);
const partsOf = (x: View): View => (isComplexView(x) ? pairsOf(x) : x);

/** Runs a loop for each of a batch of matrices. */
function each(
  loop: MatrixRule['loop'],
  inputs: readonly View[],
  outs: readonly View[],
  numbers: readonly number[],
): void {
  const count = countOf(inputs[0]!);
  cpu.kernels.matrices(
    { name: 'complex', loop },
    inputs.map((x) => rowsOf(x, count)),
    outs.map(partsOf),
    numbers,
  );
}

const sizeOf = ({ shape }: View): number => shape.at(-1)!;

/** The product of the diagonal of factorized matrices, each divided by its size and with the sum of the logarithms of these. */
const signAndLogarithm: MatrixRule['loop'] = ([a], [sign, logarithm], [n]) => {
  const { swaps } = factorize(a!, n!, n!);
  let [re, im, sum] = [swaps % 2 === 0 ? 1 : -1, 0, 0];
  for (let i = 0; i < n!; i++) {
    const [x, y] = [a![2 * (i * n! + i)]!, a![2 * (i * n! + i) + 1]!];
    const size = Math.hypot(x, y);
    sum += Math.log(size);
    const [c, s] = size === 0 ? [0, 0] : [x / size, y / size];
    [re, im] = [re * c - im * s, re * s + im * c];
  }
  sign!.set([re, im]);
  logarithm![0] = sum;
};

const determinant: MatrixRule['loop'] = ([a], [out], [n]) => {
  const { swaps } = factorize(a!, n!, n!);
  let [re, im] = [swaps % 2 === 0 ? 1 : -1, 0];
  for (let i = 0; i < n!; i++) {
    const [x, y] = [a![2 * (i * n! + i)]!, a![2 * (i * n! + i) + 1]!];
    [re, im] = [re * x - im * y, re * y + im * x];
  }
  out!.set([re, im]);
};

const matrices: Pick<Kernels, 'solve' | 'det' | 'slogdet' | 'cholesky' | 'matrices'> = {
  matrices(rule, inputs, outs, numbers) {
    const complex = inputs.find(isComplexView);
    if (complex !== undefined) each(loops[rule.name] ?? refuse(rule.name, complex), inputs, outs, numbers);
    else cpu.kernels.matrices(rule, inputs, outs, numbers);
  },
  solve(a, b, out, singular) {
    const loop: MatrixRule['loop'] = ([a, b], [x], [n, k]) => {
      const { swaps: _, ...factors } = factorize(a!, n!, n!);
      if (factors.isSingular) throw singular();
      solveFactorized(a!, factors.pivots, b!, x!, n!, k!);
    };
    each(loop, [a, b], [out], [sizeOf(a), sizeOf(b)]);
  },
  det: (a, out) => each(determinant, [a], [out], [sizeOf(a)]),
  slogdet: (a, sign, logabsdet) => each(signAndLogarithm, [a], [sign, logabsdet], [sizeOf(a)]),
  cholesky: (a, out, refused) => each(([a], [l], [n]) => cholesky(a!, l!, n!, refused), [a], [out], [sizeOf(a)]),
};

Object.assign(own, matrices);
