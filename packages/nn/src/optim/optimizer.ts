import { enableGrad, noGrad, Tensor, type TypedArray } from '@gradgate/core';

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
  if (p.isContiguous) {
    update(p.elements(), grad.elements());
    p.storage.version++;
    return;
  }
  const copy = p.detach().contiguous();
  update(copy.elements(), grad.elements());
  p.copy_(copy);
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

  constructor(params: Iterable<Tensor> | Iterable<ParamGroup<O>>, defaults: O) {
    const name = new.target.name;
    const given = [...(params as Iterable<Tensor | ParamGroup<O>>)];
    if (given.length === 0) throw new TypeError(`${name}: got no parameters; pass module.parameters()`);
    const groups =
      given[0] instanceof Tensor ? [{ params: given } as unknown as ParamGroup<O>] : (given as ParamGroup<O>[]);
    const seen = new Set<Tensor>();
    this.paramGroups = groups.map((group) => {
      const params = [...group.params];
      for (const p of params) {
        if (!(p instanceof Tensor)) throw new TypeError(`${name}: parameters are Tensors, got ${typeof p}`);
        if (!p.isLeaf)
          throw new TypeError(`${name}: only leaves can be optimized, this tensor was computed by ${p.gradFn!.name}`);
        if (seen.has(p)) throw new TypeError(`${name}: a parameter of shape [${p.shape.join(', ')}] is given twice`);
        seen.add(p);
      }
      const options = { ...defaults, ...group, params };
      if (!(options.lr >= 0)) throw new RangeError(`${name}: lr is a number from 0 up, got ${options.lr}`);
      return options;
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
    const loss = closure && enableGrad.run(closure);
    noGrad.run(() => {
      for (const group of this.paramGroups)
        for (const p of group.params) {
          if (p.grad === null) continue;
          let state = this.state.get(p);
          if (!state) {
            state = {} as S;
            this.state.set(p, state);
          }
          this.update(p, p.grad, state, group);
        }
    });
    return loss;
  }

  /** Drops the gradients of all parameters, or with `setToNull: false` fills them with zeros. */
  zeroGrad(options?: { setToNull?: boolean }): void {
    for (const { params } of this.paramGroups) for (const p of params) p.zeroGrad(options);
  }
}
