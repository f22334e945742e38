import type { Element, Handle, Library, Op } from './library.js';

/** Arrays that MPI reads and writes where they are. */
export type Numbers = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array;

/** A group of ranks as MPI has it. */
export interface Communicator {
  readonly handle: Handle;
  readonly rank: number;
  readonly size: number;
}

/** A send or receive under way. */
export interface Request {
  readonly op: string;
  readonly request: BigUint64Array;
  readonly element: Element;
  /** How many elements a receiver expects; null for a sender. */
  readonly expected: number | null;
}

const undefinedColor = -32766;
/** How many bytes a rank tells the others about a collective that it calls. */
const describedBytes = 256;

/** What is called of MPI, all of it in one thread. Errors are JavaScript's, with MPI's own text. */
export class Mpi {
  readonly world: Communicator;
  readonly #library: Library;
  readonly #calls;

  constructor(library: Library) {
    this.#library = library;
    const { bind } = library;
    const collective = 'HANDLE op, HANDLE comm';
    this.#calls = {
      init: bind('int MPI_Init_thread(void *argc, void *argv, int required, void *provided)'),
      finalize: bind('int MPI_Finalize(void)'),
      abort: bind('int MPI_Abort(HANDLE comm, int code)'),
      errhandler: bind('int MPI_Comm_set_errhandler(HANDLE comm, HANDLE handler)'),
      errorString: bind('int MPI_Error_string(int code, void *text, void *length)'),
      rank: bind('int MPI_Comm_rank(HANDLE comm, void *rank)'),
      size: bind('int MPI_Comm_size(HANDLE comm, void *size)'),
      split: bind('int MPI_Comm_split(HANDLE comm, int color, int key, void *to)'),
      allreduce: bind(`int MPI_Allreduce(intptr_t from, void *to, int n, HANDLE type, ${collective})`),
      iallreduce: bind(`int MPI_Iallreduce(intptr_t from, void *to, int n, HANDLE type, ${collective}, void *request)`),
      bcast: bind('int MPI_Bcast(void *data, int n, HANDLE type, int root, HANDLE comm)'),
      allgather: bind('int MPI_Allgather(void *from, int n, HANDLE type, void *to, int m, HANDLE type2, HANDLE comm)'),
      gather: bind(
        'int MPI_Gather(void *from, int n, HANDLE type, void *to, int m, HANDLE type2, int root, HANDLE comm)',
      ),
      scatter: bind(
        'int MPI_Scatter(void *from, int n, HANDLE type, void *to, int m, HANDLE type2, int root, HANDLE comm)',
      ),
      reduceScatter: bind(`int MPI_Reduce_scatter_block(void *from, void *to, int n, HANDLE type, ${collective})`),
      barrier: bind('int MPI_Barrier(HANDLE comm)'),
      isend: bind('int MPI_Isend(void *data, int n, HANDLE type, int to, int tag, HANDLE comm, void *request)'),
      irecv: bind('int MPI_Irecv(void *data, int n, HANDLE type, int from, int tag, HANDLE comm, void *request)'),
      test: bind('int MPI_Test(void *request, void *flag, void *status)'),
      count: bind('int MPI_Get_count(void *status, HANDLE type, void *count)'),
    };
    // One thread makes all calls: MPI_THREAD_FUNNELED.
    this.#check('init', this.#calls.init(null, null, 1, new Int32Array(1)));
    this.world = this.#communicator(library.table.world);
  }

  #check(op: string, code: number): void {
    if (code === 0) return;
    const [text, length] = [Buffer.alloc(1024), new Int32Array(1)];
    this.#calls.errorString(code, text, length);
    throw new Error(`${op}: MPI error ${code}, ${text.toString('latin1', 0, length[0]).trim()}`);
  }

  #communicator(handle: Handle): Communicator {
    const out = new Int32Array(1);
    this.#check('init', this.#calls.errhandler(handle, this.#library.table.errorsReturn));
    this.#check('init', this.#calls.rank(handle, out));
    const rank = out[0]!;
    this.#check('init', this.#calls.size(handle, out));
    return { handle, rank, size: out[0]! };
  }

  #type(data: Numbers): Handle {
    return this.#library.table.types[elementOf(data)];
  }

  /** The communicator of some ranks of the world, in this order; null in ranks that are not among them. All ranks call it. */
  split(ranks: readonly number[]): Communicator | null {
    const place = ranks.indexOf(this.world.rank);
    // Large enough for either kind of handle.
    const out = new BigInt64Array(1);
    this.#check(
      'newGroup',
      this.#calls.split(this.world.handle, place < 0 ? undefinedColor : 0, Math.max(0, place), out),
    );
    if (place < 0) return null;
    return this.#communicator(this.#library.table.handle === 'int' ? Number(BigInt.asIntN(32, out[0]!)) : out[0]!);
  }

  /**
   * Makes sure that all ranks call the same collective, as `description` tells: MPI itself would hang, or mix up their
   * data. Costs one reduction of eight bytes, for which `poll` waits: in a call that blocks, MPI would keep the processor busy
   * and could not be stopped while a rank is missing.
   */
  agree(comm: Communicator, description: string, poll: (isDone: () => boolean) => void): void {
    const hash = hashOf(description);
    const both = Int32Array.of(hash, -hash);
    const { table } = this.#library;
    const [request, flag, status] = [new BigUint64Array(1), new Int32Array(1), new Int32Array(16)];
    const { iallreduce, test } = this.#calls;
    this.#check('agree', iallreduce(table.inPlace, both, 2, table.types.int32, table.ops.max, comm.handle, request));
    poll(() => {
      this.#check('agree', test(request, flag, status));
      return flag[0] !== 0;
    });
    if (both[0] === hash && both[1] === -hash) return;
    const [own, all] = [Buffer.alloc(describedBytes), Buffer.alloc(describedBytes * comm.size)];
    own.write(description.slice(0, describedBytes - 1));
    this.#check(
      'agree',
      this.#calls.allgather(own, describedBytes, table.byte, all, describedBytes, table.byte, comm.handle),
    );
    const calls = Array.from({ length: comm.size }, (_, rank) => {
      const text = all.toString('utf8', rank * describedBytes, (rank + 1) * describedBytes);
      return `rank ${rank} calls ${text.split('\0')[0]}`;
    });
    throw new Error(`the ranks do not call the same collective: ${calls.join('; ')}`);
  }

  allReduce(comm: Communicator, data: Numbers, op: Op): void {
    const { table } = this.#library;
    const type = this.#type(data);
    this.#check('allReduce', this.#calls.allreduce(table.inPlace, data, data.length, type, table.ops[op], comm.handle));
  }

  broadcast(comm: Communicator, data: Numbers, root: number): void {
    this.#check('broadcast', this.#calls.bcast(data, data.length, this.#type(data), root, comm.handle));
  }

  allGather(comm: Communicator, from: Numbers, to: Numbers): void {
    const type = this.#type(from);
    this.#check('allGather', this.#calls.allgather(from, from.length, type, to, from.length, type, comm.handle));
  }

  gather(comm: Communicator, from: Numbers, to: Numbers | null, root: number): void {
    const type = this.#type(from);
    this.#check('gather', this.#calls.gather(from, from.length, type, to, from.length, type, root, comm.handle));
  }

  scatter(comm: Communicator, from: Numbers | null, to: Numbers, root: number): void {
    const type = this.#type(to);
    this.#check('scatter', this.#calls.scatter(from, to.length, type, to, to.length, type, root, comm.handle));
  }

  reduceScatter(comm: Communicator, from: Numbers, to: Numbers, op: Op): void {
    const { ops } = this.#library.table;
    const code = this.#calls.reduceScatter(from, to, to.length, this.#type(to), ops[op], comm.handle);
    this.#check('reduceScatter', code);
  }

  barrier(comm: Communicator): void {
    this.#check('barrier', this.#calls.barrier(comm.handle));
  }

  send(comm: Communicator, data: Numbers, to: number, tag: number): Request {
    const request = new BigUint64Array(1);
    const code = this.#calls.isend(data, data.length, this.#type(data), to, tag, comm.handle, request);
    this.#check('send', code);
    return { op: 'send', request, element: elementOf(data), expected: null };
  }

  receive(comm: Communicator, data: Numbers, from: number | null, tag: number): Request {
    const request = new BigUint64Array(1);
    const source = from ?? this.#library.table.anySource;
    this.#check('recv', this.#calls.irecv(data, data.length, this.#type(data), source, tag, comm.handle, request));
    return { op: 'recv', request, element: elementOf(data), expected: data.length };
  }

  /** Whether a send or receive is done, and the rank that sent; throws if it failed. */
  test({ op, request, element, expected }: Request): { done: boolean; source: number } {
    const { table } = this.#library;
    const [flag, status] = [new Int32Array(1), new Int32Array(16)];
    this.#check(op, this.#calls.test(request, flag, status));
    if (flag[0] === 0) return { done: false, source: -1 };
    const source = status[table.sourceAt]!;
    if (expected !== null) {
      const count = new Int32Array(1);
      this.#check(op, this.#calls.count(status, table.types[element], count));
      if (count[0] !== expected)
        throw new Error(`recv: rank ${source} sent ${count[0]} elements of ${element}, and ${expected} are expected`);
    }
    return { done: true, source };
  }

  /** Ends all ranks of the world at once, with an exit code. */
  abort(code: number): void {
    this.#calls.abort(this.world.handle, code);
  }

  finalize(): void {
    this.#check('destroy', this.#calls.finalize());
  }
}

function elementOf(data: Numbers): Element {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Uint8Array) return 'uint8';
  return data instanceof Int8Array ? 'int8' : 'int16';
}

/** 31 bits of a text (FNV-1a). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 1;
}
