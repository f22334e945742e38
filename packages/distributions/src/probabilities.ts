import { sigmoid, type Tensor } from '@gradgate/core';
import { checkOptions, is, show } from '@gradgate/core/internal';
import { real, unitInterval } from './constraints.js';
import { type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/** The probability of one of two things, or its log odds: one of both. */
export interface Chance {
  /** From 0 to 1. */
  probs?: TensorLike;
  /** `log(p / (1 - p))`. */
  logits?: TensorLike;
}

const numberOrTensor = is.either(is.number, is.tensor);
const known = { probs: numberOrTensor, logits: numberOrTensor, validateArgs: is.boolean };

/** The probabilities that are given, and their log odds, of the shape that they have together with `beside`. */
export function chanceOf(
  op: string,
  chance: Chance & DistributionOptions,
  beside: Readonly<Record<string, Tensor>> = {},
): { probs: Tensor; logits: Tensor } {
  if (typeof chance !== 'object' || chance === null)
    throw new TypeError(`${op}: takes { probs } or { logits }, got ${show(chance)}`);
  const { probs, logits } = checkOptions(op, chance, known);
  if ((probs === undefined) === (logits === undefined)) throw new TypeError(`${op}: give probs or logits, one of both`);
  const name = probs === undefined ? 'logits' : 'probs';
  const given: Record<string, TensorLike> = { ...beside, [name]: (probs ?? logits)! };
  const free = Object.fromEntries(Object.keys(beside).map((other) => [other, real]));
  const x = parametersOf(op, given, { ...free, [name]: probs === undefined ? real : unitInterval }, chance)[name]!;
  if (name === 'logits') return { probs: sigmoid(x), logits: x };
  const inner = clampProbs(x);
  return { probs: x, logits: inner.log().sub(inner.neg().log1p()) };
}

/** Probabilities, but 0 and 1 by the smallest step within: so that their logarithms are finite, as in PyTorch. */
export function clampProbs(p: Tensor): Tensor {
  const eps = p.dtype === 'float64' ? Number.EPSILON : 2 ** -23;
  return p.clamp(eps, 1 - eps);
}
