import { dtypeNames, sleep } from './job.js';
import type { Element, Handle, Library, Op } from './library.js';
import { fromOrdered, orderedLike, toOrdered } from './order.js';

/** Arrays that MPI reads and writes in place. */
export type Numbers = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array;

/** A communicator of MPI: a group of ranks. */
export interface Communicator {
  readonly handle: Handle;
  readonly rank: number;
  readonly size: number;
}

/** A running send or receive. */
export interface Message {
  readonly op: 'send' | 'recv';
  readonly data: Numbers;
  /**
   * A message sent before the elements, as MPI compares neither dtypes nor lengths: the index of the dtype and the
   * length.
   */
  readonly header: Int32Array;
  /** The requests that are not done yet, in order. */
  readonly requests: BigUint64Array[];
  /** Starts receiving the elements once the sender is known; null for sends and afterwards. */
  receiveFrom: ((source: number) => BigUint64Array) | null;
  source: number;
}

const undefinedColor = -32766;
/** The largest number of bytes of a description that ranks exchange. */
const describedBytes = 2 ** 20;
/** The time for all ranks to leave the last collective, on crowded machines too, in milliseconds. */
const leaveMilliseconds = 200;

/**
 * The calls of MPI, all made in one thread. Errors are JavaScript's, with MPI's text.
 *
 * Collectives are started, then tested by `poll` until they are done. A blocking call of MPI would spin on a processor
 * that others could use, and could not be stopped while a rank is missing.
 */
export class Mpi {
  readonly world: Communicator;
  readonly #library: Library;
  readonly #calls;
  readonly #flag = new Int32Array(1);
  readonly #status = new Int32Array(16);
  readonly #poll: (isDone: () => boolean) => void;
  /** The source of reductions: Open MPI is slower in place. */
  #scratch = new ArrayBuffer(0);

  constructor(library: Library, poll: (isDone: () => boolean) => void) {
    this.#library = library;
    this.#poll = poll;
    const { bind } = library;
    const comm = 'HANDLE comm, void *request';
    const collective = `HANDLE op, ${comm}`;
    const to = 'void *to, int m, HANDLE type2';
    this.#calls = {
      init: bind('int MPI_Init_thread(void *argc, void *argv, int required, void *provided)'),
      finalize: bind('int MPI_Finalize(void)'),
      abort: bind('int MPI_Abort(HANDLE comm, int code)'),
      errhandler: bind('int MPI_Comm_set_errhandler(HANDLE comm, HANDLE handler)'),
      errorString: bind('int MPI_Error_string(int code, void *text, void *length)'),
      rank: bind('int MPI_Comm_rank(HANDLE comm, void *rank)'),
      size: bind('int MPI_Comm_size(HANDLE comm, void *size)'),
      split: bind('int MPI_Comm_split(HANDLE comm, int color, int key, void *to)'),
      allReduce: bind(`int MPI_Iallreduce(void *from, void *to, int n, HANDLE type, ${collective})`),
      broadcast: bind(`int MPI_Ibcast(void *data, int n, HANDLE type, int root, ${comm})`),
      allGather: bind(`int MPI_Iallgather(void *from, int n, HANDLE type, ${to}, ${comm})`),
      gather: bind(`int MPI_Igather(void *from, int n, HANDLE type, ${to}, int root, ${comm})`),
      scatter: bind(`int MPI_Iscatter(void *from, int n, HANDLE type, ${to}, int root, ${comm})`),
      reduceScatter: bind(`int MPI_Ireduce_scatter_block(void *from, void *to, int n, HANDLE type, ${collective})`),
      barrier: bind(`int MPI_Ibarrier(${comm})`),
      isend: bind('int MPI_Isend(void *data, int n, HANDLE type, int to, int tag, HANDLE comm, void *request)'),
      irecv: bind('int MPI_Irecv(void *data, int n, HANDLE type, int from, int tag, HANDLE comm, void *request)'),
      test: bind('int MPI_Test(void *request, void *flag, void *status)'),
    };
    this.#check('init', this.#calls.init(null, null, library.constants.funneled, new Int32Array(1)));
    this.world = this.#communicator(library.constants.world);
  }

  #check(op: string, code: number): void {
    if (code === 0) return;
    const [text, length] = [Buffer.alloc(1024), new Int32Array(1)];
    this.#calls.errorString(code, text, length);
    throw new Error(`${op}: MPI error ${code}, ${text.toString('latin1', 0, length[0]).trim()}`);
  }

  #communicator(handle: Handle): Communicator {
    const out = new Int32Array(1);
    this.#check('init', this.#calls.errhandler(handle, this.#library.constants.errorsReturn));
    this.#check('init', this.#calls.rank(handle, out));
    const rank = out[0]!;
    this.#check('init', this.#calls.size(handle, out));
    return { handle, rank, size: out[0]! };
  }

  #type(data: Numbers): Handle {
    return this.#library.constants.types[elementOf(data)];
  }

  /** Makes a communicator of some ranks, in this order; null in other ranks. All ranks of the world must call it. */
  split(ranks: readonly number[]): Communicator | null {
    const place = ranks.indexOf(this.world.rank);
    // Large enough for both kinds of handles.
    const out = new BigInt64Array(1);
    this.#check(
      'newGroup',
      this.#calls.split(this.world.handle, place < 0 ? undefinedColor : 0, Math.max(0, place), out),
    );
    if (place < 0) return null;
    return this.#communicator(this.#library.constants.handle === 'int' ? Number(BigInt.asIntN(32, out[0]!)) : out[0]!);
  }

  /** Starts a collective, whose last argument is its request, and returns when it is done. */
  #finish(op: string, call: (...args: any[]) => number, ...args: readonly unknown[]): void {
    const request = new BigUint64Array(1);
    this.#check(op, call(...args, request));
    this.#poll(() => this.#isDone(op, request));
  }

  #isDone(op: string, request: BigUint64Array): boolean {
    this.#check(op, this.#calls.test(request, this.#flag, this.#status));
    return this.#flag[0] !== 0;
  }

  /**
   * Checks that all ranks call the same collective, by its `description`: MPI itself would hang or mix up data. Costs
   * one reduction of eight bytes.
   */
  agree(comm: Communicator, description: string): void {
    const hash = hashOf(description);
    const both = Int32Array.of(hash, -hash);
    this.allReduce(comm, both, 'max');
    if (both[0] === hash && both[1] === -hash) return;
    const own = Buffer.from(description).subarray(0, describedBytes);
    const longest = Int32Array.of(own.length);
    this.allReduce(comm, longest, 'max');
    const length = longest[0]!;
    const [padded, all] = [new Uint8Array(length), Buffer.alloc(length * comm.size)];
    padded.set(own);
    this.allGather(comm, padded, all);
    const texts = Array.from({ length: comm.size }, (_, rank) =>
      all.toString('utf8', rank * length, (rank + 1) * length).replace(/\0+$/, ''),
    );
    const calls = differing(texts).map((text, rank) => `rank ${rank} calls ${text}`);
    throw new Error(`the ranks do not call the same collective: ${calls.join('; ')}`);
  }

  allReduce({ handle }: Communicator, data: Numbers, op: Op): void {
    const { ops } = this.#library.constants;
    const to = toOrdered(data, op);
    if (this.#scratch.byteLength < to.byteLength) this.#scratch = new ArrayBuffer(to.byteLength);
    const from = new (to.constructor as typeof Float32Array)(this.#scratch, 0, to.length);
    from.set(to as Float32Array);
    this.#finish('allReduce', this.#calls.allReduce, from, to, to.length, this.#type(to), ops[op], handle);
    fromOrdered(to, data);
  }

  broadcast({ handle }: Communicator, data: Numbers, root: number): void {
    this.#finish('broadcast', this.#calls.broadcast, data, data.length, this.#type(data), root, handle);
  }

  allGather({ handle }: Communicator, from: Numbers, to: Numbers): void {
    const [n, type] = [from.length, this.#type(from)];
    this.#finish('allGather', this.#calls.allGather, from, n, type, to, n, type, handle);
  }

  gather({ handle }: Communicator, from: Numbers, to: Numbers | null, root: number): void {
    const [n, type] = [from.length, this.#type(from)];
    this.#finish('gather', this.#calls.gather, from, n, type, to, n, type, root, handle);
  }

  scatter({ handle }: Communicator, from: Numbers | null, to: Numbers, root: number): void {
    const [n, type] = [to.length, this.#type(to)];
    this.#finish('scatter', this.#calls.scatter, from, n, type, to, n, type, root, handle);
  }

  reduceScatter({ handle }: Communicator, list: Numbers, data: Numbers, op: Op): void {
    const { ops } = this.#library.constants;
    const [from, to] = [toOrdered(list, op), orderedLike(data, op)];
    this.#finish('reduceScatter', this.#calls.reduceScatter, from, to, to.length, this.#type(to), ops[op], handle);
    fromOrdered(to, data);
  }

  barrier({ handle }: Communicator): void {
    this.#finish('barrier', this.#calls.barrier, handle);
  }

  #isend(comm: Communicator, data: Numbers, to: number, tag: number): BigUint64Array {
    const request = new BigUint64Array(1);
    const code = this.#calls.isend(data, data.length, this.#type(data), to, tag, comm.handle, request);
    this.#check('send', code);
    return request;
  }

  #irecv(comm: Communicator, data: Numbers, from: number, tag: number): BigUint64Array {
    const request = new BigUint64Array(1);
    const code = this.#calls.irecv(data, data.length, this.#type(data), from, tag, comm.handle, request);
    this.#check('recv', code);
    return request;
  }

  send(comm: Communicator, data: Numbers, dtype: number, to: number, tag: number): Message {
    const header = Int32Array.of(dtype, data.length);
    const requests = [this.#isend(comm, header, to, 2 * tag), this.#isend(comm, data, to, 2 * tag + 1)];
    return { op: 'send', data, header, requests, receiveFrom: null, source: -1 };
  }

  receive(comm: Communicator, data: Numbers, dtype: number, from: number | null, tag: number): Message {
    const header = new Int32Array(2);
    const requests = [this.#irecv(comm, header, from ?? this.#library.constants.anySource, 2 * tag)];
    const receiveFrom = (source: number) => {
      const sent = `${header[1]} elements of ${dtypeNames[header[0]!]}`;
      const expected = `${data.length} of ${dtypeNames[dtype]}`;
      if (header[0] !== dtype || header[1] !== data.length)
        throw new Error(`recv: rank ${source} sent ${sent}, but ${expected} were expected`);
      return this.#irecv(comm, data, source, 2 * tag + 1);
    };
    return { op: 'recv', data, header, requests, receiveFrom, source: -1 };
  }

  /** Returns whether a send or receive is done; throws if it failed. */
  test(message: Message): boolean {
    const { op, requests, receiveFrom } = message;
    while (requests.length > 0) {
      if (!this.#isDone(op, requests[0]!)) return false;
      requests.shift();
      message.source = this.#status[this.#library.constants.sourceAt]!;
      if (receiveFrom === null || message.receiveFrom === null) continue;
      message.receiveFrom = null;
      requests.push(receiveFrom(message.source));
    }
    return true;
  }

  /** Ends all ranks at once, with an exit code. */
  abort(code: number): void {
    this.#calls.abort(this.world.handle, code);
  }

  /**
   * MPICH waits in MPI_Finalize until every other rank has answered a last message, by UCX over TCP. A rank answers
   * while it is inside MPI, and no more once it has its own answers: a rank that answers before it has asked itself
   * waits without end. So each rank pauses outside of MPI first, until all have left the last collective.
   */
  finalize(): void {
    if (this.#library.kind !== 'Open MPI' && this.world.size > 1) sleep(leaveMilliseconds);
    this.#check('destroy', this.#calls.finalize());
  }
}

/** The texts of all ranks without a long common start, so that the difference can be seen. */
function differing(texts: readonly string[]): string[] {
  const [first] = texts as [string];
  let at = 0;
  while (at < first.length && texts.every((text) => text[at] === first[at])) at++;
  const from = at < 100 ? 0 : at - 50;
  return texts.map((text) => {
    const head = from > 0 ? `${text.slice(0, 30)} ... ` : '';
    return `${head}${text.slice(from, from + 250)}${text.length > from + 250 ? ' ...' : ''}`;
  });
}

function elementOf(data: Numbers): Element {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Uint8Array) return 'uint8';
  return data instanceof Int8Array ? 'int8' : 'int16';
}

/** A hash of 31 bits (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 1;
}
