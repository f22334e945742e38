import { check } from '../check.js';
import { AutogradError } from '../errors.js';
import * as is from '../kinds.js';
import { type Gradients, type Node, setOnRecord } from './node.js';
import { synchronous } from './synchronous.js';

let depth = 0;

const noteStack = (node: Node): void => {
  node.stack = new Error().stack?.split('\n').slice(2).join('\n') ?? null;
};

/**
 * Runs `fn` in anomaly mode: every operation notes where it was called, and a backward pass that gives a NaN stops with
 * an error that names the forward operation and its place. Slow; for finding mistakes. Scoped to `fn`.
 */
export function detectAnomaly<R>(fn: () => R): R {
  check('detectAnomaly', 'the function', fn, is.callback);
  if (depth++ === 0) setOnRecord(noteStack);
  try {
    return synchronous('detectAnomaly', fn);
  } finally {
    if (--depth === 0) setOnRecord(null);
  }
}

/** Throws if anomaly mode is on and a rule gave a NaN. */
export function checkAnomaly(node: Node, grads: Gradients): void {
  if (depth === 0) return;
  grads.forEach((grad, i) => {
    if (!grad?.toTypedArray().some(Number.isNaN)) return;
    throw new AutogradError(
      'backward',
      `${node.name} returned NaN in the gradient of its input ${i}; the forward call was\n${node.stack ?? '  (made outside of detectAnomaly)'}`,
    );
  });
}
