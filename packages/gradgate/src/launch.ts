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

/** The parsed command line of `gradgate launch`. */
interface Launch {
  readonly ranks: number;
  readonly hosts: readonly string[];
  readonly mpirun: string | null;
  readonly more: readonly string[];
  /** The program and its arguments. */
  readonly program: readonly string[];
}

/** Parses the arguments after `launch`; those after the program's name belong to the program. */
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
  if (at < 0) throw new TypeError('gradgate launch: the program to run is missing');
  const ranks = values.ranks === undefined ? availableParallelism() : Number(values.ranks);
  if (!Number.isInteger(ranks) || ranks < 1)
    throw new RangeError(`gradgate launch: -n must be an integer of at least 1, got ${values.ranks}`);
  const hosts = values.hosts === undefined ? [] : values.hosts.split(',').filter((host) => host !== '');
  for (const host of hosts)
    if (!/^[\w.-]+(:\d+)?$/.test(host)) throw new TypeError(`gradgate launch: ${host} is not a host name`);
  return { ranks, hosts, mpirun: values.mpirun ?? null, more: values['mpirun-arg'] ?? [], program: args.slice(at) };
}

const takesValue = (arg: string | undefined): boolean =>
  arg !== undefined && ['-n', '--ranks', '--hosts', '--mpirun', '--mpirun-arg'].includes(arg);

type Launcher = 'Open MPI 4' | 'Open MPI' | 'MPICH';

/** The MPI library of a launcher, from the output of its `--version`; null for an unknown one. */
export function launcherOf(version: string): Launcher | null {
  const openMpi = /open ?mpi\)? v?(\d+)|\(openrte\) (\d+)/i.exec(version);
  if (openMpi) return Number(openMpi[1] ?? openMpi[2]) < 5 ? 'Open MPI 4' : 'Open MPI';
  if (/prte|open mpi/i.test(version)) return 'Open MPI';
  return /hydra|mpich/i.test(version) ? 'MPICH' : null;
}

/** Arguments and MCA parameters that bind Open MPI's ranks to processors. */
const binding =
  /^(--?(bind-to|map-by|rankfile|rf|cpu-set|cpu-list|slot-list)\b|(hwloc_base_(binding_policy|bind_to|cpu_|slot_)|hwloc_default_|rmaps_(base_mapping_policy|default_mapping_policy|rank_file_path)|orte_rankfile))/;

/** The launcher's arguments before the program. `variables` are the names of the environment's variables. */
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
  // With two ranks Open MPI would bind each to one core, where the sending thread and those of kernels would block each
  // other.
  const parameters = variables.map((name) => name.replace(/^(OMPI|PRTE)_MCA_/, ''));
  const isBound = [...more, ...parameters].some((name) => binding.test(name));
  // More ranks than cores are allowed, for trying things out; running as root is what containers need.
  const may = [
    '--oversubscribe',
    ...(isRoot ? ['--allow-run-as-root'] : []),
    ...(isBound ? [] : ['--bind-to', 'none']),
  ];
  return [...tag, ...may, '-n', `${ranks}`, ...where, ...more];
}

/** A line of output with the rank in front, as far as the launcher has tagged the line with it. */
export function showLine(line: string): string {
  // Open MPI's tag: [job,rank]<stream>text, with a colon and a space after it in some versions.
  const tagged = /^\[\d+,(\d+)\](?:\[[^\]]*\])?<std(?:out|err|diag)>: ?(.*)$/.exec(line);
  return tagged ? `[${tagged[1]}] ${tagged[2]}` : line;
}

/** The line a failing rank prints. */
const failure = /gradgate: rank \d+ of \d+ (fails|ends)/;
/** How long the launcher has to end all ranks: it would wait forever for a host that cannot be reached any more. */
const graceMilliseconds = 5000;

/**
 * Runs the program, and returns the exit code once all ranks have ended: the launcher's, or 128 plus the number of a
 * signal this process received. It is not 0 if a rank has failed.
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
  // On a signal the launcher ends its ranks; a second signal kills the launcher.
  const stop = (signal: NodeJS.Signals) => {
    child.kill(got ? 'SIGKILL' : signal);
    got = signal;
    endSoon();
  };
  show(child.stdout, process.stdout);
  show(child.stderr, process.stderr);
  // The reader of the output has closed it, as `head` does.
  const gone = () => stop('SIGTERM');
  process.stdout.on('error', gone);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const code = await endOf(child);
    if (got !== null) return 128 + constants.signals[got as NodeJS.Signals];
    // Where the launcher had to be killed its code would not tell of a failure.
    return grace === null ? code : child.signalCode === 'SIGKILL' ? 1 : code || 1;
  } finally {
    if (grace !== null) clearTimeout(grace);
    process.stdout.off('error', gone);
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/** The exit code of a process once its output is read, or a second later: its children may keep the pipes open. */
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
      `gradgate launch: ${file} is not the launcher of Open MPI or MPICH: ${`${stdout}${stderr}`.split('\n')[0]}`,
    );
  }
  throw new Error(
    `gradgate launch: there is no ${named ?? 'mpirun'}; install Open MPI or MPICH, such as Debian's openmpi-bin or mpich, or name it with --mpirun`,
  );
}
