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

/**
 * The internal argument that makes this process run a program as a rank. The launching process's id and the program
 * follow.
 */
const runOne = '--run-program';

/** `gradgate launch` parses its arguments on its own, as those after the program's name belong to the program. */
async function launchRanks(args: readonly string[]): Promise<void> {
  if (args.length === 0 || args[0] === '-h' || args[0] === '--help') return console.log(launchUsage);
  try {
    // Each rank runs this program, which loads TypeScript with decorators.
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
 * Reports a rank that fails before it has joined the others, for which MPICH's launcher would leave the others
 * waiting: `launch` ends all ranks when it sees this line. Later failures are reported by @gradgate/distributed.
 */
function tellEarlyEnd(code: number): void {
  const { env } = process;
  const [rank, size] = [env['OMPI_COMM_WORLD_RANK'] ?? env['PMI_RANK'], env['OMPI_COMM_WORLD_SIZE'] ?? env['PMI_SIZE']];
  if (code !== 0 && !(Symbol.for('@gradgate/distributed.joins') in globalThis))
    console.error(`gradgate: rank ${rank} of ${size} ends with exit code ${code} before it joins the others`);
}

/** The default export as a Module: itself, or an instance where it is a class; null where it is neither. */
function moduleIn(exports: Record<string, unknown>): Module | null {
  const exported = exports['default'];
  if (isModule(exported)) return exported;
  const isClass = typeof exported === 'function' && isModule(exported.prototype);
  return isClass ? new (exported as new () => Module)() : null;
}

/** Calls a module with random inputs of the requested shapes. */
function callWith(module: Module, { command, file, inputs }: Request): unknown {
  if (inputs.length === 0)
    throw new UserError(
      `gradgate ${command}: the default export of ${file} is a Module; give the shape of each argument it is called with, ` +
        'such as --input 1,3,224,224',
    );
  try {
    return (module as (...args: unknown[]) => unknown)(...inputs.map(inputOf));
  } catch (error) {
    throw error instanceof TensorError ? new UserError(`gradgate ${command}: ${error.message}`) : error;
  }
}

/** The tensors of the default export: its own, those a function returns, or the outputs of a module. */
async function resultsOf(exports: Record<string, unknown>, module: Module | null, request: Request): Promise<Tensor[]> {
  const exported = exports['default'];
  if (!module && request.inputs.length > 0)
    throw new UserError(`gradgate graph: --input needs a Module, and the default export of ${request.file} is not one`);
  const made = module
    ? callWith(module, request)
    : typeof exported === 'function'
      ? (exported as () => unknown)()
      : exported;
  const value = await made;
  const found = tensorsIn(value);
  if (found.length > 0) return found;
  throw new UserError(
    `gradgate graph: the default export of ${request.file} must be a tensor, a function that returns one, or a Module, ` +
      `got ${show(value)}`,
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

/**
 * Reports it when the process exits before the picture is written. Call the function it returns once the picture is.
 */
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
  const options = { modules: recorded.stop(), depth: request.depth, fold: request.fold };
  const isDot = formatOf(request.out) === '.dot';
  await writePicture(request, isDot ? graphDot(results, options) : await graphSvg(results, options));
  isThere();
  console.log(`wrote ${request.out}`);
}

async function summarize(request: Request): Promise<void> {
  const module = moduleIn(await load(request.file));
  if (module === null)
    throw new UserError(
      `gradgate summary: the default export of ${request.file} must be a Module or a subclass of Module`,
    );
  console.log(summary(module, ...request.inputs.map(inputOf)));
}

async function timeline(request: Request): Promise<void> {
  const { file, out } = request;
  const isThere = expectPicture(request);
  const recorded = recordTimeline({ only: isOfProgram });
  await load(file);
  // Recording continues after the script's last line, until no asynchronous work is left.
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
      // As in Node itself: rethrown outside the promise, so that the program's listeners for uncaught errors are
      // called.
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
