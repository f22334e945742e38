import { existsSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from './load.js';

export const usage = `usage: gradgate graph model.ts      the autograd graph of the module's default export: a tensor, a function that gives one, or a Module
       gradgate summary model.ts    a table of the layers of the Module that is the default export
       gradgate policies model.ts   a table of what the decorators of exported classes say
       gradgate timeline script.ts  which guarded methods ran when, and in which mode, while the script ran
       gradgate launch -n 4 train.ts  the program as ranks of MPI; see gradgate launch --help

  -o, --out FILE       where the picture goes: .svg, .png (by sharp) or, for graphs, .dot; the module's name with .svg by default
  -i, --input 1,3,8,8  the shape of what a Module is called with, once for each argument; 2,16:int64 are indices
      --depth N        how many levels of modules a graph opens; by default as many as fit on a screen
      --unfold         draws all modules of a graph, also those that repeat, of which the first stands for all otherwise
  -v, --version        the version of this program`;

/** The format of a picture, by its file name: `.svg`. */
export const formatOf = (out: string): string => extname(out).toLowerCase();

const commands = ['graph', 'summary', 'policies', 'timeline'];

const options = {
  out: { type: 'string', short: 'o' },
  input: { type: 'string', short: 'i', multiple: true },
  depth: { type: 'string' },
  unfold: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** A parsed command line. */
export interface Request {
  readonly command: string;
  readonly file: string;
  readonly out: string;
  readonly inputs: readonly string[];
  readonly depth: number | undefined;
  readonly fold: boolean;
}

/** The options of each command, besides help and version. */
const taken: Record<string, readonly string[]> = {
  graph: ['out', 'input', 'depth', 'unfold'],
  summary: ['input'],
  policies: [],
  timeline: ['out'],
};

/** Parses the command line; returns the option's name where help or the version is asked for. */
export function parse(args: readonly string[]): Request | 'help' | 'version' {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${usage}`);
  }
  const { values, positionals } = parsed;
  const [command, file, ...more] = positionals;
  if (values.help) return 'help';
  if (values.version) return 'version';
  if (!command || !file || more.length > 0 || !commands.includes(command)) throw new UserError(usage);
  const strange = Object.keys(values).find((name) => !taken[command]!.includes(name));
  if (strange !== undefined)
    throw new UserError(`gradgate ${command}: there is no option --${strange} here\n\n${usage}`);
  const out = values.out ?? `${basename(file, extname(file))}.${command}.svg`;
  const formats = command === 'graph' ? ['.svg', '.png', '.dot'] : ['.svg', '.png'];
  if (!formats.includes(formatOf(out)))
    throw new UserError(`gradgate ${command}: pictures must be ${formats.join(' or ')} files, got ${out}`);
  if (!existsSync(dirname(out))) throw new UserError(`gradgate ${command}: there is no folder ${dirname(out)}`);
  if (values.depth !== undefined && !/^\d+$/.test(values.depth))
    throw new UserError(`gradgate ${command}: --depth must be a whole number from 0 up, got ${values.depth}`);
  const depth = values.depth === undefined ? undefined : Number(values.depth);
  return { command, file, out, inputs: values.input ?? [], depth, fold: !values.unfold };
}
