import { check, checkOptions, is } from '@gradgate/core/internal';
import { Connection, DistributedError } from './connection.js';
import type { Job } from './job.js';
import { type Launched, launchedBy } from './library.js';
import { Work } from './work.js';

export interface InitOptions {
  /**
   * How many milliseconds anybody waits without a collective coming to an end, 300,000 (5 minutes) by default. After that
   * the call throws: a rank is missing. To join, the others have at least 30 seconds.
   */
  timeout?: number;
}

/** Some ranks that call collectives among themselves, as `newGroup` gives them. Ranks count from 0 in each group. */
export class Group {
  /** @internal How many modules train in it. */
  models = 0;

  /** @internal */
  constructor(
    /** @internal */
    readonly id: number,
    /** Of this process in the group; -1 where it is not among its ranks. */
    readonly rank: number,
    /** The ranks of the world that belong to it, in their order. */
    readonly ranks: readonly number[],
  ) {
    groups.add(this);
  }

  get size(): number {
    return this.ranks.length;
  }
}

/** Those of this world: none of one that was left. */
let groups = new WeakSet<Group>();
/** @internal */
export const groupKind = {
  text: 'a group, as newGroup gives it',
  is: (v: unknown): boolean => v instanceof Group && groups.has(v),
};

/** What there is of the world: nothing before `init`. */
const state: { connection: Connection | null; world: Group | null; groups: number; phase: 'out' | 'joining' | 'left' } =
  {
    connection: null,
    world: null,
    groups: 0,
    phase: 'out',
  };

const all = (size: number): number[] => Array.from({ length: size }, (_, rank) => rank);

/** What `init` does, but for the threads; gives whether MPI was launched. */
export async function joinWorld(options?: InitOptions): Promise<boolean> {
  const { timeout = 300_000 } = checkOptions('init', options, { timeout: milliseconds });
  if (state.world || state.phase === 'joining')
    throw new DistributedError('init: called a second time; call destroy() before');
  if (state.phase === 'left')
    throw new DistributedError('init: MPI joins ranks once in a process, and this one has left them by destroy()');
  const launched = launchedBy(process.env);
  const connection = launched && (await join(launched, timeout));
  state.connection = connection;
  const size = connection?.size ?? 1;
  state.world = new Group(0, connection?.rank ?? 0, all(size));
  if (connection === null) return false;
  process.on('beforeExit', endByItself);
  return true;
}

async function join(launched: Launched, timeout: number): Promise<Connection> {
  state.phase = 'joining';
  try {
    return await Connection.open(launched, timeout);
  } finally {
    state.phase = 'out';
  }
}

const milliseconds = {
  text: 'a number of milliseconds above 0, and at most 2^31 - 1',
  is: (v: unknown) => is.positive.is(v) && (v as number) < 2 ** 31,
};

// A program that is done has no more to say to the others.
function endByItself(): void {
  if (state.world) void destroy();
}

/** Whether `init()` has been called, and `destroy()` not yet. */
export const isInitialized = (): boolean => state.world !== null;

/** The world: all ranks. Throws before `init()`. */
export function world(): Group {
  if (!state.world) throw new DistributedError('world: the ranks have not been joined; call `await init()` first');
  return state.world;
}

/** The number of this process among those of the world, from 0; or within a group. */
export function rank(group: Group = world()): number {
  check('rank', 'group', group, groupKind);
  return group.rank;
}

/** How many ranks there are in the world, or in a group. */
export function worldSize(group: Group = world()): number {
  check('worldSize', 'group', group, groupKind);
  return group.size;
}

/** The MPI that is in use, in its own words; null in a world of one process. */
export function library(): string | null {
  world();
  return state.connection?.library ?? null;
}

/**
 * A group of some ranks of the world, in the order given. All ranks of the world call it alike, those that do not belong to
 * it too: they get a group in which they have rank -1.
 */
export function newGroup(ranks: readonly number[]): Group {
  const { size, rank } = world();
  const isRank = (r: unknown) => is.size.is(r) && (r as number) < size;
  check('newGroup', 'ranks', ranks, {
    text: `an array of different ranks, whole numbers from 0 to ${size - 1}`,
    // Spread, since `every` leaves holes out.
    is: (v) => Array.isArray(v) && v.length > 0 && [...v].every(isRank) && new Set(v).size === v.length,
  });
  const id = ++state.groups;
  run(
    { op: 'newGroup', id, ranks, group: 0, description: `newGroup([${ranks.join(', ')}])` },
    'newGroup',
    () => {},
  ).wait();
  return new Group(id, ranks.indexOf(rank), [...ranks]);
}

/** @internal Posts a job to the thread of MPI; alone in the world, it is done at once. */
export function run<T>(job: Job, name: string, finish: (source: number) => T): Work<T> {
  const { connection } = state;
  if (connection === null) return Work.done(name, () => finish(0));
  return connection.post(job, new Work(name, connection, finish));
}

/**
 * Leaves the world: what is under way is finished first, and all ranks wait for each other. Where something has failed that
 * nobody waited for, the process ends with that error. A rank that ends without it,
 * by an error or by `process.exit()`, ends all ranks with a non-zero exit code.
 */
export async function destroy(): Promise<void> {
  world();
  const { connection } = state;
  if (connection) {
    process.off('beforeExit', endByItself);
    try {
      await connection.leave();
    } catch (error) {
      // It cannot be mended: the process ends with it, and the others with the process.
      connection.fail(error);
    }
    state.phase = 'left';
  }
  state.connection = null;
  state.world = null;
  groups = new WeakSet();
}
