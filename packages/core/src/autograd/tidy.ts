import { describeFrame, type Gate } from '../grad/index.js';
import { Node } from '../graph/node.js';
import { currentScope, MemoryScope, outlive, tidying } from '../memory/scope.js';
import type { Storage } from '../memory/storage.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * A gate that gives memory back: what is made inside and does not leave is given back at the end of the call, at once
 * rather than when the garbage collector finds it, and large results are computed where kernels work best. Nobody needs
 * to give memory back; without this nothing does. What leaves an inner `tidy` belongs to the one around it.
 *
 * What leaves: the tensors in what the function returns, a promise gives or a generator yields, also in arrays,
 * objects, maps and sets, with all that a backward pass through them needs; what `keep` was given; gradients of tensors
 * from outside; parameters, buffers and what optimizers remember. Using anything else later throws a `TensorError` that
 * names the operator and the call that gave the memory back; views go with their base. From what
 * `using _ = tidy.enter()` covers nothing leaves but by `keep`.
 *
 * ```ts
 * const w = tensor([1, 2, 3], { requiresGrad: true });
 * const loss = tidy.run(() => {
 *   const error = w.mul(2).sub(1).square().sum();
 *   error.backward();
 *   return error.item();
 * });
 * loss; // 35
 * w.grad; // [4, 12, 20]
 * ```
 */
export const tidy: Gate = tidying.gateWith(
  'tidy',
  ({ outer }) => new MemoryScope(outer?.running ?? null),
  (scope, setBy) => ({
    leave: (value) => leave(scope!, value),
    end: () => end(scope!, () => `at the end of ${describeFrame(setBy)}; return it, keep() it, or use it inside`),
  }),
)();

/**
 * Takes the tensors in a value out of the `tidy` that is in force here and of those around it, with all that a backward
 * pass through them needs: they stay until the garbage collector finds them. Gives the value back.
 *
 * ```ts
 * const kept: Tensor[] = [];
 * tidy.run(() => {
 *   kept.push(keep(tensor([1, 2]).mul(2)));
 * });
 * kept[0]; // [2, 4]
 * ```
 */
export function keep<T>(value: T): T {
  const scope = currentScope();
  if (scope !== null) eachNeeded(value, outlive, () => scope.outliveAll());
  return value;
}

function leave(scope: MemoryScope, value: unknown): void {
  if (scope.made.size > 0)
    eachNeeded(
      value,
      (storage) => scope.release(storage),
      () => scope.releaseAll(),
    );
}

function end(scope: MemoryScope, how: () => string): void {
  if (!scope.stop()) return;
  const outer = scope.outer?.running ?? null;
  for (const t of scope.touched) {
    if (scope.made.has(t.storage)) continue;
    outer?.touched.add(t);
    leave(scope, t);
  }
  scope.giveBack(how);
}

/**
 * Calls `each` with the memory of all tensors in a value and what their graphs need; or `all` where a rule of a user's
 * own is in the graph, for nobody knows what that holds.
 */
function eachNeeded(value: unknown, each: (storage: Storage) => void, all: () => void): void {
  const seen = new Set<unknown>();
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (next === null || (typeof next !== 'object' && typeof next !== 'function') || seen.has(next)) continue;
    seen.add(next);
    if (Tensor.is(next)) {
      each(next.storage);
      open.push(next.gradFn, next.heldGrad);
    } else if (next instanceof Node) {
      if (next.custom && !next.isFreed) all();
      for (const part of next.kept) open.push(part);
      for (const edge of next.edges) open.push(edge?.node);
    } else for (const part of partsOf(next)) open.push(part);
  }
}

/** What stands in a collection or in the fields of an object. No getter is called. */
function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return [...value].flat();
  if (ArrayBuffer.isView(value)) return [];
  return Object.keys(value).map((key) => Object.getOwnPropertyDescriptor(value, key)?.value);
}
