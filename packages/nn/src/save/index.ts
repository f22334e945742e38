import type { Tensor } from '@gradgate/core';
import { checkOptions, is } from '@gradgate/core/internal';
import { encodeOnHost } from './encodeOnHost.js';
import { pathOf, readBytes, writeBytes } from './files.js';
import { decodeNpyAs, decodeNpzAs, encodeNpy, encodeNpz, type NpzOptions } from './npy.js';
import { openPath, readAll } from './openSafetensors.js';
import { encodeSafetensors, type Metadata } from './safetensors.js';

export type { Stateful } from '../stateful.js';
export type { Bytes } from './bytes.js';
export {
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  type Parts,
  saveCheckpoint,
} from './checkpoint.js';
export { decodeNpy, decodeNpz, encodeNpy, encodeNpz } from './npy.js';
export { type ByteSource, openSafetensors, type SafetensorsFile, type TensorInfo } from './openSafetensors.js';
export { decodeSafetensors, encodeSafetensors, type Metadata } from './safetensors.js';

// All paths are strings or `file:` URLs.

/**
 * Writes tensors by name, such as `model.stateDict()`, to a `.safetensors` file, with their values at the call; as a
 * whole or not at all. An existing file keeps its mode and owner, and links keep pointing to it. `metadata` is text by
 * name.
 *
 * ```ts
 * const model = new Linear(3, 2);
 * await save('model.safetensors', model.stateDict(), { epoch: '3' });
 * ```
 */
export async function save(path: string | URL, tensors: Record<string, Tensor>, metadata?: Metadata): Promise<void> {
  await writeBytes('save', path, await encodeOnHost(tensors, (values) => encodeSafetensors(values, metadata)));
}

/**
 * Reads the tensors of a `.safetensors` file by name: `model.loadStateDict(await load(path))`. For a model in shards,
 * give the path of its `.index.json`. With `only`, a list of names, no other tensors are read from the disk.
 *
 * ```ts
 * await save('two.safetensors', { a: ones([2]), b: zeros([1]) });
 * await load('two.safetensors', { only: ['a'] }); // { a: [1, 1] }
 * ```
 */
export async function load(
  path: string | URL,
  options: { only?: readonly string[] } = {},
): Promise<Record<string, Tensor>> {
  const { only } = checkOptions('load', options, { only: is.arrayOf(is.string) });
  return readAll(await openPath('load', path), only);
}

/**
 * Writes a tensor to a `.npy` file, or several by name to a `.npz` file, as the path ends.
 *
 * ```ts
 * await saveNumpy('x.npy', tensor([1, 2]));
 * await saveNumpy('xy.npz', { x: tensor([1, 2]), y: tensor([3]) });
 * ```
 */
export async function saveNumpy(path: string | URL, value: Tensor | Record<string, Tensor>): Promise<void> {
  const bytes = pathOf('saveNumpy', path).endsWith('.npz')
    ? encodeOnHost(value as Record<string, Tensor>, (tensors) => encodeNpz(tensors))
    : encodeOnHost({ value: value as Tensor }, (tensors) => encodeNpy(tensors['value']!));
  await writeBytes('saveNumpy', path, await bytes);
}

/**
 * Reads the tensor in a `.npy` file.
 *
 * ```ts
 * await saveNumpy('x.npy', tensor([1, 2]));
 * await loadNpy('x.npy'); // [1, 2]
 * ```
 */
export const loadNpy = async (path: string | URL): Promise<Tensor> =>
  decodeNpyAs('loadNpy', await readBytes('loadNpy', path));

/**
 * Reads the tensors in a `.npz` file by name: all, or those in `only`. Options as for `decodeNpz`.
 *
 * ```ts
 * await saveNumpy('xy.npz', { x: tensor([1, 2]), y: tensor([3]) });
 * await loadNpz('xy.npz', { only: ['y'] }); // { y: [3] }
 * ```
 */
export const loadNpz = async (path: string | URL, options?: NpzOptions): Promise<Record<string, Tensor>> =>
  decodeNpzAs('loadNpz', await readBytes('loadNpz', path), options);
