import { closeWindows } from '../backend/host/storage.js';
import { check } from '../check.js';
import { AutogradError } from '../errors.js';
import { isDeveloping, reportOnce } from '../grad/diagnostics.js';
import { currentFrame, describeFrame, type Frame, isGradEnabled } from '../grad/index.js';
import * as is from '../kinds.js';
import type { DType } from '../memory/dtype.js';
import { refuseRecording } from '../memory/recording.js';
import type { Shape } from '../memory/shape.js';
import { frozen } from '../tensor/frozen.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  currentSavedTensorHooks,
  type Packed,
  packedBy,
  type SavedTensorHooks,
  unpackedBy,
} from './savedTensorHooks.js';
import { outsideOfPass } from './temporaries.js';

/** Why a tensor carries no graph: the frame that had recording off or its inputs frozen, or a `detach()`. */
export type UntrackedCause = (Pick<Frame, 'kind' | 'member' | 'opener'> & { freezes?: true }) | 'detach';

/** A place a gradient flows to: one output of a node. */
export interface Edge {
  /** The node that made the tensor. */
  readonly node: Node;
  /** Which of its outputs the tensor is. */
  readonly index: number;
}

/** Gradients of the inputs, in order; `null` where an input needs none or the gradient is zero. */
export type Gradients = readonly (Tensor | null | undefined)[];

/** A backward rule for an operator of one output. Written in tensor operations, so that it can be recorded itself. */
export type Backward = (grad: Tensor, ctx: Node) => Gradients;

/** A backward rule for several outputs; outputs that nothing used have a `null` gradient. */
export type BackwardMany = (grads: readonly (Tensor | null)[], ctx: Node) => Gradients;

/** Sees, and may replace, the gradient of one output before its node runs. */
export type GradHook = (grad: Tensor) => Tensor | null | undefined | void;

/** A rule as nodes have it: it gets the gradient of the first output, which is often the only one, and those of all. */
type Rule = (grad: Tensor, ctx: Node, grads: readonly (Tensor | null)[]) => Gradients;

const none: readonly number[] = [];

const versionOf = (t: Tensor): number => t.storage.version;

/** `tensors.map(f)`: most lists are of one or two, for which literals are far cheaper. */
function mapTensors<R>(tensors: readonly Tensor[], f: (t: Tensor) => R): R[] {
  const { length } = tensors;
  if (length === 1) return [f(tensors[0]!)];
  if (length === 2) return [f(tensors[0]!), f(tensors[1]!)];
  return tensors.map(f);
}

/**
 * One recorded operation: where the gradients of its inputs go, and the rule that computes them.
 * To a backward rule it is the context: what was saved, and which inputs need a gradient.
 */
export class Node {
  /** Where the gradient of each input goes; `null` for inputs that need none. */
  readonly edges: readonly (Edge | null)[];
  /** Hooks on the gradient of each output, kept where they are registered: an in-place write does not move them. */
  gradHooks: Map<number, Set<GradHook>> | null = null;
  /** Hooks run after the rule, with the gradients of the inputs and of the outputs. */
  nodeHooks: Set<NodeHook> | null = null;
  /** Outputs whose gradient is also kept in `.grad`. */
  retained: Map<number, Tensor> | null = null;
  /** Outputs that were written to with recording off, and the name of the write. */
  overwritten: Map<number, string> | null = null;
  /** Where the forward operation was called; in anomaly mode only. */
  stack: string | null = null;
  /** For inputs without an edge: why they are not tracked, where something else than their making it is. */
  untracked: Map<number, UntrackedCause> | null = null;
  /** A user's function: what it returns may be shared, so it is copied before it is kept. */
  custom = false;
  /** @internal The engine's mark: which run saw this node, and at which position of its order. */
  run = 0;
  /** @internal */
  position = 0;
  /** @internal */
  needed = true;
  /** Tensors, or what the hooks made of them. */
  #saved: readonly unknown[] | null = null;
  #versions: readonly number[] = none;
  #hooks: SavedTensorHooks | null = null;
  #freed = false;

  constructor(
    /** The operator's name. */
    readonly name: string,
    inputs: readonly Tensor[],
    /** Its backward rule. */
    readonly backward: Rule,
    /** The shape of each output. */
    readonly shapes: readonly Shape[],
    /** The dtype of each output, or the one of all of them: gradients get it on their way in. */
    readonly dtypes: DType | readonly DType[],
    saved?: readonly Tensor[],
    /**
     * What the rule knows beside tensors, where one function is the rule of all calls: that is cheaper than a closure.
     */
    readonly attributes?: unknown,
  ) {
    this.edges = mapTensors(inputs, gradEdge);
    for (let i = 0; i < inputs.length; i++)
      if (this.edges[i] === null && inputs[i]!.untracked !== null) this.noteUntracked(i, inputs[i]!.untracked!);
    if (saved !== undefined && saved.length > 0) this.save(saved);
    if (watchers !== null) for (const watch of watchers) watch(this);
  }

  /** Whether the gradient of input `i` is wanted. */
  needs(i: number): boolean {
    return this.edges[i] !== null;
  }

  /** The shape of input `i`, whose gradient is wanted. */
  inputShape(i: number): Shape {
    const { node, index } = this.edges[i]!;
    return node.shapes[index]!;
  }

  /** The dtype of output `i`, and of its gradient. */
  dtypeOf(i: number): DType {
    return typeof this.dtypes === 'string' ? this.dtypes : this.dtypes[i]!;
  }

  private noteUntracked(i: number, cause: UntrackedCause): void {
    this.untracked ??= new Map();
    this.untracked.set(i, cause);
  }

  private save(tensors: readonly Tensor[]): void {
    const hooks = currentSavedTensorHooks();
    if (hooks !== null) refuseRecording('hooks on saved tensors run, as those of checkpoint');
    for (let i = 0; i < tensors.length; i++) if (tensors[i]!.inference) this.refuseInference(tensors[i]!);
    this.#versions = mapTensors(tensors, versionOf);
    this.#saved = hooks ? tensors.map((t) => packedBy(hooks, t)) : tensors;
    this.#hooks = hooks;
  }

  private refuseInference(t: Tensor): never {
    throw new AutogradError(
      this.name,
      'a tensor made under inferenceMode cannot be saved for backward; use clone() outside of inferenceMode ' +
        `to get a normal tensor. It was made under ${t.inferenceOrigin}`,
    );
  }

  /** The tensors saved by the forward operation; throws if one has been written to since, or if they were freed. */
  get saved(): readonly Tensor[] {
    if (this.#freed)
      throw new AutogradError(
        'backward',
        `the values that ${this.name} saved were freed by an earlier backward(); pass retainGraph: true to that one ` +
          'to go through the graph a second time',
      );
    if (this.#saved === null) return [];
    const hooks = this.#hooks;
    if (hooks) return outsideOfPass(() => this.#saved!.map((value) => unpackedBy(hooks, value as Packed)));
    const saved = this.#saved as readonly Tensor[];
    for (let i = 0; i < saved.length; i++)
      if (saved[i]!.storage.version !== this.#versions[i]) this.refuseVersion(saved[i]!, this.#versions[i]!);
    return saved;
  }

  /** What it keeps for backward: tensors, or what hooks made of them. */
  get kept(): readonly unknown[] {
    return this.#saved ?? [];
  }

  /** Whether what it kept was freed by a backward pass. */
  get isFreed(): boolean {
    return this.#freed;
  }

  private refuseVersion(t: Tensor, expected: number): never {
    throw new AutogradError(
      'backward',
      `a ${t.dtype} tensor of shape [${t.shape.join(', ')}] that ${this.name} saved was modified in place since: ` +
        `it is at version ${t.storage.version}, expected version ${expected}; clone() it before the write, or write later`,
    );
  }

  /** Drops what was saved. Without saved values a node can be gone through again. */
  release(): void {
    if (this.#saved === null) return;
    this.#saved = null;
    // They may keep results of their own.
    this.#hooks = null;
    this.#freed = true;
  }

  /** Registers a hook that sees the gradients of inputs and outputs, and may replace those of the inputs. */
  registerHook(hook: NodeHook): { remove(): void } {
    check('registerHook', 'hook', hook, is.callback);
    this.nodeHooks ??= new Set();
    return removable(this.nodeHooks, hook);
  }

  /** The operator's name. */
  toString(): string {
    return this.name;
  }
}

/**
 * A hook on a node: it is called with the gradients of its inputs and of its outputs, and may return other gradients of
 * its inputs.
 */
export type NodeHook = (gradInputs: Gradients, gradOutputs: readonly (Tensor | null)[]) => Gradients | void;

type Watcher = (node: Node) => void;

/** Called with each node as it is made; null while there are none. */
let watchers: Set<Watcher> | null = null;

/** Calls `watcher` with each node that is recorded from now on, until the function that this gives is called. */
export function watchNodes(watcher: Watcher): () => void {
  watchers ??= new Set();
  watchers.add(watcher);
  return () => {
    watchers?.delete(watcher);
    if (watchers?.size === 0) watchers = null;
  };
}

/** Adds `hook` (a function may be registered twice) and gives the handle that takes it off again; idempotent. */
export function removable<H extends (...args: any[]) => unknown>(hooks: Set<H>, hook: H): { remove(): void } {
  const entry = ((...args: unknown[]) => hook(...args)) as unknown as H;
  hooks.add(entry);
  return {
    remove() {
      hooks.delete(entry);
    },
  };
}

/** The end of a graph: adds the gradient that arrives to the leaf's `.grad`. */
export class AccumulateGrad extends Node {
  postHooks: Set<(leaf: Tensor) => void> | null = null;
  constructor(readonly leaf: Tensor) {
    super('accumulateGrad', [], () => [], [leaf.shape], leaf.dtype);
  }

  // A module's `to()` gives its parameters another dtype.
  override dtypeOf(): DType {
    return this.leaf.dtype;
  }
}

/** Where the gradient of `t` goes: the node that made it, or the leaf's accumulator; `null` if it needs none. */
export function gradEdge(t: Tensor): Edge | null {
  const node = t.gradFn;
  if (node !== null) return { node, index: t.outputNr };
  return t.requiresGrad ? leafEdge(t) : null;
}

/** The accumulator of a leaf. */
export function leafEdge(t: Tensor): Edge {
  t.accumulator ??= { node: new AccumulateGrad(t), index: 0 };
  return t.accumulator;
}

/** Whether an operation on `inputs` is to be recorded. If not, notes on `out` why not. */
function shouldRecord(name: string, inputs: readonly Tensor[], out: Tensor): boolean {
  closeWindows();
  let tracked = false;
  let cause: UntrackedCause | null = null;
  let constant: Tensor | null = null;
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]!;
    if (input.requiresGrad) tracked = true;
    else if (input.untracked !== null) cause = input.untracked;
    else if (input.isFrozenHere) cause = frozenBy();
    if (input.viewInfo?.untracked) {
      checkStaleView(name, input);
      constant = input;
    }
    if (input.inference && input.requiresGrad) checkInferenceInput(name, input);
  }
  if (tracked && isGradEnabled()) {
    if (constant !== null) reportConstant(name, constant);
    return true;
  }
  out.untracked = tracked ? currentFrame() : cause;
  return false;
}

const frozenBy = (): UntrackedCause => ({ ...frozen.setBy!, freezes: true });

function checkInferenceInput(name: string, input: Tensor): void {
  if (!isGradEnabled()) return;
  throw new AutogradError(
    name,
    'an input requires grad but was made under inferenceMode, so nothing can be recorded on it; make it outside, or use clone(). ' +
      `It was made under ${input.inferenceOrigin}`,
  );
}

/** A view taken while recording was off can't learn of recorded writes to its base: using it would drop gradients. */
function checkStaleView(name: string, view: Tensor): void {
  const { base, history } = view.viewInfo!;
  if (history !== base.history && base.requiresGrad && isGradEnabled())
    throw new AutogradError(
      name,
      'an input is a view that was taken under noGrad, and its base has been written to with recording on since; ' +
        'take the view again, or use detach() on it if its gradient is to be ignored',
    );
}

/** Read in a graph, such a view is a constant, which may be what was meant or not. */
function reportConstant(name: string, view: Tensor): void {
  const { untracked } = view;
  if (!isDeveloping() || untracked === null || untracked === 'detach' || !view.viewInfo!.base.requiresGrad) return;
  reportOnce(
    `${name} records with a view that was taken while recording was off, by ${describeFrame(untracked)}: no gradient goes ` +
      'to the tensor that it is a view of; take the view with recording on, or use detach() if that is meant',
  );
}

/**
 * Records `out` as computed from `inputs` if gradients are on and one of them requires grad; returns `out`. `saved` are
 * the tensors the rule needs, in the order it reads them from `ctx.saved`; `attributes` is what else it needs.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * const doubled = noGrad.run(() => x.mul(2));
 * record('double', [x], doubled, (g) => [g.mul(2)]);
 * doubled.sum().backward();
 * x.grad; // [2]
 * ```
 */
export function record(
  name: string,
  inputs: readonly Tensor[],
  out: Tensor,
  backward: Backward,
  saved?: readonly Tensor[],
  attributes?: unknown,
): Tensor {
  if (!shouldRecord(name, inputs, out)) return out;
  out.setHistory(new Node(name, inputs, backward, [out.shape], out.dtype, saved, attributes));
  return out;
}

/** `record` for operations of several outputs; gives the node if there is one. */
export function recordMany(
  name: string,
  inputs: readonly Tensor[],
  outs: readonly Tensor[],
  backward: BackwardMany,
  saved?: readonly Tensor[],
): Node | null {
  if (outs.length === 0) return null;
  let on = false;
  for (const out of outs) on = shouldRecord(name, inputs, out);
  if (!on) return null;
  const shapes = outs.map((out) => out.shape);
  const dtypes = outs.map((out) => out.dtype);
  const node = new Node(name, inputs, (_, ctx, grads) => backward(grads, ctx), shapes, dtypes, saved);
  outs.forEach((out, i) => {
    out.setHistory(node, i);
  });
  return node;
}

/** `recordMany` for others than core's own operators: what the rule gets to see, it may keep. */
export const recordManyCustom: typeof recordMany = (name, inputs, outs, backward, saved) => {
  const node = recordMany(name, inputs, outs, backward, saved);
  if (node !== null) node.custom = true;
  return node;
};
