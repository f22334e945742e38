// The thread that makes all calls of MPI, so that collectives proceed while the main thread computes. It sleeps until
// the main thread posts a job, and never returns to an event loop.
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { abort, busy, done, idle, type Job, type Joined, type Outcome, posted, type WorkerData } from './job.js';
import { launchedBy, openLibrary } from './library.js';
import { type Communicator, type Message, Mpi } from './mpi.js';

const { flags, jobs, outcomes } = workerData as WorkerData;
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Running sends and receives. MPI makes progress on them only while they are tested. */
const pending: { id: number; message: Message }[] = [];
const groups = new Map<number, Communicator | null>();

function settle(outcome: Outcome): void {
  outcomes.postMessage(outcome);
  Atomics.add(flags, done, 1);
  Atomics.notify(flags, done);
}

function testPending(mpi: Mpi): void {
  for (let i = pending.length - 1; i >= 0; i--) {
    const { id, message } = pending[i]!;
    try {
      if (!mpi.test(message)) continue;
      settle({ id, error: null, source: message.source });
    } catch (error) {
      settle({ id, error: textOf(error) });
    }
    pending.splice(i, 1);
  }
}

/** The time to test without pauses: a small collective takes less than the shortest pause. */
const spinMilliseconds = 0.1;
/** The same while the main thread waits, since its processor is free then. */
const idleSpinMilliseconds = 0.5;
/** Pauses grow with the time waited, so that they lengthen it by at most a tenth. */
const pauseShare = 0.1;
const minPause = 0.05;
const maxPause = 0.5;

/**
 * Tests `isDone` until it is true, with pauses in which other ranks on the processor can work. Ends all ranks if the
 * main thread asks for it.
 */
function poll(mpi: Mpi, isDone: () => boolean): void {
  const started = performance.now();
  while (!isDone()) {
    const waited = performance.now() - started;
    if (waited > (Atomics.load(flags, idle) === 0 ? spinMilliseconds : idleSpinMilliseconds))
      Atomics.wait(flags, abort, 0, Math.min(Math.max(minPause, pauseShare * waited), maxPause));
    abortIfAsked(mpi);
    testPending(mpi);
  }
}

function abortIfAsked(mpi: Mpi): void {
  const code = Atomics.load(flags, abort);
  if (code !== 0) mpi.abort(code);
}

/** Runs a call that MPI has only in a blocking form, during which the thread cannot be interrupted. */
function blocking<R>(call: () => R): R {
  Atomics.store(flags, busy, 1);
  try {
    return call();
  } finally {
    Atomics.store(flags, busy, 0);
  }
}

function run(mpi: Mpi, comm: Communicator, job: Job): Message | null {
  if (job.description !== null) mpi.agree(comm, job.description);
  switch (job.op) {
    case 'allReduce':
      mpi.allReduce(comm, job.data, job.by);
      break;
    case 'broadcast':
      mpi.broadcast(comm, job.data, job.root);
      break;
    case 'allGather':
      mpi.allGather(comm, job.from, job.to);
      break;
    case 'gather':
      mpi.gather(comm, job.from, job.to, job.root);
      break;
    case 'scatter':
      mpi.scatter(comm, job.from, job.to, job.root);
      break;
    case 'reduceScatter':
      mpi.reduceScatter(comm, job.from, job.to, job.by);
      break;
    case 'barrier':
      mpi.barrier(comm);
      break;
    case 'send':
      return mpi.send(comm, job.data, job.dtype, job.to, job.tag);
    case 'recv':
      return mpi.receive(comm, job.data, job.dtype, job.from, job.tag);
    case 'newGroup':
      groups.set(
        job.id,
        blocking(() => mpi.split(job.ranks)),
      );
      break;
    case 'destroy':
      blocking(() => mpi.finalize());
  }
  return null;
}

function serve(mpi: Mpi): void {
  groups.set(0, mpi.world);
  for (let id = 0; ; id++) {
    // Test running messages now and then; without any, the thread sleeps.
    while (Atomics.load(flags, posted) <= id) {
      Atomics.wait(flags, posted, id, pending.length > 0 ? minPause : undefined);
      abortIfAsked(mpi);
      testPending(mpi);
    }
    abortIfAsked(mpi);
    const job = receiveMessageOnPort(jobs)!.message as Job;
    let message: Message | null = null;
    let error: string | null = null;
    try {
      message = run(mpi, groups.get(job.group)!, job);
    } catch (reason) {
      error = textOf(reason);
    }
    if (message) pending.push({ id, message });
    else settle({ id, error });
    if (job.op === 'destroy' && error === null) return;
  }
}

function join(): Mpi | null {
  const failed = (error: string): null => {
    outcomes.postMessage({ error, rank: 0, size: 1, library: '' } satisfies Joined);
    return null;
  };
  try {
    const launched = launchedBy(process.env);
    const library = openLibrary(launched);
    const mpi: Mpi = blocking(() => new Mpi(library, (isDone) => poll(mpi, isDone)));
    const { rank, size } = mpi.world;
    if (launched?.size != null && launched.size !== size)
      return failed(
        `${launched.by} started ${launched.size} ranks, but ${library.version} sees ${size}: it is not the launcher's library; name that in GRADGATE_MPI`,
      );
    outcomes.postMessage({ error: null, rank, size, library: library.version } satisfies Joined);
    return mpi;
  } catch (error) {
    return failed(textOf(error));
  }
}

const mpi = join();
if (mpi) serve(mpi);
