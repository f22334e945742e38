import { writeFileSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Tensor } from '@gradgate/core';
import { register as registerCommonJs } from 'tsx/cjs/api';
import { register } from 'tsx/esm/api';
import { graphSvg } from './graph.js';
import { launch, launchUsage, parseLaunch } from './launch.js';
import { policiesTable } from './policies.js';
import { recordTimeline, timelineSvg } from './timeline.js';

const usage = `usage: gradgate graph model.ts      the autograd graph of the module's default export, a tensor or a function that gives one
       gradgate policies model.ts   a table of what the decorators of exported classes say
       gradgate timeline script.ts  which guarded methods ran when, and in which mode, while the script ran
       gradgate launch -n 4 train.ts  the program as ranks of MPI; see gradgate launch --help

  -o, --out FILE   where the picture goes; the module's name with .svg by default`;

class UserError extends Error {}

async function load(file: string): Promise<Record<string, unknown>> {
  // TypeScript, with decorators, as it stands.
  registerCommonJs();
  register();
  const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  // Where no package.json says "type": "module", the file is CommonJS, and all it exports is its default.
  const inner = module['default'] as Record<string, unknown> | undefined;
  return inner?.['__esModule'] ? inner : module;
}

/** The names of the parameters of all modules that are exported. */
function namesIn(exports: Record<string, unknown>): [string, Tensor][] {
  return Object.entries(exports).flatMap(([name, value]) => {
    const { namedParameters } = (value ?? {}) as { namedParameters?(): Iterable<[string, Tensor]> };
    return typeof namedParameters === 'function'
      ? [...namedParameters.call(value)].map(([path, t]): [string, Tensor] => [`${name}.${path}`, t])
      : [];
  });
}

/** `gradgate launch`: the program's own arguments follow its name, so this command reads its arguments by itself. */
async function launchRanks(args: readonly string[]): Promise<void> {
  if (args.length === 0 || args[0] === '-h' || args[0] === '--help') return console.log(launchUsage);
  try {
    // TypeScript, with decorators, as it stands.
    process.exitCode = await launch(parseLaunch(args), ['--import', import.meta.resolve('tsx')]);
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${launchUsage}`);
  }
}

async function main(): Promise<void> {
  if (process.argv[2] === 'launch') return launchRanks(process.argv.slice(3));
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
  if (command === 'policies') return console.log(policiesTable(await load(file)));
  if (command === 'graph') {
    const module = await load(file);
    const exported = module['default'];
    const t: unknown = exported instanceof Tensor || typeof exported !== 'function' ? exported : await exported();
    if (!(t instanceof Tensor))
      throw new UserError(
        `gradgate graph: the default export of ${file} is neither a tensor nor a function that gives one, but ${typeof t}`,
      );
    writeFileSync(out, await graphSvg(t, { names: namesIn(module) }));
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
