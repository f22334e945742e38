import { type DType, fromTypedArray, noGrad, type Tensor, tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, checkWritable, exactElements, is, isFloat } from '@gradgate/core/internal';
import { dtypeNames, type Job } from './job.js';
import type { Op } from './library.js';
import type { Numbers } from './mpi.js';
import type { Work } from './work.js';
import { checkMember, checkRank, type Group, groupKind, run, world } from './world.js';

/** How elements are combined; `mean` is the sum divided by the number of ranks, for floating point only. */
export type ReduceOp = 'sum' | 'mean' | 'product' | 'min' | 'max';

/** Options of all collectives. */
export interface CollectiveOptions {
  /** The ranks that take part; all by default. */
  group?: Group;
}

/** Options of collectives that combine tensors. */
export interface ReduceOptions extends CollectiveOptions {
  /** How elements are combined; 'sum' by default. */
  op?: ReduceOp;
}

/** Options of collectives with a rank that sends to the others or receives from them. */
export interface RootOptions extends CollectiveOptions {
  /** The rank in the group that sends or gets the data; 0 by default. */
  root?: number;
}

/** Options of `send` and `recv`. */
export interface MessageOptions extends CollectiveOptions {
  /** A number that distinguishes messages between the same two ranks; 0 by default, at most 16383. */
  tag?: number;
}

/** Returns a `Work` at once, with `wait()` and a promise, rather than the result. */
export interface Async {
  /** The call returns at once, with a `Work` to wait for. */
  async: true;
}

type NumbersClass = (new (
  buffer: SharedArrayBuffer,
  offset: number,
  length: number,
) => Numbers) & {
  readonly BYTES_PER_ELEMENT: number;
};

/** Shared memory by size, kept for the next collective. */
const pool = new Map<number, SharedArrayBuffer[]>();

function allocateShared(Class: NumbersClass, length: number): Numbers {
  const bytes = 2 ** Math.ceil(Math.log2(Math.max(64, length * Class.BYTES_PER_ELEMENT)));
  return new Class(pool.get(bytes)?.pop() ?? new SharedArrayBuffer(bytes), 0, length);
}

function releaseShared({ buffer }: Numbers): void {
  const free = pool.get(buffer.byteLength);
  if (free) free.push(buffer as unknown as SharedArrayBuffer);
  else pool.set(buffer.byteLength, [buffer as unknown as SharedArrayBuffer]);
}

/** The largest number of elements in a call of MPI. */
const maxElements = 2 ** 31 - 1;

/** The elements in a type of MPI: float16 and bfloat16 become float32. */
function arrayOf(op: string, t: Tensor): Numbers {
  if (t.numel > maxElements)
    throw new RangeError(
      `${op}: MPI counts up to ${maxElements} elements, got ${t.numel}; use narrow() for parts of it`,
    );
  return exactElements(t) as Numbers;
}

/** Copies elements to shared memory. */
function copyToShared(array: Numbers): Numbers {
  const to = allocateShared(array.constructor as NumbersClass, array.length);
  to.set(array as never);
  return to;
}

/** Throws before anything is sent if the tensor cannot be written. */
function checkTarget(op: string, t: Tensor): void {
  checkTensors(op, t);
  noGrad.run(() => checkWritable(op, t));
}

function write(t: Tensor, from: Numbers): void {
  // The numbers of float16 and bfloat16 are float32.
  noGrad.run(() => t.copy_(fromTypedArray(from as never, { shape: t.shape })));
}

/** Checks the options; returns them with the group, which must include this rank. */
function optionsOf<O extends CollectiveOptions>(
  op: string,
  given: O | undefined,
  more: object = {},
): O & { group: Group } {
  const options = checkOptions<O & Partial<Async>>(op, given, {
    group: groupKind,
    async: is.boolean,
    ...more,
  } as never);
  const { group = world() } = options;
  checkMember(op, group);
  return { ...options, group };
}

const describe = (op: string, t: { dtype: DType; shape: readonly number[] }, more = ''): string =>
  `${op}(${t.dtype} [${t.shape.join(', ')}]${more})`;

const resultOf = <T>(work: Work<T>, options: CollectiveOptions | undefined): T | Work<T> =>
  (options as Partial<Async> | undefined)?.async === true ? work : work.wait();

const reduceOps = is.oneOf('sum', 'mean', 'product', 'min', 'max');

function checkReduce(op: string, t: Tensor, by: ReduceOp): Op {
  if (by === 'mean' && !isFloat(t.dtype))
    throw new TypeError(`${op}: takes floats for the mean, got ${t.dtype}; use .float()`);
  // For bool, a sum is a logical or and a product a logical and.
  if (t.dtype === 'bool') return by === 'sum' ? 'max' : by === 'product' ? 'min' : (by as Op);
  return by === 'mean' ? 'sum' : by;
}

function scale(array: Numbers, by: ReduceOp, size: number): void {
  if (by === 'mean') for (let i = 0; i < array.length; i++) (array as Float32Array)[i]! /= size;
}

/** Starts it, for `async: true`, and returns what waits for it. */
export function allReduce(t: Tensor, options: ReduceOptions & Async): Work<Tensor>;

/**
 * Combines the tensors of all ranks element by element, and writes the result into each of them, equal to the last bit.
 * Returns the tensor. Shapes and dtypes must be the same in all ranks.
 *
 * @example
 * const loss = tensor([1.5]);
 * allReduce(loss, { op: 'mean' }); // the mean of all ranks' losses
 */
export function allReduce(t: Tensor, options?: ReduceOptions): Tensor;
export function allReduce(t: Tensor, options?: ReduceOptions): Tensor | Work<Tensor> {
  checkTarget('allReduce', t);
  const { group, op = 'sum' } = optionsOf('allReduce', options, { op: reduceOps });
  const by = checkReduce('allReduce', t, op);
  const data = copyToShared(arrayOf('allReduce', t));
  const description = describe('allReduce', t, `, ${op}`);
  const job: Job = { op: 'allReduce', data, by, group: group.id, description };
  const work = run(job, description, () => {
    scale(data, op, group.size);
    write(t, data);
    releaseShared(data);
    return t;
  });
  return resultOf(work, options);
}

/** Starts it, for `async: true`, and returns what waits for it. */
export function broadcast(t: Tensor, options: RootOptions & Async): Work<Tensor>;
/** Writes the tensor of rank `root` into those of all ranks; returns the tensor. */
export function broadcast(t: Tensor, options?: RootOptions): Tensor;
export function broadcast(t: Tensor, options?: RootOptions): Tensor | Work<Tensor> {
  checkTarget('broadcast', t);
  const { group, root = 0 } = optionsOf('broadcast', options, { root: is.size });
  checkRank('broadcast', 'root', root, group);
  const data = copyToShared(arrayOf('broadcast', t));
  const description = describe('broadcast', t, `, root ${root}`);
  const work = run({ op: 'broadcast', data, root, group: group.id, description }, description, () => {
    if (group.rank !== root) write(t, data);
    releaseShared(data);
    return t;
  });
  return resultOf(work, options);
}

/** Splits the concatenated elements of all ranks into tensors. */
function parts(all: Numbers, count: number, like: Tensor): Tensor[] {
  return Array.from({ length: count }, (_, i) => {
    const part = all.slice(i * like.numel, (i + 1) * like.numel);
    return tensor(part as never, { shape: like.shape, dtype: like.dtype } as never);
  });
}

/** Starts it, for `async: true`, and returns what waits for it. */
export function allGather(t: Tensor, options: CollectiveOptions & Async): Work<Tensor[]>;
/** Returns the tensors of all ranks, in the order of ranks. Shapes and dtypes must be the same in all ranks. */
export function allGather(t: Tensor, options?: CollectiveOptions): Tensor[];
export function allGather(t: Tensor, options?: CollectiveOptions): Tensor[] | Work<Tensor[]> {
  checkTensors('allGather', t);
  const { group } = optionsOf('allGather', options);
  const from = copyToShared(arrayOf('allGather', t));
  const to = allocateShared(from.constructor as NumbersClass, from.length * group.size);
  if (group.size === 1) to.set(from as never);
  const description = describe('allGather', t);
  const work = run({ op: 'allGather', from, to, group: group.id, description }, description, () => {
    const all = parts(to, group.size, t);
    releaseShared(from);
    releaseShared(to);
    return all;
  });
  return resultOf(work, options);
}

/** Starts it, for `async: true`, and returns what waits for it. */
export function gather(t: Tensor, options: RootOptions & Async): Work<Tensor[] | null>;
/** Returns the tensors of all ranks in rank `root`, and null in the others. */
export function gather(t: Tensor, options?: RootOptions): Tensor[] | null;
export function gather(t: Tensor, options?: RootOptions): Tensor[] | null | Work<Tensor[] | null> {
  checkTensors('gather', t);
  const { group, root = 0 } = optionsOf('gather', options, { root: is.size });
  checkRank('gather', 'root', root, group);
  const from = copyToShared(arrayOf('gather', t));
  const to = group.rank === root ? allocateShared(from.constructor as NumbersClass, from.length * group.size) : null;
  if (group.size === 1) to!.set(from as never);
  const description = describe('gather', t, `, root ${root}`);
  const work = run({ op: 'gather', from, to, root, group: group.id, description }, description, () => {
    const all = to && parts(to, group.size, t);
    releaseShared(from);
    if (to) releaseShared(to);
    return all;
  });
  return resultOf(work, options);
}

/** Starts it, for `async: true`, and returns what waits for it. */
export function scatter(t: Tensor, list: readonly Tensor[] | null, options: RootOptions & Async): Work<Tensor>;

/**
 * Writes the tensors in the list of rank `root`, one for each rank, into `t` of the ranks. Other ranks pass null as the
 * list.
 */
export function scatter(t: Tensor, list: readonly Tensor[] | null, options?: RootOptions): Tensor;
export function scatter(t: Tensor, list: readonly Tensor[] | null, options?: RootOptions): Tensor | Work<Tensor> {
  checkTarget('scatter', t);
  const { group, root = 0 } = optionsOf('scatter', options, { root: is.size });
  checkRank('scatter', 'root', root, group);
  const array = arrayOf('scatter', t);
  const to = allocateShared(array.constructor as NumbersClass, array.length);
  const from = group.rank === root ? concatenate('scatter', list, t, group) : null;
  if (group.size === 1) to.set(from as never);
  const description = describe('scatter', t, `, root ${root}`);
  const work = run({ op: 'scatter', from, to, root, group: group.id, description }, description, () => {
    write(t, to);
    releaseShared(to);
    if (from) releaseShared(from);
    return t;
  });
  return resultOf(work, options);
}

/** Concatenates the elements of a list of tensors, one for each rank and all like `t`. */
function concatenate(op: string, list: readonly Tensor[] | null, t: Tensor, group: Group): Numbers {
  const text = `an array of ${group.size} tensors like the first argument, one for each rank`;
  const isLike = (part: unknown) => is.tensor.is(part) && describe('', part as Tensor) === describe('', t);
  check(op, 'list', list, {
    text: `${text} (${describe('', t).slice(1, -1)})`,
    is: (v) => Array.isArray(v) && v.length === group.size && v.every(isLike),
  });
  const arrays = list!.map((part) => arrayOf(op, part));
  const all = allocateShared(arrays[0]!.constructor as NumbersClass, t.numel * group.size);
  arrays.forEach((array, i) => {
    all.set(array as never, i * t.numel);
  });
  return all;
}

/** Starts it, for `async: true`, and returns what waits for it. */
export function reduceScatter(t: Tensor, list: readonly Tensor[], options: ReduceOptions & Async): Work<Tensor>;

/**
 * Combines the lists of all ranks element by element, and writes one of the results into `t` of each rank: rank 0 gets
 * the combination of the first tensors.
 */
export function reduceScatter(t: Tensor, list: readonly Tensor[], options?: ReduceOptions): Tensor;
export function reduceScatter(t: Tensor, list: readonly Tensor[], options?: ReduceOptions): Tensor | Work<Tensor> {
  checkTarget('reduceScatter', t);
  const { group, op = 'sum' } = optionsOf('reduceScatter', options, { op: reduceOps });
  const array = arrayOf('reduceScatter', t);
  const by = checkReduce('reduceScatter', t, op);
  const from = concatenate('reduceScatter', list, t, group);
  const to = allocateShared(array.constructor as NumbersClass, array.length);
  if (group.size === 1) to.set(from as never);
  const description = describe('reduceScatter', t, `, ${op}`);
  const work = run({ op: 'reduceScatter', from, to, by, group: group.id, description }, description, () => {
    scale(to, op, group.size);
    write(t, to);
    releaseShared(to);
    releaseShared(from);
    return t;
  });
  return resultOf(work, options);
}

/** Starts it, for `async: true`, and returns what waits for it. */
export function barrier(options: CollectiveOptions & Async): Work<void>;
/** Waits until all ranks have called it. */
export function barrier(options?: CollectiveOptions): void;
export function barrier(options?: CollectiveOptions): void | Work<void> {
  const { group } = optionsOf('barrier', options);
  const description = 'barrier()';
  return resultOf(
    run({ op: 'barrier', group: group.id, description }, description, () => {}),
    options,
  );
}

/** MPI guarantees tags up to 32767, and a message takes two. */
const tagKind = { text: 'a whole number from 0 to 16383', is: (v: unknown) => is.size.is(v) && (v as number) <= 16383 };

/** Starts it, for `async: true`, and returns what waits for it. */
export function send(t: Tensor, to: number, options: MessageOptions & Async): Work<void>;
/** Sends a tensor to rank `to`, which must call `recv`. Blocks until it is received, unless `async` is set. */
export function send(t: Tensor, to: number, options?: MessageOptions): void;
export function send(t: Tensor, to: number, options?: MessageOptions): void | Work<void> {
  checkTensors('send', t);
  const { group, tag = 0 } = optionsOf('send', options, { tag: tagKind });
  checkRank('send', 'to', to, group);
  if (to === group.rank) throw new RangeError(`send: rank ${to} cannot send to itself`);
  const data = copyToShared(arrayOf('send', t));
  const name = describe('send', t, ` to rank ${to}`);
  return resultOf(
    run(
      { op: 'send', data, dtype: dtypeNames.indexOf(t.dtype), to, tag, group: group.id, description: null },
      name,
      () => releaseShared(data),
    ),
    options,
  );
}

/** Starts it, for `async: true`, and returns what waits for it. */
export function recv(t: Tensor, from: number | null, options: MessageOptions & Async): Work<number>;

/**
 * Receives into `t` the tensor that rank `from` sends, or with null that of the first rank to send; returns the rank
 * that sent. Dtype and number of elements must be those of `t`.
 */
export function recv(t: Tensor, from?: number | null, options?: MessageOptions): number;
export function recv(t: Tensor, from: number | null = null, options?: MessageOptions): number | Work<number> {
  checkTarget('recv', t);
  const { group, tag = 0 } = optionsOf('recv', options, { tag: tagKind });
  if (from !== null) checkRank('recv', 'from', from, group);
  if (from === group.rank || group.size === 1)
    throw new RangeError(`recv: no other rank can send to rank ${group.rank} of ${group.size}`);
  const array = arrayOf('recv', t);
  const data = allocateShared(array.constructor as NumbersClass, array.length);
  const name = describe('recv', t, ` from ${from === null ? 'any rank' : `rank ${from}`}`);
  const dtype = dtypeNames.indexOf(t.dtype);
  const work = run({ op: 'recv', data, dtype, from, tag, group: group.id, description: null }, name, (source) => {
    write(t, data);
    releaseShared(data);
    return source;
  });
  return resultOf(work, options);
}
