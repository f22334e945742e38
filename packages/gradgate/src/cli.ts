import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Tensor } from '@gradgate/core';
import { graphDot, graphSvg } from './graph.js';
import { launch, launchUsage, parseLaunch } from './launch.js';
import { load, removeBundles, UserError } from './load.js';
import { policiesTable } from './policies.js';
import { recordTimeline, timelineSvg } from './timeline.js';

const usage = `usage: gradgate graph model.ts      the autograd graph of the module's default export, a tensor or a function that gives one
       gradgate policies model.ts   a table of what the decorators of exported classes say
       gradgate timeline script.ts  which guarded methods ran when, and in which mode, while the script ran
       gradgate launch -n 4 train.ts  the program as ranks of MPI; see gradgate launch --help

  -o, --out FILE   where the picture goes; the module's name with .svg by default`;

const isModule = (value: unknown): boolean =>
  typeof (value as { namedParameters?: unknown } | null | undefined)?.namedParameters === 'function';

/** The names of the parameters of all modules that are exported. */
function namesIn(exports: Record<string, unknown>): [string, Tensor][] {
  return Object.entries(exports).flatMap(([name, value]) => {
    const { namedParameters } = (value ?? {}) as { namedParameters?(): Iterable<[string, Tensor]> };
    return typeof namedParameters === 'function'
      ? [...namedParameters.call(value)].map(([path, t]): [string, Tensor] => [`${name}.${path}`, t])
      : [];
  });
}

/** How a rank is told to run a program; the id of the process that launches it and the program follow. */
const runOne = '--run-program';

/** `gradgate launch`: the program's own arguments follow its name, so this command reads its arguments by itself. */
async function launchRanks(args: readonly string[]): Promise<void> {
  if (args.length === 0 || args[0] === '-h' || args[0] === '--help') return console.log(launchUsage);
  try {
    // Each rank is this program again, which loads TypeScript with decorators as it stands.
    const request = parseLaunch(args);
    try {
      process.exitCode = await launch(request, [fileURLToPath(import.meta.url), runOne, String(process.pid)]);
    } finally {
      removeBundles(request.program[0]!, process.pid);
    }
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${launchUsage}`);
  }
}

/**
 * The launcher of MPICH lets the others wait for a rank that fails before it joins them: `launch` ends them for this line.
 * After that @gradgate/distributed tells.
 */
function tellEarlyEnd(code: number): void {
  const { env } = process;
  const [rank, size] = [env['OMPI_COMM_WORLD_RANK'] ?? env['PMI_RANK'], env['OMPI_COMM_WORLD_SIZE'] ?? env['PMI_SIZE']];
  if (code !== 0 && !(Symbol.for('@gradgate/distributed.joins') in globalThis))
    console.error(`gradgate: rank ${rank} of ${size} ends with exit code ${code} before it joins the others`);
}

function checkOut(command: string, out: string): void {
  if (command === 'policies') return;
  const formats = command === 'graph' ? ['.svg', '.dot'] : ['.svg'];
  if (!formats.includes(extname(out)))
    throw new UserError(`gradgate ${command}: pictures are ${formats.join(' or ')} files, got ${out}`);
  if (!existsSync(dirname(out))) throw new UserError(`gradgate ${command}: there is no folder ${dirname(out)}`);
}

async function main(): Promise<void> {
  if (process.argv[2] === 'launch') return launchRanks(process.argv.slice(3));
  if (process.argv[2] === runOne) {
    const [node, , , launcher, file, ...args] = process.argv as [string, string, string, string, string, ...string[]];
    process.argv = [node, file, ...args];
    process.once('exit', tellEarlyEnd);
    await load(file, Number(launcher)).catch((error: unknown) => {
      if (error instanceof UserError) throw error;
      // As if Node ran it: what the program listens to for uncaught errors is told.
      setImmediate(() => {
        throw error;
      });
    });
    return;
  }
  let parsed: { values: { out?: string; help?: boolean }; positionals: string[] };
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: { out: { type: 'string', short: 'o' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${usage}`);
  }
  const { values, positionals } = parsed;
  const [command, file, ...more] = positionals;
  if (values.help) return console.log(usage);
  if (!command || !file || more.length > 0 || !['graph', 'policies', 'timeline'].includes(command))
    throw new UserError(usage);
  const out = values.out ?? `${basename(file, extname(file))}.${command}.svg`;
  checkOut(command, out);
  if (command === 'policies') return console.log(policiesTable(await load(file)));
  if (command === 'graph') {
    const module = await load(file);
    const exported = module['default'];
    if (isModule(exported))
      throw new UserError(
        `gradgate graph: the default export of ${file} is a module, whose input is not known; export a function, () => module(input)`,
      );
    const t: unknown = Tensor.is(exported) || typeof exported !== 'function' ? exported : await exported();
    if (!Tensor.is(t))
      throw new UserError(
        `gradgate graph: the default export of ${file} is neither a tensor nor a function that gives one, but ${typeof t}`,
      );
    const options = { names: namesIn(module) };
    writeFileSync(out, extname(out) === '.dot' ? graphDot(t, options) : await graphSvg(t, options));
    return console.log(`wrote ${out}`);
  }
  const timeline = recordTimeline();
  await load(file);
  // What the script started goes on after its last line: until nothing is left to do.
  process.once('beforeExit', () => {
    const entries = timeline.stop();
    writeFileSync(out, timelineSvg(entries, { title: basename(file) }));
    console.log(`wrote ${out}: ${entries.length} guarded calls`);
  });
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = error instanceof UserError ? 2 : 1;
});
