import { HostStorage } from '../backend/host/storage.js';
import type { Kernels, View } from '../backend/kernels.js';
import { copiesStrided } from '../backend/wasm/kernels.js';
import { pin, residence } from '../backend/wasm/residency.js';
import type { Storage } from '../memory/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { isView, type Op, type Recording } from './recorder.js';

/**
 * The calls of a recording, with operands that kernels can use without copying. Tensors from around the function, which
 * each call reads again, such as the weights of a network that no optimizer has, move to kernel memory. Other operands
 * on the JavaScript heap that are read more than once are copied to memory of the plan before the first read, and so
 * are operands that a kernel would bring into order itself, or read row by row. The copies are added to `made`.
 *
 * @param args Storages that are others in each call.
 */
export function withOperandsInPlace(
  { ops, foreign, entryGrads }: Recording,
  args: ReadonlySet<Storage>,
  made: Map<Storage, number>,
): Op[] {
  const isLarge = ({ dtype, numel }: View): boolean => dtype === 'float32' && numel >= residence.from;
  // A backward pass adds to these in place, without counting a version.
  const grads = new Set([...entryGrads.values()].map((grad) => grad?.storage));
  /** Elements on the heap that come from outside and that the call does not write. */
  const isOutside = ({ storage }: View): boolean =>
    (storage as HostStorage).block === 0 && foreign.get(storage) === storage.version && !grads.has(storage);
  const reads = new Map<string, number>();
  const ids = new Map<Storage, number>();
  /** The same name for views of the same elements in the same order. */
  const nameOf = ({ storage, offset, numel }: View): string => {
    if (!ids.has(storage)) ids.set(storage, ids.size);
    return `${ids.get(storage)} ${offset} ${numel}`;
  };
  for (const op of ops)
    for (const view of viewsOf(op)) {
      const { storage, numel } = view;
      if (isLarge(view) && isOutside(view) && numel === storage.length && !args.has(storage))
        pin(storage as HostStorage);
      if (view.isContiguous && isLarge(view)) reads.set(nameOf(view), (reads.get(nameOf(view)) ?? 0) + 1);
    }

  const result: Op[] = [];
  const copies = new Map<string, View>();
  const copyOf = (view: View): View => {
    const { dtype, shape, numel } = view;
    const storage = HostStorage.heap(dtype, 0);
    made.set(storage, numel);
    const copy = new Tensor(storage, dtype, shape);
    result.push({ kind: 'kernel', name: 'copy', args: [view, copy] });
    return copy;
  };
  const inPlace = (name: keyof Kernels, view: View): View => {
    if (!isLarge(view)) return view;
    if (!view.isContiguous) return copiesStrided(name) || (name === 'binary' && isReadOnce(view)) ? copyOf(view) : view;
    const which = nameOf(view);
    if (reads.get(which)! < 2 || !isOutside(view)) return view;
    const copy = copies.get(which) ?? copyOf(view);
    copies.set(which, copy);
    return { ...copy, shape: view.shape, strides: view.strides };
  };
  for (const op of ops) {
    if (op.kind !== 'kernel') result.push(op);
    else {
      const { name } = op;
      const args = op.args.map((arg) =>
        isView(arg)
          ? inPlace(name, arg)
          : Array.isArray(arg)
            ? arg.map((item) => (isView(item) ? inPlace(name, item) : item))
            : arg,
      );
      result.push({ kind: 'kernel', name, args });
    }
  }
  return result;
}

/** Whether no element is read twice: what is repeated is smaller where it lies. */
const isReadOnce = ({ shape, strides }: View): boolean => strides.every((step, d) => step !== 0 || shape[d] === 1);

function* viewsOf(op: Op): IterableIterator<View> {
  if (op.kind === 'kernel') for (const arg of op.args.flat()) if (isView(arg)) yield arg;
}
