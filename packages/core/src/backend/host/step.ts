import type { StepRule, View } from '../kernels.js';
import { elementsOf, targetOf } from './data.js';

/** `Kernels.step` by the rule's own loop. */
export function step(rule: StepRule, w: View, g: View, memory: readonly View[], numbers: readonly number[]): void {
  rule.loop(targetOf(w), elementsOf(g), memory.map(targetOf), numbers);
}
