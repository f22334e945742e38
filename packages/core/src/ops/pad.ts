import { checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { indices } from '../graph/positions.js';
import { formatShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { indexSelect } from './indexing.js';
import { cat, narrow } from './joining.js';
import type * as self from './pad.js';

const padOptions = { mode: is.oneOf('constant', 'reflect', 'replicate', 'circular'), value: is.number };

/**
 * Pads dimensions at both ends: `padding` is [before, after] for the last dimension, then for the one before it, and so
 * on. Negative numbers cut off.
 *
 * ```ts
 * pad(tensor([1, 2]), [1, 2]); // [0, 1, 2, 0, 0]
 * ```
 */
export const pad = /* @__PURE__ */ named(
  'pad',
  (
    x: Tensor,
    padding: readonly number[],
    options?: { mode?: 'constant' | 'reflect' | 'replicate' | 'circular'; value?: number },
  ): Tensor => {
    const { mode = 'constant', value = 0 } = checkOptions('pad', options, padOptions);
    checkTensors('pad', x);
    if (
      !Array.isArray(padding) ||
      padding.length % 2 !== 0 ||
      padding.length / 2 > x.ndim ||
      !padding.every(Number.isInteger)
    )
      throw new ShapeError(
        'pad',
        `padding ${formatShape(padding)} is not [before, after] for up to ${x.ndim} dimensions`,
      );
    let out = x;
    for (let i = 0; i < padding.length / 2; i++) {
      const d = x.ndim - 1 - i;
      const n = x.shape[d]!;
      const [before, after] = [padding[2 * i]!, padding[2 * i + 1]!];
      if (n + before + after < 0)
        throw new ShapeError(
          'pad',
          `padding ${before} and ${after} leave nothing of dimension ${d} of ${formatShape(x.shape)}`,
        );
      if (before === 0 && after === 0) continue;
      if (mode === 'constant') {
        const from = Math.max(0, -before);
        const kept = narrow(out, d, from, n - from - Math.max(0, -after));
        const edge = (size: number) => {
          const { backend } = out.storage;
          const shape = out.shape.map((v, j) => (j === d ? Math.max(0, size) : v));
          const t = Tensor.uninitialized(out.dtype, shape, backend);
          backend.kernels.fill(value, t);
          return t;
        };
        out = cat([edge(before), kept, edge(after)], d);
        continue;
      }
      if (mode === 'reflect' && (before >= n || after >= n))
        throw new ShapeError('pad', `reflect needs padding below the size ${n} of dimension ${d}`);
      const at = {
        reflect: (p: number) => (p < 0 ? -p : p >= n ? 2 * (n - 1) - p : p),
        replicate: (p: number) => Math.min(n - 1, Math.max(0, p)),
        circular: (p: number) => ((p % n) + n) % n,
      }[mode];
      out = indexSelect(
        out,
        d,
        indices(x, n + before + after, (j) => at(j - before)),
      );
    }
    return out === x ? x.clone() : out;
  },
);

const plain = {
  pad,
};
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
