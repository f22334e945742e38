import { AutogradError } from '../errors.js';

/**
 * Gives what `fn` gives; refuses a promise or an iterator, whose work goes on when the call has ended, and with it what
 * is in force in it.
 */
export function synchronous<R>(op: string, fn: () => R): R {
  const result = fn();
  if (result === null || typeof result !== 'object') return result;
  const { then, next } = result as { then?: unknown; next?: unknown };
  if (typeof then !== 'function' && typeof next !== 'function') return result;
  // Nobody will look at it: its error would end the process.
  if (typeof then === 'function') then.call(result, undefined, () => {});
  throw new AutogradError(
    op,
    `takes a synchronous function, and this one gave ${typeof then === 'function' ? 'a promise' : 'an iterator'}: it would ` +
      'be in force up to its first pause only; call it around the parts between two awaits',
  );
}
