import { Tensor } from '@gradgate/core';

const isThere = (value: unknown): boolean => !Tensor.is(value) || value.device === 'cpu';

/**
 * What `encode` makes of tensors by name as they are now, also of those on devices whose values are not there at once: where
 * all values are there it is called before anybody else runs, and else with copies. What is no tensor is left for `encode` to
 * refuse.
 */
export async function encodeOnHost<T>(
  tensors: Record<string, T>,
  encode: (tensors: Record<string, T>) => Uint8Array,
): Promise<Uint8Array> {
  if (typeof tensors !== 'object' || tensors === null || Tensor.is(tensors)) return encode(tensors);
  const entries = Object.entries(tensors);
  if (entries.every(([, value]) => isThere(value))) return encode(tensors);
  const read = async ([name, value]: [string, T]): Promise<[string, T]> => {
    if (!Tensor.is(value)) return [name, value];
    return [name, (isThere(value) ? value.detach().clone() : await value.toAsync('cpu')) as T];
  };
  const all: Record<string, T> = Object.create(null);
  for (const [name, value] of await Promise.all(entries.map(read))) all[name] = value;
  return encode(all);
}
