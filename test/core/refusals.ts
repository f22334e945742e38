import { TensorError } from '@gradgate/core';
import { expect } from 'vitest';

/** What an operator may do with what it cannot take: refuse it by name, never crash. */
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

/** Also where an operator is made of others, the name is its own. */
export function expectOurs(error: unknown, op: string, what: string): void {
  const { name, message } = error as Error;
  const known = error instanceof TensorError || error instanceof TypeError || error instanceof RangeError;
  expect(known && message.startsWith(`${op}: `), `${what}: ${name}: ${message}`).toBe(true);
  expect(message, what).not.toMatch(/is not a function|is not iterable|Cannot read|of undefined/);
}
