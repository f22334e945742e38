import { isPlain } from '../check.js';
import type { Storage } from '../memory/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { type FusedOp, usedBy } from './chains.js';
import type { Recording } from './recorder.js';

/** The tensors in a result, each once. */
export function tensorsOf(value: unknown, into = new Set<Tensor>()): Tensor[] {
  if (Tensor.is(value)) into.add(value);
  else if (Array.isArray(value)) for (const item of value) tensorsOf(item, into);
  else if (isPlain(value)) for (const item of Object.values(value)) tensorsOf(item, into);
  return [...into];
}

/**
 * The memory of results that one kernel writes and nothing reads: each call has it write to a new tensor, so that none
 * is copied out of the memory of the plan. Of a result that is a part of it alone a copy is smaller.
 */
export function newResults(
  ops: readonly FusedOp[],
  made: ReadonlyMap<Storage, number>,
  finalGrads: Recording['finalGrads'],
  results: readonly Tensor[],
): Storage[] {
  const gradients = new Set([...finalGrads.values()].map((grad) => grad?.storage));
  const isWrittenOnce = (storage: Storage): boolean => {
    const users = ops.flatMap((op) => usedBy(op).flatMap((used) => (used === storage ? op.kind : [])));
    return users.length === 1 && (users[0] === 'kernel' || users[0] === 'chain');
  };
  const whole = results.filter(({ storage, numel }) => made.get(storage) === numel);
  return [...new Set(whole.map(({ storage }) => storage))].filter(
    (storage) => !gradients.has(storage) && isWrittenOnce(storage),
  );
}
