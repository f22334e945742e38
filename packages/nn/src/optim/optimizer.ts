import { enableGrad, fullLike, keep, noGrad, type Shape, Tensor } from '@gradgate/core';
import {
  asAction,
  check,
  checkOptions,
  heldGrad,
  is,
  kernelsOf,
  pin,
  type Schema,
  type StepRule,
  show,
} from '@gradgate/core/internal';
import { type OptimizerState, readState, writeState } from './state.js';

/** Parameters with options of their own; what is not given is the optimizer's default. */
export type ParamGroup<O> = { params: Iterable<Tensor> } & Partial<O>;

/**
 * Rewrites a parameter and what the optimizer remembers of it by a rule, in one pass rather than in a dozen operators, and
 * counts the write.
 */
export function applyStep(
  rule: StepRule,
  p: Tensor,
  grad: Tensor,
  memory: readonly Tensor[],
  numbers: readonly number[],
): void {
  if (grad.numel !== p.numel)
    throw new TypeError(`step: a gradient of ${grad.numel} elements does not fit a parameter of ${p.numel}`);
  const { step } = kernelsOf('step', p, grad);
  if (p.isContiguous) {
    step(rule, p, grad, memory, numbers);
    p.storage.version++;
    return;
  }
  const copy = p.detach().contiguous();
  step(rule, copy, grad, memory, numbers);
  p.copy_(copy);
}

/** What is kept of an average at each step. */
const decay = { text: 'a number from 0 to below 1', is: (v: unknown) => typeof v === 'number' && v >= 0 && v < 1 };

/** What options must be, from what they are by default: numbers from 0 up, unless that is below; what is null may be anything. */
function kindsOf<O extends object>(defaults: O): Schema<O> {
  const kindOf = (name: string, value: unknown) => {
    if (name === 'betas' && Array.isArray(value)) return is.tuple(...value.map(() => decay));
    if (name === 'rho') return is.probability;
    if (typeof value === 'number') return value < 0 ? is.number : is.nonNegative;
    if (typeof value === 'boolean') return is.boolean;
    if (Array.isArray(value))
      return is.tuple(...value.map((v) => (v === null ? is.nullable(is.nonNegative) : is.nonNegative)));
    return is.anything;
  };
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, kindOf(name, value)])) as never;
}

/** The options that are not undefined. */
const given = <O extends object>(options: O): Partial<O> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<O>;

function placed(memory: Tensor): Tensor {
  pin(memory);
  return memory;
}

/** What an optimizer remembers something of each element of `p` by: `value` at first. */
export const memoryFor = (p: Tensor, value = 0): Tensor => placed(fullLike(p, value));

/** A group with all its options. */
export type Group<O> = {
  params: Tensor[];
  /** The rate that schedulers start from; they set it. */
  initialLr?: number;
} & O;

/** What a class remembers of a parameter once it has stepped it, by name: a tensor of its shape, or of another one. */
export type MemoryKinds = Readonly<Record<string, 'tensor' | 'number' | Shape>>;

/**
 * Base class of optimizers. A subclass says in `update` how one parameter follows its gradient; `state` is its memory
 * for that parameter, empty at first.
 *
 * ```ts
 * class SignSGD extends optim.Optimizer<{ lr: number }> {
 *   protected override update(p: Tensor, grad: Tensor, _: object, { lr }: { lr: number }): void {
 *     p.sub_(grad.sign().mul(lr));
 *   }
 * }
 * const w = tensor([5], { requiresGrad: true });
 * const optimizer = new SignSGD([w], { lr: 0.1 });
 * w.square().sum().backward();
 * optimizer.step();
 * w; // [4.9]
 * ```
 */
export abstract class Optimizer<O extends { lr: number } = { lr: number }, S extends object = object> {
  /** Parameters with their options, which may be changed between steps. */
  readonly paramGroups: Group<O>[] = [];
  protected readonly state = new Map<Tensor, S>();
  readonly #defaults: O;
  readonly #known: Schema<O>;

  /** `defaults` has every option that there is; of another name or kind than there, one is refused. */
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<O>>, defaults: O, options?: Partial<O>) {
    const name = new.target.name;
    check(name, 'what options are by default', defaults, is.object);
    this.#known = kindsOf(defaults);
    this.#defaults = { ...defaults, ...given(checkOptions(name, options, this.#known)) };
    check(name, 'params', params, is.iterable);
    const list = [...(params as Iterable<Tensor | ParamGroup<O>>)];
    if (list.length === 0) throw new TypeError(`${name}: got no parameters; pass module.parameters()`);
    const groups = Tensor.is(list[0]) ? [{ params: list } as unknown as ParamGroup<O>] : (list as ParamGroup<O>[]);
    for (const group of groups) this.addParamGroup(group);
  }

  /**
   * Adds parameters with options of their own, as when layers are thawed during training; what is not given is as the
   * constructor got it. Everything is checked before the group is added.
   */
  addParamGroup(group: ParamGroup<O>): void {
    const name = this.constructor.name;
    if (Tensor.is(group) || typeof group !== 'object' || group === null || !('params' in group))
      throw new TypeError(`${name}: takes parameters, or groups { params, ...options }, got ${show(group)}`);
    const { params: own, ...options } = group;
    const list = Tensor.is(own) ? [own] : own;
    check(name, 'params of a group', list, is.iterable);
    const params = [...list];
    const seen = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const p of params) {
      if (!Tensor.is(p)) throw new TypeError(`${name}: parameters are Tensors, got ${show(p)}`);
      if (!p.isLeaf)
        throw new TypeError(`${name}: only leaves can be optimized, this tensor was computed by ${p.gradFn!.name}`);
      if (seen.has(p)) throw new TypeError(`${name}: a parameter of shape [${p.shape.join(', ')}] is given twice`);
      seen.add(p);
    }
    const known = { ...this.#known, initialLr: is.nonNegative } as unknown as Schema<O>;
    const chosen = given(checkOptions(name, options as unknown as Partial<O>, known));
    const complete = { ...this.#defaults, ...chosen, params } as Group<O>;
    this.checkGroup(complete);
    for (const p of params) pin(p);
    this.paramGroups.push(complete);
  }

  /** Refuses options and parameters that do not go together. */
  protected checkGroup(_group: Group<O>): void {}

  /** Refuses `JSON.stringify(optimizer)`, which would not have its memory of each parameter. */
  toJSON(): never {
    throw new TypeError(
      `${this.constructor.name}: an optimizer is not JSON; save its stateDict(), or use JSON.stringify(optimizer.stateDict())`,
    );
  }

  /** Libraries that wrap plain objects, as Vue's reactive() does, leave tagged ones alone. */
  get [Symbol.toStringTag](): string {
    return 'Optimizer';
  }

  /** Changes `p` in place; called under noGrad. */
  protected abstract update(p: Tensor, grad: Tensor, state: S, group: Group<O>): void;

  /** What the memory of a parameter holds once `update` has seen it; null where that is not known. */
  protected memory(_group: Group<O>, _p: Tensor): MemoryKinds | null {
    return null;
  }

  /**
   * Updates all parameters that have a gradient, under noGrad. A closure, if given, computes the loss anew; it runs
   * with gradients on, whatever the caller's mode. Where it is asynchronous, the update waits for it, and so does the
   * caller: `await optimizer.step(async () => ...)`.
   */
  step(): undefined;
  step<R>(closure: () => R): R;
  step<R>(closure?: () => R): R | undefined {
    if (closure !== undefined) check(`${this.constructor.name}.step`, 'the closure', closure, is.callback);
    const loss = closure && enableGrad.run(closure);
    if (!isThenable(loss)) {
      this.#updateAll();
      return loss;
    }
    return loss.then((value: unknown) => {
      this.#updateAll();
      return value;
    }) as R;
  }

  /** It has counters of its own. */
  #updateAll(): void {
    asAction(() => this.#updateEach());
  }

  #updateEach(): void {
    // Where nobody keeps it, a gradient may stay in kernel memory.
    const keepsNone = this.update === BuiltInOptimizer.prototype['update'];
    noGrad.run(() => {
      for (const group of this.paramGroups)
        for (const p of group.params) {
          const grad = keepsNone ? heldGrad(p) : p.grad;
          if (grad === null) continue;
          let state = this.state.get(p);
          if (!state) {
            state = {} as S;
            this.state.set(p, state);
          }
          this.update(p, grad, state, group);
          keep(state);
        }
    });
  }

  /**
   * Options of all groups and the memory of each parameter, by its number, with PyTorch's names: `param_groups`, `exp_avg`.
   * A snapshot: it stays as it is while training goes on.
   */
  stateDict(): OptimizerState {
    return writeState(this.paramGroups, this.state as ReadonlyMap<Tensor, object>);
  }

  /**
   * Takes over a state from `stateDict`, with names as PyTorch spells them or as the fields do. Everything is checked before
   * anything changes: the groups, the options by kind, and of the memory names, shapes and dtypes.
   */
  loadStateDict(state: OptimizerState): void {
    const { options, memory } = readState(this.constructor.name, state, this.paramGroups, this.#known, (group, p) =>
      this.memory(group as Group<O>, p),
    );
    options.forEach((own, i) => {
      Object.assign(this.paramGroups[i]!, own);
    });
    this.state.clear();
    for (const [p, own] of memory) {
      for (const value of Object.values(own)) if (Tensor.is(value)) pin(value);
      this.state.set(p, own as S);
    }
  }

  /** Drops the gradients of all parameters, or with `setToNull: false` fills them with zeros. */
  zeroGrad(options?: { setToNull?: boolean }): void {
    checkOptions('zeroGrad', options, { setToNull: is.boolean });
    for (const { params } of this.paramGroups) for (const p of params) p.zeroGrad(options);
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';

/** The name under which this package's optimizers have their rule: no other can be put in its place. */
export const rule = Symbol('rule');

/** The optimizers of this package: they keep no gradient, where an `update` of one's own may. */
export abstract class BuiltInOptimizer<O extends { lr: number }, S extends object = object> extends Optimizer<O, S> {
  /** @internal As `update`. */
  abstract [rule](p: Tensor, grad: Tensor, state: S, group: Group<O>): void;

  protected override update(p: Tensor, grad: Tensor, state: S, group: Group<O>): void {
    this[rule](p, grad, state, group);
  }

  protected abstract override memory(group: Group<O>, p: Tensor): MemoryKinds;
}
