import { follow, followed } from './asyncFunction.js';

/** What a gate does at the end of each call that it guards. */
export interface Ending {
  /** Gets each value that leaves the call: returned, resolved by a promise, or yielded by a generator. */
  leave(value: unknown): void;
  /** The call has ended or failed, and its last value has left. May be called more than once. */
  end(): void;
}

/** The call has ended with this value. */
export function finish<R>(ending: Ending, value: R): R {
  try {
    ending.leave(value);
  } finally {
    ending.end();
  }
  return value;
}

/** The same promise; the ending is told before anybody else sees the value. */
export function endPromise<P extends PromiseLike<unknown>>(ending: Ending, promise: P): PromiseLike<unknown> {
  const ended = promise.then(...callbacksOf(ending, []));
  return followed.has(promise) ? follow(ended) : ended;
}

type Callback = (value: any) => unknown;

/** The arguments of `then`, with the ending told first. */
export function callbacksOf(ending: Ending, [resolve, reject]: readonly unknown[]): [Callback, Callback] {
  return [
    (value) => {
      finish(ending, value);
      return typeof resolve === 'function' ? resolve(value) : value;
    },
    (error) => {
      ending.end();
      if (typeof reject === 'function') return reject(error);
      throw error;
    },
  ];
}

/** Handles a step of a generator, which has ended or goes on. */
export function endStep(ending: Ending, result: unknown): void {
  const { done, value } = (result ?? {}) as Partial<IteratorResult<unknown>>;
  if (done) finish(ending, value);
  else ending.leave(value);
}
