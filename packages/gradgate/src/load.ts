import { readdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildFailure, build } from 'esbuild';

/** An error that the user can mend: its message is printed without a stack. */
export class UserError extends Error {}

// Defines what bundled CommonJS modules expect and ES modules lack.
const banner = [
  "import { createRequire as $createRequire } from 'node:module';",
  "import { fileURLToPath as $fileURLToPath } from 'node:url';",
  "import { dirname as $dirname } from 'node:path';",
  'const require = $createRequire(import.meta.url);',
  'const __filename = $fileURLToPath(import.meta.url);',
  'const __dirname = $dirname(__filename);',
].join('');

/**
 * Loads a module of the user's: TypeScript or JavaScript, standard or legacy decorators (as the nearest tsconfig.json
 * says), ES module or CommonJS. Its files are bundled into one ES module beside it, which is removed once it is
 * loaded; packages stay external, so that there is one copy of gradgate. `launcher` is the process that removes the
 * bundle if this one is killed.
 */
export async function load(file: string, launcher: number = process.pid): Promise<Record<string, unknown>> {
  const path = resolve(file);
  const found = statOf(path);
  if (!found) throw new UserError(`there is no file ${file}`);
  if (found.isDirectory()) throw new UserError(`${file} is a folder; name the module in it`);
  removeStaleBundles(path);
  const bundle = join(dirname(path), `${bundlePrefix(path, launcher)}${process.pid}.${hostname()}.mjs`);
  const remove = () => rmSync(bundle, { force: true });
  // For programs that call process.exit() at their top level.
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

/** The stats of a path; undefined where there is nothing, also where one of its folders is a file. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * An import that cannot be resolved becomes an error of one line that names the file; other errors are the program's
 * own.
 */
function asUserError(file: string, bundle: string, error: unknown): unknown {
  const { code, message = '' } = (error ?? {}) as NodeJS.ErrnoException;
  const isImport = /^ERR_(MODULE_NOT_FOUND|PACKAGE_\w+|UNSUPPORTED_DIR_IMPORT)$/.test(code ?? '');
  if (!isImport && !/^The requested module .* does not provide an export/.test(message)) return error;
  return new UserError(`${file}: ${message.split('\n')[0]!.replaceAll(bundle, file)}`);
}

const bundlePrefix = (path: string, launcher: number): string => `.${basename(path)}.${launcher}-`;

/** Removes the bundles of the launcher's processes that were killed while they loaded a module. */
export function removeBundles(file: string, launcher: number): void {
  removeBeside(file, (name) => name.startsWith(bundlePrefix(file, launcher)));
}

/** Removes the bundles left by processes of this host that no longer exist. */
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

/** What a module exports. The exports of a CommonJS module are imported as the default export. */
function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  const inner = module['default'] as Record<string, unknown> | undefined;
  if (Object.keys(module).length !== 1 || inner === null || inner === undefined) return module;
  if (inner['__esModule']) return inner;
  // `module.exports = value`: its own properties are exports too.
  return typeof inner === 'function' || typeof inner === 'object'
    ? { ...inner, default: inner['default'] ?? inner }
    : module;
}
