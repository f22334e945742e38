import type { Tensor } from '@gradgate/core';
import { readBytes, writeBytes } from './files.js';
import { decodeNpy, decodeNpz, encodeNpy, encodeNpz } from './npy.js';
import { decodeSafetensors, encodeSafetensors, type Metadata } from './safetensors.js';

export {
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  type Parts,
  type Stateful,
  saveCheckpoint,
} from './checkpoint.js';
export { decodeNpy, decodeNpz, encodeNpy, encodeNpz } from './npy.js';
export { decodeSafetensors, encodeSafetensors, type Metadata } from './safetensors.js';

/** Writes tensors by name, such as `model.stateDict()`, as a `.safetensors` file: as a whole or not at all. */
export async function save(path: string, tensors: Record<string, Tensor>, metadata?: Metadata): Promise<void> {
  await writeBytes('save', path, encodeSafetensors(tensors, metadata));
}

/** The tensors of a `.safetensors` file by name: `model.loadStateDict(await load(path))`. */
export async function load(path: string): Promise<Record<string, Tensor>> {
  return decodeSafetensors(await readBytes('load', path)).tensors;
}

/** Writes a tensor as a `.npy` file, or several by name as a `.npz` file. */
export async function saveNumpy(path: string, value: Tensor | Record<string, Tensor>): Promise<void> {
  await writeBytes(
    'saveNumpy',
    path,
    path.endsWith('.npz') ? encodeNpz(value as Record<string, Tensor>) : encodeNpy(value as Tensor),
  );
}

/** The tensor in a `.npy` file. */
export const loadNpy = async (path: string): Promise<Tensor> => decodeNpy(await readBytes('loadNpy', path));

/** The tensors in a `.npz` file by name. */
export const loadNpz = async (path: string): Promise<Record<string, Tensor>> =>
  decodeNpz(await readBytes('loadNpz', path));
