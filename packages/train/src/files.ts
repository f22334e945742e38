import { builtin } from '@gradgate/core/internal';

interface FileSystem {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  appendFile(path: string, bytes: Uint8Array): Promise<void>;
}

/** Node's files, without an import that bundlers for browsers would follow; refused where there are none. */
export function fileSystem(op: string): FileSystem {
  const fs = builtin<FileSystem>('node:fs/promises');
  if (!fs) throw new TypeError(`${op}: this runtime has no files`);
  return fs;
}
