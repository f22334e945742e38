import { stack, Tensor, type TypedArray, tensor } from '@gradgate/core';
import { isOfAnotherCopy, show } from '@gradgate/core/internal';
import { isRecord, maxDepth, typedArray } from '../plain.js';
import { isThenable } from '../promise.js';
import { shapeText } from '../shapeText.js';

/** Samples that become a tensor. */
type Numbers = Tensor | number | bigint | boolean | TypedArray;

/**
 * The type of a batch of samples of type `T`: tensors and typed arrays are stacked, numbers and booleans become
 * tensors, arrays and objects are batched element by element.
 */
export type Collated<T> = T extends Numbers
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[]
      ? { [K in keyof T]: Collated<T[K]> }
      : T extends BuiltIn
        ? T[]
        : T extends object
          ? { [K in keyof T]: Collated<T[K]> }
          : T[];
type BuiltIn = Function | Date | RegExp | Error | ReadonlyMap<any, any> | ReadonlySet<any> | ArrayBuffer | DataView;

/**
 * Makes a batch of samples. Tensors and typed arrays of equal shape are stacked along a new first dimension. Numbers
 * become a float32 tensor, so that a field has the same dtype in all batches; bigints become an int64 tensor, booleans
 * a bool one, strings an array. Arrays and objects are batched element by element; of class instances, their own
 * fields. Values without fields, such as a `Date`, become an array. Throws, with the path in the sample, where samples
 * differ in shape, dtype or kind.
 *
 * ```ts
 * data.defaultCollate([{ x: 1, name: 'a' }, { x: 2, name: 'b' }]); // { x: [1, 2], name: ['a', 'b'] }
 * ```
 */
export function defaultCollate<T>(samples: readonly T[]): Collated<T> {
  if (!Array.isArray(samples)) throw new TypeError(`defaultCollate: takes an array of samples, got ${show(samples)}`);
  if (samples.length === 0) throw new TypeError('defaultCollate: there is no sample to make a batch of');
  return collate(Array.from(samples), 'sample', 0) as Collated<T>;
}

function refuse(message: string): never {
  throw new TypeError(`defaultCollate: ${message}`);
}

function collate(values: readonly unknown[], path: string, depth: number): unknown {
  if (depth > maxDepth) refuse(`${path.slice(0, 100)}… is nested deeper than ${maxDepth} levels, or contains itself`);
  const kinds = values.map((v) => kindOf(v, path));
  const [kind] = kinds;
  const other = kinds.findIndex((k) => k !== kind);
  if (other > 0) refuse(`${path} is ${kind} in sample 0 and ${kinds[other]} in sample ${other}`);
  if (kind === 'a Tensor') return stackTensors(values as Tensor[], path);
  if (kind === 'a typed array')
    return stackTensors(
      values.map((v) => tensor(typedArray(v) as TypedArray)),
      path,
    );
  if (kind === 'number') return tensor(values as number[], { dtype: 'float32' });
  if (kind === 'bigint') return tensor(values as bigint[], { dtype: 'int64' });
  if (kind === 'boolean') return tensor(values as boolean[], { dtype: 'bool' });
  if (kind === 'an array') return collateArrays(values as unknown[][], path, depth);
  if (kind === 'an object') return collateObjects(values as Record<string, unknown>[], path, depth);
  return values;
}

function kindOf(value: unknown, path: string): string {
  if (value === undefined) refuse(`${path} is undefined; samples need a value for each field`);
  if (value === null) return 'null';
  if (Tensor.is(value)) return 'a Tensor';
  if (isOfAnotherCopy(value)) refuse(`${path} is ${show(value)}`);
  if (typeof value !== 'object' && typeof value !== 'function') return typeof value;
  if (isThenable(value)) refuse(`${path} is a promise; await it in the dataset's get()`);
  if (Array.isArray(value)) return 'an array';
  if (typedArray(value)) return 'a typed array';
  return isRecord(value) ? 'an object' : 'a value';
}

function stackTensors(tensors: Tensor[], path: string): Tensor {
  const first = tensors[0]!;
  const odd = tensors.findIndex((t) => t.shape.join() !== first.shape.join());
  if (odd > 0)
    refuse(
      `${path} has shape ${shapeText(first)} in sample 0 and ${shapeText(tensors[odd]!)} in sample ${odd}; ` +
        'pass a collate function that pads them',
    );
  const mixed = tensors.findIndex((t) => t.dtype !== first.dtype);
  if (mixed > 0) refuse(`${path} is ${first.dtype} in sample 0 and ${tensors[mixed]!.dtype} in sample ${mixed}`);
  return stack(tensors);
}

function collateArrays(lists: readonly unknown[][], path: string, depth: number): unknown[] {
  const first = lists[0]!;
  const odd = lists.findIndex((l) => l.length !== first.length);
  if (odd > 0)
    refuse(
      `${path} has ${first.length} elements in sample 0 and ${lists[odd]!.length} in sample ${odd}; pass a collate function that pads them`,
    );
  return Array.from(first, (_, i) =>
    collate(
      lists.map((l) => l[i]),
      `${path}[${i}]`,
      depth + 1,
    ),
  );
}

function collateObjects(objects: readonly Record<string, unknown>[], path: string, depth: number): object {
  const keys = Object.keys(objects[0]!);
  const odd = objects.findIndex(
    (o) => Object.keys(o).length !== keys.length || !keys.every((key) => Object.hasOwn(o, key)),
  );
  if (odd > 0)
    refuse(`${path} has ${keys.join(', ')} in sample 0 and ${Object.keys(objects[odd]!).join(', ')} in sample ${odd}`);
  return Object.fromEntries(
    keys.map((key) => [
      key,
      collate(
        objects.map((o) => o[key]),
        `${path}.${key}`,
        depth + 1,
      ),
    ]),
  );
}
