import type { Gate } from './gate.js';
import { defineMode } from './mode.js';

const training = defineMode<boolean | null>('gradgate.training', null);

/**
 * In this flow, layers such as Dropout and BatchNorm behave as in evaluation, whatever the `training` of their module
 * is. Other flows are not affected, and grad modes do not change: see `evaluating`.
 *
 * ```ts
 * const model = new Dropout();
 * evalMode.run(() => model(tensor([1, 2]))); // [1, 2]
 * ```
 */
export const evalMode: Gate = training.gate('evalMode', false);

/**
 * In this flow, layers behave as in training, for example for Monte Carlo dropout.
 *
 * ```ts
 * evalMode.run(() => trainMode.run(() => isTraining(false))); // true
 * ```
 */
export const trainMode: Gate = training.gate('trainMode', true);

/**
 * Whether layers behave as in training here: by the innermost `evalMode` or `trainMode` of this flow, else by `own`,
 * the `training` of a module or an option of an operator.
 *
 * ```ts
 * evalMode.run(() => isTraining(true)); // false
 * ```
 */
export const isTraining = (own: boolean): boolean => training.get() ?? own;
