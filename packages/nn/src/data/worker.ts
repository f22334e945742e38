import { builtin, check, checkOptions, is } from '@gradgate/core/internal';
import type { Resumable } from '../plain.js';
import { checkIndex, type Dataset, noteState } from './dataset.js';
import { type Packed, pack, unpack } from './pack.js';
import { moduleUrl, workerProgram } from './workerFiles.js';

/** The part of `node:worker_threads` that is used. */
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

export interface WorkerOptions {
  /** How many threads; 2 by default. */
  workers?: number;
  /** Handed to the module's function, in each thread: plain data and tensors. */
  data?: unknown;
}

/** A dataset in threads. Its state is that of the datasets in them, where they have one. */
export interface WorkerDataset<T> extends Dataset<T>, Resumable {
  getMany(indices: readonly number[]): Promise<T[]>;
  get(index: number): Promise<T>;
  /** Ends the threads at once. */
  close(): Promise<void>;
}

/** The states of the threads' datasets behind the samples that were used last, and whose turn it is. */
interface WorkersState {
  turn: number;
  states: (object | null)[];
}

/**
 * A dataset whose samples are made in worker threads (Node only). `module` is the URL of a module whose default export
 * is a function that makes the dataset, from `data`; a path is taken from the current directory. Threads do not keep
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
        `${op}: the dataset has ${lengths[0]} samples in one thread and ${lengths[odd]} in another; all must make the same`,
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
      if (!is.size.is(turn) || !Array.isArray(states))
        throw new TypeError('workerDataset.loadStateDict: takes what stateDict() gives');
      // Without states of their own, any number of threads goes on.
      if (states.every((own) => own === null)) return;
      if (states.length !== pool.length)
        throw new TypeError(
          `workerDataset.loadStateDict: this is the state of a dataset in ${states.length} threads, and here are ${pool.length}`,
        );
      Object.assign(now, { turn, states: [...states] });
      asked = turn!;
      for (const [i, own] of states.entries()) if (own !== null) pool[i]!.load(own);
    },
  };
}

/** What a thread is asked: for samples, or to take up a state. */
export type Question = { id: number; indices: readonly number[] } | { state: Packed };

/** What a thread sends back; id -1 tells the length of its dataset. Other messages are the dataset's own. */
export interface Answer {
  gradgate: number;
  value?: { length: number } | { samples: Packed; state: Packed | null };
  error?: { name: string; message: string; stack: string | undefined };
}

interface Samples {
  samples: unknown[];
  state: object | null;
}

/** One thread and the questions it has not answered yet. */
class Remote {
  readonly ready: Promise<number>;
  private readonly open = new Map<number, { resolve(v: never): void; reject(e: unknown): void }>();
  private asked = 0;
  private over: Error | null = null;

  constructor(private readonly thread: Thread) {
    this.ready = new Promise((resolve, reject) => this.open.set(-1, { resolve, reject }));
    // Some thread may fail before all are waited for.
    this.ready.catch(() => {});
    thread.on('message', (message) => this.receive(message));
    thread.on('messageerror', (error) => this.end(inWorker(error)));
    thread.on('error', (error) => this.end(inWorker(error)));
    thread.on('exit', (code: number) => this.end(new Error(`a worker ended with code ${code}`)));
  }

  private receive(answer: Answer | null): void {
    const id = answer?.gradgate;
    const question = id === undefined ? undefined : this.open.get(id);
    if (!answer || !question) return;
    this.open.delete(id!);
    if (this.open.size === 0) this.thread.unref();
    const { value, error } = answer;
    if (error) question.reject(inWorker(error));
    else if (value && 'length' in value) question.resolve(value.length as never);
    else if (value) {
      const state = value.state && (unpack(value.state) as object);
      question.resolve({ samples: unpack(value.samples), state } as never);
    }
  }

  ask(indices: readonly number[]): Promise<Samples> {
    if (this.over) return Promise.reject(this.over);
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.open.set(id, { resolve, reject });
      // As long as somebody waits for an answer, the process goes on.
      this.thread.ref();
      this.thread.postMessage({ id, indices: [...indices] } satisfies Question);
    });
  }

  /** Before whatever is asked from now on. */
  load(state: object): void {
    this.thread.postMessage({ state: pack(state) } satisfies Question);
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

/** What was thrown in a thread, which may be anything. */
function inWorker(thrown: unknown): Error {
  const { name, message } = (thrown ?? {}) as Partial<Error>;
  const text = message || (name ? `${name} without a message` : `${String(thrown)} was thrown`);
  return new Error(`in a worker: ${text}`, { cause: thrown });
}
