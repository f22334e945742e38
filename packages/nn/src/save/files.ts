import { builtin, show } from '@gradgate/core/internal';

// The parts of Node's modules that are used.
interface Stats {
  mode: number;
  uid: number;
  gid: number;
  mtimeMs: number;
  size: number;
  isFile(): boolean;
  isDirectory(): boolean;
}
interface FileHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  readFile(): Promise<Uint8Array>;
  writeFile(data: Uint8Array): Promise<void>;
  stat(): Promise<Stats>;
  chmod(mode: number): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}
interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<FileHandle>;
  access(path: string, mode: number): Promise<void>;
  realpath(path: string): Promise<string>;
  readlink(path: string): Promise<string>;
  stat(path: string): Promise<Stats>;
  readdir(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: boolean }): Promise<void>;
  readonly constants: { readonly W_OK: number };
}
interface Paths {
  basename(path: string): string;
  dirname(path: string): string;
  join(...parts: string[]): string;
  resolve(...parts: string[]): string;
}
interface Process {
  readonly pid: number;
  kill(pid: number, signal: 0): void;
  uptime(): number;
}
interface System {
  fs: FileSystem;
  paths: Paths;
  process: Process;
  hostname: string;
}

function system(op: string): System {
  const fs = builtin<FileSystem>('node:fs/promises');
  if (!fs) throw new TypeError(`${op}: this runtime has no files; use the encode and decode functions with bytes`);
  return {
    fs,
    paths: builtin<Paths>('node:path')!,
    process: (globalThis as unknown as { process: Process }).process,
    hostname: builtin<{ hostname(): string }>('node:os')!.hostname(),
  };
}

/** The path of a file given by path or by `file:` URL. */
export function pathOf(op: string, path: unknown): string {
  const name = path instanceof URL ? pathOfUrl(op, path) : path;
  // No system allows NUL in a path.
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) return name;
  throw new TypeError(`${op}: path must be a string or a file: URL, got ${name === '' ? 'an empty text' : show(name)}`);
}

function pathOfUrl(op: string, url: URL): string {
  const text = url.href.slice(0, 200);
  if (url.protocol !== 'file:')
    throw new TypeError(`${op}: ${text} is no file; fetch() its bytes and use the decode functions`);
  const node = builtin<{ fileURLToPath(url: URL): string }>('node:url');
  if (!node) throw new TypeError(`${op}: this runtime has no files; use the encode and decode functions with bytes`);
  try {
    return node.fileURLToPath(url);
  } catch (error) {
    // It names another machine, or has an encoded slash in a name.
    throw new TypeError(`${op}: ${text} names no file: ${(error as Error).message}`);
  }
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

/** The value, or undefined if it fails with one of these codes. */
const unless = <T>(codes: readonly string[], value: Promise<T>): Promise<T | undefined> =>
  value.catch((error) => {
    if (codes.includes(codeOf(error)!)) return undefined;
    throw error;
  });

/** A file open for reading. */
interface OpenFile {
  readonly size: number;
  /** Reads bytes from `at` on; fewer than `length` if the file has become shorter. */
  read(at: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Opens a file of any size: Node's `readFile` is limited to 2 GiB. */
export async function openFile(op: string, path: string | URL): Promise<OpenFile> {
  const name = pathOf(op, path);
  const handle = await system(op).fs.open(name, 'r');
  const close = (): Promise<void> => handle.close();
  try {
    const stats = await handle.stat();
    if (stats.isFile()) return { size: stats.size, read: (at, length) => readAt(handle, at, length), close };
    // Pipes have no size and no offsets.
    const all = new Uint8Array(await handle.readFile());
    return { size: all.length, read: async (at, length) => all.subarray(at, at + length), close };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const { bytesRead } = await handle.read(bytes, got, Math.min(length - got, 2 ** 30), at + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return bytes.subarray(0, got);
}

/** All bytes of a file. */
export async function readBytes(op: string, path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const file = await openFile(op, path);
  try {
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

/**
 * Writes a file as a whole or not at all: under another name beside it, flushed to the disk, then renamed. After a
 * crash the file has its old or its new content. An existing file keeps its mode and owner, and symbolic links keep
 * pointing to it.
 */
export async function writeBytes(op: string, path: string | URL, bytes: Uint8Array): Promise<void> {
  const given = pathOf(op, path);
  try {
    await replaceFile(op, given, bytes);
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    // What the system says names neither the function nor, where the disk is full, the file.
    if (typeof code !== 'string' || message.startsWith(`${op}: `)) throw error;
    throw Object.assign(new Error(`${op}: ${given} cannot be written: ${message}`, { cause: error }), { code });
  }
}

async function replaceFile(op: string, given: string, bytes: Uint8Array): Promise<void> {
  const { fs, paths, process, hostname } = system(op);
  const target = await followLinks(op, given, fs, paths);
  const before = await unless(['ENOENT', 'ENOTDIR'], fs.stat(target));
  const folder = paths.dirname(target);
  if (before?.isDirectory()) throw fault(op, `${given} is a folder`, 'EISDIR');
  if (!before && !(await unless(['ENOENT', 'ENOTDIR'], fs.stat(folder)))?.isDirectory())
    throw fault(op, `there is no folder ${folder}; make it first`, 'ENOENT');
  if (before) await fs.access(target, fs.constants.W_OK);
  // Write into devices and pipes: renaming would replace them.
  if (before && !before.isFile()) return writeThrough(fs, target, bytes);

  const start = temporaryStart(paths.basename(target), hostname);
  const temporary = paths.join(folder, `${start}${process.pid}.${Math.random().toString(36).slice(2)}.tmp`);
  await removeLeftovers(fs, paths, process, folder, start);
  const file = await fs.open(temporary, 'wx', before ? 0o600 : undefined);
  try {
    try {
      await file.writeFile(bytes);
      if (before) await takeOver(file, before);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, target);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(fs, folder);
}

const fault = (op: string, message: string, code: string): Error =>
  Object.assign(new Error(`${op}: ${message} (${code})`), { code });

/** Follows symbolic links to the file that a path leads to; it need not exist. */
async function followLinks(op: string, path: string, fs: FileSystem, paths: Paths): Promise<string> {
  let target = paths.resolve(path);
  for (let links = 0; links < 40; links++) {
    const real = await unless(['ENOENT', 'ENOTDIR'], fs.realpath(target));
    if (real !== undefined) return real;
    // EINVAL: it exists but is no link, so it was created just now.
    const link = await unless(['ENOENT', 'ENOTDIR', 'EINVAL'], fs.readlink(target));
    if (link === undefined) return target;
    target = paths.resolve(paths.dirname(target), link);
  }
  throw fault(op, `${path} leads through too many links`, 'ELOOP');
}

async function writeThrough(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.open(path, 'w');
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

/** Gives a new file the mode and, if allowed, the owner of the file that it replaces. */
async function takeOver(file: FileHandle, before: Stats): Promise<void> {
  const { uid, gid } = await file.stat();
  if (uid !== before.uid || gid !== before.gid)
    await unless(['EPERM', 'EINVAL', 'ENOSYS'], file.chown(before.uid, before.gid));
  await file.chmod(before.mode & 0o7777);
}

/** The start of all temporary names for a file on this machine; short, so that names fit wherever the file's does. */
const temporaryStart = (name: string, hostname: string): string =>
  `.${name.slice(0, 40)}.${hostname.replaceAll(/[^\w-]/g, '').slice(0, 20)}.`;

/** Removes temporary files that killed processes left when they saved this file. */
async function removeLeftovers(
  fs: FileSystem,
  paths: Paths,
  process: Process,
  folder: string,
  start: string,
): Promise<void> {
  const names = await unless(['EACCES', 'EPERM'], fs.readdir(folder));
  for (const name of names ?? []) {
    if (!name.startsWith(start)) continue;
    const pid = /^(\d+)\.[0-9a-z]+\.tmp$/.exec(name.slice(start.length))?.[1];
    if (pid === undefined) continue;
    const path = paths.join(folder, name);
    // Another process may have had our process number before: then the file is older than this process.
    const left =
      Number(pid) === process.pid
        ? ((await unless(['ENOENT'], fs.stat(path)))?.mtimeMs ?? Number.POSITIVE_INFINITY) <
          Date.now() - process.uptime() * 1000
        : !isAlive(process, Number(pid));
    if (left) await unless(['EACCES', 'EPERM'], fs.rm(path, { force: true }));
  }
}

function isAlive(process: Process, pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/**
 * Flushes a folder to the disk, so that a rename in it survives a crash. Windows and some file systems cannot do it.
 */
async function syncFolder(fs: FileSystem, folder: string): Promise<void> {
  const handle = await unless(['EACCES', 'EPERM', 'EISDIR'], fs.open(folder, 'r'));
  if (!handle) return;
  try {
    await unless(['EACCES', 'EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'ENOSYS'], handle.sync());
  } finally {
    await handle.close();
  }
}
