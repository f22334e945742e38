import { show } from '../../check.js';
import { TensorError } from '../../errors.js';
import { features, type Instance, type Kernels } from './module.js';

/** A kernel's arguments for one part of the work. */
export type Part = readonly number[];

// Addresses of the control words.
const NEXT = 0;
const DONE = 1;
const SEQUENCE = 2;
const SLEEPERS = 3;
const FAILED = 4;
const READY = 5;

/** The numbers of a part: which kernel, how many arguments, and the arguments. */
const partLength = 24;
const maxParts = 64;

/** How often a worker looks for more work before it goes to sleep: for some 400 microseconds. */
const spinCount = 100_000;

/** If no part is finished for so many milliseconds, a worker that had one must have been terminated. */
const lost = 60_000;

/**
 * The program of a worker. Whoever is free takes the next part: a late worker leaves its part to others. One word holds
 * the next part, the number of parts and (in the upper bits) the number of the call, so that a late worker cannot take
 * a part of another call for one of its own.
 */
const program = `
const work = ({ module, memory, control, parts, names, native }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const faster = native ? require(native).attach(new Uint8Array(memory.buffer)) : {};
  const kernels = names.map((name) => faster[name] ?? exports[name]);
  Atomics.add(control, ${READY}, 1);
  for (let seen = 0; ; ) {
    for (let spins = 0; Atomics.load(control, ${SEQUENCE}) === seen; )
      if (++spins > ${spinCount}) {
        Atomics.add(control, ${SLEEPERS}, 1);
        Atomics.wait(control, ${SEQUENCE}, seen);
        Atomics.sub(control, ${SLEEPERS}, 1);
        spins = 0;
      }
    seen = Atomics.load(control, ${SEQUENCE});
    for (;;) {
      const next = Atomics.add(control, ${NEXT}, 1);
      const part = next & 255;
      if (part >= ((next >> 8) & 255)) break;
      const at = part * ${partLength};
      const args = new Array(parts[at + 1]);
      for (let i = 0; i < args.length; i++) args[i] = parts[at + 2 + i];
      try {
        kernels[parts[at]].apply(null, args);
      } catch {
        Atomics.store(control, ${FAILED}, 1);
      }
      Atomics.add(control, ${DONE}, 1);
    }
  }
};
if (typeof require === 'function') work(require('node:worker_threads').workerData);
else self.onmessage = ({ data }) => work(data);
`;

interface ThreadWorker {
  unref?(): void;
  terminate(): unknown;
  postMessage?(data: unknown): void;
}

type NodeWorkers = {
  Worker: new (program: string, options: object) => ThreadWorker & { on(event: 'error' | 'exit', f: () => void): void };
  isMainThread: boolean;
};
type Runtime = {
  process?: { getBuiltinModule?(id: string): NodeWorkers | undefined };
  crossOriginIsolated?: boolean;
  navigator?: { hardwareConcurrency?: number };
};
const runtime = globalThis as Runtime;
const nodeWorkers = runtime.process?.getBuiltinModule?.('node:worker_threads');

/** The largest number of threads. */
const maxThreads = 32;

/** One thread for each core; one in a worker, which is itself one of several, and where no threads can be started. */
function threadsToBegin(): number {
  const cores = Math.min(maxThreads, runtime.navigator?.hardwareConcurrency ?? coresOfNode());
  if (nodeWorkers) return nodeWorkers.isMainThread ? cores : 1;
  return runtime.crossOriginIsolated === true && typeof document !== 'undefined' ? cores : 1;
}

function coresOfNode(): number {
  type Os = { availableParallelism?(): number } | undefined;
  return (runtime.process?.getBuiltinModule?.('node:os') as Os)?.availableParallelism?.() ?? 1;
}

function startWorker(data: object, ended: () => void): ThreadWorker {
  if (nodeWorkers) {
    const worker = new nodeWorkers.Worker(program, { eval: true, workerData: data, execArgv: [], env: {} });
    // It then takes no part, and the others do everything.
    worker.on('error', () => {});
    worker.on('exit', ended);
    worker.unref?.();
    return worker;
  }
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.postMessage(data);
  return worker;
}

let threads: number | null = null;

/**
 * The number of threads that large operators use.
 *
 * ```ts
 * getNumThreads() >= 1; // true
 * ```
 */
export function getNumThreads(): number {
  threads ??= threadsToBegin();
  return threads;
}

/**
 * Lets large operators use `n` threads, this one included; all cores unless it is called. Results do not depend on it.
 * Where no memory can be shared with workers (in browsers, a page that is not cross-origin isolated), one thread does
 * all. Throws a RangeError unless `n` is a whole number from 1 to 32.
 */
export function setNumThreads(n: number): void {
  if (!Number.isInteger(n) || n < 1 || n > maxThreads)
    throw new RangeError(`setNumThreads: expected a whole number from 1 to ${maxThreads}, got ${show(n)}`);
  threads = n;
}

/**
 * Cuts `n` into at most `count` runs of similar length, each a multiple of `unit` except the last: the begin and length
 * of each.
 */
export function bands(n: number, unit: number, count: number): (readonly [first: number, length: number])[] {
  const length = Math.max(1, Math.ceil(n / unit / count)) * unit;
  return Array.from(
    { length: Math.ceil(n / length) },
    (_, i) => [i * length, Math.min(length, n - i * length)] as const,
  );
}

/** Workers on the memory of an instance; started when there is first work for them. */
export class ThreadPool {
  #control = new Int32Array(new SharedArrayBuffer(64));
  #parts = new Float64Array(new SharedArrayBuffer(8 * partLength * maxParts));
  #workers: ThreadWorker[] = [];
  readonly #names: (keyof Kernels)[];
  readonly #indices: Map<string, number>;
  #calls = 0;
  /** Functions that note their arguments instead of running the kernel. */
  readonly #recorder: Kernels;
  readonly #noted: Part[] = [];
  #name!: keyof Kernels;

  constructor(readonly instance: Instance) {
    this.#names = Object.keys(instance.kernels) as (keyof Kernels)[];
    const note =
      (name: keyof Kernels) =>
      (...args: number[]) => {
        this.#name = name;
        this.#noted.push(args);
      };
    this.#recorder = Object.fromEntries(this.#names.map((name) => [name, note(name)])) as unknown as Kernels;
    this.#indices = new Map(this.#names.map((name, i) => [name, i]));
  }

  /** How many threads can take parts now. Starts those that are missing, for later calls. */
  get size(): number {
    const wanted = getNumThreads() - 1;
    if (this.#workers.length < wanted && this.instance.shared) this.#start(wanted);
    return 1 + Math.min(wanted, Atomics.load(this.#control, READY));
  }

  #start(wanted: number): void {
    const { module, memory } = this.instance;
    const native = features.native?.file;
    const data = { module, memory, control: this.#control, parts: this.#parts, names: this.#names, native };
    const ended = () => {
      // Its counts can no longer be trusted.
      if (data.control === this.#control) this.restart();
    };
    try {
      while (this.#workers.length < wanted) this.#workers.push(startWorker(data, ended));
    } catch {
      // Workers cannot be started here: this thread does everything.
      threads = 1 + this.#workers.length;
    }
  }

  /** Abandons the running workers; new ones are started when there is work for them. */
  restart(): void {
    const workers = this.#workers;
    this.#control = new Int32Array(new SharedArrayBuffer(64));
    this.#parts = new Float64Array(new SharedArrayBuffer(8 * partLength * maxParts));
    this.#workers = [];
    for (const worker of workers) worker.terminate();
  }

  /** Waits until all parts are done: looks for as long as workers do, then sleeps where that is allowed. */
  #wait(name: string, count: number): void {
    const control = this.#control;
    for (let spins = 0; spins < spinCount; spins++) if (Atomics.load(control, DONE) >= count) return;
    let since = performance.now();
    for (let before = -1; ; ) {
      const done = Atomics.load(control, DONE);
      if (done >= count) return;
      if (done !== before) [before, since] = [done, performance.now()];
      else if (performance.now() - since > lost) {
        this.restart();
        throw new TensorError(
          name,
          'a thread that had a part of it was ended, so its result is not whole; call it again',
        );
      }
      // The main thread of a page may not sleep.
      if (nodeWorkers) Atomics.wait(control, DONE, done, 0.05);
    }
  }

  /** Runs what `calls` does on all threads: up to 64 calls of one kernel, without return values. */
  note(calls: (kernels: Kernels) => void): void {
    this.#noted.length = 0;
    calls(this.#recorder);
    this.run(this.#name, this.#noted);
  }

  /** Runs a kernel for each of up to 64 parts, on all threads, and returns when the last has ended. */
  run(name: keyof Kernels, parts: readonly Part[]): void {
    const kernel = this.instance.kernels[name] as (...args: number[]) => void;
    const count = parts.length;
    if (count <= 1) {
      for (const args of parts) kernel.apply(null, args as number[]);
      return;
    }
    const [control, memory] = [this.#control, this.#parts];
    const index = this.#indices.get(name)!;
    for (let p = 0, at = 0; p < count; p++, at += partLength) {
      const args = parts[p]!;
      memory[at] = index;
      memory[at + 1] = args.length;
      for (let i = 0; i < args.length; i++) memory[at + 2 + i] = args[i]!;
    }
    this.#calls = (this.#calls + 1) & 0x7fff;
    Atomics.store(control, DONE, 0);
    Atomics.store(control, NEXT, (this.#calls << 16) | (count << 8));
    Atomics.add(control, SEQUENCE, 1);
    if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, SEQUENCE);
    for (;;) {
      const part = Atomics.add(control, NEXT, 1) & 255;
      if (part >= count) break;
      kernel.apply(null, parts[part] as number[]);
      Atomics.add(control, DONE, 1);
    }
    this.#wait(String(name), count);
    if (Atomics.load(control, FAILED) !== 0) {
      Atomics.store(control, FAILED, 0);
      throw new TensorError(String(name), 'failed in a thread');
    }
  }
}
