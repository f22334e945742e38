import { TensorError } from '@gradgate/core';
import { expect } from 'vitest';

/** An operator must refuse arguments that it cannot take by its own name, and never crash. */
export function expectRefusal(call: () => unknown, op: string, what: string): void {
  let error: unknown;
  try {
    const result = call();
    expect.unreachable(`${what} gave ${String(result)}`);
  } catch (e) {
    error = e;
  }
  expectOurs(error, op, what);
}

/** An operator that is made of others must use its own name too. */
export function expectOurs(error: unknown, op: string, what: string): void {
  const { name, message } = error as Error;
  const known = error instanceof TensorError || error instanceof TypeError || error instanceof RangeError;
  expect(known && message.startsWith(`${op}: `), `${what}: ${name}: ${message}`).toBe(true);
  expect(message, what).not.toMatch(/is not a function|is not iterable|Cannot read|of undefined/);
}
