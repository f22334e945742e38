import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { installedFile } from '@gradgate/core/internal';
import { abort, busy, cells, done, idle, type Job, type Joined, type Outcome, posted, type WorkerData } from './job.js';
import type { Launched } from './library.js';
import { Work } from './work.js';

/** A collective that went wrong: it names the call, the rank and what to look for. */
export class DistributedError extends Error {
  override readonly name = 'DistributedError';
}

/** Tells `gradgate launch`'s part in a rank that from now on it is told here how the rank ends. */
const joins = Symbol.for('@gradgate/distributed.joins');

/**
 * The main thread's end of the thread that calls MPI. Jobs are done in the order in which they were posted; whoever waits
 * for one does so for at most `timeout` milliseconds without anything coming to an end.
 */
export class Connection {
  readonly rank: number;
  readonly size: number;
  readonly library: string;
  readonly #flags: Int32Array;
  readonly #worker: Worker;
  readonly #jobs: MessagePort;
  readonly #outcomes: MessagePort;
  /** What has failed without anybody having waited for it. */
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
    keepUcxOut();
    shareProcessor();
    sendInRing(launched.size);
    const flags = new Int32Array(new SharedArrayBuffer(4 * cells));
    const [jobs, outcomes] = [new MessageChannel(), new MessageChannel()];
    const data: WorkerData = { flags, jobs: jobs.port2, outcomes: outcomes.port2 };
    const worker = new Worker(program, {
      workerData: data,
      transferList: [jobs.port2, outcomes.port2],
      // The loaders of the program that started us are none of the thread's business.
      execArgv: [],
    });
    // Processes take their time to start, the more of them the longer.
    const toJoin = Math.max(timeout, 30_000);
    const joined = await new Promise<Joined>((resolve, reject) => {
      const late = setTimeout(() => {
        const text = `init: the other ranks did not join within ${seconds(toJoin)}`;
        console.error(`gradgate: ${text}`);
        // Inside MPI_Init nothing else ends the thread.
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

  /** Posts a job, whose outcome `work` gets. */
  post<T>(job: Job, work: Work<T>): Work<T> {
    if (this.#broken) throw this.#broken;
    if (this.#ended) throw new DistributedError(`${work.name}: destroy() has been called; call init() before`);
    return this.#send(job, work);
  }

  #send<T>(job: Job, work: Work<T>): Work<T> {
    this.#running.set(this.#next, work as Work<unknown>);
    this.#jobs.postMessage(job);
    Atomics.store(this.#flags, posted, ++this.#next);
    Atomics.notify(this.#flags, posted);
    return work;
  }

  /** Takes the outcomes that are there. */
  collect(): void {
    for (let found = receiveMessageOnPort(this.#outcomes); found; found = receiveMessageOnPort(this.#outcomes))
      this.#take(found.message as Outcome);
  }

  #take({ id, error, source = 0 }: Outcome): void {
    const work = this.#running.get(id);
    if (!work) return;
    this.#running.delete(id);
    work.settle(error === null ? null : new DistributedError(`${work.name} on rank ${this.rank}: ${error}`), source);
    if (this.#running.size === 0) this.#rest();
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
      if (outcome === 'timed-out') this.#late();
    }
  }

  /** Keeps the process alive for outcomes, and looks after them, until none is under way. */
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
        else if (Date.now() - since >= this.timeout) this.#late();
      },
      Math.min(1000, this.timeout / 4),
    );
  }

  #rest(): void {
    if (!this.#listening) return;
    this.#listening = false;
    this.#outcomes.unref();
    clearInterval(this.#watch!);
  }

  #late(): void {
    const [first] = this.#running.values();
    this.#break(
      `${first?.name ?? 'a collective'} has waited for ${seconds(this.timeout)}: a rank has not called it, has ended or cannot be reached`,
    );
  }

  /** After this every call throws: what is under way in MPI can be neither finished nor stopped. */
  #break(text: string): void {
    this.#broken ??= new DistributedError(`rank ${this.rank} of ${this.size}: ${text}`);
    const error = this.#broken;
    for (const work of this.#running.values()) work.settle(error, 0);
    this.#running.clear();
    this.#rest();
  }

  /**
   * A rank that ends without `destroy()` ends them all: MPI would let the others wait for it. Where the thread is stuck inside
   * MPI, the process could not end by itself either. `gradgate launch` knows what is printed.
   */
  readonly #onExit = (code: number): void => {
    if (this.#finalized) return;
    const who = `gradgate: rank ${this.rank} of ${this.size}`;
    if (this.#uncaught) console.error(`${who} fails, and all ranks are ended:`, this.#uncaught.error);
    else
      console.error(
        `${who} ends with exit code ${code} and without destroy(), while others may wait for it: all ranks are ended`,
      );
    // The launcher of MPICH shows nothing more once it knows: what was printed has to be there before.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, printMilliseconds);
    if (Atomics.load(this.#flags, busy) === 1) process.kill(process.pid, 'SIGKILL');
    process.exitCode = code || 1;
    Atomics.store(this.#flags, abort, code || 1);
    Atomics.notify(this.#flags, abort);
    Atomics.add(this.#flags, posted, 1);
    Atomics.notify(this.#flags, posted);
    // MPI ends the process; should it not, such as where it cannot reach the launcher, then we do.
    const started = Date.now();
    while (Date.now() - started < abortMilliseconds) Atomics.wait(this.#flags, abort, code || 1, abortMilliseconds);
    process.kill(process.pid, 'SIGKILL');
  };

  /** Node would show the error after the listeners of `exit`, and so never. */
  readonly #onUncaught = (error: unknown): void => {
    this.#uncaught = { error };
  };

  #uncaught: { readonly error: unknown } | null = null;
  #finalized = false;

  /** Ends the process, and all ranks, with an error that nobody can catch. */
  fail(error: unknown): never {
    this.#uncaught = { error };
    process.exit(1);
  }

  /** Waits until all ranks have come here with nothing under way, and ends MPI. Throws what failed without anybody waiting. */
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
    this.#rest();
    this.#outcomes.close();
    this.#jobs.close();
    await this.#worker.terminate();
  }
}

/**
 * UCX, through which some builds of MPI send, puts hooks into the allocator and takes over SIGSEGV, which V8 needs for
 * itself: Node crashes sooner or later. Both can be switched off by its variables, before it is loaded.
 */
function keepUcxOut(): void {
  process.env['UCX_MEM_EVENTS'] ??= 'n';
  process.env['UCX_MEM_MMAP_HOOK_MODE'] ??= 'none';
  process.env['UCX_ERROR_SIGNALS'] ??= '';
  process.env['UCX_HANDLE_ERRORS'] ??= 'none';
}

/**
 * Where MPI waits by itself, it does so busily, and where there are more ranks than processors the one that is waited for would
 * be kept from working. So the libraries are asked to let others have the processor. What the user has set stays.
 */
function shareProcessor(): void {
  process.env['OMPI_MCA_mpi_yield_when_idle'] ??= '1';
  process.env['MPIR_CVAR_POLLS_BEFORE_YIELD'] ??= '10';
}

/**
 * Of two or three ranks Open MPI would send everything to one and from there back, where it does not block. In a ring both send
 * at once.
 */
function sendInRing(ranks: number | null): void {
  if (ranks !== null && ranks < 4) process.env['OMPI_MCA_coll_libnbc_iallreduce_algorithm'] ??= '1';
}

/** How long lines take to the launcher. */
const printMilliseconds = 500;

/** How long MPI has to end the process. */
const abortMilliseconds = 2000;

const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`;
