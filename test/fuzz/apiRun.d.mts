import type { Example } from './examples.mjs';

export interface Found {
  count: number;
  /** The number of the first call that met it; -1 where it was no call. */
  call: number;
  message: string;
}

export function runCalls(options: {
  calls: number;
  seed: string;
  match?: string;
  only?: number;
  deadline?: number;
  worker?: string;
  examples?: readonly Example[];
}): Promise<{ results: number; refusals: number; faults: number; kinds: Map<string, Found> }>;
