import { checkOptions } from '../check.js';
import { record } from '../graph/node.js';
import { broadcastShapes } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { tril, triu } from '../ops/diagonal.js';
import { neg } from '../ops/elementwise.js';
import { mH } from '../ops/linalg.js';
import { matmul } from '../ops/matmul.js';
import { expand } from '../ops/shape.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkSides, decompose } from './decompose.js';
import { solveTriangular as rule } from './rules/lu.js';

/** Options of `solveTriangular`. */
export interface TriangularOptions {
  /** Which triangle of A is read; the other one counts as 0. */
  upper: boolean;
  /** The X of `A X = B`, or with false of `X A = B`. */
  left?: boolean;
  /** The diagonal counts as ones and is not read. */
  unitriangular?: boolean;
}

const triangularOptions = { upper: is.boolean, left: is.boolean, unitriangular: is.boolean };

/**
 * The X of `A X = B` for a triangular A `[..., n, n]` and B `[..., n, k]`, or of `X A = B` for B `[..., k, n]`. Leading
 * dimensions broadcast. A zero on the diagonal gives infinities or NaN.
 *
 * ```ts
 * solveTriangular(tensor([[2, 0], [1, 1]]), tensor([[2], [3]]), { upper: false }); // [[1], [2]]
 * ```
 */
export const solveTriangular = /* @__PURE__ */ inFloat32(
  'solveTriangular',
  (a: Tensor, b: Tensor, options: TriangularOptions): Tensor => {
    const { upper, left = true, unitriangular = false } = checkOptions('solveTriangular', options, triangularOptions);
    const n = checkSides('solveTriangular', a, b, left);
    if (upper === undefined) throw new TypeError('solveTriangular: say which triangle it is: { upper: true } or false');
    if (!left) return mH(solveTriangular(mH(a), mH(b), { upper: !upper, unitriangular }));
    const batch = broadcastShapes('solveTriangular', a.shape.slice(0, -2), b.shape.slice(0, -2));
    const k = b.shape.at(-1)!;
    const [t, rows] = [expand(a, [...batch, n, n]), expand(b, [...batch, n, k])];
    const numbers = [n, k, Number(upper), Number(unitriangular)];
    const [out] = decompose('solveTriangular', rule, [t, rows], [[n, k]], numbers) as [Tensor];
    return record(
      'solveTriangular',
      [t, rows],
      out,
      (g, ctx) => {
        const [t, x] = ctx.saved as [Tensor, Tensor];
        const gb = solveTriangular(mH(t), g, { upper: !upper, unitriangular });
        if (!ctx.needs(0)) return [null, gb];
        const part = upper ? triu : tril;
        const beside = unitriangular ? 1 : 0;
        return [neg(part(matmul(gb, mH(x)), upper ? beside : -beside)), gb];
      },
      [t, out],
    );
  },
);
