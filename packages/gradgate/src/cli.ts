import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Tensor, TensorError } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { type Module, summary } from '@gradgate/nn';
import { isOfProgram } from './callers.js';
import { graphDot, graphSvg } from './graph.js';
import { inputOf } from './inputs.js';
import { launch, launchUsage, parseLaunch } from './launch.js';
import { load, removeBundles, UserError } from './load.js';
import { isModule, recordModules, tensorsIn } from './modules.js';
import { pngOf } from './png.js';
import { policiesTable } from './policies.js';
import { formatOf, parse, type Request, usage } from './request.js';
import { recordTimeline, timelineSvg } from './timeline.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

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

/** The Module that is the default export, or of the class that is. */
function moduleIn(exports: Record<string, unknown>): Module | null {
  const exported = exports['default'];
  if (isModule(exported)) return exported;
  const isClass = typeof exported === 'function' && isModule(exported.prototype);
  return isClass ? new (exported as new () => Module)() : null;
}

/** Calls a module with random inputs of the shapes that were asked for. */
function callWith(module: Module, { command, file, inputs }: Request): unknown {
  if (inputs.length === 0)
    throw new UserError(
      `gradgate ${command}: the default export of ${file} is a Module; --input 1,3,224,224 says the shape of what it is ` +
        'called with, once for each argument',
    );
  try {
    return (module as (...args: unknown[]) => unknown)(...inputs.map(inputOf));
  } catch (error) {
    throw error instanceof TensorError ? new UserError(`gradgate ${command}: ${error.message}`) : error;
  }
}

/** What the default export stands for: tensors, what gives them, or a module that is called. */
async function resultsOf(exports: Record<string, unknown>, module: Module | null, request: Request): Promise<Tensor[]> {
  const exported = exports['default'];
  if (!module && request.inputs.length > 0)
    throw new UserError(`gradgate graph: --input is for a Module, and the default export of ${request.file} is none`);
  const made = module
    ? callWith(module, request)
    : typeof exported === 'function'
      ? (exported as () => unknown)()
      : exported;
  const value = await made;
  const found = tensorsIn(value);
  if (found.length > 0) return found;
  throw new UserError(
    `gradgate graph: the default export of ${request.file} is neither a tensor, nor a function that gives one, nor a Module, ` +
      `but ${show(value)}`,
  );
}

async function writePicture({ command, out }: Request, picture: string): Promise<void> {
  const content = formatOf(out) === '.png' ? await pngOf(picture) : picture;
  try {
    writeFileSync(out, content);
  } catch (error) {
    throw new UserError(`gradgate ${command}: ${out} cannot be written: ${(error as Error).message}`);
  }
}

/** Says so where the program ends itself, or waits for what never comes, before its picture is there. Call it once it is. */
function expectPicture({ command, file, out }: Request): () => void {
  const tell = (code: number): void => {
    if (code !== 0) return;
    console.error(`gradgate ${command}: ${file} ended before its last line, and ${out} was not written`);
    process.exitCode = 1;
  };
  process.once('exit', tell);
  return () => void process.off('exit', tell);
}

async function graph(request: Request): Promise<void> {
  const isThere = expectPicture(request);
  const exports = await load(request.file);
  const module = moduleIn(exports);
  const others = Object.entries(exports).filter(([name, value]) => name !== 'default' && isModule(value));
  const modules = { ...Object.fromEntries(others as [string, Module][]), ...(module && { '': module }) };
  const recorded = recordModules(modules);
  const results = await resultsOf(exports, module, request);
  const options = { modules: recorded.stop(), depth: request.depth };
  const isDot = formatOf(request.out) === '.dot';
  await writePicture(request, isDot ? graphDot(results, options) : await graphSvg(results, options));
  isThere();
  console.log(`wrote ${request.out}`);
}

async function summarize(request: Request): Promise<void> {
  const module = moduleIn(await load(request.file));
  if (module === null)
    throw new UserError(
      `gradgate summary: the default export of ${request.file} is neither a Module nor a class of one`,
    );
  console.log(summary(module, ...request.inputs.map(inputOf)));
}

async function timeline(request: Request): Promise<void> {
  const { file, out } = request;
  const isThere = expectPicture(request);
  const recorded = recordTimeline({ only: isOfProgram });
  await load(file);
  // What the script started goes on after its last line: until nothing is left to do.
  process.once('beforeExit', () => {
    const entries = recorded.stop();
    writePicture(request, timelineSvg(entries, { title: basename(file) }))
      .then(() => {
        isThere();
        console.log(`wrote ${out}: ${entries.length} guarded calls`);
      })
      .catch(fail);
  });
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
  const request = parse(process.argv.slice(2));
  if (request === 'help') return console.log(usage);
  if (request === 'version') return console.log(version);
  const { command, file } = request;
  if (command === 'policies') return console.log(policiesTable(await load(file)));
  if (command === 'graph') return graph(request);
  if (command === 'summary') return summarize(request);
  return timeline(request);
}

function fail(error: unknown): void {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = error instanceof UserError ? 2 : 1;
}

main().catch(fail);
