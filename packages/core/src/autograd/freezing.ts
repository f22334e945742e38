import { isOfAnotherCopy } from '../brand.js';
import { show } from '../check.js';
import type { Gate } from '../grad/index.js';
import { iterable } from '../kinds.js';
import { maxDims } from '../memory/shape.js';
import { showOther } from '../tensor/check.js';
import { frozen } from '../tensor/frozen.js';
import { Tensor } from '../tensor/tensor.js';

/** What has parameters, as modules have. */
export interface HasParameters {
  /** What is frozen. */
  parameters(): Iterable<Tensor>;
}

/** Leaves, what has parameters, such as modules, or several of them. */
export type Freezable = Tensor | HasParameters | Iterable<Tensor | HasParameters>;

/** What is frozen, or a function of the call that says so: it gets `this` and the arguments of the guarded function. */
type What<Self, Args extends unknown[]> = Freezable | ((self: Self, ...args: Args) => Freezable);

/**
 * A gate in which parameters do not require grad, in this flow alone: what is computed with them is not recorded for
 * them, while gradients flow on to the inputs. Other flows, which may train the same parameters, are untouched. Within,
 * `requiresGrad` is false, and a backward pass adds nothing to their gradients. It has all the forms of `noGrad`.
 *
 * @param what Leaves, modules, a list of them, or a function of `this` and the arguments that gives them, called at
 * each call.
 *
 * ```ts
 * const [backbone, head] = [new Linear(2, 2), new Linear(2, 1)];
 * class Model {
 *   backbone = backbone;
 *   @freezing((self: Model) => self.backbone) step(x: Tensor): void {
 *     head(this.backbone(x)).sum().backward();
 *   }
 * }
 * new Model().step(ones([1, 2]));
 * backbone.weight.grad; // null
 * head.bias!.grad; // [1]
 * ```
 */
export function freezing<Self = any, Args extends unknown[] = any[]>(what: What<Self, Args>): Gate {
  // What is no function of the call is checked where it is written.
  const given = isFunctionOfCall(what) ? null : leavesOf(what as Freezable);
  return gate(given, what as What<unknown, unknown[]>);
}

const gate = frozen.gateWith(
  'freezing',
  ({ outer, self, args }, given: readonly Tensor[] | null, what: What<unknown, unknown[]>) => {
    const leaves = given ?? leavesOf((what as (self: unknown, ...args: unknown[]) => Freezable)(self, ...args));
    const all = new Set(outer);
    for (const leaf of leaves) {
      leaf.markFreezable();
      all.add(leaf);
    }
    return all;
  },
);

const hasParameters = (value: unknown): value is HasParameters =>
  value !== null && value !== undefined && typeof (value as Partial<HasParameters>).parameters === 'function';

// Modules are functions too.
const isFunctionOfCall = (what: unknown): boolean => typeof what === 'function' && !hasParameters(what);

/** No model has so many parameters. */
const maxParts = 1e5;

function leavesOf(what: unknown, depth = 0): Tensor[] {
  if (depth > maxDims) throw new TypeError('freezing: lists are nested too deep; does one hold itself?');
  if (Tensor.is(what)) {
    if (!what.isLeaf)
      throw new TypeError(
        `freezing: takes leaves, this tensor was computed by ${what.gradFn!.name}; use detach() for its value`,
      );
    return [what];
  }
  if (hasParameters(what)) return [...what.parameters()];
  if (what instanceof Tensor) throw new TypeError(`freezing: takes leaves, got ${showOther(what)}`);
  if (iterable.is(what) && !isOfAnotherCopy(what)) {
    const leaves: Tensor[][] = [];
    for (const part of what as Iterable<unknown>)
      if (leaves.push(leavesOf(part, depth + 1)) > maxParts)
        throw new TypeError(`freezing: a list has over ${maxParts} parts; is it an iterator without an end?`);
    return leaves.flat();
  }
  throw new TypeError(
    `freezing: takes parameters, modules, a list of them or a function that gives them, got ${show(what)}`,
  );
}
