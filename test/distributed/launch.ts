import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const program = (name: string): string => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));

export interface Launched {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds since the start, or since `until` returned true. */
  readonly seconds: number;
}

interface Options {
  /** Further arguments of `gradgate launch`. */
  readonly flags?: readonly string[];
  readonly env?: Record<string, string>;
  /** Called with the output so far and the launcher; returning true starts the clock. */
  readonly watch?: (output: string, launcher: ChildProcess) => boolean;
}

/** Runs a program as users do: by `gradgate launch`, with the built packages. */
export function launch(
  mpirun: string,
  ranks: number,
  [name, ...args]: readonly [string, ...string[]],
  { flags = [], env = {}, watch = () => false }: Options = {},
): Promise<Launched> {
  let started = performance.now();
  const cli = ['packages/gradgate/bin/gradgate.js', 'launch', '-n', `${ranks}`, '--mpirun', mpirun, ...flags];
  const child = spawn(process.execPath, [...cli, program(name), ...args], {
    cwd: root,
    timeout: 90_000,
    env: { ...process.env, NO_COLOR: '1', OPENBLAS_NUM_THREADS: '1', ...env },
  });
  const text = { stdout: '', stderr: '' };
  let seen = false;
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      text[stream] += chunk;
      if (seen || !watch(text.stdout + text.stderr, child)) return;
      seen = true;
      started = performance.now();
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...text, seconds: (performance.now() - started) / 1000 }));
  });
}

export const lines = (text: string): string[] => text.trim().split('\n').sort();
