import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObservedCall } from '@gradgate/core';

/** Whether a folder is of a package of gradgate's, by the nearest package.json. */
const own = new Map<string, boolean>();

/** A project that only has such a name is not published. */
function isOwnPackage(file: string): boolean {
  const { name, private: isPrivate } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; private?: boolean };
  return !isPrivate && /^(@gradgate\/|gradgate$)/.test(name ?? '');
}

function isOwn(folder: string): boolean {
  let found = own.get(folder);
  if (found === undefined) {
    const file = join(folder, 'package.json');
    const above = dirname(folder);
    found = existsSync(file) ? isOwnPackage(file) : above !== folder && isOwn(above);
    own.set(folder, found);
  }
  return found;
}

/** The folders of the files whose functions run, innermost first, without the runtime's own. */
function foldersOfStack(): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 30;
    Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFileName() ?? '');
    const files = new Error().stack as unknown as string[];
    return files
      .filter((file) => file.startsWith('file:') || file.startsWith('/'))
      .map((file) => dirname(file.startsWith('file:') ? fileURLToPath(file) : file));
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}

/**
 * Whether a guarded call that begins is the program's: of a method, or made outside of gradgate's own packages, which use
 * gates as well, when they set parameters and when optimizers step.
 */
export function isOfProgram({ member }: ObservedCall): boolean {
  if (member !== null) return true;
  const [here, ...above] = foldersOfStack();
  // This package's functions come first, then those of core's gates.
  const gates = above.find((folder) => folder !== here);
  const caller = above.find((folder) => folder !== here && folder !== gates);
  return caller === undefined || !isOwn(caller);
}
