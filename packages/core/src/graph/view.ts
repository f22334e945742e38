import { isGone, refuseGone } from '../backend/gone.js';
import { isGradEnabled } from '../grad/index.js';
import { recording } from '../memory/recording.js';
import { noteTouched } from '../memory/scope.js';
import { type Shape, stridedOffsets } from '../memory/shape.js';
import { onStaleView, Tensor } from '../tensor/tensor.js';
import { type Backward, type BackwardMany, Node, record, recordMany } from './node.js';
import { addAlong, clearAlong, gatherAlong, positionsOn } from './positions.js';

/** Where the elements of a view lie in its storage. */
interface Place {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A tensor over the storage of `x`, recorded as computed from it. */
export function makeView(
  name: string,
  x: Tensor,
  shape: Shape,
  strides: readonly number[],
  offset: number,
  backward: Backward,
): Tensor {
  return record(name, [x], unrecordedView(name, x, shape, strides, offset), backward);
}

/** Several tensors over the storage of `x`, recorded as one operation: its rule gets the gradients of all of them. */
export function makeViews(name: string, x: Tensor, places: readonly Place[], backward: BackwardMany): Tensor[] {
  const outs = places.map(({ shape, strides, offset }) => unrecordedView(name, x, shape, strides, offset));
  recordMany(name, [x], outs, backward);
  return outs;
}

function unrecordedView(name: string, x: Tensor, shape: Shape, strides: readonly number[], offset: number): Tensor {
  if (isGone(x.storage)) refuseGone(name, x.storage, x);
  const out = new Tensor(x.storage, x.dtype, shape, strides, offset);
  out.inference = x.inference;
  const base = x.viewInfo?.base ?? x;
  out.viewInfo = { base, history: base.history, untracked: !isGradEnabled() || x.viewInfo?.untracked === true };
  return out;
}

/**
 * A tensor over the storage of `x` with any strides, which may also reach elements several times. Its gradient is put
 * back element by element; what has a cheaper rule uses `makeView`.
 */
export function makeStridedView(
  name: string,
  x: Tensor,
  shape: Shape,
  strides: readonly number[],
  offset: number,
): Tensor {
  const like = new Tensor(x.storage, x.dtype, x.shape, x.strides, x.offset);
  return makeView(name, x, shape, strides, offset, (g) => {
    const view = new Tensor(like.storage, like.dtype, shape, strides, offset);
    return [addAlong(g, null, positionsOn(g, positionsInBase(view, like), shape), like.shape)];
  });
}

/**
 * Where the elements of `view` lie among those of its base, both in row-major order. Tracked writes through views are
 * rare, so they are expressed by positions, which hold for any strides, rather than by strides.
 */
function positionsInBase(view: Tensor, base: Tensor): Int32Array {
  const offsets = stridedOffsets(view.shape, view.strides, view.offset);
  if (base.isContiguous) return offsets.map((o) => o - base.offset);
  const index = new Map<number, number>();
  stridedOffsets(base.shape, base.strides, base.offset).forEach((o, i) => {
    index.set(o, i);
  });
  return offsets.map((o) => index.get(o)!);
}

/** Records that `view` now holds `value`, as a write to the base: what the view covered no longer gets a gradient. */
export function recordWriteThroughView(view: Tensor, value: Tensor): void {
  const { base } = view.viewInfo!;
  const positions = positionsInBase(view, base);
  const shape = value.shape;
  const write = new Node(
    'copySlices',
    [base, value],
    (g, ctx) => {
      const index = positionsOn(g, positions, shape);
      return [
        ctx.needs(0) ? clearAlong(g, null, index) : null,
        ctx.needs(1) ? gatherAlong('gather', g, null, index) : null,
      ];
    },
    [base.shape],
    base.dtype,
  );
  base.history++;
  base.setHistory(write);
  noteTouched(base);
  recording.current?.wroteInPlace(base);
}

// A view whose base has been written to hangs on the base's new history.
onStaleView((view) => {
  const { base } = view.viewInfo!;
  view.viewInfo!.history = base.history;
  if (!base.requiresGrad) return view.setHistory(null);
  const positions = positionsInBase(view, base);
  const { shape } = base;
  const rule: Backward = (g) => [addAlong(g, null, positionsOn(g, positions, g.shape), shape)];
  view.setHistory(new Node('viewOf', [base], rule, [view.shape], view.dtype));
});
