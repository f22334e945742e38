import '../complex/elements.js';
import { checkOptions } from '../check.js';
import { complex } from '../complex/parts.js';
import { recordMany } from '../graph/node.js';
import { inFloat32 } from '../ops/casting.js';
import { checkSquare } from '../ops/checkMatrix.js';
import { diagEmbed, diagonal, tril, triu } from '../ops/diagonal.js';
import { add, div, mul, neg, sub } from '../ops/elementwise.js';
import { square } from '../ops/exponential.js';
import { cat, narrow } from '../ops/joining.js';
import { solve } from '../ops/linalg.js';
import { matmul } from '../ops/matmul.js';
import { eq } from '../ops/relational.js';
import { unsqueeze } from '../ops/shape.js';
import { where } from '../ops/where.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { decompose, mT, overDifferences, skew, symmetrized } from './decompose.js';
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
  return add(add(half, mT(half)), diagEmbed(diagonal(a, 0, -2, -1)));
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
        let inner = gl ? diagEmbed(gl) : null;
        if (gv) {
          const turn = mul(overDifferences(skew(matmul(mT(v), gv)), l), 0.5);
          inner = inner === null ? turn : add(inner, turn);
        }
        return [symmetrized(matmul(matmul(v, inner!), mT(v)))];
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

/** A complex tensor as its two parts: rules compute with these. */
interface ComplexParts {
  real: Tensor;
  imag: Tensor;
}

/** `xᴴ y`, and `x y`, of complex matrices. */
const adjointTimes = (x: ComplexParts, y: ComplexParts): ComplexParts => times(adjoint(x), y);
const adjoint = ({ real, imag }: ComplexParts): ComplexParts => ({ real: mT(real), imag: neg(mT(imag)) });
const times = (x: ComplexParts, y: ComplexParts): ComplexParts => ({
  real: sub(matmul(x.real, y.real), matmul(x.imag, y.imag)),
  imag: add(matmul(x.real, y.imag), matmul(x.imag, y.real)),
});

/** The real part of the X of `A X = B`, by real equations of twice the size. */
function realSolution(a: ComplexParts, b: ComplexParts, n: number): Tensor {
  const left = cat([cat([a.real, neg(a.imag)], -1), cat([a.imag, a.real], -1)], -2);
  return narrow(solve(left, cat([b.real, b.imag], -2)), -2, 0, n);
}

/** `x[i][j] / conj(l[j] - l[i])`, and 0 where these are equal, as on the diagonal. */
function overConjugates({ real, imag }: ComplexParts, l: ComplexParts): ComplexParts {
  const c = sub(unsqueeze(l.real, -2), unsqueeze(l.real, -1));
  const d = sub(unsqueeze(l.imag, -1), unsqueeze(l.imag, -2));
  const size = add(square(c), square(d));
  const none = eq(size, 0);
  const over = (x: Tensor) => where(none, 0, div(x, where(none, 1, size)));
  return { real: over(add(mul(real, c), mul(imag, d))), imag: over(sub(mul(imag, c), mul(real, d))) };
}

/**
 * Eigenvalues and eigenvectors of any real square matrices `[..., n, n]`, as complex tensors: values `[..., n]`, and
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
  recordMany(
    'eig',
    [a],
    outs,
    ([glr, gli, gvr, gvi], ctx) => {
      const [lr, li, vr, vi] = ctx.saved as [Tensor, Tensor, Tensor, Tensor];
      const v = { real: vr, imag: vi };
      let inner: ComplexParts | null = null;
      if (gvr || gvi) {
        const gv = { real: gvr ?? mul(gvi!, 0), imag: gvi ?? mul(gvr!, 0) };
        const turn = adjointTimes(v, gv);
        // Leaves out what only changes the length of a vector.
        const lengths = unsqueeze(diagonal(turn.real, 0, -2, -1), -2);
        const along = adjointTimes(v, { real: mul(vr, lengths), imag: mul(vi, lengths) });
        const rest = { real: sub(turn.real, along.real), imag: sub(turn.imag, along.imag) };
        inner = overConjugates(rest, { real: lr, imag: li });
      }
      if (glr || gli) {
        const real = diagEmbed(glr ?? mul(gli!, 0));
        const imag = diagEmbed(gli ?? mul(glr!, 0));
        inner = inner === null ? { real, imag } : { real: add(inner.real, real), imag: add(inner.imag, imag) };
      }
      return [realSolution(adjoint(v), times(inner!, adjoint(v)), n)];
    },
    outs,
  );
  const [real, imag, vectorsReal, vectorsImag] = outs;
  return { eigenvalues: complex(real, imag), eigenvectors: complex(vectorsReal, vectorsImag) };
});

/**
 * The eigenvalues of any real square matrices `[..., n, n]`, as `eig` gives them.
 *
 * ```ts
 * eigvals(tensor([[2, 1], [0, 3]])).real(); // [2, 3]
 * ```
 */
export const eigvals = /* @__PURE__ */ inFloat32('eigvals', (a: Tensor): Tensor => {
  checkSquare('eigvals', a);
  return eig(a).eigenvalues;
});
