import { AutogradError } from '../errors.js';

/**
 * Returns what `fn` returns. Refuses promises and iterators: their work goes on after the call has ended, and what the
 * call has put in force no longer holds then.
 */
export function synchronous<R>(op: string, fn: () => R): R {
  const result = fn();
  if (result === null || typeof result !== 'object') return result;
  const { then, next } = result as { then?: unknown; next?: unknown };
  if (typeof then !== 'function' && typeof next !== 'function') return result;
  // Nobody awaits the promise, and an unhandled rejection would end the process.
  if (typeof then === 'function') then.call(result, undefined, () => {});
  throw new AutogradError(
    op,
    `takes a synchronous function, and this one gave ${typeof then === 'function' ? 'a promise' : 'an iterator'}: it would ` +
      'be in force up to its first pause only; call it around the parts between two awaits',
  );
}
