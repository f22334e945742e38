import { follow, followed } from './asyncFunction.js';

/** What a gate has to do at the end of each call that it guards. */
export interface Ending {
  /** Gets each value that leaves: what is returned, what a promise gives, what a generator yields. */
  leave(value: unknown): void;
  /** The call has ended, after its last value has left, or has failed. It may be told of that more than once. */
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

/** The same promise, which the ending has been told of before anybody else sees what it gives. */
export function endPromise<P extends PromiseLike<unknown>>(ending: Ending, promise: P): PromiseLike<unknown> {
  const ended = promise.then(...callbacksOf(ending, []));
  return followed.has(promise) ? follow(ended) : ended;
}

type Callback = (value: any) => unknown;

/** What is passed to `then`, with the ending told first. */
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

/** A step of a generator has given this: it has ended, or goes on. */
export function endStep(ending: Ending, result: unknown): void {
  const { done, value } = (result ?? {}) as Partial<IteratorResult<unknown>>;
  if (done) finish(ending, value);
  else ending.leave(value);
}
