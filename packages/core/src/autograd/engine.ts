import { check, show } from '../check.js';
import { AutogradError, DTypeError, ShapeError } from '../errors.js';
import { AccumulateGrad, type Edge, type GradHook, type Gradients, type Node } from '../graph/node.js';
import { Temporaries } from '../graph/temporaries.js';
import { recording, refuseRecording } from '../memory/recording.js';
import { formatShape, sameShape } from '../memory/shape.js';
import { noteTemporaries } from '../memory/storage.js';
import { to } from '../ops/copy.js';
import { add } from '../ops/elementwise.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { checkAnomaly } from './anomaly.js';

/** A pass under way. Passes nest when a rule or a hook calls backward itself. */
interface Run {
  readonly id: number;
  /** The nodes in an order in which each comes after those it passes gradients to: gone through from the end. */
  readonly order: readonly Node[];
  /** Gradients of each node's outputs, summed so far. */
  readonly grads: ((Tensor | null)[] | undefined)[];
  /** What gets the gradients, rather than all leaves. */
  readonly captures: Captures | null;
  /** Nodes of another graph, to which this pass only gives gradients. */
  readonly ends: Captures | null;
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

function enter(node: Node, id: number, targets: Captures | null): void {
  if (node.run === id) return;
  node.run = id;
  node.needed = targets === null || targets.has(node);
  stack.push(node);
  nextEdge.push(0);
}

/**
 * All nodes reachable from `roots`, and not through `ends`, consumers last. With `targets`, marks the nodes on the way
 * to one as needed.
 */
function plan(roots: readonly Edge[], targets: Captures | null, ends: Run['ends']): Pick<Run, 'id' | 'order'> {
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
        `a hook must return a tensor of the gradient's shape ${formatShape(grad.shape)} or nothing, got ` +
          `${Tensor.is(replaced) ? formatShape(replaced.shape) : show(replaced)}`,
      );
    if (replaced.dtype !== grad.dtype)
      throw new DTypeError(
        'registerHook',
        `a hook must return a gradient of the dtype ${grad.dtype}, got ${replaced.dtype}; convert it with to()`,
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

export interface Capture {
  readonly edge: Edge;
  grad: Tensor | null;
}

/** The captures by the node whose gradients they take, since thousands of inputs may be asked for. */
type Captures = ReadonlyMap<Node, readonly Capture[]>;

const byNode = (captures: readonly Capture[]): Captures => {
  const of = new Map<Node, Capture[]>();
  for (const c of captures) {
    const { node } = c.edge;
    const others = of.get(node);
    if (others) others.push(c);
    else of.set(node, [c]);
  }
  return of;
};

export function execute(
  roots: readonly Edge[],
  rootGrads: readonly Tensor[],
  captures: readonly Capture[] | null,
  { retainGraph, createGraph }: { retainGraph: boolean; createGraph: boolean },
  within = false,
): void {
  const targets = captures && byNode(captures);
  const temporaries = createGraph ? null : new Temporaries();
  const ends = within ? targets : null;
  const { id, order } = plan(roots, targets, ends);
  const run: Run = {
    id,
    order,
    grads: new Array(order.length),
    captures: targets,
    ends,
    temporaries,
    retainGraph,
    callbacks: [],
  };
  active.push(run);
  recording.current?.wentThrough(order, retainGraph);
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
 * Calls `done` once, when the backward pass under way has gone through its graph and before `backward()` returns, or
 * `failed` if the pass fails. For hooks that gather what they see, such as gradients to be sent: of nested passes it is
 * the outermost that counts. Throws where none is under way.
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

/**
 * Shows the gradients of a node's outputs to whoever asked for them: hooks, which may replace them, `.grad`, captures.
 */
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
  captures: Captures,
  node: Node,
  grads: readonly (Tensor | null)[],
  temporaries: Temporaries | null,
): void {
  for (const c of captures.get(node) ?? []) {
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
  check(name, 'the result of its backward rule', inputs, gradients);
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
