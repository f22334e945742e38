import { checkOptions } from '../check.js';
import { AutogradError, ShapeError } from '../errors.js';
import { recordMany } from '../graph/node.js';
import { formatShape, sameShape } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { checkMatrix, checkOneDType } from '../ops/checkMatrix.js';
import { tril } from '../ops/diagonal.js';
import { add, mul, sub } from '../ops/elementwise.js';
import { cat, narrow } from '../ops/joining.js';
import { mH } from '../ops/linalg.js';
import { matmul } from '../ops/matmul.js';
import { unsqueeze } from '../ops/shape.js';
import { eye } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { decompose } from './decompose.js';
import { qr as qrRule } from './rules/qr.js';
import { solveTriangular } from './triangular.js';

const qrOptions = { mode: is.oneOf('reduced', 'complete', 'r') };

/**
 * `A = Q R` for `[..., m, n]`: orthonormal columns `Q` `[..., m, k]` and the upper triangle `R` `[..., k, n]`, where k
 * is `min(m, n)`, or m in the mode `'complete'`. Mode `'r'` returns an empty Q and has no gradient; nor has a complete
 * Q if A has more rows than columns. All results for a matrix that is not finite are NaN.
 *
 * ```ts
 * qr(tensor([[3, 1], [4, 2]])).R.abs(); // [[5, 2.2], [0, 0.4]]
 * ```
 */
export const qr = /* @__PURE__ */ inFloat32(
  'qr',
  (a: Tensor, options?: { mode?: 'reduced' | 'complete' | 'r' }): { Q: Tensor; R: Tensor } => {
    const { mode = 'reduced' } = checkOptions('qr', options, qrOptions);
    const [m, n] = checkMatrix('qr', a);
    const k = mode === 'complete' ? m : Math.min(m, n);
    const [q, r] = decompose(
      'qr',
      qrRule,
      [a],
      [
        [m, k],
        [k, n],
      ],
      [m, n],
    ) as [Tensor, Tensor];
    const Q = mode === 'r' ? narrow(narrow(q, -1, 0, 0), -2, 0, 0).clone() : q;
    recordMany(
      'qr',
      [a],
      mode === 'r' ? [r] : [q, r],
      (grads, ctx) => {
        if (mode === 'r' || (mode === 'complete' && m > n))
          throw new AutogradError(
            'qr',
            `mode '${mode}' of ${formatShape([m, n])} has no gradient; use mode: 'reduced'`,
          );
        const [q, r] = ctx.saved as [Tensor, Tensor];
        return [m >= n ? tallGradient(grads[0]!, grads[1]!, q, r) : wideGradient(grads[0]!, grads[1]!, q, r, m, n)];
      },
      [q, r],
    );
    return { Q, R: r };
  },
);

/** `(gQ + Q copyltu(R gRᵀ - gQᵀ Q)) R⁻ᵀ`, where copyltu mirrors the lower triangle (Walter and Lehmann, 2010). */
function tallGradient(gq: Tensor | null, gr: Tensor | null, q: Tensor, r: Tensor): Tensor {
  const fromR = gr ? matmul(r, mH(gr)) : null;
  const fromQ = gq ? matmul(mH(gq), q) : null;
  const m = fromR && fromQ ? sub(fromR, fromQ) : (fromR ?? mul(fromQ!, -1));
  const half = mul(add(tril(m), tril(m, -1)), 0.5);
  const mirrored = matmul(q, add(half, mH(half)));
  return solveTriangular(mH(r), gq ? add(gq, mirrored) : mirrored, { upper: false, left: false });
}

/** If A has more columns than rows: its first square has Q and an R of its own, and the rest is `Q R₂`. */
function wideGradient(gq: Tensor | null, gr: Tensor | null, q: Tensor, r: Tensor, m: number, n: number): Tensor {
  const [first, rest] = [narrow(r, -1, 0, m), narrow(r, -1, m, n - m)];
  if (!gr) return cat([tallGradient(gq, null, q, first), mul(rest, 0)], -1);
  const [gFirst, gRest] = [narrow(gr, -1, 0, m), narrow(gr, -1, m, n - m)];
  const through = matmul(matmul(q, rest), mH(gRest));
  return cat([tallGradient(gq ? add(gq, through) : through, gFirst, q, first), matmul(q, gRest)], -1);
}

/**
 * The first n columns of the product of reflections `I - tau v vᵀ`. `a` `[..., m, n]` holds the vectors below its
 * diagonal (their first elements, 1, are left out); `tau` is `[..., k]`, k ≤ n ≤ m.
 *
 * ```ts
 * householderProduct(tensor([[0], [1]]), tensor([1])); // [[0], [-1]]
 * ```
 */
export const householderProduct = /* @__PURE__ */ inFloat32('householderProduct', (a: Tensor, tau: Tensor): Tensor => {
  const [m, n] = checkMatrix('householderProduct', a);
  checkOneDType('householderProduct', a, tau);
  const k = tau.shape.at(-1);
  if (k === undefined || k > n || n > m || !sameShape(tau.shape.slice(0, -1), a.shape.slice(0, -2)))
    throw new ShapeError(
      'householderProduct',
      `takes [..., m, n] and [..., k], k <= n <= m, got ${formatShape(a.shape)} and ${formatShape(tau.shape)}`,
    );
  const { dtype, device } = a;
  const unit = eye(m, n, { dtype, device });
  const vectors = add(tril(a, -1), unit);
  let out = unit.expand([...a.shape]);
  for (let i = k - 1; i >= 0; i--) {
    const v = narrow(vectors, -1, i, 1);
    out = sub(out, mul(matmul(v, matmul(mH(v), out)), unsqueeze(narrow(tau, -1, i, 1), -1)));
  }
  return k === 0 ? out.clone() : out;
});
