import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { installedFile } from '@gradgate/core/internal';
import {
  abort,
  busy,
  cells,
  done,
  idle,
  type Job,
  type Joined,
  type Outcome,
  posted,
  sleep,
  type WorkerData,
} from './job.js';
import type { Launched } from './library.js';
import { Work } from './work.js';

/** The error of a failed collective. It names the call and the rank, and says what to look for. */
export class DistributedError extends Error {
  override readonly name = 'DistributedError';
}

/** Tells the code of `gradgate launch` in this rank that errors are reported here from now on. */
const joins = Symbol.for('@gradgate/distributed.joins');

/**
 * The main thread's side of the thread that calls MPI. Jobs run in the order in which they were posted. Waiting for one
 * fails when no job has finished for `timeout` milliseconds.
 */
export class Connection {
  readonly rank: number;
  readonly size: number;
  readonly library: string;
  readonly #flags: Int32Array;
  readonly #worker: Worker;
  readonly #jobs: MessagePort;
  readonly #outcomes: MessagePort;
  /** Failed collectives that nothing has waited for. */
  readonly unseen = new Set<Work<any>>();
  readonly #running = new Map<number, Work<unknown>>();
  #next = 0;
  #listening = false;
  #watch: NodeJS.Timeout | null = null;
  #broken: DistributedError | null = null;
  #ended = false;

  private constructor(
    flags: Int32Array,
    worker: Worker,
    jobs: MessagePort,
    outcomes: MessagePort,
    joined: Joined,
    readonly timeout: number,
  ) {
    this.#flags = flags;
    this.#worker = worker;
    this.#jobs = jobs;
    this.#outcomes = outcomes;
    this.rank = joined.rank;
    this.size = joined.size;
    this.library = joined.library;
    outcomes.on('message', (outcome: Outcome) => this.#take(outcome));
    outcomes.unref();
    worker.unref();
    process.on('uncaughtExceptionMonitor', this.#onUncaught);
    process.on('exit', this.#onExit);
    worker.on('error', (error) => this.#break(`its thread failed: ${error.message}`));
  }

  /** Starts the thread and joins the other ranks. */
  static async open(launched: Launched, timeout: number): Promise<Connection> {
    const program = installedFile(new Error(), '@gradgate/distributed', './dist/worker.js');
    if (program === null)
      throw new DistributedError(
        'init: the thread that calls MPI loads its program from the package @gradgate/distributed, and it is not installed ' +
          'where this bundle runs; install it there',
      );
    Object.assign(globalThis, { [joins]: true });
    disableUcxHooks();
    yieldWhenIdle();
    useRingAllReduce(launched.size);
    const flags = new Int32Array(new SharedArrayBuffer(4 * cells));
    const [jobs, outcomes] = [new MessageChannel(), new MessageChannel()];
    const data: WorkerData = { flags, jobs: jobs.port2, outcomes: outcomes.port2 };
    const worker = new Worker(program, {
      workerData: data,
      transferList: [jobs.port2, outcomes.port2],
      // The thread must not load the module loaders of the main program.
      execArgv: [],
    });
    // Many processes take longer to start.
    const toJoin = Math.max(timeout, 30_000);
    const joined = await new Promise<Joined>((resolve, reject) => {
      const late = setTimeout(() => {
        const text = `init: the other ranks did not join within ${seconds(toJoin)}`;
        console.error(`gradgate: ${text}`);
        // Nothing else ends a thread that is inside MPI_Init.
        if (Atomics.load(flags, busy) === 1) process.kill(process.pid, 'SIGKILL');
        reject(new DistributedError(text));
      }, toJoin);
      outcomes.port1.once('message', (message: Joined) => {
        clearTimeout(late);
        resolve(message);
      });
      worker.once('error', (error) => {
        clearTimeout(late);
        reject(error);
      });
    });
    if (joined.error !== null) {
      await worker.terminate();
      throw new DistributedError(`init: ${joined.error}`);
    }
    return new Connection(flags, worker, jobs.port1, outcomes.port1, joined, timeout);
  }

  /** Posts a job, whose outcome goes to `work`. */
  post<T>(job: Job, work: Work<T>): Work<T> {
    if (this.#broken) throw this.#broken;
    if (this.#ended)
      throw new DistributedError(`${work.name}: destroy() has been called, and no collective can follow`);
    return this.#send(job, work);
  }

  #send<T>(job: Job, work: Work<T>): Work<T> {
    this.#running.set(this.#next, work as Work<unknown>);
    this.#jobs.postMessage(job);
    Atomics.store(this.#flags, posted, ++this.#next);
    Atomics.notify(this.#flags, posted);
    return work;
  }

  /** Processes the outcomes that have arrived. */
  collect(): void {
    for (let found = receiveMessageOnPort(this.#outcomes); found; found = receiveMessageOnPort(this.#outcomes))
      this.#take(found.message as Outcome);
  }

  #take({ id, error, source = 0 }: Outcome): void {
    const work = this.#running.get(id);
    if (!work) return;
    this.#running.delete(id);
    work.settle(error === null ? null : new DistributedError(`${work.name} on rank ${this.rank}: ${error}`), source);
    if (this.#running.size === 0) this.#stopListening();
  }

  /** Blocks until `work` is done. */
  waitFor(work: Work<any>): void {
    for (;;) {
      const before = Atomics.load(this.#flags, done);
      this.collect();
      if (!work.isRunning) return;
      if (this.#broken) throw this.#broken;
      Atomics.store(this.#flags, idle, 1);
      const outcome = Atomics.wait(this.#flags, done, before, this.timeout);
      Atomics.store(this.#flags, idle, 0);
      if (outcome === 'timed-out') this.#timeOut();
    }
  }

  /** Keeps the process alive for outcomes, and watches the timeout, until no job is running. */
  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#outcomes.ref();
    let before = Atomics.load(this.#flags, done);
    let since = Date.now();
    this.#watch = setInterval(
      () => {
        const now = Atomics.load(this.#flags, done);
        if (now !== before) [before, since] = [now, Date.now()];
        else if (Date.now() - since >= this.timeout) this.#timeOut();
      },
      Math.min(1000, this.timeout / 4),
    );
  }

  #stopListening(): void {
    if (!this.#listening) return;
    this.#listening = false;
    this.#outcomes.unref();
    clearInterval(this.#watch!);
  }

  #timeOut(): void {
    const [first] = this.#running.values();
    this.#break(
      `${first?.name ?? 'a collective'} has waited for ${seconds(this.timeout)}: a rank has not called it, has ended or cannot be reached`,
    );
  }

  /** Makes every later call throw: running collectives can be neither finished nor stopped. */
  #break(text: string): void {
    this.#broken ??= new DistributedError(`rank ${this.rank} of ${this.size}: ${text}`);
    const error = this.#broken;
    for (const work of this.#running.values()) work.settle(error, 0);
    this.#running.clear();
    this.#stopListening();
  }

  /**
   * A rank that exits without `destroy()` ends all ranks: otherwise MPI would let them wait for it. The process itself
   * could not exit while the thread is stuck inside MPI. `gradgate launch` recognizes the messages printed here.
   */
  readonly #onExit = (code: number): void => {
    if (this.#finalized) return;
    const who = `gradgate: rank ${this.rank} of ${this.size}`;
    if (this.#uncaught) console.error(`${who} fails, and all ranks are ended:`, this.#uncaught.error);
    else
      console.error(
        `${who} ends with exit code ${code} and without destroy(), while others may wait for it: all ranks are ended`,
      );
    // The launcher of MPICH prints nothing after it knows of the end, so give it time to print before.
    sleep(printMilliseconds);
    if (Atomics.load(this.#flags, busy) === 1) process.kill(process.pid, 'SIGKILL');
    process.exitCode = code || 1;
    Atomics.store(this.#flags, abort, code || 1);
    Atomics.notify(this.#flags, abort);
    Atomics.add(this.#flags, posted, 1);
    Atomics.notify(this.#flags, posted);
    // MPI ends the process. If it does not, for example because it cannot reach the launcher, end it here.
    const started = Date.now();
    while (Date.now() - started < abortMilliseconds) Atomics.wait(this.#flags, abort, code || 1, abortMilliseconds);
    process.kill(process.pid, 'SIGKILL');
  };

  /** Node would print the error only after the listeners of `exit`, which end the process. */
  readonly #onUncaught = (error: unknown): void => {
    this.#uncaught = { error };
  };

  #uncaught: { readonly error: unknown } | null = null;
  #finalized = false;

  /** Ends the process and all ranks with an error that cannot be caught. */
  fail(error: unknown): never {
    this.#uncaught = { error };
    process.exit(1);
  }

  /**
   * Waits until all ranks arrive here and have finished their work, then ends MPI. Throws errors that nothing has
   * waited for.
   */
  async leave(): Promise<void> {
    const work = () => new Work('destroy', this, () => {});
    const arrived = this.post({ op: 'barrier', group: 0, description: 'destroy()' }, work());
    this.#ended = true;
    await arrived.promise;
    for (const { error } of this.unseen) throw error;
    await this.#send({ op: 'destroy', group: 0, description: null }, work()).promise;
    this.#finalized = true;
    process.off('exit', this.#onExit);
    process.off('uncaughtExceptionMonitor', this.#onUncaught);
    this.#stopListening();
    this.#outcomes.close();
    this.#jobs.close();
    await this.#worker.terminate();
  }
}

/**
 * Some builds of MPI send through UCX, which hooks into the allocator and handles SIGSEGV. V8 needs both itself, so
 * Node would crash sooner or later. UCX's variables switch both off, if set before it is loaded.
 */
function disableUcxHooks(): void {
  process.env['UCX_MEM_EVENTS'] ??= 'n';
  process.env['UCX_MEM_MMAP_HOOK_MODE'] ??= 'none';
  process.env['UCX_ERROR_SIGNALS'] ??= '';
  process.env['UCX_HANDLE_ERRORS'] ??= 'none';
}

/**
 * While MPI waits by itself, it spins. With more ranks than processors that keeps the awaited rank from working, so let
 * the libraries yield the processor. Variables set by the user stay.
 */
function yieldWhenIdle(): void {
  process.env['OMPI_MCA_mpi_yield_when_idle'] ??= '1';
  process.env['MPIR_CVAR_POLLS_BEFORE_YIELD'] ??= '10';
}

/**
 * With two or three ranks, Open MPI's nonblocking reduction would send everything to one rank and back. In a ring all
 * send at once.
 */
function useRingAllReduce(ranks: number | null): void {
  if (ranks !== null && ranks < 4) process.env['OMPI_MCA_coll_libnbc_iallreduce_algorithm'] ??= '1';
}

/** The time for lines to reach the launcher, in milliseconds. */
const printMilliseconds = 500;

/** The time for MPI to end the process, in milliseconds. */
const abortMilliseconds = 2000;

const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`;
