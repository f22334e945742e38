import '../complex/elements.js';
import { checkOptions } from '../check.js';
import { complex, imag, real } from '../complex/parts.js';
import { recordMany } from '../graph/node.js';
import { type DType, isComplex } from '../memory/dtype.js';
import { inFloat32 } from '../ops/casting.js';
import { checkSquare } from '../ops/checkMatrix.js';
import { conjugate } from '../ops/define.js';
import { diagEmbed, diagonal, tril, triu } from '../ops/diagonal.js';
import { add, mul, neg, sub } from '../ops/elementwise.js';
import { cat, narrow } from '../ops/joining.js';
import { mH, solve } from '../ops/linalg.js';
import { matmul } from '../ops/matmul.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { decompose, overDifferences, skew, symmetrized, timesDiagonal } from './decompose.js';
import { eig as eigRule } from './rules/eig.js';
import { eigh as eighRule } from './rules/eigh.js';

/** Options of `eigh` and `eigvalsh`. */
export interface EighOptions {
  /** Which triangle is read: the lower one by default. */
  UPLO?: 'L' | 'U';
}

const eighOptions = { UPLO: is.oneOf('L', 'U') };

/** The symmetric matrix that the given triangle stands for. */
function symmetricOf(a: Tensor, uplo: 'L' | 'U'): Tensor {
  const half = uplo === 'L' ? tril(a, -1) : triu(a, 1);
  return add(add(half, mH(half)), diagEmbed(diagonal(a, 0, -2, -1)));
}

/**
 * Eigenvalues `[..., n]` in ascending order and eigenvectors (the columns of `[..., n, n]`) of symmetric matrices
 * `[..., n, n]`: `A = V diag(L) Vᵀ`. Vectors are unique up to their signs, and those of equal values up to a rotation.
 * The gradient leaves that freedom out: it is right for functions of the space that the vectors span, and it is
 * symmetric. All results for a matrix that is not finite are NaN.
 *
 * ```ts
 * eigh(tensor([[2, 0], [0, 1]])).eigenvalues; // [1, 2]
 * ```
 */
export const eigh = /* @__PURE__ */ inFloat32(
  'eigh',
  (a: Tensor, options?: EighOptions): { eigenvalues: Tensor; eigenvectors: Tensor } => {
    const { UPLO = 'L' } = checkOptions('eigh', options, eighOptions);
    const n = checkSquare('eigh', a);
    const symmetric = symmetricOf(a.detach(), UPLO);
    const [values, vectors] = decompose('eigh', eighRule, [symmetric], [[n], [n, n]], [n]) as [Tensor, Tensor];
    recordMany(
      'eigh',
      [a],
      [values, vectors],
      ([gl, gv], ctx) => {
        const [l, v] = ctx.saved as [Tensor, Tensor];
        let inner = gl ? timesDiagonal(v, gl) : null;
        if (gv) {
          const turn = matmul(v, mul(overDifferences(skew(matmul(mH(v), gv)), l), 0.5));
          inner = inner === null ? turn : add(inner, turn);
        }
        return [symmetrized(matmul(inner!, mH(v)))];
      },
      [values, vectors],
    );
    return { eigenvalues: values, eigenvectors: vectors };
  },
);

/**
 * The eigenvalues `[..., n]` of symmetric matrices `[..., n, n]` in ascending order.
 *
 * ```ts
 * eigvalsh(tensor([[0, 1], [1, 0]])); // [-1, 1]
 * ```
 */
export const eigvalsh = /* @__PURE__ */ inFloat32('eigvalsh', (a: Tensor, options?: EighOptions): Tensor => {
  checkOptions('eigvalsh', options, eighOptions);
  checkSquare('eigvalsh', a);
  return eigh(a, options).eigenvalues;
});

/** The X of `A X = B` of complex matrices, or its real part, by real equations of twice the size. */
function solution(a: Tensor, b: Tensor, n: number, dtype: DType): Tensor {
  const [re, im] = [real(a), imag(a)];
  const left = cat([cat([re, neg(im)], -1), cat([im, re], -1)], -2);
  const both = solve(left, cat([real(b), imag(b)], -2));
  const top = narrow(both, -2, 0, n);
  return isComplex(dtype) ? complex(top, narrow(both, -2, n, n)) : top;
}

/**
 * Eigenvalues and eigenvectors of any square matrices `[..., n, n]`, as complex tensors: values `[..., n]`, and
 * vectors of length 1, the columns of `[..., n, n]`. In a pair of complex values the one
 * above the real line comes first. The gradient of the vectors is right for functions that do not depend on their
 * phases. Matrices without n independent vectors have no gradient. All results for a matrix that is not finite are NaN.
 *
 * ```ts
 * const { eigenvalues } = eig(tensor([[0, -1], [1, 0]]));
 * eigenvalues.imag(); // [1, -1]
 * ```
 */
export const eig = /* @__PURE__ */ inFloat32('eig', (a: Tensor): { eigenvalues: Tensor; eigenvectors: Tensor } => {
  const n = checkSquare('eig', a);
  const square = [n, n];
  const outs = decompose('eig', eigRule, [a], [[n], [n], square, square], [n]) as [Tensor, Tensor, Tensor, Tensor];
  const [eigenvalues, eigenvectors] = [complex(outs[0], outs[1]), complex(outs[2], outs[3])];
  recordMany(
    'eig',
    [a],
    [eigenvalues, eigenvectors],
    ([gl, gv], ctx) => {
      const [l, v] = ctx.saved as [Tensor, Tensor];
      const vh = mH(v);
      const terms: Tensor[] = [];
      if (gl) terms.push(diagEmbed(gl));
      if (gv) {
        const turn = matmul(vh, gv);
        // Leaves out what only changes the length of a vector.
        const rest = sub(turn, timesDiagonal(matmul(vh, v), real(diagonal(turn, 0, -2, -1))));
        terms.push(overDifferences(rest, conjugate(l)));
      }
      return [solution(vh, matmul(terms.reduce(add), vh), n, a.dtype)];
    },
    [eigenvalues, eigenvectors],
  );
  return { eigenvalues, eigenvectors };
});

/**
 * The eigenvalues of any square matrices `[..., n, n]`, as `eig` gives them.
 *
 * ```ts
 * eigvals(tensor([[2, 1], [0, 3]])).real(); // [2, 3]
 * ```
 */
export const eigvals = /* @__PURE__ */ inFloat32('eigvals', (a: Tensor): Tensor => {
  checkSquare('eigvals', a);
  return eig(a).eigenvalues;
});
