import { readdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildFailure, build } from 'esbuild';

/** What the user can mend: shown as it is, without a stack. */
export class UserError extends Error {}

// Of modules that were CommonJS: a bundle of ES modules has none of these.
const banner = [
  "import { createRequire as $createRequire } from 'node:module';",
  "import { fileURLToPath as $fileURLToPath } from 'node:url';",
  "import { dirname as $dirname } from 'node:path';",
  'const require = $createRequire(import.meta.url);',
  'const __filename = $fileURLToPath(import.meta.url);',
  'const __dirname = $dirname(__filename);',
].join('');

/**
 * Loads a module of the user's, in TypeScript or JavaScript, with decorators of either dialect, ES module or CommonJS, by the
 * nearest tsconfig.json. Its own files become one ES module beside it, for as long as it takes to load that; packages stay
 * outside, so that there is one copy of gradgate. `launcher` is the process that removes that file if this one is killed.
 */
export async function load(file: string, launcher: number = process.pid): Promise<Record<string, unknown>> {
  const path = resolve(file);
  const found = statOf(path);
  if (!found) throw new UserError(`there is no file ${file}`);
  if (found.isDirectory()) throw new UserError(`${file} is a folder; name the module in it`);
  removeStaleBundles(path);
  const bundle = join(dirname(path), `${bundlePrefix(path, launcher)}${process.pid}.${hostname()}.mjs`);
  const remove = () => rmSync(bundle, { force: true });
  // A program that ends itself at its top level never gets to the end of this function.
  process.once('exit', remove);
  try {
    await build({
      entryPoints: [path],
      outfile: bundle,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      sourcemap: 'inline',
      banner: { js: banner },
      logLevel: 'silent',
    });
    process.setSourceMapsEnabled(true);
    return exportsOf((await import(pathToFileURL(bundle).href)) as Record<string, unknown>);
  } catch (error) {
    throw isBuildFailure(error) ? new UserError(describe(file, error)) : asUserError(file, bundle, error);
  } finally {
    remove();
    process.off('exit', remove);
  }
}

/** What is at a path; nothing also where a file stands for a folder of it. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Imports that cannot be resolved are told of in one line that names the file; other errors are the program's own. */
function asUserError(file: string, bundle: string, error: unknown): unknown {
  const { code, message = '' } = (error ?? {}) as NodeJS.ErrnoException;
  const isImport = /^ERR_(MODULE_NOT_FOUND|PACKAGE_\w+|UNSUPPORTED_DIR_IMPORT)$/.test(code ?? '');
  if (!isImport && !/^The requested module .* does not provide an export/.test(message)) return error;
  return new UserError(`${file}: ${message.split('\n')[0]!.replaceAll(bundle, file)}`);
}

const bundlePrefix = (path: string, launcher: number): string => `.${basename(path)}.${launcher}-`;

/** Removes what processes that have been killed while they loaded a module have left beside it. */
export function removeBundles(file: string, launcher: number): void {
  removeBeside(file, (name) => name.startsWith(bundlePrefix(file, launcher)));
}

/** Removes what nobody was there to remove: that of processes of this host which are no more. */
function removeStaleBundles(path: string): void {
  const start = `.${basename(path)}.`;
  const end = `.${hostname()}.mjs`;
  removeBeside(path, (name) => {
    if (!name.startsWith(start) || !name.endsWith(end)) return false;
    const ids = /^\d+-(\d+)$/.exec(name.slice(start.length, -end.length));
    return ids !== null && !isAlive(Number(ids[1]));
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function removeBeside(file: string, which: (name: string) => boolean): void {
  const folder = dirname(resolve(file));
  if (!statSync(folder, { throwIfNoEntry: false })) return;
  for (const name of readdirSync(folder)) if (which(name)) rmSync(join(folder, name), { force: true });
}

const isBuildFailure = (error: unknown): error is BuildFailure => Array.isArray((error as BuildFailure | null)?.errors);

function describe(file: string, { errors }: BuildFailure): string {
  const [first] = errors;
  const at = first?.location
    ? `${first.location.file}:${first.location.line}:${first.location.column + 1}: `
    : `${file}: `;
  return `${at}${first?.text ?? 'cannot be built'}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''}`;
}

/** What a module exports. All that one in CommonJS exports is its default. */
function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  const inner = module['default'] as Record<string, unknown> | undefined;
  if (Object.keys(module).length !== 1 || inner === null || inner === undefined) return module;
  if (inner['__esModule']) return inner;
  // `module.exports = something`, whose own fields are exports too.
  return typeof inner === 'function' || typeof inner === 'object'
    ? { ...inner, default: inner['default'] ?? inner }
    : module;
}
