/** A module of Node's own, without an import that bundlers for browsers would follow; undefined where there is none. */
export function builtin<T>(name: string): T | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } };
  return process?.getBuiltinModule?.(name) as T | undefined;
}

interface Modules {
  'node:url': { pathToFileURL(path: string): URL };
  'node:module': { createRequire(file: string | URL): { (name: string): unknown; resolve(name: string): string } };
}
const node = <K extends keyof Modules>(name: K): Modules[K] => builtin<Modules[K]>(name)!;

/** The file in which an error was made: not every module format has `import.meta.url`. In a bundle, the bundle. */
function fileOf(error: Error): string | URL | null {
  const [, file] = /\bat (?:[^\n]*\()?((?:file:|\/|[A-Z]:\\)[^\n]*?):\d+:\d+/.exec(String(error.stack)) ?? [];
  if (file === undefined) return null;
  return file.startsWith('file:') ? new URL(file) : file;
}

type Process = { process: { argv: string[]; cwd(): string } };

/**
 * The first answer of `find` to a `require` that looks for packages from the code that made the error, from the program
 * that was started, and from the current directory: what cannot be in a bundle, such as programs of threads and native
 * libraries, is in packages that are installed where the bundle runs. Throws the first failure.
 */
function fromHere<T>(here: Error, find: (require: ReturnType<Modules['node:module']['createRequire']>) => T): T {
  const { process } = globalThis as unknown as Process;
  const failures: unknown[] = [];
  for (const from of [fileOf(here), process.argv[1], `${process.cwd()}/`]) {
    if (!from) continue;
    try {
      return find(node('node:module').createRequire(from));
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** A file of an installed package that exports its `package.json`; null where it is not installed. */
export function installedFile(here: Error, name: string, path: string): URL | null {
  try {
    const found = fromHere(here, (require) => require.resolve(`${name}/package.json`));
    return new URL(path, node('node:url').pathToFileURL(found));
  } catch {
    return null;
  }
}

/** A package that is required when it is needed, so that bundles leave it out and failures can be told. */
export const requireInstalled = (here: Error, name: string): unknown => fromHere(here, (require) => require(name));
