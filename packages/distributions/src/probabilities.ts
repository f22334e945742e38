import { sigmoid, type Tensor } from '@gradgate/core';
import { checkOptions, is, show } from '@gradgate/core/internal';
import { real, unitInterval } from './constraints.js';
import { type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/** The probability of an event, or its log odds; give one of the two. */
export interface Chance {
  /** The probability, from 0 to 1. */
  probs?: TensorLike;
  /** The log odds, `log(p / (1 - p))`. */
  logits?: TensorLike;
}

/** The conditions on a chance. */
export const chanceConstraints = { probs: unitInterval, logits: real };

const numberOrTensor = is.either(is.number, is.tensor);
const known = { probs: numberOrTensor, logits: numberOrTensor, validateArgs: is.boolean };

/** Returns the given probabilities and their log odds, broadcast with the tensors in `others`. */
export function chanceOf(
  op: string,
  chance: Chance & DistributionOptions,
  others: Readonly<Record<string, Tensor>> = {},
): { probs: Tensor; logits: Tensor } {
  if (typeof chance !== 'object' || chance === null)
    throw new TypeError(`${op}: takes { probs } or { logits }, got ${show(chance)}`);
  const { probs, logits } = checkOptions(op, chance, known);
  if ((probs === undefined) === (logits === undefined)) throw new TypeError(`${op}: give either probs or logits`);
  const name = probs === undefined ? 'logits' : 'probs';
  const given: Record<string, TensorLike> = { ...others, [name]: (probs ?? logits)! };
  const free = Object.fromEntries(Object.keys(others).map((other) => [other, real]));
  const x = parametersOf(op, given, { ...free, [name]: probs === undefined ? real : unitInterval }, chance)[name]!;
  if (name === 'logits') return { probs: sigmoid(x), logits: x };
  const inner = clampProbs(x);
  return { probs: x, logits: inner.log().sub(inner.neg().log1p()) };
}

/** Moves probabilities of 0 and 1 inside by the smallest step, so that logarithms are finite, as in PyTorch. */
export function clampProbs(p: Tensor): Tensor {
  const eps = p.dtype === 'float64' ? Number.EPSILON : 2 ** -23;
  return p.clamp(eps, 1 - eps);
}
