import { check, checkOptions } from '../check.js';
import { AutogradError } from '../errors.js';
import { runInMode } from '../grad/flow.js';
import { isGradEnabled } from '../grad/index.js';
import { type Gradients, type Node, recordManyCustom } from '../graph/node.js';
import { isFloat } from '../memory/dtype.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';

/** What a custom function's `forward` and `backward` tell each other, and the engine. */
export class FunctionContext {
  #saved: readonly Tensor[] = [];
  #node: Node | null = null;
  #plain = new Set<Tensor>();
  #dirty = new Set<Tensor>();
  /** Give zeros rather than `null` for outputs that nothing used; true unless set otherwise. */
  materializeGrads = true;

  constructor(
    /** Whether the caller records; `forward` itself runs with recording off. */
    readonly isRecording: boolean,
    /** For each argument whether its gradient is wanted. */
    readonly needsInputGrad: readonly boolean[],
  ) {}

  /** Keeps tensors for `backward`: inputs or outputs. Not kept where nothing is recorded. */
  saveForBackward(...tensors: Tensor[]): void {
    checkTensors('saveForBackward', ...tensors);
    this.#saved = tensors;
  }

  /** The tensors that were saved; throws if one was written to since. */
  get savedTensors(): readonly Tensor[] {
    return this.#node ? this.#node.saved : this.#saved;
  }

  /** Outputs that carry no gradient. */
  markNonDifferentiable(...outputs: Tensor[]): void {
    checkTensors('markNonDifferentiable', ...outputs);
    for (const t of outputs) this.#plain.add(t);
  }

  /** Inputs that `forward` has written to and returns. */
  markDirty(...inputs: Tensor[]): void {
    checkTensors('markDirty', ...inputs);
    for (const t of inputs) this.#dirty.add(t);
  }

  /** @internal */
  finish(): { saved: readonly Tensor[]; plain: ReadonlySet<Tensor>; dirty: ReadonlySet<Tensor> } {
    const saved = this.#saved;
    this.#saved = [];
    return { saved, plain: this.#plain, dirty: this.#dirty };
  }

  /** @internal */
  hangOn(node: Node): this {
    this.#node = node;
    return this;
  }
}

/** The definition of an operator, for `defineFunction`. */
export interface FunctionDefinition<Args extends unknown[], Out extends Tensor | readonly Tensor[]> {
  /** What the graph and errors call it. */
  name: string;
  /** Computes the result, with recording off. */
  forward(ctx: FunctionContext, ...args: Args): Out;
  /** From the gradients of the outputs, those of the arguments, in order; `null` where there is none. */
  backward(ctx: FunctionContext, ...grads: (Tensor | null)[]): Tensor | null | Gradients;
  /** The rule is not made of recorded operations, so a gradient of the gradient is an error. */
  onceDifferentiable?: boolean;
}

const definitionOptions = {
  name: is.string,
  forward: is.callback,
  backward: is.callback,
  onceDifferentiable: is.boolean,
};

/**
 * Makes an operator from a `forward` and a `backward` rule of your own. It is called like any operator, and its
 * gradients are recorded. Throws if the rule gives gradients that do not fit the inputs.
 *
 * ```ts
 * const double = defineFunction({
 *   name: 'double',
 *   forward: (_ctx, x: Tensor) => x.mul(2),
 *   backward: (_ctx, g: Tensor) => [g.mul(2)],
 * });
 * const x = tensor([3], { requiresGrad: true });
 * double(x).sum().backward();
 * x.grad; // [2]
 * ```
 */
export function defineFunction<Args extends unknown[], Out extends Tensor | readonly Tensor[]>(
  definition: FunctionDefinition<Args, Out>,
): (...args: Args) => Out {
  check('defineFunction', 'the definition', definition, is.object);
  checkOptions('defineFunction', definition, definitionOptions);
  const { name, forward, backward, onceDifferentiable = false } = definition;
  check('defineFunction', 'name', name, is.string);
  check('defineFunction', 'forward', forward, is.callback);
  check('defineFunction', 'backward', backward, is.callback);
  return (...args) => {
    const inputs = args.filter((a): a is Tensor & Args[number] => Tensor.is(a));
    const needs = args.map((a) => Tensor.is(a) && a.requiresGrad);
    const recording = isGradEnabled() && needs.includes(true);
    const ctx = new FunctionContext(recording, recording ? needs : needs.map(() => false));
    const out = runInMode('backward', false, () => forward(ctx, ...args));
    check(name, 'the result of forward', out, is.either(is.tensor, is.arrayOf(is.tensor)));
    const { saved, plain, dirty } = ctx.finish();
    // A result that is an argument as it was gets an identity of its own.
    const own = (t: Tensor): Tensor => (inputs.includes(t as never) && !dirty.has(t) ? t.detach() : t);
    const outputs = (Tensor.is(out) ? [out] : [...(out as readonly Tensor[])]).map(own);
    for (const t of dirty) t.storage.version++;
    const differentiable = outputs.filter((t) => !plain.has(t) && isFloat(t.dtype));
    const places = outputs.map((t) => differentiable.indexOf(t));
    const shapes = outputs.map((t) => t.shape);
    const dtypes = outputs.map((t) => (isFloat(t.dtype) ? t.dtype : 'float32'));
    const backends = outputs.map((t) => t.storage.backend);
    const isInput = args.map((a) => Tensor.is(a));
    const rule = (grads: readonly (Tensor | null)[], node: Node): Gradients => {
      const all = places.map((at, i) => {
        const g = at < 0 ? null : (grads[at] ?? null);
        return g === null && ctx.materializeGrads ? Tensor.zeros(dtypes[i]!, shapes[i]!, backends[i]!) : g;
      });
      const run = () => backward(ctx.hangOn(node), ...all);
      const result = onceDifferentiable ? runInMode('backward', false, run) : run();
      const given = result === null || Tensor.is(result) ? [result] : result;
      check(name, 'the result of backward', given, gradients);
      // Arguments behind the last tensor have no gradient, and need not be given one.
      if (given.length <= isInput.lastIndexOf(true) || given.slice(isInput.length).some((g) => g != null))
        throw new AutogradError(
          name,
          `backward gave ${given.length} gradients for ${isInput.length} arguments; give one each, null where there is none`,
        );
      const wanted = given.filter((_, i) => isInput[i]);
      return onceDifferentiable && isGradEnabled() ? wanted.map((g) => g && forbidTwice(name, g)) : wanted;
    };
    recordManyCustom(name, inputs, differentiable, rule, recording ? saved : []);
    return (Tensor.is(out) ? outputs[0]! : outputs) as Out;
  };
}

const gradients = is.arrayOf(is.optional(is.nullable(is.tensor)));

/** A gradient whose own gradient is an error. */
function forbidTwice(name: string, g: Tensor): Tensor {
  const out = g.detach().requiresGrad_();
  const marked = g.detach();
  recordManyCustom(name, [out], [marked], () => {
    throw new AutogradError(name, 'its rule is marked as differentiable once, so there is no gradient of its gradient');
  });
  return marked;
}
