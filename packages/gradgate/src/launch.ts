import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { availableParallelism, constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';

export const launchUsage = `usage: gradgate launch [-n RANKS] [--hosts A,B] [--mpirun FILE] [--mpirun-arg ARG]... program.ts [arguments]

  Starts a program as ranks of MPI, for @gradgate/distributed: each line of output gets the number of its rank, and when
  one rank fails all of them end. The exit code is 0 where all ranks succeed.

  -n, --ranks N        how many; by default one for each processor
      --hosts A,B      where; here by default. The program, Node and MPI are at the same places there
      --mpirun FILE    the launcher of Open MPI or MPICH; by default mpirun, or else mpiexec
      --mpirun-arg ARG one more argument for it; may be repeated, as in --mpirun-arg=--mca --mpirun-arg=btl_tcp_if_include`;

/** What the command line asks for. */
export interface Launch {
  readonly ranks: number;
  readonly hosts: readonly string[];
  readonly mpirun: string | null;
  readonly more: readonly string[];
  /** The program and its arguments. */
  readonly program: readonly string[];
}

/** Reads the arguments after `launch`; what stands behind the program's name is the program's. Throws where they are wrong. */
export function parseLaunch(args: readonly string[]): Launch {
  const at = args.findIndex((arg, i) => !arg.startsWith('-') && !takesValue(args[i - 1]));
  const { values } = parseArgs({
    args: [...(at < 0 ? args : args.slice(0, at))],
    options: {
      ranks: { type: 'string', short: 'n' },
      hosts: { type: 'string' },
      mpirun: { type: 'string' },
      'mpirun-arg': { type: 'string', multiple: true },
    },
  });
  if (at < 0) throw new TypeError('gradgate launch: which program?');
  const ranks = values.ranks === undefined ? availableParallelism() : Number(values.ranks);
  if (!Number.isInteger(ranks) || ranks < 1)
    throw new RangeError(`gradgate launch: -n takes a whole number from 1 up, got ${values.ranks}`);
  const hosts = values.hosts === undefined ? [] : values.hosts.split(',').filter((host) => host !== '');
  for (const host of hosts)
    if (!/^[\w.-]+(:\d+)?$/.test(host)) throw new TypeError(`gradgate launch: ${host} is no name of a host`);
  return { ranks, hosts, mpirun: values.mpirun ?? null, more: values['mpirun-arg'] ?? [], program: args.slice(at) };
}

const takesValue = (arg: string | undefined): boolean =>
  arg !== undefined && ['-n', '--ranks', '--hosts', '--mpirun', '--mpirun-arg'].includes(arg);

export type Launcher = 'Open MPI 4' | 'Open MPI' | 'MPICH';

/** Which library a launcher belongs to, by what it says about itself; null if it says nothing that we know. */
export function launcherOf(version: string): Launcher | null {
  const openMpi = /open ?mpi\)? v?(\d+)|\(openrte\) (\d+)/i.exec(version);
  if (openMpi) return Number(openMpi[1] ?? openMpi[2]) < 5 ? 'Open MPI 4' : 'Open MPI';
  if (/prte|open mpi/i.test(version)) return 'Open MPI';
  return /hydra|mpich/i.test(version) ? 'MPICH' : null;
}

/** The arguments and parameters by which Open MPI is told where ranks run. */
const binding =
  /^(--?(bind-to|map-by|rankfile|rf|cpu-set|cpu-list|slot-list)\b|(hwloc_base_(binding_policy|bind_to|cpu_|slot_)|hwloc_default_|rmaps_(base_mapping_policy|default_mapping_policy|rank_file_path)|orte_rankfile))/;

/** The launcher's arguments before the program. `variables` are the names of those of the environment. */
export function flagsOf(
  launcher: Launcher,
  { ranks, hosts, more }: Launch,
  isRoot: boolean,
  variables: readonly string[] = [],
): string[] {
  const each = Math.ceil(ranks / Math.max(1, hosts.length));
  if (launcher === 'MPICH') {
    const where =
      hosts.length > 0 ? ['-hosts', hosts.map((h) => h.replace(/:\d+$/, '')).join(','), '-ppn', `${each}`] : [];
    return ['-prepend-rank', '-n', `${ranks}`, ...where, ...more];
  }
  const where = hosts.length > 0 ? ['--host', hosts.map((h) => (h.includes(':') ? h : `${h}:${each}`)).join(',')] : [];
  const tag = launcher === 'Open MPI 4' ? ['--tag-output'] : ['--output', 'tag'];
  // Open MPI would bind each of two ranks to one core, where the thread that sends and those of kernels wait for each other.
  const parameters = variables.map((name) => name.replace(/^(OMPI|PRTE)_MCA_/, ''));
  const isBound = [...more, ...parameters].some((name) => binding.test(name));
  // More ranks than cores are for trying out; that root may start them is what containers need.
  const may = [
    '--oversubscribe',
    ...(isRoot ? ['--allow-run-as-root'] : []),
    ...(isBound ? [] : ['--bind-to', 'none']),
  ];
  return [...tag, ...may, '-n', `${ranks}`, ...where, ...more];
}

/** A line as it is shown: with the rank in front, where the launcher has told it. */
export function showLine(line: string): string {
  // Open MPI: [job,rank]<stream>text, with a colon and a space in some versions.
  const tagged = /^\[\d+,(\d+)\](?:\[[^\]]*\])?<std(?:out|err|diag)>: ?(.*)$/.exec(line);
  return tagged ? `[${tagged[1]}] ${tagged[2]}` : line;
}

/** How a rank that ends by itself says so. */
const failure = /gradgate: rank \d+ of \d+ (fails|ends)/;
/** How long the launcher has to end all ranks: it cannot reach a host whose link is lost, and would wait for it. */
const graceMilliseconds = 5000;

/**
 * Starts the program, and gives the exit code once all ranks have ended: that of the launcher, or 128 and the number of a
 * signal that we got. It is not 0 if a rank has failed.
 */
export async function launch(request: Launch, loader: readonly string[]): Promise<number> {
  const found = findLauncher(request.mpirun);
  const flags = flagsOf(found.launcher, request, process.getuid?.() === 0, Object.keys(process.env));
  const child = spawn(found.file, [...flags, process.execPath, ...loader, ...request.program], {
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  let grace: NodeJS.Timeout | null = null;
  const endSoon = () => {
    grace ??= setTimeout(() => child.kill('SIGKILL'), graceMilliseconds);
  };
  const show = (from: Readable, to: NodeJS.WriteStream) =>
    createInterface({ input: from }).on('line', (line) => {
      if (failure.test(line)) endSoon();
      to.write(`${showLine(line)}\n`);
    });
  let got: NodeJS.Signals | null = null;
  // The launcher ends its ranks; a second signal ends the launcher.
  const stop = (signal: NodeJS.Signals) => {
    child.kill(got ? 'SIGKILL' : signal);
    got = signal;
    endSoon();
  };
  show(child.stdout, process.stdout);
  show(child.stderr, process.stderr);
  // Whoever read the output has gone, as `head` does.
  const gone = () => stop('SIGTERM');
  process.stdout.on('error', gone);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const code = await endOf(child);
    if (got !== null) return 128 + constants.signals[got as NodeJS.Signals];
    // A code of ours where we had to end the launcher.
    return grace === null ? code : child.signalCode === 'SIGKILL' ? 1 : code || 1;
  } finally {
    if (grace !== null) clearTimeout(grace);
    process.stdout.off('error', gone);
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/** The exit code of a process, once its output has been read. What it has started may hold on to its pipes for longer. */
const endOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      const own = code ?? 128 + constants.signals[signal!];
      const late = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, 1000);
      child.on('close', () => {
        clearTimeout(late);
        resolve(own);
      });
    });
  });

function findLauncher(named: string | null): { file: string; launcher: Launcher } {
  for (const file of named === null ? ['mpirun', 'mpiexec'] : [named]) {
    const { stdout, stderr, error } = spawnSync(file, ['--version'], { encoding: 'utf8' });
    if (error) continue;
    const launcher = launcherOf(`${stdout}${stderr}`);
    if (launcher) return { file, launcher };
    throw new Error(
      `gradgate launch: ${file} is neither Open MPI's launcher nor MPICH's: ${`${stdout}${stderr}`.split('\n')[0]}`,
    );
  }
  throw new Error(
    `gradgate launch: there is no ${named ?? 'mpirun'}; install Open MPI or MPICH, such as Debian's openmpi-bin or mpich, or name it with --mpirun`,
  );
}
