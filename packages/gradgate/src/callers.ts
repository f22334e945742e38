import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObservedCall } from '@gradgate/core';

/** By folder: whether it belongs to one of gradgate's packages, according to the nearest package.json. */
const own = new Map<string, boolean>();

/** A private package with such a name is the user's own project. */
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

/** The folders of the files on the call stack, innermost first, without the runtime's own. */
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
 * Whether a guarded call that starts belongs to the program: a call of a decorated method, or one made outside
 * gradgate's own packages. Those use gates too: to set parameters, and in optimizer steps.
 */
export function isOfProgram({ member }: ObservedCall): boolean {
  if (member !== null) return true;
  const [here, ...above] = foldersOfStack();
  // The stack starts with functions of this package, followed by those of core's gates.
  const gates = above.find((folder) => folder !== here);
  const caller = above.find((folder) => folder !== here && folder !== gates);
  return caller === undefined || !isOwn(caller);
}
