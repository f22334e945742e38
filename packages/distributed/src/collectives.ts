import { type DType, noGrad, Tensor, tensor } from '@gradgate/core';
import type { Job } from './job.js';
import type { Op } from './library.js';
import type { Numbers } from './mpi.js';
import type { Work } from './work.js';
import { type Group, run, world } from './world.js';

/** How elements are put together; `mean` is the sum divided by the number of ranks, and for floating point only. */
export type ReduceOp = 'sum' | 'mean' | 'product' | 'min' | 'max';

export interface CollectiveOptions {
  /** The ranks that take part; all by default. */
  group?: Group;
}

export interface ReduceOptions extends CollectiveOptions {
  /** `'sum'` by default. */
  op?: ReduceOp;
}

export interface RootOptions extends CollectiveOptions {
  /** The rank, in the group, that has the data or gets it; 0 by default. */
  root?: number;
}

export interface MessageOptions extends CollectiveOptions {
  /** What tells messages between the same two ranks apart; 0 by default. */
  tag?: number;
}

/** Gives a `Work` at once rather than the result: with `wait()`, and a promise. */
export interface Async {
  async: true;
}

type NumbersClass = (new (
  buffer: SharedArrayBuffer,
  offset: number,
  length: number,
) => Numbers) & {
  readonly BYTES_PER_ELEMENT: number;
};

/** Memory that both threads see, kept for the next collective of its size. */
const pool = new Map<number, SharedArrayBuffer[]>();

function take(Class: NumbersClass, length: number): Numbers {
  const bytes = 2 ** Math.ceil(Math.log2(Math.max(64, length * Class.BYTES_PER_ELEMENT)));
  return new Class(pool.get(bytes)?.pop() ?? new SharedArrayBuffer(bytes), 0, length);
}

function give({ buffer }: Numbers): void {
  const free = pool.get(buffer.byteLength);
  if (free) free.push(buffer as unknown as SharedArrayBuffer);
  else pool.set(buffer.byteLength, [buffer as unknown as SharedArrayBuffer]);
}

function arrayOf(op: string, t: unknown): Numbers {
  if (!(t instanceof Tensor)) throw new TypeError(`${op}: expected a Tensor, got ${t === null ? 'null' : typeof t}`);
  const { dtype } = t;
  if ((dtype as string) === 'float16' || (dtype as string) === 'bfloat16')
    throw new TypeError(`${op}: MPI has no ${dtype}; use .float()`);
  return t.toTypedArray() as Numbers;
}

/** A copy of a tensor's elements on shared memory. */
function shared(array: Numbers): Numbers {
  const to = take(array.constructor as NumbersClass, array.length);
  to.set(array as never);
  return to;
}

function write(t: Tensor, from: Numbers): void {
  const copy = from.slice() as never;
  noGrad.run(() => t.copy_(tensor(copy, { shape: t.shape, dtype: t.dtype } as never)));
}

function check(op: string, group: Group): void {
  if (group.rank < 0)
    throw new RangeError(`${op}: this rank does not belong to the group of ranks ${group.ranks.join(', ')}`);
}

function checkRank(op: string, name: string, rank: number, group: Group): void {
  if (!Number.isInteger(rank) || rank < 0 || rank >= group.size)
    throw new RangeError(`${op}: ${name} is a rank from 0 to ${group.size - 1} of the group, got ${String(rank)}`);
}

const describe = (op: string, t: { dtype: DType; shape: readonly number[] }, more = ''): string =>
  `${op}(${t.dtype} [${t.shape.join(', ')}]${more})`;

const answer = <T>(work: Work<T>, options: object): T | Work<T> =>
  (options as Partial<Async>).async === true ? work : work.wait();

function checkReduce(op: string, t: Tensor, by: ReduceOp): Op {
  if (!['sum', 'mean', 'product', 'min', 'max'].includes(by))
    throw new TypeError(`${op}: op is 'sum', 'mean', 'product', 'min' or 'max', got ${String(by)}`);
  if (by === 'mean' && !/float/.test(t.dtype)) throw new TypeError(`${op}: the mean of ${t.dtype}; use .float()`);
  // For true and false, which are 1 and 0, a sum is an or.
  if (t.dtype === 'bool') return by === 'sum' ? 'max' : by === 'product' ? 'min' : (by as Op);
  return by === 'mean' ? 'sum' : by;
}

function scale(array: Numbers, by: ReduceOp, size: number): void {
  if (by === 'mean') for (let i = 0; i < array.length; i++) (array as Float32Array)[i]! /= size;
}

/**
 * Puts the tensors of all ranks together element by element, and writes the result, the same to the last bit, into each of
 * them. Gives the tensor. Shapes and dtypes are equal in all ranks.
 *
 * @example
 * const loss = tensor([1.5]);
 * allReduce(loss, { op: 'mean' }); // the mean of all ranks' losses
 */
export function allReduce(t: Tensor, options: ReduceOptions & Async): Work<Tensor>;
export function allReduce(t: Tensor, options?: ReduceOptions): Tensor;
export function allReduce(t: Tensor, options: ReduceOptions = {}): Tensor | Work<Tensor> {
  const { group = world(), op = 'sum' } = options;
  check('allReduce', group);
  const by = checkReduce('allReduce', t, op);
  const data = shared(arrayOf('allReduce', t));
  const description = describe('allReduce', t, `, ${op}`);
  const job: Job = { op: 'allReduce', data, by, group: group.id, description };
  const work = run(job, description, () => {
    scale(data, op, group.size);
    write(t, data);
    give(data);
    return t;
  });
  return answer(work, options);
}

/** Writes the tensor of rank `root` into those of all ranks. */
export function broadcast(t: Tensor, options: RootOptions & Async): Work<Tensor>;
export function broadcast(t: Tensor, options?: RootOptions): Tensor;
export function broadcast(t: Tensor, options: RootOptions = {}): Tensor | Work<Tensor> {
  const { group = world(), root = 0 } = options;
  check('broadcast', group);
  checkRank('broadcast', 'root', root, group);
  const data = shared(arrayOf('broadcast', t));
  const description = describe('broadcast', t, `, root ${root}`);
  const work = run({ op: 'broadcast', data, root, group: group.id, description }, description, () => {
    if (group.rank !== root) write(t, data);
    give(data);
    return t;
  });
  return answer(work, options);
}

/** One tensor of `shape` for each rank, out of an array that holds them one after the other. */
function parts(all: Numbers, count: number, like: Tensor): Tensor[] {
  return Array.from({ length: count }, (_, i) => {
    const part = all.slice(i * like.numel, (i + 1) * like.numel);
    return tensor(part as never, { shape: like.shape, dtype: like.dtype } as never);
  });
}

/** The tensors of all ranks, in the order of ranks. Shapes and dtypes are equal in all ranks. */
export function allGather(t: Tensor, options: CollectiveOptions & Async): Work<Tensor[]>;
export function allGather(t: Tensor, options?: CollectiveOptions): Tensor[];
export function allGather(t: Tensor, options: CollectiveOptions = {}): Tensor[] | Work<Tensor[]> {
  const { group = world() } = options;
  check('allGather', group);
  const from = shared(arrayOf('allGather', t));
  const to = take(from.constructor as NumbersClass, from.length * group.size);
  if (group.size === 1) to.set(from as never);
  const description = describe('allGather', t);
  const work = run({ op: 'allGather', from, to, group: group.id, description }, description, () => {
    const all = parts(to, group.size, t);
    give(from);
    give(to);
    return all;
  });
  return answer(work, options);
}

/** The tensors of all ranks, in rank `root`; null in the others. */
export function gather(t: Tensor, options: RootOptions & Async): Work<Tensor[] | null>;
export function gather(t: Tensor, options?: RootOptions): Tensor[] | null;
export function gather(t: Tensor, options: RootOptions = {}): Tensor[] | null | Work<Tensor[] | null> {
  const { group = world(), root = 0 } = options;
  check('gather', group);
  checkRank('gather', 'root', root, group);
  const from = shared(arrayOf('gather', t));
  const to = group.rank === root ? take(from.constructor as NumbersClass, from.length * group.size) : null;
  if (group.size === 1) to!.set(from as never);
  const description = describe('gather', t, `, root ${root}`);
  const work = run({ op: 'gather', from, to, root, group: group.id, description }, description, () => {
    const all = to && parts(to, group.size, t);
    give(from);
    if (to) give(to);
    return all;
  });
  return answer(work, options);
}

/** Writes one of the tensors that rank `root` gives, as many as there are ranks, into `t` of each rank. */
export function scatter(t: Tensor, list: readonly Tensor[] | null, options: RootOptions & Async): Work<Tensor>;
export function scatter(t: Tensor, list: readonly Tensor[] | null, options?: RootOptions): Tensor;
export function scatter(t: Tensor, list: readonly Tensor[] | null, options: RootOptions = {}): Tensor | Work<Tensor> {
  const { group = world(), root = 0 } = options;
  check('scatter', group);
  checkRank('scatter', 'root', root, group);
  const array = arrayOf('scatter', t);
  const to = take(array.constructor as NumbersClass, array.length);
  const from = group.rank === root ? together('scatter', list, t, group) : null;
  if (group.size === 1) to.set(from as never);
  const description = describe('scatter', t, `, root ${root}`);
  const work = run({ op: 'scatter', from, to, root, group: group.id, description }, description, () => {
    write(t, to);
    give(to);
    if (from) give(from);
    return t;
  });
  return answer(work, options);
}

/** One array of as many tensors as there are ranks, all like `t`. */
function together(op: string, list: readonly Tensor[] | null, t: Tensor, group: Group): Numbers {
  if (!Array.isArray(list) || list.length !== group.size)
    throw new TypeError(
      `${op}: expected a list of ${group.size} tensors, one for each rank, got ${Array.isArray(list) ? list.length : String(list)}`,
    );
  const arrays = list.map((part) => arrayOf(op, part));
  for (const part of list as Tensor[])
    if (part.dtype !== t.dtype || part.shape.join() !== t.shape.join())
      throw new TypeError(
        `${op}: the tensors are ${describe('', part)} and ${describe('', t)}; all are of one shape and dtype`,
      );
  const all = take(arrays[0]!.constructor as NumbersClass, t.numel * group.size);
  arrays.forEach((array, i) => {
    all.set(array as never, i * t.numel);
  });
  return all;
}

/**
 * Puts the lists of all ranks together element by element, and writes to `t` of each rank the tensor at its place: rank 0
 * gets what became of the first ones.
 */
export function reduceScatter(t: Tensor, list: readonly Tensor[], options: ReduceOptions & Async): Work<Tensor>;
export function reduceScatter(t: Tensor, list: readonly Tensor[], options?: ReduceOptions): Tensor;
export function reduceScatter(t: Tensor, list: readonly Tensor[], options: ReduceOptions = {}): Tensor | Work<Tensor> {
  const { group = world(), op = 'sum' } = options;
  check('reduceScatter', group);
  const array = arrayOf('reduceScatter', t);
  const by = checkReduce('reduceScatter', t, op);
  const from = together('reduceScatter', list, t, group);
  const to = take(array.constructor as NumbersClass, array.length);
  if (group.size === 1) to.set(from as never);
  const description = describe('reduceScatter', t, `, ${op}`);
  const work = run({ op: 'reduceScatter', from, to, by, group: group.id, description }, description, () => {
    scale(to, op, group.size);
    write(t, to);
    give(to);
    give(from);
    return t;
  });
  return answer(work, options);
}

/** Waits until all ranks have called it. */
export function barrier(options: CollectiveOptions & Async): Work<void>;
export function barrier(options?: CollectiveOptions): void;
export function barrier(options: CollectiveOptions = {}): void | Work<void> {
  const { group = world() } = options;
  check('barrier', group);
  const description = 'barrier()';
  return answer(
    run({ op: 'barrier', group: group.id, description }, description, () => {}),
    options,
  );
}

function checkTag(op: string, tag: number): void {
  if (!Number.isInteger(tag) || tag < 0 || tag > 32767)
    throw new RangeError(`${op}: tag is a whole number from 0 to 32767, got ${String(tag)}`);
}

/** Sends a tensor to the rank `to`, which calls `recv`. Blocks until it has been taken over; with `async` it does not. */
export function send(t: Tensor, to: number, options: MessageOptions & Async): Work<void>;
export function send(t: Tensor, to: number, options?: MessageOptions): void;
export function send(t: Tensor, to: number, options: MessageOptions = {}): void | Work<void> {
  const { group = world(), tag = 0 } = options;
  check('send', group);
  checkRank('send', 'to', to, group);
  checkTag('send', tag);
  if (to === group.rank) throw new RangeError(`send: rank ${to} cannot send to itself`);
  const data = shared(arrayOf('send', t));
  const name = describe('send', t, ` to rank ${to}`);
  return answer(
    run({ op: 'send', data, to, tag, group: group.id, description: null }, name, () => give(data)),
    options,
  );
}

/**
 * Receives into `t` what the rank `from` sends, or with null whoever sends first; gives the rank that sent. What is sent has
 * the dtype and the number of elements of `t`.
 */
export function recv(t: Tensor, from: number | null, options: MessageOptions & Async): Work<number>;
export function recv(t: Tensor, from?: number | null, options?: MessageOptions): number;
export function recv(t: Tensor, from: number | null = null, options: MessageOptions = {}): number | Work<number> {
  const { group = world(), tag = 0 } = options;
  check('recv', group);
  if (from !== null) checkRank('recv', 'from', from, group);
  checkTag('recv', tag);
  if (from === group.rank || group.size === 1)
    throw new RangeError(`recv: nobody else sends to rank ${group.rank} of ${group.size}`);
  const array = arrayOf('recv', t);
  const data = take(array.constructor as NumbersClass, array.length);
  const name = describe('recv', t, ` from ${from === null ? 'any rank' : `rank ${from}`}`);
  const work = run({ op: 'recv', data, from, tag, group: group.id, description: null }, name, (source) => {
    write(t, data);
    give(data);
    return source;
  });
  return answer(work, options);
}
