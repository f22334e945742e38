import { matmul, ShapeError, type Tensor } from '@gradgate/core';
import { checkTensors, named } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

/**
 * `a weight[o] b + bias[o]` for each output `o`: `a` `[..., I]`, `b` `[..., J]` and `weight` `[O, I, J]` to `[..., O]`.
 * `bias` is `[O]` or null.
 *
 * ```ts
 * functional.bilinear(tensor([2]), tensor([3]), tensor([[[1]]])); // [6]
 * ```
 */
export const bilinear = /* @__PURE__ */ named(
  'bilinear',
  (a: Tensor, b: Tensor, weight: Tensor, bias?: Tensor | null): Tensor => {
    checkTensors('bilinear', a, b, weight);
    if (bias != null) checkTensors('bilinear', bias);
    const [o, i, j] = weight.shape;
    if (
      weight.ndim !== 3 ||
      a.shape.at(-1) !== i ||
      b.shape.at(-1) !== j ||
      a.shape.slice(0, -1).join() !== b.shape.slice(0, -1).join() ||
      (bias && bias.shape.join() !== `${o}`)
    ) {
      const shapes = [a, b, weight, ...(bias ? [bias] : [])].map((t) => shapeText(t)).join(' and ');
      throw new ShapeError('bilinear', `takes [..., I], [..., J], a weight [O, I, J] and a bias [O], got ${shapes}`);
    }
    const batch = a.shape.slice(0, -1);
    const n = batch.reduce((size, k) => size * k, 1);
    const left = matmul(a.reshape([n, i!]), weight.permute(1, 0, 2).reshape([i!, o! * j!])).reshape([n, o!, j!]);
    const out = matmul(left, b.reshape([n, j!, 1])).reshape([...batch, o!]);
    return bias ? out.add(bias) : out;
  },
);
