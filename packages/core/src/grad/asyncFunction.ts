import { flowFrame, followsAsync, setFlowFrame } from './flow.js';
import type { Frame } from './frame.js';

type AnyFunction = (...args: any[]) => any;

/** The engine's own `then`, not bound to any flow. */
const { then } = Promise.prototype;
export const whenSettled = (promise: Promise<unknown>, resolve: AnyFunction, reject: AnyFunction): Promise<unknown> =>
  Reflect.apply(then, promise, [resolve, reject]);

/** Promises and async generators whose steps stay in their mode on every runtime. */
type Followed = WeakSet<object> & { bindsCallbacks?: boolean };

const name = Symbol.for('gradgate.followed');
const realm = globalThis as unknown as Record<symbol, Followed | undefined>;

/** One set for each realm, shared by all copies of the package that are loaded. */
export const followed: Followed = realm[name] ?? new WeakSet<object>();
realm[name] = followed;

/** Marks a promise whose work is covered, through whatever gate it is returned. */
export function follow<P extends object>(promise: P): P {
  followed.add(promise);
  return promise;
}

/** What a flow carries from one step to the next. */
export class Flow {
  constructor(private frame: Frame | undefined = flowFrame()) {}

  /** Runs a step, and keeps the frame that it ends in, since the step may have set the mode of its flow. */
  run<R>(step: () => R): R {
    if (followsAsync) return step();
    const before = flowFrame();
    setFlowFrame(this.frame);
    try {
      return step();
    } finally {
      this.frame = flowFrame();
      setFlowFrame(before);
    }
  }

  /** A promise of `value`. A thenable that is not a promise may start its work in `then`, which runs in this flow. */
  wait(value: unknown): Promise<unknown> {
    return Promise.resolve(this.adopt(value));
  }

  adopt(value: unknown): unknown {
    if (followsAsync || value === null || (typeof value !== 'object' && typeof value !== 'function')) return value;
    if (value instanceof Promise && value.then === Promise.prototype.then) return value;
    return new Promise((resolve, reject) => {
      const method = this.run(() => (value as PromiseLike<unknown>).then as unknown);
      if (typeof method !== 'function') return resolve(value);
      const start = () =>
        this.run(() => Reflect.apply(method, value, [(v: unknown) => resolve(this.adopt(v)), reject]));
      whenSettled(whenSettled(Promise.resolve(), start, reject), () => {}, reject);
    });
  }
}

/** An async function: the generator that `start` gives yields what it awaits. */
export function awaitSteps(start: () => Generator<unknown, unknown, unknown>): Promise<unknown> {
  const flow = new Flow();
  return follow(
    new Promise((resolve, reject) => {
      const step = (run: () => IteratorResult<unknown, unknown>) => {
        try {
          const { done, value } = flow.run(run);
          if (done) resolve(flow.adopt(value));
          else
            whenSettled(
              flow.wait(value),
              (answer) => step(() => steps.next(answer)),
              (error) => step(() => steps.throw(error)),
            );
        } catch (error) {
          reject(error);
        }
      };
      let steps: ReturnType<typeof start>;
      step(() => {
        steps = start();
        return steps.next();
      });
    }),
  );
}
