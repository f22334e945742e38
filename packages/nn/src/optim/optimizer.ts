import { enableGrad, noGrad, Tensor, type TypedArray, zerosLike } from '@gradgate/core';
import { check, checkOptions, is, place, type Schema, show } from '@gradgate/core/internal';

/** Parameters with options of their own; what is not given is the optimizer's default. */
export type ParamGroup<O> = { params: Iterable<Tensor> } & Partial<O>;

/**
 * Lets `update` rewrite the elements of `p`, given those of its gradient, both in row-major order, and counts the write.
 */
export function updateElements(
  p: Tensor,
  grad: Tensor,
  update: (weights: TypedArray, gradient: TypedArray) => void,
): void {
  if (grad.numel !== p.numel)
    throw new TypeError(`step: a gradient of ${grad.numel} elements does not fit a parameter of ${p.numel}`);
  if (p.isContiguous) {
    update(p.writableElements(), grad.elements());
    p.storage.version++;
    return;
  }
  const copy = p.detach().contiguous();
  update(copy.writableElements(), grad.elements());
  p.copy_(copy);
}

/** What options must be, from what they are by default: numbers from 0 up; what is null may be anything. */
function kindsOf<O extends object>(defaults: O): Schema<O> {
  const kindOf = (value: unknown) => {
    if (typeof value === 'number') return is.nonNegative;
    if (typeof value === 'boolean') return is.boolean;
    if (Array.isArray(value)) return is.tuple(...value.map(() => is.nonNegative));
    return is.anything;
  };
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, kindOf(value)])) as never;
}

/** The options that are not undefined. */
const given = <O extends object>(options: O): Partial<O> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<O>;

function placed(memory: Tensor): Tensor {
  place(memory.storage);
  return memory;
}

/** Zeros for an optimizer to remember something of each element of `p` by. */
export const memoryFor = (p: Tensor): Tensor => placed(zerosLike(p));

/** What `stateDict` gives. */
export interface OptimizerState {
  state: Record<number, Record<string, Tensor | number>>;
  paramGroups: ({ params: number[] } & Record<string, unknown>)[];
}

/** A group with all its options. */
export type Group<O> = { params: Tensor[] } & O;

/**
 * Base class of optimizers. A subclass says in `update` how one parameter follows its gradient; `state` is its memory
 * for that parameter, empty at first.
 */
export abstract class Optimizer<O extends { lr: number }, S extends object = object> {
  readonly paramGroups: Group<O>[];
  protected readonly state = new Map<Tensor, S>();
  /** @internal The class's `update`, where it keeps no gradient that it gets; a subclass's may. */
  protected readonly forgetful: unknown = null;

  /** `defaults` has every option that there is; of another name or kind than there, one is refused. */
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<O>>, defaults: O, options?: Partial<O>) {
    const name = new.target.name;
    const known = kindsOf(defaults);
    const chosen = { ...defaults, ...given(checkOptions(name, options, known)) };
    check(name, 'params', params, is.iterable);
    const list = [...(params as Iterable<Tensor | ParamGroup<O>>)];
    if (list.length === 0) throw new TypeError(`${name}: got no parameters; pass module.parameters()`);
    const groups =
      list[0] instanceof Tensor ? [{ params: list } as unknown as ParamGroup<O>] : (list as ParamGroup<O>[]);
    const seen = new Set<Tensor>();
    this.paramGroups = groups.map((group) => {
      if (group instanceof Tensor || typeof group !== 'object' || group === null || !('params' in group))
        throw new TypeError(`${name}: takes parameters, or groups { params, ...options }, got ${show(group)}`);
      const { params: own, ...options } = group;
      check(name, 'params of a group', own, is.iterable);
      const params = [...own];
      for (const p of params) {
        if (!(p instanceof Tensor)) throw new TypeError(`${name}: parameters are Tensors, got ${show(p)}`);
        if (!p.isLeaf)
          throw new TypeError(`${name}: only leaves can be optimized, this tensor was computed by ${p.gradFn!.name}`);
        if (seen.has(p)) throw new TypeError(`${name}: a parameter of shape [${p.shape.join(', ')}] is given twice`);
        seen.add(p);
        place(p.storage);
      }
      return { ...chosen, ...given(checkOptions(name, options as unknown as Partial<O>, known)), params } as Group<O>;
    });
  }

  /** Changes `p` in place; called under noGrad. */
  protected abstract update(p: Tensor, grad: Tensor, state: S, group: Group<O>): void;

  /**
   * Updates all parameters that have a gradient, under noGrad. A closure, if given, computes the loss anew; it runs
   * with gradients on, whatever the caller's mode.
   */
  step(): undefined;
  step<R>(closure: () => R): R;
  step<R>(closure?: () => R): R | undefined {
    if (closure !== undefined) check(`${this.constructor.name}.step`, 'the closure', closure, is.callback);
    const loss = closure && enableGrad.run(closure);
    noGrad.run(() => {
      for (const group of this.paramGroups)
        for (const p of group.params) {
          // Where nobody keeps it, it may stay in kernel memory.
          const grad = this.update === this.forgetful ? p.heldGrad : p.grad;
          if (grad === null) continue;
          let state = this.state.get(p);
          if (!state) {
            state = {} as S;
            this.state.set(p, state);
          }
          this.update(p, grad, state, group);
        }
    });
    return loss;
  }

  /** Options of all groups and the memory of each parameter, by its number; tensors share storage with the optimizer's. */
  stateDict(): OptimizerState {
    const all = this.paramGroups.flatMap((g) => g.params);
    const state: OptimizerState['state'] = {};
    all.forEach((p, i) => {
      const own = this.state.get(p);
      if (own) state[i] = { ...own } as Record<string, Tensor | number>;
    });
    return {
      state,
      paramGroups: this.paramGroups.map(({ params, ...options }) => ({
        ...options,
        params: params.map((p) => all.indexOf(p)),
      })),
    };
  }

  /** Takes over a state from `stateDict`. Everything is checked before anything changes. */
  loadStateDict({ state, paramGroups }: OptimizerState): void {
    const name = this.constructor.name;
    const sizes = (groups: readonly { params: readonly unknown[] }[]) => groups.map((g) => g.params.length).join(', ');
    if (!Array.isArray(paramGroups) || sizes(paramGroups) !== sizes(this.paramGroups))
      throw new TypeError(
        `${name}.loadStateDict: groups of ${sizes(paramGroups ?? [])} parameters do not fit those of ${sizes(this.paramGroups)}`,
      );
    const all = this.paramGroups.flatMap((g) => g.params);
    for (const [i, memory] of Object.entries(state))
      for (const [key, value] of Object.entries(memory))
        if (value instanceof Tensor && value.shape.join() !== all[Number(i)]?.shape.join())
          throw new TypeError(
            `${name}.loadStateDict: ${key} of parameter ${i} has shape [${value.shape.join(', ')}], the parameter [${all[Number(i)]?.shape.join(', ')}]`,
          );
    paramGroups.forEach(({ params: _, ...options }, i) => {
      Object.assign(this.paramGroups[i]!, options);
    });
    this.state.clear();
    all.forEach((p, i) => {
      const memory = state[i];
      if (memory)
        this.state.set(
          p,
          Object.fromEntries(
            Object.entries(memory).map(([k, v]) => [k, v instanceof Tensor ? placed(v.detach().clone()) : v]),
          ) as S,
        );
    });
  }

  /** Drops the gradients of all parameters, or with `setToNull: false` fills them with zeros. */
  zeroGrad(options?: { setToNull?: boolean }): void {
    for (const { params } of this.paramGroups) for (const p of params) p.zeroGrad(options);
  }
}
