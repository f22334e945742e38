import { Tensor } from '@gradgate/core';

const isOnHost = (value: unknown): boolean => !Tensor.is(value) || value.device === 'cpu';

/**
 * Encodes tensors by name as they are at the call, also those on devices that can only be read asynchronously. If all
 * tensors are on the CPU, `encode` is called before any other code runs; otherwise with copies. Values that are not
 * tensors are left for `encode` to refuse.
 */
export async function encodeOnHost<T>(
  tensors: Record<string, T>,
  encode: (tensors: Record<string, T>) => Uint8Array,
): Promise<Uint8Array> {
  if (typeof tensors !== 'object' || tensors === null || Tensor.is(tensors)) return encode(tensors);
  const entries = Object.entries(tensors);
  if (entries.every(([, value]) => isOnHost(value))) return encode(tensors);
  const read = async ([name, value]: [string, T]): Promise<[string, T]> => {
    if (!Tensor.is(value)) return [name, value];
    return [name, (isOnHost(value) ? value.detach().clone() : await value.toAsync('cpu')) as T];
  };
  const all: Record<string, T> = Object.create(null);
  for (const [name, value] of await Promise.all(entries.map(read))) all[name] = value;
  return encode(all);
}
