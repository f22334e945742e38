import { builtin } from '../builtin.js';

// Where the files of worker threads are.

interface Modules {
  'node:url': { pathToFileURL(path: string): URL };
  'node:path': { resolve(path: string): string };
  'node:fs': { existsSync(file: URL): boolean };
  'node:module': { createRequire(file: string | URL): { resolve(name: string): string } };
}
const node = <K extends keyof Modules>(name: K): Modules[K] => builtin<Modules[K]>(name)!;

/** This file, as stack traces show it: not every module format has `import.meta.url`. In a bundle, the bundle. */
function ownFile(): URL | null {
  const [, file] = /\bat (?:[^\n]*\()?((?:file:|\/|[A-Z]:\\)[^\n]*?):\d+:\d+/.exec(String(new Error().stack)) ?? [];
  if (file === undefined) return null;
  return file.startsWith('file:') ? new URL(file) : node('node:url').pathToFileURL(file);
}

/** The program of a data worker: beside this file, or, from a bundle, in the package as it is installed. */
export function workerProgram(): URL {
  const own = ownFile();
  const { existsSync } = node('node:fs');
  if (own !== null) {
    const beside = new URL('./workerMain.js', own);
    if (existsSync(beside)) return beside;
    try {
      const inPackage = node('node:module').createRequire(own).resolve('@gradgate/nn/package.json');
      return new URL('./dist/data/workerMain.js', node('node:url').pathToFileURL(inPackage));
    } catch {}
  }
  throw new TypeError(
    'workerDataset: threads load their program from the package @gradgate/nn, and it is not installed where this bundle runs; ' +
      'install it there, or use the dataset itself',
  );
}

/** The URL of a dataset's module: paths are taken from the current directory, as those of files are. */
export function moduleUrl(module: URL | string): string {
  const isUrl = module instanceof URL || /^[a-z][a-z\d+.-]+:/i.test(module);
  const url = isUrl ? new URL(module) : node('node:url').pathToFileURL(node('node:path').resolve(module));
  if (url.protocol === 'file:' && !node('node:fs').existsSync(url))
    throw new TypeError(
      `workerDataset: Cannot find module ${url.href}; a path such as './images.js' is taken from the current directory, and ` +
        `new URL('./images.js', import.meta.url) is beside the program. In a bundle the module is a file of its own`,
    );
  return url.href;
}
