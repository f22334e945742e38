/** Whether `await` would wait for it: promises of any library and realm. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as { then?: unknown }).then === 'function';

/** Refuses what a function gave that nobody would wait for. */
export function refusePromise(what: string, value: unknown): void {
  if (isThenable(value)) throw new TypeError(`${what} gave a promise; it has to be synchronous`);
}
