import { noGrad, ShapeError, stack, type Tensor, zerosLike } from '@gradgate/core';
import { check, checkOptions, is } from '@gradgate/core/internal';

/** The steps that advantages are estimated from. All tensors are `[steps]` or `[steps, environments]`. */
export interface Estimated {
  /** The critic's values of the states before each action. */
  values: Tensor;
  /** The critic's values of the states after each action. */
  nextValues: Tensor;
  /** The reward of each action. */
  rewards: Tensor;
  /** True, or 1, where the action ended the episode, so that no reward follows. */
  terminated: Tensor;
  /** True, or 1, where the episode was cut off, so that `nextValues` still counts. False everywhere by default. */
  truncated?: Tensor;
}

/**
 * Generalized advantage estimation (Schulman et al., 2016). Returns the advantages, how much better each action was
 * than expected, and the returns that a critic learns from, `advantages + values`; both have the shape of `values`.
 * Nothing is recorded.
 *
 * @param options.gamma The discount of a reward per step; 0.99 by default.
 * @param options.lambda How far it looks ahead, from 0, one step, to 1, the end of the episode; 0.95 by default.
 * @param options.normalize Whether the advantages are shifted and scaled to mean 0 and standard deviation 1, as for
 * PPO; false by default. The returns are not.
 * @example
 * const { advantages, returns } = generalizedAdvantages({ ...experience, values, nextValues }, { normalize: true });
 */
export function generalizedAdvantages(
  steps: Estimated,
  options: { gamma?: number; lambda?: number; normalize?: boolean } = {},
): { advantages: Tensor; returns: Tensor } {
  const op = 'generalizedAdvantages';
  const given = checkOptions(op, options, { gamma: is.probability, lambda: is.probability, normalize: is.boolean });
  const { gamma = 0.99, lambda = 0.95, normalize = false } = given;
  check(op, 'the steps', steps, is.object);
  const { values, nextValues, rewards, terminated, truncated } = steps;
  for (const [name, t] of Object.entries({
    values,
    nextValues,
    rewards,
    terminated,
    ...(truncated && { truncated }),
  })) {
    check(op, name, t, is.tensor);
    if (t.ndim === 0 || t.shape.join() !== values.shape.join())
      throw new ShapeError(
        op,
        `all tensors must have the same shape, [steps] or [steps, environments]; got [${t.shape.join(', ')}] for ${name} and [${values.shape.join(', ')}] for values`,
      );
  }
  return noGrad.run(() => {
    const over = terminated.to(values.dtype);
    const ended = truncated ? over.maximum(truncated.to(values.dtype)) : over;
    const goesOn = ended.neg().add(1);
    const errors = nextValues.mul(over.neg().add(1)).mul(gamma).add(rewards).sub(values);
    const rows: Tensor[] = [];
    let next = zerosLike(values.select(0, 0));
    for (let t = values.shape[0]! - 1; t >= 0; t--) {
      next = errors.select(0, t).add(next.mul(goesOn.select(0, t)).mul(gamma * lambda));
      rows.push(next);
    }
    const advantages = stack(rows.reverse());
    return { advantages: normalize ? normalized(advantages) : advantages, returns: advantages.add(values) };
  });
}

const normalized = (t: Tensor): Tensor => t.sub(t.mean()).div(t.std(undefined, { correction: 0 }).add(1e-8));
