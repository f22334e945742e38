import { type Tensor, TensorError } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { shorten } from './bytes.js';
import { openFile, pathOf } from './files.js';
import { readTensor, widths } from './safetensors.js';
import { headerLength, isModest, type Metadata, parseHeader } from './safetensorsHeader.js';

/** A source of bytes that can be read from any offset: an open file, ranges of an HTTP resource, a database. */
export interface ByteSource {
  /** The number of bytes. */
  readonly size: number;
  /** Reads `length` bytes from offset `at`. */
  read(at: number, length: number): Promise<Uint8Array>;
  /** Called when the file is closed. */
  close?(): Promise<void>;
}

/** The description of a tensor in a file. */
export interface TensorInfo {
  /** The dtype's name in the format, such as `BF16`. */
  readonly dtype: string;
  /** The sizes of its dimensions. */
  readonly shape: readonly number[];
}

/**
 * An open `.safetensors` file, possibly in shards, of which only the header has been read: `get(name)` reads one
 * tensor. Call `close()` at the end, or declare it with `await using`.
 */
export interface SafetensorsFile {
  /** The texts by name that the file has beside its tensors. */
  readonly metadata: Metadata;
  /** All tensors in the file, by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Reads a tensor; throws if the file has none of that name. */
  get(name: string): Promise<Tensor>;
  /** Closes the file; `get` fails afterwards. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a `.safetensors` file without reading its tensors: by path or `file:` URL, as a `Blob` (such as a `File` in a
 * browser), or as any source of byte ranges. A path that ends in `.index.json` opens the shards listed there, which lie
 * beside it.
 *
 * ```ts
 * await save('model.safetensors', { weight: ones([2]), bias: zeros([1]) });
 * const file = await openSafetensors('model.safetensors');
 * await file.get('weight'); // [1, 1]
 * await file.close();
 * ```
 */
export async function openSafetensors(source: string | URL | Blob | ByteSource): Promise<SafetensorsFile> {
  const op = 'openSafetensors';
  if (typeof source === 'string' || source instanceof URL) return openPath(op, source);
  if (typeof Blob !== 'undefined' && source instanceof Blob) return openShard(op, blobSource(source));
  if (!isSource(source))
    throw new TypeError(`${op}: takes a path, a URL, a Blob, or an object with size and read(), got ${show(source)}`);
  return openShard(op, source);
}

/** @internal Opens by path, with errors in the name of `op`. */
export async function openPath(op: string, path: string | URL): Promise<SafetensorsFile> {
  const name = pathOf(op, path);
  if (name.endsWith('.index.json')) return openIndex(op, name);
  return openShard(op, await openFile(op, name));
}

function isSource(v: unknown): v is ByteSource {
  if (typeof v !== 'object' || v === null) return false;
  const { size, read } = v as Partial<ByteSource>;
  return Number.isSafeInteger(size) && typeof read === 'function';
}

const blobSource = (blob: Blob): ByteSource => ({
  size: blob.size,
  read: async (at, length) => new Uint8Array(await blob.slice(at, at + length).arrayBuffer()),
});

async function openShard(op: string, source: ByteSource): Promise<SafetensorsFile> {
  const close = async (): Promise<void> => source.close?.();
  try {
    const length = headerLength(op, await readWhole(op, source, 0, Math.min(8, source.size)), source.size);
    const dataStart = 8 + length;
    const header = await readWhole(op, source, 8, length);
    const { entries, metadata } = parseHeader(op, header, source.size - dataStart, widths);
    const tensors = new Map(entries.map((e) => [e.name, e]));
    const get = async (name: string): Promise<Tensor> => {
      const entry = find(op, tensors, name);
      return readTensor(op, entry, await readWhole(op, source, dataStart + entry.start, entry.end - entry.start));
    };
    return { metadata, tensors, get, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function find<T>(op: string, tensors: ReadonlyMap<string, T>, name: string): T {
  const entry = tensors.get(name);
  if (entry === undefined)
    throw new TensorError(
      op,
      `the file has no tensor ${show(name)}; it has ${tensors.size}, among them ${[...tensors.keys()].slice(0, 5).map(shorten).join(', ')}`,
    );
  return entry;
}

async function readWhole(op: string, source: ByteSource, at: number, length: number): Promise<Uint8Array> {
  const bytes: unknown = await source.read(at, length);
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`${op}: read() of the source must give a Uint8Array, got ${show(bytes)}`);
  if (bytes.length !== length)
    throw new TensorError(op, `the file is truncated: ${bytes.length} bytes at ${at}, where ${length} were asked for`);
  return bytes;
}

/** Opens all shards of an index, which says in which shard each tensor is. */
async function openIndex(op: string, path: string): Promise<SafetensorsFile> {
  const map = await readIndex(op, path);
  const folder = path.slice(0, path.length - (/[^/\\]*$/.exec(path)?.[0].length ?? 0));
  const open = new Map<string, Promise<SafetensorsFile>>();
  const shard = (name: string): Promise<SafetensorsFile> => {
    let file = open.get(name);
    if (!file) {
      file = openPath(op, folder + name);
      open.set(name, file);
    }
    return file;
  };
  const close = async (): Promise<void> => {
    const files = await Promise.allSettled(open.values());
    await Promise.all(files.map((file) => (file.status === 'fulfilled' ? file.value.close() : undefined)));
  };
  try {
    const shards = await Promise.all([...new Set(map.values())].map(shard));
    const tensors = new Map<string, TensorInfo>();
    for (const [name, file] of map) {
      const info = (await shard(file)).tensors.get(name);
      if (!info) throw new TensorError(op, `the index has '${shorten(name)}' in ${file}, which has no such tensor`);
      tensors.set(name, info);
    }
    const get = async (name: string): Promise<Tensor> => {
      find(op, tensors, name);
      return (await shard(map.get(name)!)).get(name);
    };
    const metadata = Object.fromEntries(shards.flatMap((s) => Object.entries(s.metadata)));
    return { metadata, tensors, get, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The shard of each tensor, by name. */
async function readIndex(op: string, path: string): Promise<Map<string, string>> {
  const file = await openFile(op, path);
  let index: { weight_map?: unknown } | null;
  try {
    const bytes = await file.read(0, Math.min(file.size, 100_000_000));
    if (!isModest(bytes, 8, 2_000_000)) throw new SyntaxError('it is nested too deep or too long');
    index = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new TensorError(op, `${path} is not JSON: ${(error as Error).message}`);
  } finally {
    await file.close();
  }
  const map = index?.weight_map;
  if (typeof map !== 'object' || map === null) throw new TensorError(op, `${path} has no weight_map`);
  // An index may come from elsewhere, and must not lead to other folders.
  for (const [name, shard] of Object.entries(map))
    if (typeof shard !== 'string' || !/^[^/\\:]+\.safetensors$/.test(shard))
      throw new TensorError(
        op,
        `${path} has '${shorten(name)}' in ${show(shard)}; shards must be .safetensors files beside it`,
      );
  return new Map(Object.entries(map));
}

/** @internal Reads all tensors of an open file, or those in `only`, and closes it. */
export async function readAll(file: SafetensorsFile, only?: readonly string[]): Promise<Record<string, Tensor>> {
  try {
    const tensors: [string, Tensor][] = [];
    for (const name of only ?? file.tensors.keys()) tensors.push([name, await file.get(name)]);
    return Object.fromEntries(tensors);
  } finally {
    await file.close();
  }
}
