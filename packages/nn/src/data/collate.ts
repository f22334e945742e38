import { stack, Tensor, tensor } from '@gradgate/core';

/** What a batch of samples of type `T` is: tensors stacked, numbers and booleans as tensors, arrays and objects by place. */
export type Collated<T> = T extends Tensor | number | boolean
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[]
      ? { [K in keyof T]: Collated<T[K]> }
      : T extends object
        ? { [K in keyof T]: Collated<T[K]> }
        : T[];

/**
 * Makes a batch of samples: tensors of equal shape are stacked along a new first dimension, numbers become an int32
 * tensor if all are whole, else float32, booleans a bool tensor, strings an array; arrays and objects keep their form.
 */
export function defaultCollate<T>(samples: readonly T[]): Collated<T> {
  return collate(samples, 'sample') as Collated<T>;
}

function collate(values: readonly unknown[], path: string): unknown {
  const [first] = values;
  if (first === undefined) throw new TypeError(`defaultCollate: ${path} has no value to make a batch of`);
  const kind = kindOf(first);
  const other = values.findIndex((v) => kindOf(v) !== kind);
  if (other > 0)
    throw new TypeError(
      `defaultCollate: ${path} is ${kind} in sample 0 and ${kindOf(values[other])} in sample ${other}`,
    );
  if (first instanceof Tensor) {
    const tensors = values as Tensor[];
    const odd = tensors.findIndex((t) => t.shape.join() !== first.shape.join());
    if (odd > 0)
      throw new TypeError(
        `defaultCollate: ${path} has shape [${first.shape.join(', ')}] in sample 0 and [${tensors[odd]!.shape.join(', ')}] in ` +
          `sample ${odd}; pass a collate function that pads them`,
      );
    return stack(tensors);
  }
  if (typeof first === 'number')
    return tensor(values as number[], { dtype: values.every(Number.isInteger) ? 'int32' : 'float32' });
  if (typeof first === 'boolean') return tensor(values as boolean[], { dtype: 'bool' });
  if (Array.isArray(first)) {
    const lists = values as unknown[][];
    if (lists.some((l) => l.length !== first.length))
      throw new TypeError(`defaultCollate: ${path} has other lengths in other samples`);
    return first.map((_, i) =>
      collate(
        lists.map((l) => l[i]),
        `${path}[${i}]`,
      ),
    );
  }
  if (Object.getPrototypeOf(first) === Object.prototype) {
    const objects = values as Record<string, unknown>[];
    return Object.fromEntries(
      Object.keys(first as object).map((key) => [
        key,
        collate(
          objects.map((o) => o[key]),
          `${path}.${key}`,
        ),
      ]),
    );
  }
  return values;
}

const kindOf = (v: unknown): string =>
  v instanceof Tensor ? 'a Tensor' : Array.isArray(v) ? 'an array' : v === null ? 'null' : typeof v;
