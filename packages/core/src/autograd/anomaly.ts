import { check } from '../check.js';
import { AutogradError } from '../errors.js';
import { defineMode, type Gate } from '../grad/index.js';
import { type Gradients, type Node, watchNodes } from '../graph/node.js';
import * as is from '../kinds.js';

const anomaly = defineMode('gradgate.anomaly', false);

const noteStack = (node: Node): void => {
  if (anomaly.get()) node.stack = new Error().stack?.split('\n').slice(2).join('\n') ?? null;
};

/**
 * A gate in which every operation notes where it was called, and a backward pass that gives a NaN stops with an error
 * that names the forward operation and its place. It follows the flow: other flows are as fast as ever. Slow; for
 * finding mistakes.
 *
 * ```ts
 * anomalyMode.run(() => tensor([4], { requiresGrad: true }).sqrt().sum().backward());
 * ```
 */
export const anomalyMode: Gate = anomaly.gateWith('anomalyMode', () => {
  // From the first use on: until then no operation asks.
  watchNodes(noteStack);
  return true;
})();

/**
 * Runs `fn`, and what it awaits, in `anomalyMode`: backward passes throw at the first operation that gives NaN. Returns
 * what `fn` returns.
 *
 * ```ts
 * const x = tensor([-1], { requiresGrad: true });
 * try {
 *   detectAnomaly(() => x.sqrt().sum().backward());
 * } catch (error) {
 *   error instanceof AutogradError; // true
 * }
 * ```
 */
export function detectAnomaly<R>(fn: () => R): R {
  check('detectAnomaly', 'fn', fn, is.callback);
  return anomalyMode.run(fn);
}

/** Throws if anomaly mode is on and a rule gave a NaN. */
export function checkAnomaly(node: Node, grads: Gradients): void {
  if (!anomaly.get()) return;
  grads.forEach((grad, i) => {
    if (!grad?.toTypedArray().some(Number.isNaN)) return;
    throw new AutogradError(
      'backward',
      `${node.name} returned NaN in the gradient of its input ${i}; the forward call was\n${node.stack ?? '  (made outside of detectAnomaly)'}`,
    );
  });
}
