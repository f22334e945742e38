import type { View } from '../backend/kernels.js';
import { recordOf } from '../memory/dtype.js';
import type { Storage } from '../memory/storage.js';
import { type FusedOp, innerStorages, usedBy } from './chains.js';
import type { PlanMemory } from './memory.js';

/** Where in memory lies what a call computes. */
export interface Layout {
  /** The memory of each storage that the call made, but for the inner ones. */
  readonly storages: Map<Storage, Storage>;
  /** Storages that only one chain uses; they have no memory. */
  readonly inner: ReadonlySet<Storage>;
  /** Draws that are made before what precedes them, on a device that makes calls again: their memory is their own. */
  readonly ahead: ReadonlyMap<FusedOp, Storage>;
  /** Bytes of this memory, and bytes without sharing. */
  readonly bytes: number;
  readonly unshared: number;
}

/**
 * Gives memory to each storage that the call made, from its first use to its last; to what stays after the call, for
 * good.
 */
export function layOut(
  ops: readonly FusedOp[],
  made: ReadonlyMap<Storage, number>,
  stay: ReadonlySet<Storage>,
  memory: PlanMemory,
): Layout {
  const inner = innerStorages(ops, made, stay);
  const last = lastUses(ops, made, stay, inner);
  const ahead = memory.isFilledApart ? drawsAhead(ops, made) : new Map<FusedOp, Storage>();
  const apart = new Set(memory.isFilledApart ? [...filledBy(ops), ...ahead.values()] : []);
  const storages = new Map<Storage, Storage>();
  const blocks = new Map<Storage, Storage>();
  const free: Storage[] = [];
  const resting: { readonly block: Storage; readonly until: number }[] = [];
  let bytes = 0;
  let unshared = 0;
  /** The smallest free block that is large enough, else a new one. */
  const blockFor = (length: number): Storage => {
    let best = -1;
    free.forEach((block, i) => {
      if (block.length >= length && (best < 0 || block.length < free[best]!.length)) best = i;
    });
    if (best >= 0) return free.splice(best, 1)[0]!;
    bytes += length * 4;
    return memory.block(length);
  };
  ops.forEach((op, i) => {
    while (resting[0] && resting[0].until <= i) free.push(resting.shift()!.block);
    // Each once: memory that is given back twice would be given to two.
    const used = new Set(usedBy(op).filter((storage) => last.has(storage)));
    for (const storage of used) {
      if (storages.has(storage)) continue;
      const { dtype } = storage;
      const length = made.get(storage)!;
      const block = memory.shares(dtype) && !apart.has(storage) ? blockFor(length) : null;
      const own = memory.storage(block, dtype, length);
      storages.set(storage, own);
      unshared += bytesOf(own);
      if (block === null) bytes += bytesOf(own);
      else blocks.set(storage, block);
    }
    for (const storage of used) {
      const block = blocks.get(storage);
      if (last.get(storage) === i && block !== undefined) resting.push({ block, until: i + 1 + memory.rest });
    }
  });
  return { storages, inner, ahead, bytes, unshared };
}

/** At which op each storage with memory is used last. */
function lastUses(
  ops: readonly FusedOp[],
  made: ReadonlyMap<Storage, number>,
  stay: ReadonlySet<Storage>,
  inner: ReadonlySet<Storage>,
): Map<Storage, number> {
  const last = new Map<Storage, number>();
  ops.forEach((op, i) => {
    for (const storage of usedBy(op)) if (made.has(storage) && !inner.has(storage)) last.set(storage, i);
  });
  // An optimizer's step reads gradients where they lie.
  const grads = ops.flatMap((op) => (op.kind === 'grad' && op.grad !== null ? [op.grad.storage] : []));
  for (const storage of [...stay, ...grads]) if (made.has(storage)) last.set(storage, ops.length);
  return last;
}

/** What is drawn into, where nothing but the generator decides what: undefined where another tensor does. */
function drawnBy(op: FusedOp): Storage | undefined {
  if (op.kind === 'draw') return op.storage;
  if (op.kind !== 'kernel' || op.name !== 'random' || !Array.isArray(op.args[2])) return undefined;
  return (op.args[3] as View).storage;
}

/** The draws into what the call made, and has not used before: those can be made before everything else. */
function drawsAhead(ops: readonly FusedOp[], made: ReadonlyMap<Storage, number>): Map<FusedOp, Storage> {
  const draws = new Map<FusedOp, Storage>();
  const used = new Set<Storage>();
  for (const op of ops) {
    const drawn = drawnBy(op);
    if (drawn !== undefined && made.has(drawn) && !used.has(drawn)) draws.set(op, drawn);
    for (const storage of usedBy(op)) used.add(storage);
  }
  return draws;
}

/** The storages that kernels make one number. */
const filledBy = (ops: readonly FusedOp[]): Set<Storage> =>
  new Set(
    ops.flatMap((op) =>
      op.kind === 'zeros'
        ? [op.storage]
        : op.kind === 'kernel' && op.name === 'fill'
          ? [(op.args[1] as View).storage]
          : [],
    ),
  );

const bytesOf = ({ dtype, length }: Storage): number => length * recordOf(dtype).bytes;
