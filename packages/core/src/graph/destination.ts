import { cpu } from '../backend/cpu.js';
import { dataOf } from '../backend/host/data.js';
import { isGradEnabled } from '../grad/index.js';
import { batching } from '../memory/batching.js';
import type { DType } from '../memory/dtype.js';
import { recording } from '../memory/recording.js';
import { type Shape, sameShape } from '../memory/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** An in-place form: the operator that it is of, and what it writes to. */
interface Form {
  readonly op: string;
  readonly target: Tensor;
}

/** The one under way. */
const state = { form: null as Form | null };

/** Runs the operator `op` for its in-place form: where it can, it writes to `target` and makes no tensor. */
export function writingTo(op: string, target: Tensor, compute: (self: Tensor) => Tensor): Tensor {
  if (!isWritable(target)) return compute(target);
  const outer = state.form;
  state.form = { op, target };
  try {
    return compute(target);
  } finally {
    state.form = outer;
  }
}

/**
 * Whether kernels may have it as their result: all of a storage of the host, whose functions of numbers refuse none, so
 * that an error leaves it as it was. Views have a history to look after, and a recording of `compile` plans memory for
 * itself.
 */
const isWritable = ({ dtype, numel, storage, viewInfo, isContiguous }: Tensor): boolean =>
  (dtype === 'float32' || dtype === 'float64') &&
  storage.backend === cpu &&
  viewInfo === null &&
  isContiguous &&
  numel === storage.length &&
  recording.current === null &&
  batching.current === null;

/**
 * What an elementwise operator of `x`, or of it and `other`, writes to in the place of a new tensor; null where it is
 * not called by its in-place form, or would read what it has written already.
 */
export const destinationOf = (op: string, x: Tensor, dtype: DType, shape: Shape, other?: Tensor): Tensor | null =>
  state.form !== null && fits(state.form, op, x, dtype, shape, other) ? x : null;

function fits(form: Form, op: string, x: Tensor, dtype: DType, shape: Shape, other: Tensor | undefined): boolean {
  if (form.target !== x || form.op !== op || dtype !== x.dtype || !sameShape(shape, x.shape)) return false;
  if (other === undefined || other === x) return true;
  // A view may be stale, which a new tensor would be told of.
  return (other.viewInfo === null || !isGradEnabled()) && isApart(x, other);
}

/** Whether no element of one is one of the other. */
function isApart(x: Tensor, other: Tensor): boolean {
  if (x.storage === other.storage) return false;
  const [a, b] = [dataOf(x), dataOf(other)];
  return (
    a.buffer !== b.buffer || a.byteOffset + a.byteLength <= b.byteOffset || b.byteOffset + b.byteLength <= a.byteOffset
  );
}
