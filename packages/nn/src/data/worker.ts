import { type PackedTensor, packTensor, Tensor, unpackTensor } from '@gradgate/core';
import { builtin } from '../builtin.js';
import type { Dataset } from './dataset.js';

/** The part of `node:worker_threads` that is used. */
interface Thread {
  postMessage(message: unknown): void;
  on(event: 'message' | 'error' | 'exit', listener: (value: any) => void): void;
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
  /** Handed to the module's function, in each thread. */
  data?: unknown;
}

/**
 * A dataset whose samples are made in worker threads (Node only). `module` is the URL of a module whose default export is
 * a function that makes the dataset, from `data`: `workerDataset(new URL('./images.js', import.meta.url))`. Threads do
 * not keep the process alive; `close()` ends them at once.
 */
export async function workerDataset<T>(
  module: URL | string,
  { workers = 2, data }: WorkerOptions = {},
): Promise<Dataset<T> & { close(): Promise<void> }> {
  if (!Number.isInteger(workers) || workers < 1)
    throw new RangeError(`workerDataset: workers is a whole number above 0, got ${workers}`);
  const threads = builtin<WorkerThreads>('node:worker_threads');
  if (!threads) throw new TypeError('workerDataset: this runtime has no worker_threads; use the dataset itself');
  const pool = Array.from(
    { length: workers },
    () =>
      new Remote(
        new threads.Worker(new URL('./workerMain.js', import.meta.url), {
          workerData: { module: String(module), data },
        }),
      ),
  );
  const close = async () => {
    await Promise.all(pool.map((p) => p.close()));
  };
  let lengths: number[];
  try {
    lengths = await Promise.all(pool.map((p) => p.ready));
  } catch (error) {
    await close();
    throw error;
  }
  const length = lengths[0]!;
  let turn = 0;
  const getMany = (indices: readonly number[]): Promise<T[]> =>
    pool[turn++ % pool.length]!.ask(indices) as Promise<T[]>;
  return { length, getMany, get: async (i) => (await getMany([i]))[0]!, close };
}

/** One thread and the questions it has not answered yet. */
class Remote {
  readonly ready: Promise<number>;
  private readonly open = new Map<number, { resolve(v: unknown): void; reject(e: unknown): void }>();
  private asked = 0;
  private over: Error | null = null;

  constructor(private readonly thread: Thread) {
    this.ready = new Promise((resolve, reject) => this.open.set(-1, { resolve: resolve as never, reject }));
    thread.on('message', ({ id, value, error }: Answer) => {
      const question = this.open.get(id);
      this.open.delete(id);
      if (this.open.size === 0) thread.unref();
      if (error) question?.reject(new Error(`in a worker: ${error}`));
      else question?.resolve(unpack(value));
    });
    thread.on('error', (error: Error) => this.end(error));
    thread.on('exit', (code: number) => this.end(new Error(`a worker ended with code ${code}`)));
  }

  ask(indices: readonly number[]): Promise<unknown> {
    if (this.over) return Promise.reject(this.over);
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.open.set(id, { resolve, reject });
      // As long as somebody waits for an answer, the process goes on.
      this.thread.ref();
      this.thread.postMessage({ id, indices });
    });
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

/** @internal What a thread sends back; id -1 tells the length of its dataset. */
export interface Answer {
  id: number;
  value?: unknown;
  error?: string;
}

interface Packed {
  gradgateTensor: PackedTensor;
}

/** @internal Tensors, within arrays and plain objects, in the form in which they can be sent. */
export function pack(value: unknown): unknown {
  if (value instanceof Tensor) return { gradgateTensor: packTensor(value) } satisfies Packed;
  if (Array.isArray(value)) return value.map(pack);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, pack(v)]));
  return value;
}

function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  if ('gradgateTensor' in value) return unpackTensor((value as Packed).gradgateTensor);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unpack(v)]));
}
