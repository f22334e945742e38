import { Tensor } from '@gradgate/core';

/** Tensors by name, read from devices whose values are not there at once. What is no tensor is left for others to refuse. */
export async function onHost<T>(tensors: Record<string, T>): Promise<Record<string, T>> {
  if (typeof tensors !== 'object' || tensors === null || Tensor.is(tensors)) return tensors;
  const read = async ([name, value]: [string, T]) =>
    [name, Tensor.is(value) ? await value.toAsync('cpu') : value] as [string, T];
  const all: Record<string, T> = Object.create(null);
  for (const [name, value] of await Promise.all(Object.entries(tensors).map(read))) all[name] = value;
  return all;
}
