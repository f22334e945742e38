import { gradientsWithin } from '../autograd/backward.js';
import { AutogradError } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { type Edge, type Gradients, gradEdge, Node } from '../graph/node.js';
import type { DType } from '../memory/dtype.js';
import type { Shape } from '../memory/shape.js';
import { sum } from '../ops/sum.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Beginning, Level } from './level.js';

/** A result of a call, and its edge in the graph. */
export interface Computed {
  readonly example: Tensor;
  readonly edge: Edge | null;
}

/** Records the tensors that are computed inside the call. */
export const computed = (examples: readonly Tensor[]): Computed[] =>
  examples.map((example) => ({ example, edge: gradEdge(example) }));

/** The tensors of all examples, with the batch first. The surrounding graph sees them as the inputs of one node. */
export function leaveAll(level: Level, all: readonly Computed[]): Tensor[] {
  const tensors = all.map(({ example }) => level.leave(example));
  all.forEach(({ example }, i) => {
    tensors[i]!.untracked = example.untracked;
  });
  const tracked = tensors.filter((_, i) => all[i]!.edge !== null);
  if (tracked.length === 0) return tensors;
  const roots = all.flatMap(({ edge }) => edge ?? []);
  const { beginnings } = level.behind(roots);
  if (beginnings.length === 0) return tensors;
  const shapes = tracked.map(({ shape }) => shape);
  const dtypes = tracked.map(({ dtype }) => dtype);
  const node = new Around(level, roots, beginnings, shapes, dtypes);
  tracked.forEach((t, i) => {
    t.setHistory(node, i);
  });
  return tensors;
}

/** A call and all that it recorded, as one node of the surrounding graph. */
class Around extends Node {
  #roots: readonly Edge[] | null;

  constructor(
    private readonly level: Level,
    roots: readonly Edge[],
    private readonly beginnings: readonly Beginning[],
    shapes: readonly Shape[],
    dtypes: readonly DType[],
  ) {
    super('vmap', [], (_, ctx, grads) => (ctx as Around).gradients(grads), shapes, dtypes, [...level.lent]);
    this.#roots = roots;
    (this as { edges: readonly Edge[] }).edges = beginnings.map(({ outer }) => outer);
  }

  private gradients(grads: readonly (Tensor | null)[]): Gradients {
    const { level, beginnings } = this;
    const roots = this.#roots;
    if (roots === null)
      throw new AutogradError(
        'backward',
        'the values that vmap saved were freed by an earlier backward(); pass retainGraph: true to that one to go through the graph a second time',
      );
    // Throws if a tensor that was passed in has been written to since.
    void this.saved;
    const used = [...roots.keys()].filter((i) => grads[i] != null);
    const found = level.run(() =>
      gradientsWithin(
        used.map((i) => roots[i]!),
        used.map((i) => level.enter(grads[i]!)),
        beginnings.map(({ edge }) => edge),
        isGradEnabled(),
      ).map((grad) => (grad === null ? null : computed([grad])[0]!)),
    );
    const all = leaveAll(
      level,
      found.flatMap((grad) => grad ?? []),
    );
    return found.map((grad, i) => {
      if (grad === null) return null;
      const whole = all.shift()!;
      return beginnings[i]!.isShared ? sum(whole, 0) : whole;
    });
  }

  override release(): void {
    super.release();
    this.#roots = null;
  }

  override get kept(): readonly unknown[] {
    const inside = this.#roots === null ? [] : this.level.behind(this.#roots).nodes;
    return [...super.kept, ...inside.flatMap(({ kept }) => kept)];
  }

  override get isFreed(): boolean {
    return this.#roots === null;
  }
}
