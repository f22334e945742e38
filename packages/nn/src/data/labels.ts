import { Tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';

/** The labels of samples: numbers or names, or a tensor of numbers. */
export type Labels = ArrayLike<number | string> | Tensor;

/** Returns labels as an array. Throws for anything else, and with `count` unless there are that many. */
export function labelsOf(op: string, labels: unknown, count?: number): (number | string)[] {
  if (!Tensor.is(labels) && (typeof labels !== 'object' || labels === null || !('length' in labels)))
    throw new TypeError(`${op}: labels must be an array or a tensor, got ${show(labels)}`);
  const all = Array.from(Tensor.is(labels) ? labels.toTypedArray() : (labels as ArrayLike<number | string>));
  if (count !== undefined && all.length !== count)
    throw new RangeError(`${op}: ${all.length} labels for ${count} samples`);
  return all as (number | string)[];
}
