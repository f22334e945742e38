import { builtin, installedFile, show } from '@gradgate/core/internal';

// The locations of the files of worker threads.

interface Modules {
  'node:url': { pathToFileURL(path: string): URL };
  'node:path': { resolve(path: string): string };
  'node:fs': { existsSync(file: URL): boolean };
}
const node = <K extends keyof Modules>(name: K): Modules[K] => builtin<Modules[K]>(name)!;

/** The URL of the program of a data worker. */
export function workerProgram(): URL {
  const program = installedFile(new Error(), '@gradgate/nn', './dist/data/workerMain.js');
  if (program) return program;
  throw new TypeError(
    'workerDataset: threads load their program from the package @gradgate/nn, and it is not installed where this bundle runs; ' +
      'install it there, or use the dataset itself',
  );
}

/** The URL of a dataset's module. Paths are relative to the current directory, as for files. */
export function moduleUrl(module: URL | string): string {
  const isUrl = module instanceof URL || /^[a-z][a-z\d+.-]+:/i.test(module);
  if (isUrl && !URL.canParse(String(module)))
    throw new TypeError(`workerDataset: module must be a URL or a path, got ${show(module)}`);
  const url = isUrl ? new URL(module) : node('node:url').pathToFileURL(node('node:path').resolve(module));
  if (url.protocol === 'file:' && !node('node:fs').existsSync(url))
    throw new TypeError(
      `workerDataset: Cannot find module ${url.href}; a path such as './images.js' is relative to the current directory, ` +
        `and new URL('./images.js', import.meta.url) to the program. In a bundle the module must be a separate file`,
    );
  return url.href;
}
