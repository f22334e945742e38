import { builtin } from '../builtin.js';

interface FileHandle {
  writeFile(data: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}
interface FileSystem {
  readFile(path: string): Promise<Uint8Array>;
  open(path: string, flags: string): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: boolean }): Promise<void>;
}

function fileSystem(op: string): FileSystem {
  const fs = builtin<FileSystem>('node:fs/promises');
  if (!fs) throw new TypeError(`${op}: this runtime has no files; use the encode and decode functions with bytes`);
  return fs;
}

/** All bytes of a file. */
export async function readBytes(op: string, path: string): Promise<Uint8Array> {
  const bytes = await fileSystem(op).readFile(path);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Writes a file as a whole or not at all: to another name beside it, to the disk, and then renamed. After a crash the
 * file is what it was before, or new.
 */
export async function writeBytes(op: string, path: string, bytes: Uint8Array): Promise<void> {
  const fs = fileSystem(op);
  const unique = Math.random().toString(36).slice(2);
  const temporary = `${path}.${unique}.tmp`;
  const file = await fs.open(temporary, 'wx');
  try {
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, path);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}
