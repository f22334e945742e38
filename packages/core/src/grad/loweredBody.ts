import { isClass } from './original.js';

/** What a compiler makes of the body of an async function or generator. */
export type LoweredBody = (...args: any[]) => Generator<unknown, unknown, unknown>;

/** Compilers call these; people who call them by hand are told what they take. */
export function checkBody(op: string, args: unknown, body: unknown): void {
  if (typeof body !== 'function' || isClass(body))
    throw new TypeError(
      `${op}: the body must be a generator function, got ${typeof body === 'function' ? 'a class' : typeof body}`,
    );
  if (args != null && typeof args !== 'object')
    throw new TypeError(`${op}: arguments must be an array or null, got ${typeof args}`);
}

/** Calls the body, to get its steps. */
export function stepsOf(
  op: string,
  self: unknown,
  args: ArrayLike<unknown> | null,
  body: LoweredBody,
): ReturnType<LoweredBody> {
  const steps = Reflect.apply(body, self, args ?? []);
  if (typeof steps?.next !== 'function' || typeof steps.throw !== 'function' || typeof steps.return !== 'function')
    throw new TypeError(`${op}: the body must be a generator function, got a function that gives ${typeof steps}`);
  return steps;
}
