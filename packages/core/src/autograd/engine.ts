import { closeWindows } from '../backend/host/storage.js';
import { check, checkOptions, show } from '../check.js';
import { AutogradError, DTypeError, ShapeError } from '../errors.js';
import { runInMode } from '../grad/flow.js';
import {
  AccumulateGrad,
  type Edge,
  type GradHook,
  type Gradients,
  gradEdge,
  leafEdge,
  type Node,
  removable,
} from '../graph/node.js';
import { Temporaries } from '../graph/temporaries.js';
import { batching } from '../memory/batching.js';
import { isComplex, isFloat } from '../memory/dtype.js';
import { recording, refuseRecording } from '../memory/recording.js';
import { formatShape, sameShape } from '../memory/shape.js';
import { noteTemporaries } from '../memory/storage.js';
import { add } from '../ops/elementwise.js';
import { to } from '../ops/shape.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods, Tensor } from '../tensor/tensor.js';
import { checkAnomaly } from './anomaly.js';
import type * as self from './engine.js';
import { explainUntracked } from './explain.js';

export interface BackwardOptions {
  /** The gradient of the tensor itself; must be given unless it has one element. */
  gradient?: Tensor | null;
  /** Keep what the graph saved, for another backward pass through it. Defaults to `createGraph`. */
  retainGraph?: boolean;
  /** Record the backward pass itself, so that gradients have gradients. */
  createGraph?: boolean;
  /** Accumulate into these tensors only; all leaves if not given. */
  inputs?: Tensor | readonly Tensor[];
}

export interface GradOptions {
  gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  retainGraph?: boolean;
  createGraph?: boolean;
  /** Give `null` for inputs the outputs do not depend on, rather than throw. Defaults to `materializeGrads`. */
  allowUnused?: boolean;
  /** Give zeros rather than `null`. */
  materializeGrads?: boolean;
}

/** A pass under way. Passes nest when a rule or a hook calls backward itself. */
interface Run {
  readonly id: number;
  /** The nodes in an order in which each comes after those it passes gradients to: gone through from the end. */
  readonly order: readonly Node[];
  /** Gradients of each node's outputs, summed so far. */
  readonly grads: ((Tensor | null)[] | undefined)[];
  /** What gets the gradients, rather than all leaves. */
  readonly captures: readonly Capture[] | null;
  /** Nodes of another graph, to which this pass only gives gradients. */
  readonly ends: ReadonlySet<Node> | null;
  readonly retainGraph: boolean;
  /** Null where the pass itself is recorded, and so keeps what it makes. */
  readonly temporaries: Temporaries | null;
  /** Called when the pass is done, or has failed. */
  readonly callbacks: { readonly done: () => void; readonly failed: (() => void) | undefined }[];
}

let runs = 0;
const active: Run[] = [];

// Of one plan at a time, as none calls out. An explicit stack: graphs may be deeper than the call stack.
const stack: Node[] = [];
const nextEdge: number[] = [];
const none: readonly Edge[] = [];

const edgesOf = (node: Node, ends: Run['ends']): readonly (Edge | null)[] => (ends?.has(node) ? none : node.edges);

function enter(node: Node, id: number, targets: ReadonlySet<Node> | null): void {
  if (node.run === id) return;
  node.run = id;
  node.needed = targets === null || targets.has(node);
  stack.push(node);
  nextEdge.push(0);
}

/**
 * All nodes reachable from `roots`, and not through `ends`, consumers last. With `targets`, marks the nodes on the way to one as needed.
 */
function plan(roots: readonly Edge[], targets: ReadonlySet<Node> | null, ends: Run['ends']): Pick<Run, 'id' | 'order'> {
  const id = ++runs;
  const order: Node[] = [];
  for (let r = 0; r < roots.length; r++) {
    enter(roots[r]!.node, id, targets);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const node = stack[top]!;
      const edges = edgesOf(node, ends);
      const i = nextEdge[top]!++;
      if (i < edges.length) {
        const edge = edges[i]!;
        if (edge !== null) enter(edge.node, id, targets);
        continue;
      }
      stack.pop();
      nextEdge.pop();
      if (targets !== null) for (const edge of edges) if (edge?.node.needed) node.needed = true;
      node.position = order.length;
      order.push(node);
    }
  }
  return { id, order };
}

function addGradient(run: Run, edge: Edge, grad: Tensor): void {
  const { position } = edge.node;
  const slots = run.grads[position];
  const before = slots?.[edge.index];
  const { temporaries } = run;
  if (before) {
    const sum = temporaries ? temporarySum(temporaries, before, grad) : add(before, grad);
    slots![edge.index] = sum;
    temporaries?.hold(sum);
    temporaries?.drop(before);
    return;
  }
  temporaries?.hold(grad);
  grad.storage.uses++;
  if (slots) slots[edge.index] = grad;
  else if (edge.index === 0) run.grads[position] = [grad];
  else {
    const sparse: Tensor[] = [];
    sparse[edge.index] = grad;
    run.grads[position] = sparse;
  }
}

// Apart from their callers, as `large` of `memory/allocate.ts` says.
const temporarySum = (temporaries: Temporaries, a: Tensor, b: Tensor): Tensor => temporaries.run(() => add(a, b));

function addInPlace(temporaries: Temporaries, to: Tensor, grad: Tensor): void {
  temporaries.run(() => to.add_(grad));
}

function runHooks(hooks: Iterable<GradHook>, grad: Tensor): Tensor {
  refuseRecording('a hook on a gradient runs');
  for (const hook of hooks) {
    const replaced = hook(grad);
    if (replaced == null) continue;
    if (!Tensor.is(replaced) || !sameShape(replaced.shape, grad.shape))
      throw new ShapeError(
        'registerHook',
        `a hook returns a tensor of the gradient's shape ${formatShape(grad.shape)} or nothing, got ` +
          `${Tensor.is(replaced) ? formatShape(replaced.shape) : show(replaced)}`,
      );
    if (replaced.dtype !== grad.dtype)
      throw new DTypeError(
        'registerHook',
        `a hook returns a gradient of its dtype ${grad.dtype}, got ${replaced.dtype}; convert it with to()`,
      );
    grad = replaced;
  }
  return grad;
}

/** Adds a gradient to a leaf's `.grad`. The first one is kept as it is when nobody else can hold it. */
function accumulate(node: AccumulateGrad, grad: Tensor, mayKeep: boolean, temporaries: Temporaries | null): void {
  const { leaf } = node;
  // Frozen since the forward pass.
  if (!leaf.requiresGrad) return;
  // Of an operation that promoted the leaf to another dtype.
  if (grad.dtype !== leaf.dtype) grad = grad.to(leaf.dtype);
  const before = leaf.heldGrad;
  if (temporaries === null) leaf.grad = before === null ? grad : add(before, grad);
  else if (before?.requiresGrad) leaf.grad = add(before, grad);
  else if (before !== null) addInPlace(temporaries, before, grad);
  else if (!mayKeep) leaf.grad = grad.clone();
  else {
    temporaries.give(grad);
    leaf.keepGrad(grad);
  }
  if (node.postHooks) {
    refuseRecording('a hook on a gradient runs');
    for (const hook of node.postHooks) hook(leaf);
  }
}

interface Capture {
  readonly edge: Edge;
  grad: Tensor | null;
}

function execute(
  roots: readonly Edge[],
  rootGrads: readonly Tensor[],
  captures: readonly Capture[] | null,
  { retainGraph, createGraph }: { retainGraph: boolean; createGraph: boolean },
  within = false,
): void {
  const targets = captures && new Set(captures.map((c) => c.edge.node));
  const temporaries = createGraph ? null : new Temporaries();
  const ends = within ? targets : null;
  const { id, order } = plan(roots, targets, ends);
  const run: Run = {
    id,
    order,
    grads: new Array(order.length),
    captures,
    ends,
    temporaries,
    retainGraph,
    callbacks: [],
  };
  active.push(run);
  recording.current?.wentThrough(order);
  try {
    for (let i = 0; i < roots.length; i++) {
      // The caller may hold it too.
      rootGrads[i]!.storage.uses++;
      addGradient(run, roots[i]!, inDTypeOf(roots[i]!, rootGrads[i]!));
    }
    for (let i = run.order.length - 1; i >= 0; i--) {
      const node = run.order[i]!;
      const grads = run.grads[i];
      run.grads[i] = undefined;
      if (grads === undefined) continue;
      if (node.needed) step(run, node, grads);
      if (temporaries !== null) for (let j = 0; j < grads.length; j++) if (grads[j]) temporaries.drop(grads[j]!);
      temporaries?.sweep();
    }
  } catch (error) {
    for (const { failed } of run.callbacks) failed?.();
    throw error;
  } finally {
    active.pop();
    temporaries?.end();
    // A pass inside this one's caller has moved the marks; put them back.
    const outer = active.length > 0 ? active[active.length - 1] : undefined;
    if (outer)
      outer.order.forEach((node, i) => {
        node.run = outer.id;
        node.position = i;
      });
  }
  for (const { done } of run.callbacks) done();
}

/**
 * Calls `done` once, when the backward pass under way has gone through its graph and before `backward()` returns, or `failed`
 * if the pass fails. For hooks that gather what they see, such as gradients to be sent: of nested passes it is the outermost
 * that counts. Throws where none is under way.
 *
 * ```ts
 * const x = tensor([1], { requiresGrad: true });
 * let ended = false;
 * registerHook(x, () => onBackwardEnd(() => (ended = true)));
 * x.sum().backward();
 * ended; // true
 * ```
 */
export function onBackwardEnd(done: () => void, failed?: () => void): void {
  check('onBackwardEnd', 'done', done, is.callback);
  check('onBackwardEnd', 'failed', failed, is.optional(is.callback));
  const pass = active[0];
  if (pass === undefined)
    throw new AutogradError('onBackwardEnd', 'no backward pass is under way; call it in a hook on a gradient');
  pass.callbacks.push({ done, failed });
}

/** Calls one node's rule with the gradients of its outputs, and passes on what it gives. */
function step(run: Run, node: Node, grads: (Tensor | null)[]): void {
  const { captures, ends, temporaries } = run;
  if (ends?.has(node)) {
    capture(captures!, node, grads, temporaries);
    return;
  }
  // A hook, and a rule of a user's own, may keep what they see.
  const custom = node.nodeHooks !== null || node.custom;
  if (custom || node.gradHooks !== null || node.retained !== null || captures !== null)
    showGradients(run, node, grads, custom);
  if (node instanceof AccumulateGrad) {
    const grad = grads[0]!;
    const mayKeep = grad.storage.uses === 1 && grad.viewInfo === null && grad.isContiguous && !node.gradHooks;
    if (captures === null) accumulate(node, grad, mayKeep, temporaries);
    return;
  }
  if (captures !== null && !node.edges.some((e) => e?.node.needed)) return;
  const inputs = callRule(run, node, grads, custom);
  checkAnomaly(node, inputs);
  if (!run.retainGraph) node.release();
  passOn(run, node, inputs, custom);
}

/** Shows the gradients of a node's outputs to whoever asked for them: hooks, which may replace them, `.grad`, captures. */
function showGradients({ captures, temporaries }: Run, node: Node, grads: (Tensor | null)[], custom: boolean): void {
  if (temporaries !== null && (custom || node.gradHooks || node.retained)) publish(temporaries, grads);
  if (node.gradHooks)
    for (const [index, hooks] of node.gradHooks) if (grads[index]) grads[index] = runHooks(hooks, grads[index]);
  if (node.retained)
    for (const [index, t] of node.retained) if (grads[index]) retain(t, grads[index], temporaries !== null);
  if (captures !== null) capture(captures, node, grads, temporaries);
}

/** Gives the gradients of a node's outputs to those who asked for them. */
function capture(
  captures: readonly Capture[],
  node: Node,
  grads: readonly (Tensor | null)[],
  temporaries: Temporaries | null,
): void {
  for (const c of captures) {
    if (c.edge.node !== node) continue;
    c.grad = grads[c.edge.index] ?? null;
    if (temporaries !== null) publish(temporaries, grads);
  }
}

function publish(temporaries: Temporaries, grads: readonly (Tensor | null)[]): void {
  for (const grad of grads) if (grad) temporaries.publish(grad);
}

/** Adds `grad` to the `.grad` of a tensor that is not a leaf; as a copy, where the pass is not recorded. */
function retain(t: Tensor, grad: Tensor, copy: boolean): void {
  if (t.grad !== null) t.grad = add(t.grad, grad);
  else t.grad = copy ? grad.clone() : grad;
}

/** The gradients of a node's inputs, as its rule and its hooks give them. */
function callRule({ temporaries }: Run, node: Node, grads: (Tensor | null)[], custom: boolean): Gradients {
  if (node.overwritten !== null) refuseOverwritten(node.name, node.overwritten, grads);
  let inputs: Gradients;
  const before = noteTemporaries(temporaries === null || custom ? null : temporaries.made);
  try {
    inputs = node.backward(grads[0]!, node, grads);
  } finally {
    noteTemporaries(before);
  }
  if (node.nodeHooks) {
    refuseRecording('a hook on a node runs');
    for (const hook of node.nodeHooks) inputs = (hook(inputs, grads) as typeof inputs | undefined) ?? inputs;
  }
  if (custom) checkGradients(node, inputs);
  return inputs;
}

function refuseOverwritten(name: string, writes: ReadonlyMap<number, string>, grads: readonly (Tensor | null)[]): void {
  for (const [index, write] of writes)
    if (grads[index])
      throw new AutogradError(
        'backward',
        `the result of ${name} was modified by ${write} while recording was off, so its gradient would ` +
          'ignore that write; write to a clone(), or to detach() if the write is meant to be ignored',
      );
}

/** What a user's own rule, or a hook, gave: a tensor or null for each input. */
function checkGradients({ name, edges }: Node, inputs: unknown): void {
  check(name, 'what its backward rule gives', inputs, gradients);
  const { length } = inputs as readonly unknown[];
  // Inputs behind the last one that needs a gradient need not be given one.
  if (length > edges.length || edges.slice(length).some((edge) => edge !== null))
    throw new AutogradError(
      name,
      `its backward rule gave ${length} gradients for ${edges.length} inputs; give one each, null where there is none`,
    );
}

const gradients = is.arrayOf(is.optional(is.nullable(is.tensor)));

/** Adds the gradients of a node's inputs to those of the nodes that made them. */
function passOn(run: Run, { name, edges }: Node, inputs: Gradients, custom: boolean): void {
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i]!;
    const grad = inputs[i];
    if (edge === null || grad == null) continue;
    const expected = edge.node.shapes[edge.index]!;
    if (!sameShape(grad.shape, expected))
      throw new ShapeError(
        name,
        `its backward rule gave a gradient of shape ${formatShape(grad.shape)} for input ${i} of shape ${formatShape(expected)}`,
      );
    // A hook may hold on to any of these.
    if (custom) grad.storage.uses++;
    addGradient(run, edge, inDTypeOf(edge, grad));
  }
}

/** A gradient has the dtype of what it is the gradient of, whatever the rule made of it. */
const inDTypeOf = ({ node, index }: Edge, grad: Tensor): Tensor => {
  const dtype = node.dtypeOf(index);
  return grad.dtype === dtype ? grad : to(grad, dtype);
};

/** The gradient to start from: the one given, checked, or ones for a tensor of one element. */
function startGradient(op: string, t: Tensor, gradient: Tensor | null | undefined): Tensor {
  if (gradient == null) {
    if (t.numel !== 1)
      throw new ShapeError(
        op,
        `the gradient of a tensor of shape ${formatShape(t.shape)} must be given, as it is implied for one element only; ` +
          'reduce it with sum() or mean(), or pass a gradient of its shape',
      );
    if (isComplex(t.dtype))
      throw new DTypeError(
        op,
        `the gradient of a ${t.dtype} tensor must be given, as it is implied for real ones only; a loss is real, as abs() or real() are`,
      );
    const { backend } = t.storage;
    const one = Tensor.uninitialized(t.dtype, t.shape, backend);
    backend.kernels.fill(1, one);
    closeWindows();
    return one;
  }
  if (!Tensor.is(gradient)) throw new TypeError(`${op}: a gradient is a Tensor, got ${show(gradient)}`);
  if (!sameShape(gradient.shape, t.shape))
    throw new ShapeError(
      op,
      `the gradient has shape ${formatShape(gradient.shape)}, the tensor ${formatShape(t.shape)}; they must be equal`,
    );
  if (!isFloat(gradient.dtype))
    throw new DTypeError(op, `a gradient is floating point, got ${gradient.dtype}; use .float()`);
  return gradient;
}

function rootEdge(op: string, t: Tensor): Edge {
  if (!Tensor.is(t)) throw new TypeError(`${op}: expected a Tensor, got ${show(t)}`);
  return gradEdge(t) ?? refuseUntracked(op, t);
}

function refuseUntracked(op: string, t: Tensor): never {
  throw new AutogradError(op, explainUntracked(t));
}

/** Where a hook goes: it stays, so also on a leaf that this flow has frozen. */
function hookEdge(op: string, t: Tensor): Edge {
  return Tensor.is(t) && t.isFrozenHere ? leafEdge(t) : rootEdge(op, t);
}

const tensorOrList = is.either(is.tensor, is.arrayOf(is.tensor));
const backwardOptions = {
  gradient: is.nullable(is.tensor),
  retainGraph: is.boolean,
  createGraph: is.boolean,
  inputs: tensorOrList,
};
const gradOptions = {
  gradOutputs: is.nullable(is.either(is.tensor, is.arrayOf(is.nullable(is.tensor)))),
  retainGraph: is.boolean,
  createGraph: is.boolean,
  allowUnused: is.boolean,
  materializeGrads: is.boolean,
};

/**
 * Computes the gradients of `tensor` with respect to the leaves of its graph and adds them to their `.grad`.
 * Runs with recording off, or on with `createGraph`, whatever the caller's mode.
 *
 * ```ts
 * const x = tensor([1, 2], { requiresGrad: true });
 * backward(x.square().sum());
 * x.grad; // [2, 4]
 * ```
 */
export function backward(tensor: Tensor, options: BackwardOptions | Tensor = {}, more?: undefined): void {
  if (more !== undefined)
    throw new TypeError(
      'backward: takes a gradient or options, and got more; a gradient stands among the options, as in { gradient, retainGraph: true }',
    );
  const {
    gradient,
    createGraph = false,
    retainGraph = createGraph,
    inputs,
  } = checkOptions('backward', Tensor.is(options) ? { gradient: options } : options, backwardOptions);
  const root = rootEdge('backward', tensor);
  batching.current?.refuse('backward');
  runInMode('backward', createGraph, () => {
    const start = startGradient('backward', tensor, gradient);
    let captures: Capture[] | null = null;
    const into = inputs === undefined ? null : Tensor.is(inputs) ? [inputs] : inputs;
    if (into !== null) {
      if (into.length === 0)
        throw new AutogradError('backward', 'inputs is empty; name a tensor, or leave it out for all leaves');
      captures = into.map((t) => ({ edge: rootEdge('backward', t), grad: null }));
    }
    execute([root], [start], captures, { retainGraph, createGraph });
    into?.forEach((t, i) => {
      const { grad } = captures![i]!;
      if (!grad) return;
      const own = grad.dtype !== t.dtype ? grad.to(t.dtype) : createGraph ? grad : grad.clone();
      t.grad = t.grad === null ? own : add(t.grad, own);
    });
  });
}

/**
 * The gradients of the sum of `outputs` with respect to `inputs`; `.grad` of no tensor changes.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * grad(x.square(), x); // [6]
 * ```
 */
export function grad(outputs: Tensor | readonly Tensor[], inputs: Tensor, options?: GradOptions): Tensor;
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions & { allowUnused: true; materializeGrads?: false },
): (Tensor | null)[];
export function grad(outputs: Tensor | readonly Tensor[], inputs: readonly Tensor[], options?: GradOptions): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): Tensor | null | (Tensor | null)[] {
  const known = checkOptions('grad', options, gradOptions);
  const { createGraph = false, retainGraph = createGraph, materializeGrads = false } = known;
  const { allowUnused = materializeGrads } = known;
  check('grad', 'outputs', outputs, tensorOrList);
  check('grad', 'inputs', inputs, tensorOrList);
  const outs = Tensor.is(outputs) ? [outputs] : outputs;
  const ins = Tensor.is(inputs) ? [inputs] : inputs;
  const given = Tensor.is(options.gradOutputs) ? [options.gradOutputs] : (options.gradOutputs ?? []);
  if (options.gradOutputs != null && given.length !== outs.length)
    throw new ShapeError(
      'grad',
      `${given.length} gradOutputs for ${outs.length} outputs; give one each (null for ones)`,
    );
  const roots = outs.map((t) => rootEdge('grad', t));
  const starts = runInMode('backward', false, () => outs.map((t, i) => startGradient('grad', t, given[i])));
  const captures = ins.map((t) => ({ edge: rootEdge('grad', t), grad: null as Tensor | null }));
  runInMode('backward', createGraph, () => {
    execute(roots, starts, captures, { retainGraph, createGraph });
  });
  const result = captures.map(({ grad }, i) => {
    if (grad !== null || (allowUnused && !materializeGrads)) return grad;
    if (materializeGrads) return Tensor.zeros(ins[i]!.dtype, ins[i]!.shape, ins[i]!.storage.backend);
    throw new AutogradError(
      'grad',
      `input ${i} of shape ${formatShape(ins[i]!.shape)} was not used to compute the outputs; pass allowUnused: true to get null for it`,
    );
  });
  return Tensor.is(inputs) ? result[0]! : result;
}

/**
 * The gradients at `ends` of a graph that begins there, given those at `roots`, which may be among them; null where there is none.
 * For functions that record a graph of their own, which is kept: to the graph around it they are one node.
 */
export function gradientsWithin(
  roots: readonly Edge[],
  starts: readonly Tensor[],
  ends: readonly Edge[],
  createGraph: boolean,
): (Tensor | null)[] {
  const captures = ends.map((edge) => ({ edge, grad: null as Tensor | null }));
  runInMode('backward', createGraph, () => execute(roots, starts, captures, { retainGraph: true, createGraph }, true));
  return captures.map(({ grad }) => grad);
}

/**
 * Calls `hook` with the gradient of `tensor` whenever one is computed; what it returns replaces the gradient.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * registerHook(x, (g) => g.mul(10));
 * x.square().sum().backward();
 * x.grad; // [60]
 * ```
 */
export function registerHook(tensor: Tensor, hook: GradHook): { remove(): void } {
  const { node, index } = hookEdge('registerHook', tensor);
  check('registerHook', 'the hook', hook, is.callback);
  node.gradHooks ??= new Map();
  let hooks = node.gradHooks.get(index);
  if (!hooks) {
    hooks = new Set();
    node.gradHooks.set(index, hooks);
  }
  return removable(hooks, hook);
}

/**
 * Keeps the gradient of a tensor that is not a leaf in its `.grad` as well.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * const y = x.mul(2);
 * retainGrad(y);
 * y.square().sum().backward();
 * y.grad; // [12]
 * ```
 */
export function retainGrad(tensor: Tensor): void {
  const { node, index } = rootEdge('retainGrad', tensor);
  if (tensor.isLeaf) return;
  node.retained ??= new Map();
  node.retained.set(index, tensor);
}

/**
 * Calls `hook` with the leaf after a gradient has been added to its `.grad`.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * registerPostAccumulateGradHook(x, (leaf) => noGrad.run(() => void leaf.sub_(leaf.grad!)));
 * x.square().sum().backward();
 * x; // [-3]
 * ```
 */
export function registerPostAccumulateGradHook(leaf: Tensor, hook: (leaf: Tensor) => void): { remove(): void } {
  const { node } = hookEdge('registerPostAccumulateGradHook', leaf);
  check('registerPostAccumulateGradHook', 'the hook', hook, is.callback);
  if (!(node instanceof AccumulateGrad))
    throw new AutogradError(
      'registerPostAccumulateGradHook',
      `gradients accumulate in leaves only, this tensor was computed by ${node.name}`,
    );
  node.postHooks ??= new Set();
  return removable(node.postHooks, hook);
}

const plain = { backward, registerHook, retainGrad, registerPostAccumulateGradHook };
methods(plain, { runOthers: true });

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
