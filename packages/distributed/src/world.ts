import { check, checkOptions, is } from '@gradgate/core/internal';
import { Connection, DistributedError } from './connection.js';
import type { Job } from './job.js';
import { type Launched, launchedBy } from './library.js';
import { Work } from './work.js';

/** Options of `init`. */
export interface InitOptions {
  /**
   * The time in milliseconds that calls wait without any collective finishing, 300,000 (5 minutes) by default. After it
   * they throw, as a rank is missing. Joining takes at least 30 seconds before it fails.
   */
  timeout?: number;
}

/** A group of ranks that call collectives among themselves, from `newGroup`. Ranks count from 0 in each group. */
export class Group {
  /** @internal The number of modules that train in it. */
  models = 0;

  /** @internal */
  constructor(
    /** @internal */
    readonly id: number,
    /** The rank of this process in the group; -1 if it is not a member. */
    readonly rank: number,
    /** The world's ranks of the members, in order. */
    readonly ranks: readonly number[],
  ) {
    groups.add(this);
  }

  /** The number of members. */
  get size(): number {
    return this.ranks.length;
  }
}

/** The groups of the current world; those of a world that was left are invalid. */
let groups = new WeakSet<Group>();
/** @internal */
export const groupKind = {
  text: 'a group, as newGroup gives it',
  is: (v: unknown): boolean => v instanceof Group && groups.has(v),
};

/** @internal Throws unless this rank belongs to the group. */
export function checkMember(op: string, group: Group): void {
  if (group.rank < 0)
    throw new RangeError(`${op}: this rank does not belong to the group of ranks ${group.ranks.join(', ')}`);
}

/** @internal Throws unless `rank` is one of the group. */
export function checkRank(op: string, name: string, rank: number, group: Group): void {
  const text = `a whole number from 0 to ${group.size - 1}, a rank of the group`;
  check(op, name, rank, { text, is: (r) => is.size.is(r) && (r as number) < group.size });
}

/** The state of the world; empty before `init`. */
const state: { connection: Connection | null; world: Group | null; groups: number; phase: 'out' | 'joining' | 'left' } =
  {
    connection: null,
    world: null,
    groups: 0,
    phase: 'out',
  };

const all = (size: number): number[] => Array.from({ length: size }, (_, rank) => rank);

/** Joins the world, without dividing threads; returns whether an MPI launcher started the process. */
export async function joinWorld(options?: InitOptions): Promise<boolean> {
  const { timeout = 300_000 } = checkOptions('init', options, { timeout: milliseconds });
  if (state.world || state.phase === 'joining')
    throw new DistributedError('init: called a second time; call destroy() first');
  if (state.phase === 'left')
    throw new DistributedError('init: MPI can join ranks only once in a process, and this one has called destroy()');
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

// A program that has finished calls no more collectives.
function endByItself(): void {
  if (state.world) void destroy();
}

/** Whether `init()` has been called, and `destroy()` has not. */
export const isInitialized = (): boolean => state.world !== null;

/** Returns the group of all ranks. Throws before `init()`. */
export function world(): Group {
  if (!state.world) throw new DistributedError('world: the ranks have not been joined; call `await init()` first');
  return state.world;
}

/** Returns the rank of this process, from 0, in the world or in a group. */
export function rank(group: Group = world()): number {
  check('rank', 'group', group, groupKind);
  return group.rank;
}

/** Returns the number of ranks in the world or in a group. */
export function worldSize(group: Group = world()): number {
  check('worldSize', 'group', group, groupKind);
  return group.size;
}

/** Returns the version text of the MPI library; null in a world of one process. */
export function library(): string | null {
  world();
  return state.connection?.library ?? null;
}

/**
 * Makes a group of some ranks of the world, in the given order. All ranks of the world must call it in the same way;
 * those that are not members get a group in which their rank is -1.
 */
export function newGroup(ranks: readonly number[]): Group {
  const { size, rank } = world();
  const isRank = (r: unknown) => is.size.is(r) && (r as number) < size;
  check('newGroup', 'ranks', ranks, {
    text: `an array of different ranks, whole numbers from 0 to ${size - 1}`,
    // Spread, since `every` skips holes.
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

/** @internal Posts a job to the MPI thread; in a world of one rank it is done at once. */
export function run<T>(job: Job, name: string, finish: (source: number) => T): Work<T> {
  const { connection } = state;
  if (connection === null) return Work.done(name, () => finish(0));
  return connection.post(job, new Work(name, connection, finish));
}

/**
 * Leaves the world: finishes running collectives, and waits for all ranks. If a collective has failed that nothing has
 * waited for, the process ends with its error. A rank that exits without calling it, by an error or by
 * `process.exit()`, ends all ranks with a non-zero exit code.
 */
export async function destroy(): Promise<void> {
  world();
  const { connection } = state;
  if (connection) {
    process.off('beforeExit', endByItself);
    try {
      await connection.leave();
    } catch (error) {
      // It cannot be handled: end the process with it, and with it all ranks.
      connection.fail(error);
    }
    state.phase = 'left';
  }
  state.connection = null;
  state.world = null;
  groups = new WeakSet();
}
