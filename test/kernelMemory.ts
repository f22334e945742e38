import { afterEach, beforeEach } from 'vitest';
import { residence } from '../packages/core/src/backend/wasm/residency.js';

/**
 * During a file's tests, arrays of at least `from` elements are in kernel memory, where freed memory reads as NaN, so that a
 * read after free is found.
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
