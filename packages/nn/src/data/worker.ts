import { builtin, check, checkOptions, is } from '@gradgate/core/internal';
import { notAState } from '../notAState.js';
import type { Stateful } from '../stateful.js';
import { checkIndex, type Dataset, noteState } from './dataset.js';
import { type Packed, pack, unpack } from './pack.js';
import { moduleUrl, workerProgram } from './workerFiles.js';

/** The parts of `node:worker_threads` that are used. */
interface Thread {
  postMessage(message: unknown): void;
  on(event: 'message' | 'messageerror' | 'error' | 'exit', listener: (value: any) => void): void;
  terminate(): Promise<unknown>;
  ref(): void;
  unref(): void;
}
interface WorkerThreads {
  Worker: new (url: URL, options: { workerData: unknown }) => Thread;
}

/** Options of `workerDataset`. */
export interface WorkerOptions {
  /** The number of threads; 2 by default. */
  workers?: number;
  /** The argument of the module's function in each thread: plain data and tensors. */
  data?: unknown;
}

/** A dataset in worker threads. Its state is that of the datasets in them, if they have one. */
export interface WorkerDataset<T> extends Dataset<T>, Stateful {
  /** Loads samples in one of the threads. */
  getMany(indices: readonly number[]): Promise<T[]>;
  /** Loads a sample in one of the threads. */
  get(index: number): Promise<T>;
  /** Ends the threads at once; pending requests fail. */
  close(): Promise<void>;
}

/** The states of the datasets in the threads after the samples used last, and the thread whose turn it is. */
interface WorkersState {
  turn: number;
  states: (object | null)[];
}

/**
 * A dataset whose samples are made in worker threads (Node only). `module` is the URL of a module whose default export
 * is a function that makes the dataset from `data`; a path is relative to the current directory. Threads do not keep
 * the process alive; `close()` ends them at once. With two threads: `await workerDataset(new URL('./images.js',
 * import.meta.url), { workers: 2 })`.
 */
export async function workerDataset<T>(module: URL | string, options: WorkerOptions = {}): Promise<WorkerDataset<T>> {
  const op = 'workerDataset';
  const { workers = 2, data } = checkOptions(op, options, { workers: is.count, data: is.anything });
  check(op, 'module', module, { text: 'a URL', is: (v) => v instanceof URL || (typeof v === 'string' && v !== '') });
  const threads = builtin<WorkerThreads>('node:worker_threads');
  if (!threads) throw new TypeError(`${op}: this runtime has no worker_threads; use the dataset itself`);
  const url = moduleUrl(module);
  const program = workerProgram();
  const start = (): Remote => {
    try {
      const workerData = { module: url, data: pack(data) };
      return new Remote(new threads.Worker(program, { workerData }));
    } catch (error) {
      throw new TypeError(`${op}: data cannot be sent to a thread: ${(error as Error).message}`);
    }
  };
  const pool: Remote[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(pool.map((p) => p.close()));
  };
  try {
    for (let i = 0; i < workers; i++) pool.push(start());
    const lengths = await Promise.all(pool.map((p) => p.ready));
    const odd = lengths.findIndex((n) => n !== lengths[0]);
    if (odd > 0)
      throw new TypeError(
        `${op}: the dataset has ${lengths[0]} samples in one thread and ${lengths[odd]} in another; all threads must make the same dataset`,
      );
    return fromPool<T>(pool, lengths[0]!, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function fromPool<T>(pool: readonly Remote[], length: number, close: () => Promise<void>): WorkerDataset<T> {
  const now: WorkersState = { turn: 0, states: pool.map(() => null) };
  let asked = 0;
  const stateDict = (): WorkersState => ({ turn: now.turn, states: [...now.states] });
  const getMany = async (indices: readonly number[]): Promise<T[]> => {
    for (const i of indices) checkIndex('workerDataset', i, length);
    const worker = asked++ % pool.length;
    const { samples, state } = await pool[worker]!.ask(indices);
    return noteState(samples as T[], () => {
      now.turn = (worker + 1) % pool.length;
      now.states[worker] = state;
      return stateDict();
    });
  };
  return {
    length,
    getMany,
    get: async (i) => (await getMany([i]))[0]!,
    close,
    stateDict,
    loadStateDict: (state: WorkersState) => {
      const { turn, states } = (state ?? {}) as Partial<WorkersState>;
      if (!is.size.is(turn) || !Array.isArray(states)) throw notAState('workerDataset', state);
      // Without states in the threads, any number of threads can continue.
      if (states.every((own) => own === null)) return;
      if (states.length !== pool.length)
        throw new TypeError(
          `workerDataset.loadStateDict: the state is of ${states.length} threads, and the dataset has ${pool.length}; make it with { workers: ${states.length} }`,
        );
      Object.assign(now, { turn, states: [...states] });
      asked = turn!;
      for (const [i, own] of states.entries()) if (own !== null) pool[i]!.load(own);
    },
  };
}

/** A message to a thread: a request for samples, or a state to restore. */
export type WorkerRequest = { id: number; indices: readonly number[] } | { state: Packed };

/** A response of a thread; id -1 has the length of its dataset. Messages of other forms are the dataset's own. */
export interface WorkerResponse {
  gradgate: number;
  value?: { length: number } | { samples: Packed; state: Packed | null };
  error?: { name: string; message: string; stack: string | undefined };
}

interface Samples {
  samples: unknown[];
  state: object | null;
}

/** One thread and its pending requests. */
class Remote {
  readonly ready: Promise<number>;
  private readonly open = new Map<number, { resolve(v: never): void; reject(e: unknown): void }>();
  private asked = 0;
  private over: Error | null = null;

  constructor(private readonly thread: Thread) {
    this.ready = new Promise((resolve, reject) => this.open.set(-1, { resolve, reject }));
    // A thread may fail before it is awaited, which must not be an unhandled rejection.
    this.ready.catch(() => {});
    thread.on('message', (message) => this.receive(message));
    thread.on('messageerror', (error) => this.end(inWorker(error)));
    thread.on('error', (error) => this.end(inWorker(error)));
    thread.on('exit', (code: number) => this.end(new Error(`a worker ended with code ${code}`)));
  }

  private receive(response: WorkerResponse | null): void {
    const id = response?.gradgate;
    const request = id === undefined ? undefined : this.open.get(id);
    if (!response || !request) return;
    this.open.delete(id!);
    if (this.open.size === 0) this.thread.unref();
    const { value, error } = response;
    if (error) request.reject(inWorker(error));
    else if (value && 'length' in value) request.resolve(value.length as never);
    else if (value) {
      const state = value.state && (unpack(value.state) as object);
      request.resolve({ samples: unpack(value.samples), state } as never);
    }
  }

  ask(indices: readonly number[]): Promise<Samples> {
    if (this.over) return Promise.reject(this.over);
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.open.set(id, { resolve, reject });
      // A pending request keeps the process alive.
      this.thread.ref();
      this.thread.postMessage({ id, indices: [...indices] } satisfies WorkerRequest);
    });
  }

  /** Restores a state, before any later request. */
  load(state: object): void {
    this.thread.postMessage({ state: pack(state) } satisfies WorkerRequest);
  }

  async close(): Promise<void> {
    this.end(new Error('workerDataset: it was closed'));
    await this.thread.terminate();
  }

  private end(error: Error): void {
    this.over ??= error;
    for (const { reject } of this.open.values()) reject(this.over);
    this.open.clear();
  }
}

/** An error from what was thrown in a thread, which may be any value. */
function inWorker(thrown: unknown): Error {
  const { name, message } = (thrown ?? {}) as Partial<Error>;
  const text = message || (name ? `${name} without a message` : `${String(thrown)} was thrown`);
  return new Error(`in a worker: ${text}`, { cause: thrown });
}
