import { readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { getNumThreads, setNumThreads, tensor } from '@gradgate/core';
import { allGather } from './collectives.js';
import { hashOf } from './mpi.js';

/**
 * Limits each rank to its share of the threads: ranks that may run on the same processors divide them, as threads of
 * one would only keep the others waiting. All ranks must call it.
 */
export function shareThreads(): void {
  const own = hashOf(`${hostname()} ${processors()}`);
  const sharing = allGather(tensor([own], { dtype: 'int32' })).filter((t) => t.item() === own).length;
  const share = Math.floor(availableParallelism() / sharing);
  setNumThreads(Math.max(1, Math.min(getNumThreads(), share)));
}

/** The processors that the process may use, since launchers can bind it to some. */
function processors(): string {
  try {
    return /^Cpus_allowed:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  } catch {
    return ''; // Not Linux: processes are not bound.
  }
}
