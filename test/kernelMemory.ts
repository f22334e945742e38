import { afterEach, beforeEach } from 'vitest';
import { residence } from '../packages/core/src/backend/wasm/residency.js';

/**
 * In the tests of a file, arrays of `from` elements and more go to kernel memory, where what is freed reads as NaN: whoever
 * reads it is found.
 */
export function poisonFreed(from: number): void {
  const before = { ...residence };
  beforeEach(() => {
    Object.assign(residence, { from, poison: true });
  });
  afterEach(() => {
    Object.assign(residence, before);
  });
}
