import { type Generator, rand, softmax, type Tensor } from '@gradgate/core';
import { checkOptions, checkTensors, is, named } from '@gradgate/core/internal';

/** Options of `gumbelSoftmax`. */
export interface GumbelSoftmaxOptions {
  /** The temperature; lower values come closer to one-hot vectors. 1 by default. */
  tau?: number;
  /** Whether the result is one-hot, with the gradient of the soft result; false by default. */
  hard?: boolean;
  /** The dimension of the classes; the last one by default. */
  dim?: number;
  /** The source of random numbers; the generator of the flow by default. */
  generator?: Generator;
}

const known = { tau: is.positive, hard: is.boolean, dim: is.integer, generator: is.generator };

/**
 * A differentiable sample of classes with scores `logits` (Jang et al., 2017): `softmax((logits + noise) / tau)` with
 * Gumbel noise. Any shape; the result has the same.
 *
 * ```ts
 * functional.gumbelSoftmax(tensor([0, 100]), { hard: true }); // [0, 1]
 * ```
 */
export const gumbelSoftmax = /* @__PURE__ */ named(
  'gumbelSoftmax',
  (logits: Tensor, options?: GumbelSoftmaxOptions): Tensor => {
    checkTensors('gumbelSoftmax', logits);
    const { tau = 1, hard = false, dim = -1, generator } = checkOptions('gumbelSoftmax', options, known);
    const { shape, dtype, device } = logits;
    // Gumbel noise: minus the logarithm of an exponential draw, which is never 0.
    const noise = rand(shape, { dtype, device, generator }).neg().log1p().neg().clamp(1e-20).log().neg();
    const soft = softmax(logits.add(noise).div(tau), dim);
    if (!hard) return soft;
    const last = soft.detach().transpose(dim, -1);
    const oneHot = last.argmax(-1).oneHot(last.shape.at(-1)!).to(dtype).transpose(dim, -1);
    return oneHot.add(soft.sub(soft.detach()));
  },
);
