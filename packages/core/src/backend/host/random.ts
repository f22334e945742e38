import type { Generator } from '../../tensor/random.js';
import type { RandomRule, View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.random` by the rule's own loop. */
export function random(rule: RandomRule, generator: Generator, parameters: View | readonly number[], out: View): void {
  rule.loop(dataOf(out), generator, 'storage' in parameters ? elementsOf(parameters) : parameters);
}
