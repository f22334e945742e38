import { shareThreads } from './processors.js';
import { type InitOptions, joinWorld } from './world.js';

/**
 * Joins the other ranks; to be called once, before anything else of this package, and in every rank. In a process that no
 * launcher of MPI started it makes a world of one rank, in which every collective is there and gives what it should: the
 * same program runs anywhere. Start several with `npx gradgate launch -n 4 train.ts`, or with `mpirun` itself. Ranks that
 * share processors divide the threads among themselves; `setNumThreads` after it decides otherwise.
 *
 * Throws where MPI is missing, is not the launcher's library, or the other ranks do not join within the timeout.
 *
 * @example
 * await init({ timeout: 60_000 });
 * console.log(`rank ${rank()} of ${worldSize()}`);
 * await destroy();
 */
export async function init(options?: InitOptions): Promise<void> {
  if (await joinWorld(options)) shareThreads();
}
