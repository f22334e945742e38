import type { Gate } from './gate.js';
import { defineMode } from './mode.js';

const training = defineMode<boolean | null>('gradgate.training', null);

/**
 * Layers such as Dropout and BatchNorm behave as in evaluation in this flow, whatever `training` of their module is; other
 * flows are untouched. Grad modes stay as they are: see `evaluating`.
 *
 * ```ts
 * const model = new Dropout();
 * evalMode.run(() => model(tensor([1, 2]))); // [1, 2]
 * ```
 */
export const evalMode: Gate = training.gate('evalMode', false);

/**
 * Layers behave as in training in this flow, for example for Monte Carlo dropout.
 *
 * ```ts
 * evalMode.run(() => trainMode.run(() => isTraining(false))); // true
 * ```
 */
export const trainMode: Gate = training.gate('trainMode', true);

/**
 * Whether layers behave as in training here: as the innermost `evalMode` or `trainMode` of this flow says, and where there is
 * none, as `own` does, a module's `training` or an operator's option.
 *
 * ```ts
 * evalMode.run(() => isTraining(true)); // false
 * ```
 */
export const isTraining = (own: boolean): boolean => training.get() ?? own;
