import { shareThreads } from './processors.js';
import { type InitOptions, joinWorld } from './world.js';

/**
 * Joins the other ranks. Call it once in every rank, before anything else of this package. In a process that no MPI
 * launcher started it makes a world of one rank, in which all collectives work, so the same program runs anywhere.
 * Start several ranks with `npx gradgate launch -n 4 train.ts` or with `mpirun`. Ranks that share processors divide
 * their threads; call `setNumThreads` afterwards to change that.
 *
 * Throws if MPI is missing, is not the launcher's library, or the other ranks do not join within the timeout.
 *
 * @example
 * await init({ timeout: 60_000 });
 * console.log(`rank ${rank()} of ${worldSize()}`);
 * await destroy();
 */
export async function init(options?: InitOptions): Promise<void> {
  if (await joinWorld(options)) shareThreads();
}
