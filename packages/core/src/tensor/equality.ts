import { recordOf } from '../memory/dtype.js';
import { sameShape } from '../memory/shape.js';
import { elementsOf } from './elements.js';
import { Tensor } from './tensor.js';

/** Same shape, dtype and elements, as `Object.is` compares them: NaN is NaN. What the graph is does not count. */
export function isSameValue(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  const [x, y] = [numbersOf(a), numbersOf(b)];
  for (let i = 0; i < x.length; i++) if (!Object.is(x[i], y[i])) return false;
  return true;
}

/** Both parts of complex ones. */
const numbersOf = (t: Tensor) => elementsOf(recordOf(t.dtype).complex?.pairs(t) ?? t);

/** How Vitest and Jest may ask: undefined leaves the question to others. */
const tester = (a: unknown, b: unknown): boolean | undefined =>
  a instanceof Tensor && b instanceof Tensor ? isSameValue(a, b) : undefined;

// In a test of Vitest or Jest, toEqual() and its like compare tensors by value: both keep testers under this symbol,
// where expect.addEqualityTesters() puts them. Without it they would compare storages, strides and graphs.
const { customEqualityTesters: testers } =
  (globalThis as Record<symbol, { customEqualityTesters?: unknown }>)[Symbol.for('$$jest-matchers-object')] ?? {};
if (Array.isArray(testers)) testers.push(tester);
