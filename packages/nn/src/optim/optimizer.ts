import { DeviceError, enableGrad, fullLike, keep, noGrad, type Shape, Tensor } from '@gradgate/core';
import {
  asAction,
  check,
  checkOptions,
  heldGrad,
  inNameOf,
  is,
  type Kind,
  kernelsOf,
  pin,
  recording,
  type Schema,
  type StepRule,
  show,
} from '@gradgate/core/internal';
import { isSparse, toDense } from '@gradgate/core/sparse';
import { listOf } from '../listOf.js';
import { isThenable } from '../promise.js';
import { shapeText } from '../shapeText.js';
import { checkGroups } from './groups.js';
import { stepRows } from './sparse.js';
import { type OptimizerState, readState, writeState } from './state.js';

/** Parameters with their own options; options that are left out have the optimizer's defaults. */
export type ParamGroup<O> = {
  /** The parameters of the group. */
  params: Iterable<Tensor>;
} & Partial<O>;

/** A gradient, turned by `sign`, with a penalty on the weight; without one an infinite weight is no NaN. */
export const directed = (sign: number, g: number, penalty: number, w: number): number =>
  penalty === 0 ? sign * g : sign * g + penalty * w;

/**
 * Updates a parameter and the optimizer's memory of it by a rule, in one kernel rather than in a dozen operators, and
 * counts the write for autograd's checks.
 */
export function applyStep(
  rule: StepRule,
  p: Tensor,
  grad: Tensor,
  memory: readonly Tensor[],
  numbers: readonly number[],
): void {
  if (grad.numel !== p.numel)
    throw new TypeError(
      `step: a gradient of ${grad.numel} elements does not fit a parameter of ${p.numel}; they must have one shape`,
    );
  if (isSparse(grad)) {
    stepRows(rule, p, grad, memory, numbers);
    return;
  }
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

const decayRate = { text: 'a number from 0 to below 1', is: (v: unknown) => typeof v === 'number' && v >= 0 && v < 1 };

/** The check of `betas`, the decay rates of two running means: a mean with rate 1 would never change. */
export const decayRates = /* @__PURE__ */ is.tuple(decayRate, decayRate);

/**
 * The checks of options by their defaults: numbers from 0 up, or any where the default is negative. Null allows
 * anything.
 */
function kindsOf<O extends object>(defaults: O): Schema<O> {
  const kindOf = (value: unknown) => {
    if (typeof value === 'number') return value < 0 ? is.number : is.nonNegative;
    if (typeof value === 'boolean') return is.boolean;
    if (Array.isArray(value))
      return is.tuple(...value.map((v) => (v === null ? is.nullable(is.nonNegative) : is.nonNegative)));
    return is.anything;
  };
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, kindOf(value)])) as never;
}

/** The options that are not undefined. */
const given = <O extends object>(options: O): Partial<O> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<O>;

/** Memory of the shape of `p`, filled with `value` and pinned in kernel memory where there is one. */
export function memoryFor(p: Tensor, value = 0): Tensor {
  const memory = fullLike(p, value);
  pin(memory);
  return memory;
}

/** Refuses a weight decay beside sparse gradients: it would move all rows. */
export function checkNoDecay(name: string, weightDecay: number): void {
  if (weightDecay !== 0)
    throw new TypeError(`${name}.step: weightDecay must be 0 for sparse gradients, got ${weightDecay}`);
}

/** A group with all its options. */
export type Group<O> = {
  /** The parameters of the group. */
  params: Tensor[];
  /** The learning rate that schedulers start from. The first scheduler sets it. */
  initialLr?: number;
} & O;

/**
 * The memory of a parameter after its first step, by name: a number, or a tensor of the parameter's or another shape.
 */
export type MemoryKinds = Readonly<Record<string, 'tensor' | 'number' | Shape>>;

/**
 * The base class of optimizers. A subclass defines `update`, which changes one parameter by its gradient. `state` is
 * the memory of that parameter, an empty object at first.
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
  /** The groups of parameters with their options, which may be changed between steps. */
  readonly paramGroups: Group<O>[] = [];
  /** @internal Checks of options for which those by their defaults are too loose. */
  protected static readonly optionKinds: Readonly<Record<string, Kind>> = {};
  /** What the optimizer remembers of each parameter. */
  protected readonly state = new Map<Tensor, S>();
  private readonly defaults: O;
  private readonly known: Schema<O>;
  private readonly numbers: readonly (keyof O)[];
  private readonly pairs: readonly (keyof O)[];

  /** `defaults` must have all options; others, and values of other types, are refused. */
  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<O>>, defaults: O, options?: Partial<O>) {
    const name = new.target.name;
    check(name, 'the default options', defaults, is.object);
    this.known = { ...kindsOf(defaults), ...new.target.optionKinds };
    this.defaults = { ...defaults, ...given(checkOptions(name, options, this.known)) };
    const keys = Object.keys(defaults) as (keyof O)[];
    this.numbers = keys.filter((key) => typeof defaults[key] === 'number');
    this.pairs = keys.filter((key) => Array.isArray(defaults[key]));
    const list = listOf(name, 'params', params as Iterable<Tensor | ParamGroup<O>>);
    if (list.length === 0) throw new TypeError(`${name}: got no parameters; pass module.parameters()`);
    const groups = Tensor.is(list[0]) ? [{ params: list } as unknown as ParamGroup<O>] : (list as ParamGroup<O>[]);
    for (const group of groups) this.addParamGroup(group);
  }

  /**
   * Adds parameters with their own options, such as layers that are unfrozen during training; options that are left out
   * are those of the constructor. Everything is checked before the group is added.
   */
  addParamGroup(group: ParamGroup<O>): void {
    const name = this.constructor.name;
    if (Tensor.is(group) || typeof group !== 'object' || group === null || !('params' in group))
      throw new TypeError(`${name}: takes parameters, or groups { params, ...options }, got ${show(group)}`);
    const { params: own, ...options } = group;
    const params = Tensor.is(own) ? [own] : listOf(name, 'params of a group', own);
    checkGroups(name, this.paramGroups);
    const seen = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const p of params) {
      if (!Tensor.is(p)) throw new TypeError(`${name}: parameters must be Tensors, got ${show(p)}`);
      if (!p.isLeaf)
        throw new TypeError(`${name}: only leaves can be optimized, this tensor was computed by ${p.gradFn!.name}`);
      if (seen.has(p)) throw new TypeError(`${name}: a parameter of shape ${shapeText(p)} is given twice`);
      seen.add(p);
    }
    const known = { ...this.known, initialLr: is.nonNegative } as unknown as Schema<O>;
    const chosen = given(checkOptions(name, options as unknown as Partial<O>, known));
    const complete = { ...this.defaults, ...chosen, params } as Group<O>;
    // Each group has pairs such as betas of its own: what is written to one must not be in others.
    for (const key of this.pairs) complete[key] = [...(complete[key] as unknown[])] as never;
    this.checkGroup(complete);
    for (const p of params) pin(p);
    this.paramGroups.push(complete);
  }

  /** Throws for options and parameters that do not fit together. */
  protected checkGroup(_group: Group<O>): void {}

  /** Refuses `JSON.stringify(optimizer)`, which would lose the memory of each parameter. */
  toJSON(): never {
    throw new TypeError(
      `${this.constructor.name}: an optimizer is not JSON; save its stateDict(), or use JSON.stringify(optimizer.stateDict())`,
    );
  }

  /** The tag keeps libraries that wrap plain objects, such as Vue's reactive(), from wrapping optimizers. */
  get [Symbol.toStringTag](): string {
    return 'Optimizer';
  }

  /**
   * Anybody may have changed the options of a group since its last step: one that is no number makes all parameters
   * NaN.
   */
  protected checkNumbers(): void {
    checkGroups(`${this.constructor.name}.step`, this.paramGroups);
    for (const group of this.paramGroups) {
      for (const key of this.pairs) check(`${this.constructor.name}.step`, String(key), group[key], this.known[key]);
      for (const key of this.numbers)
        if (typeof group[key] !== 'number' || Number.isNaN(group[key]))
          throw new TypeError(
            `${this.constructor.name}.step: ${String(key)} of a group must be a number, got ${show(group[key])}`,
          );
    }
  }

  /** Throws at a gradient that `update` cannot use; called for all of them before the first update. */
  protected checkGradient(_grad: Tensor, _group: Group<O>): void {}

  /** Changes `p` in place. Called under noGrad. */
  protected abstract update(p: Tensor, grad: Tensor, state: S, group: Group<O>): void;

  /** The memory that `update` leaves for a parameter; null if it is not known, so that states are not checked by it. */
  protected memory(_group: Group<O>, _p: Tensor): MemoryKinds | null {
    return null;
  }

  /**
   * Updates all parameters that have a gradient, under noGrad. A closure, if given, computes the loss again; it runs
   * with gradients enabled, whatever the caller's mode. If it is asynchronous, the update waits for it: `await
   * optimizer.step(async () => ...)`. Returns the closure's result.
   */
  step(): undefined;
  /** Computes the loss again by `closure`, with gradients enabled, updates, and returns the closure's result. */
  step<R>(closure: () => R): R;
  step<R>(closure?: () => R): R | undefined {
    if (closure !== undefined) check(`${this.constructor.name}.step`, 'the closure', closure, is.callback);
    const loss = closure && enableGrad.run(closure);
    if (!isThenable(loss)) {
      this.updateAll();
      return loss;
    }
    return loss.then((value: unknown) => {
      this.updateAll();
      return value;
    }) as R;
  }

  /** An action, which a compiled function runs at each call: rules count steps on the host. */
  private updateAll(): void {
    this.noteParams();
    try {
      asAction(() => this.updateEach());
    } catch (error) {
      throw error instanceof DeviceError ? this.refusedBy(error) : error;
    }
  }

  /** Tells a recording of `compile` that the call is for these parameters. */
  private noteParams(): void {
    if (recording.current === null) return;
    const { paramGroups } = this;
    const were = paramGroups.flatMap(({ params }) => params);
    recording.current.condition(() => {
      let i = 0;
      for (const { params } of paramGroups) for (const p of params) if (p !== were[i++]) i = -1;
      return i === were.length ? null : `what parameters ${this.constructor.name} has`;
    });
  }

  /** What a device refuses, in the name of the step; with the reason where a model was moved after steps. */
  private refusedBy(error: DeviceError): unknown {
    const name = `${this.constructor.name}.step`;
    for (const [{ device }, state] of this.state) {
      const away = Object.values(state).find((value): value is Tensor => Tensor.is(value) && value.device !== device);
      if (away !== undefined)
        return new DeviceError(
          name,
          `a parameter is on ${device}, and what the optimizer remembers of it on ${away.device}; make the optimizer after ` +
            'moving the model, or give it its state again, as in optimizer.loadStateDict(optimizer.stateDict())',
        );
    }
    return inNameOf(name, error);
  }

  private updateEach(): void {
    // Gradients that no `update` can keep may stay in kernel memory.
    const keepsNone = this.update === BuiltInOptimizer.prototype['update'];
    this.checkNumbers();
    const due = this.paramGroups.map((group) =>
      group.params.map((p) => {
        const grad = keepsNone ? heldGrad(p) : p.grad;
        if (grad !== null) this.checkGradient(grad, group);
        return grad;
      }),
    );
    noGrad.run(() => {
      for (const [i, group] of this.paramGroups.entries())
        for (const [j, p] of group.params.entries()) {
          const grad = due[i]![j]!;
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
   * Returns the options of all groups and the memory of each parameter, by its number, under PyTorch's names
   * (`param_groups`, `exp_avg`). A snapshot, which later steps do not change.
   */
  stateDict(): OptimizerState {
    checkGroups(`${this.constructor.name}.stateDict`, this.paramGroups);
    return writeState(this.paramGroups, this.state as ReadonlyMap<Tensor, object>);
  }

  /**
   * Restores a state from `stateDict`, with names as PyTorch spells them or as fields are called. Everything is checked
   * before anything changes: groups, options, and the names, shapes and dtypes of the memory.
   */
  loadStateDict(state: OptimizerState): void {
    checkGroups(`${this.constructor.name}.loadStateDict`, this.paramGroups);
    const { options, memory } = readState(this.constructor.name, state, this.paramGroups, this.known, (group, p) =>
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

  /** Sets the gradients of all parameters to null, or with `setToNull: false` to zeros. */
  zeroGrad(options?: { setToNull?: boolean }): void {
    checkOptions('zeroGrad', options, { setToNull: is.boolean });
    checkGroups(`${this.constructor.name}.zeroGrad`, this.paramGroups);
    this.noteParams();
    for (const { params } of this.paramGroups) for (const p of params) p.zeroGrad(options);
  }
}

/** The key of the rule of this package's optimizers. A symbol, so that no subclass replaces it. */
export const rule = Symbol('rule');

/** The base of this package's optimizers. They keep no gradient, as the `update` of other subclasses may. */
export abstract class BuiltInOptimizer<O extends { lr: number }, S extends object = object> extends Optimizer<O, S> {
  /** @internal Changes `p` in place, as `update`. */
  abstract [rule](p: Tensor, grad: Tensor, state: S, group: Group<O>): void;

  protected override update(p: Tensor, grad: Tensor, state: S, group: Group<O>): void {
    this[rule](p, isSparse(grad) ? grad : toDense(grad), state, group);
  }

  /** Refuses sparse gradients, unless the optimizer has a rule for them. */
  protected override checkGradient(grad: Tensor, _group: Group<O>): void {
    if (!isSparse(grad)) return;
    throw new TypeError(
      `${this.constructor.name}.step: takes dense gradients, got a sparse one of shape ${shapeText(grad)}; use SparseAdam, SGD or ` +
        "Adagrad for this parameter, or leave out 'sparse: true' where it is made",
    );
  }

  protected abstract override memory(group: Group<O>, p: Tensor): MemoryKinds;
}
