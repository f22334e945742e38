import type { BinaryFunction, Parameters, UnaryFunction } from '../backend/functions.js';
import { flatStep } from '../backend/host/elementwise.js';
import type { View } from '../backend/kernels.js';
import { type Chain, hasKernel, type Link, type Place } from '../backend/wasm/chain.js';
import { isFloat32, kernelFrom } from '../backend/wasm/floats.js';
import { isAvailable } from '../backend/wasm/module.js';
import { residence } from '../backend/wasm/residency.js';
import type { Storage } from '../memory/storage.js';
import { isView, type Op } from './recorder.js';

/** An elementwise call that can be a part of a chain. */
interface Call {
  readonly fn: UnaryFunction | BinaryFunction;
  readonly operands: readonly View[];
  readonly out: View;
  readonly parameters: Parameters;
}

/** What a plan does: calls as they were recorded, or chains of elementwise ones. */
export type FusedOp = Op | { readonly kind: 'chain'; readonly calls: readonly Call[] };

/** The values of a longer chain would not stay in the processor's cache. */
const longest = 32;

/**
 * Joins elementwise calls over equally many elements into chains. Calls between those of a chain run before it, if they
 * share no memory with the calls that they overtake.
 *
 * @param made What the call allocated, with its length.
 */
export function fused(ops: readonly Op[], made: ReadonlyMap<Storage, number>): FusedOp[] {
  const result: FusedOp[] = [];
  for (let i = 0; i < ops.length; ) {
    const { calls, passed, end } = chainFrom(ops, i, made);
    if (calls.length < 2) result.push(ops[i++]!);
    else {
      result.push(...passed, { kind: 'chain', calls });
      i = end;
    }
  }
  return result;
}

/** The longest chain that starts with a call, the calls that it overtakes, and where the rest continues. */
function chainFrom(ops: readonly Op[], start: number, made: ReadonlyMap<Storage, number>) {
  const calls: Call[] = [];
  const passed: Op[] = [];
  const touched = new Set<Storage>();
  const written = new Set<Storage>();
  let end = start;
  let between: Op[] = [];
  for (let i = start; i < ops.length && calls.length < longest; i++) {
    const op = ops[i]!;
    const call = callOf(op, made);
    if (call !== null && call.out.numel === (calls[0] ?? call).out.numel && !readsOneOf(call, written)) {
      calls.push(call);
      written.add(call.out.storage);
      passed.push(...between);
      between = [];
      end = i + 1;
      for (const storage of usedBy(op)) touched.add(storage);
    } else if (
      calls.length === 0 ||
      call !== null ||
      op.kind === 'action' ||
      usedBy(op).some((storage) => touched.has(storage))
    )
      break;
    else between.push(op);
  }
  return { calls, passed, end };
}

/**
 * An elementwise call that has a kernel, and whose operands have as many elements as its result, or one; null for
 * others.
 */
function callOf(op: Op, made: ReadonlyMap<Storage, number>): Call | null {
  if (!isAvailable || op.kind !== 'kernel' || (op.name !== 'unary' && op.name !== 'binary')) return null;
  const [fn, ...rest] = op.args as [UnaryFunction | BinaryFunction, ...unknown[]];
  const views = rest.filter(isView);
  const out = views.pop()!;
  const { storage, numel, offset, isContiguous } = out;
  // The result is written as a whole to memory of its own, so nobody outside sees that it is written later.
  if (
    !hasKernel(fn.name) ||
    numel < Math.max(kernelFrom, residence.from) ||
    made.get(storage) !== numel ||
    offset !== 0 ||
    !isContiguous
  )
    return null;
  if (![out, ...views].every(isFloat32) || views.some((view) => !isStep(stepOf(view, out)))) return null;
  return { fn, operands: views, out, parameters: (rest[views.length + 1] as Parameters | undefined) ?? [] };
}

/** Whether an operand is a single element that the chain computes: its value is known only when the chain has ended. */
const readsOneOf = ({ operands, out }: Call, written: ReadonlySet<Storage>): boolean =>
  operands.some((view) => stepOf(view, out) === 0 && written.has(view.storage));

const stepOf = (view: View, { shape, numel }: View): number => flatStep(view, shape, numel);
const isStep = (step: number): boolean => step === 0 || step === 1;

/** The storages that something uses. */
export function usedBy(op: FusedOp): Storage[] {
  switch (op.kind) {
    case 'kernel':
      return op.args
        .flat()
        .filter(isView)
        .map(({ storage }) => storage);
    case 'chain':
      return op.calls.flatMap(({ operands, out }) => [...operands, out].map(({ storage }) => storage));
    case 'grad':
      return op.grad === null ? [] : [op.grad.storage];
    case 'action':
      return [];
    default:
      return [op.storage];
  }
}

/** The storages that one chain uses and nothing else does. */
export function innerStorages(
  ops: readonly FusedOp[],
  made: ReadonlyMap<Storage, number>,
  kept: ReadonlySet<Storage>,
): Set<Storage> {
  const users = new Map<Storage, FusedOp | null>();
  for (const op of ops)
    for (const storage of usedBy(op)) {
      const user = users.get(storage);
      users.set(storage, user === undefined || user === op ? op : null);
    }
  const inner = new Set<Storage>();
  for (const [storage, user] of users)
    if (user?.kind === 'chain' && made.has(storage) && !kept.has(storage)) inner.add(storage);
  return inner;
}

/**
 * A chain that can be run. Storages that only it uses get a block each, which is reused once it has been read for the
 * last time.
 */
export function chainOf(calls: readonly Call[], inner: ReadonlySet<Storage>, viewOf: (view: View) => View): Chain {
  const places: Place[] = [];
  const found = new Map<string, number>();
  const blocks = new Map<Storage, number>();
  const free: number[] = [];
  const last = new Map<Storage, number>();
  calls.forEach(({ operands, out }, i) => {
    for (const { storage } of [...operands, out]) last.set(storage, i);
  });
  const ids = new Map<Storage, number>();
  const add = (view: View | null, isScalar: boolean): number =>
    places.push({ view, isScalar, isRead: false, isWritten: false }) - 1;
  const placeOf = (view: View, isScalar: boolean): number => {
    const { storage, offset } = view;
    if (inner.has(storage)) {
      const block = blocks.get(storage) ?? free.pop() ?? add(null, false);
      blocks.set(storage, block);
      return block;
    }
    if (!ids.has(storage)) ids.set(storage, ids.size);
    const name = `${ids.get(storage)} ${offset} ${isScalar}`;
    const known = found.get(name) ?? add(viewOf(view), isScalar);
    found.set(name, known);
    return known;
  };
  const links = calls.map(({ fn, operands, out, parameters }, i): Link => {
    const from = operands.map((view) => placeOf(view, stepOf(view, out) === 0));
    for (const storage of new Set(operands.map(({ storage }) => storage)))
      if (last.get(storage) === i && storage !== out.storage && blocks.has(storage)) free.push(blocks.get(storage)!);
    const result = placeOf(out, false);
    for (const i of from) places[i]!.isRead = true;
    places[result]!.isWritten = true;
    return { name: fn.name as Link['name'], operands: from, result, parameters };
  });
  return { links, places, n: calls[0]!.out.numel };
}
