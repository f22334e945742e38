import { describeFrame, type Gate } from '../grad/index.js';
import { Node } from '../graph/node.js';
import { currentScope, MemoryScope, outlive, tidying } from '../memory/scope.js';
import type { Storage } from '../memory/storage.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * A gate that gives memory back. Tensors that are made inside and do not leave are freed when the call ends, rather
 * than when the garbage collector finds them; large results are computed where kernels work best. Optional: without it
 * the garbage collector does all. What leaves an inner `tidy` belongs to the one around it.
 *
 * These leave: tensors in what the function returns, a promise gives or a generator yields (also in arrays, objects,
 * maps and sets), with all that a backward pass through them needs; arguments of `keep`; gradients of tensors from
 * outside; parameters, buffers and the memory of optimizers. Any later use of the rest throws a `TensorError` that
 * names the operator and the call that freed the memory; views are freed with their base. A scope, `using _ =
 * tidy.enter()`, lets out only what `keep` gets.
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
 * Takes the tensors in a value, with all that a backward pass through them needs, out of every `tidy` in force here:
 * the garbage collector looks after them. Returns the value.
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
 * Calls `each` with the memory of all tensors in a value and of what their graphs need. Calls `all` instead where the
 * graph has a rule of a user, as nobody knows what that holds.
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
      open.push(...next.kept, ...next.edges.map((edge) => edge?.node));
    } else for (const part of partsOf(next)) open.push(part);
  }
}

/** The entries of a collection, or the fields of an object. Calls no getter. */
function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return [...value].flat();
  if (ArrayBuffer.isView(value)) return [];
  return Object.keys(value).map((key) => Object.getOwnPropertyDescriptor(value, key)?.value);
}
