import { matmul, ShapeError, type Tensor } from '@gradgate/core';
import { checkTensors, named } from '@gradgate/core/internal';

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
      a.shape.slice(0, -1).join() !== b.shape.slice(0, -1).join()
    )
      throw new ShapeError(
        'bilinear',
        `takes [..., I], [..., J] and a weight [O, I, J], got [${a.shape.join(', ')}], [${b.shape.join(', ')}] and [${weight.shape.join(', ')}]`,
      );
    const left = matmul(a.reshape([-1, i!]), weight.permute(1, 0, 2).reshape([i!, o! * j!])).reshape([-1, o!, j!]);
    const out = matmul(left, b.reshape([-1, j!, 1])).reshape([...a.shape.slice(0, -1), o!]);
    return bias ? out.add(bias) : out;
  },
);
