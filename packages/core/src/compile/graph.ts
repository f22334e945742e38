import { gradientsWithin } from '../autograd/backward.js';
import { defineFunction } from '../autograd/function.js';
import { AccumulateGrad, gradEdge, leafEdge, type Node } from '../graph/node.js';
import { Tensor } from '../tensor/tensor.js';
import { wholeOf } from './memory.js';
import { Plan } from './plan.js';
import { Recording } from './recorder.js';
import { tensorsOf } from './results.js';

/** The results of a call that have a graph which a backward pass can go through. */
export const resultsWithGraph = ({ used }: Recording, result: unknown, args: readonly Tensor[]): Tensor[] =>
  tensorsOf(result).filter((t) => t.gradFn !== null && !args.includes(t) && !used.has(t.gradFn));

/**
 * A call whose results have a graph, as two plans: one for the call itself, and one for a backward pass from its
 * results to its arguments and to leaves. To graphs around it, a replay is one operation, which saves what the second
 * plan reads.
 */
export class GraphPlan {
  private readonly forward: Plan;
  private readonly backward: Plan;
  /** What gets gradients: a leaf, or the number of an argument. */
  private readonly inputs: readonly (Tensor | number)[];
  /** The numbers of arguments that the backward pass reads. */
  private readonly reads: readonly number[];
  /** How many results of the first plan are for the second one alone. */
  private readonly kept: number;
  private readonly others: readonly Tensor[];
  private readonly apply: (call: { args: readonly Tensor[]; result: unknown }, ...inputs: Tensor[]) => Tensor[];

  private constructor(
    name: string,
    recording: Recording,
    args: readonly Tensor[],
    result: unknown,
    outs: readonly Tensor[],
    inputs: readonly Tensor[],
    pass: BackwardPass,
  ) {
    const { recording: back, starts, grads } = pass;
    const kept = [...back.foreign.keys()].filter((storage) => recording.made.has(storage));
    const tensors = kept.map((storage) => wholeOf(storage, recording.made.get(storage)!));
    this.kept = kept.length;
    this.forward = new Plan(recording, args, [result, outs, ...tensors]);
    this.backward = new Plan(back, [...starts, ...tensors, ...args], grads);
    this.inputs = inputs.map((t) => (args.includes(t) ? args.indexOf(t) : t));
    this.reads = args.flatMap((t, i) => (back.foreign.has(t.storage) || grads.includes(t) ? [i] : []));
    const storages = new Set([...kept, ...args.map(({ storage }) => storage)]);
    this.others = [...back.seen].filter(({ storage }) => !storages.has(storage));
    this.apply = defineFunction({
      name,
      onceDifferentiable: true,
      forward: (ctx, call, ..._inputs: Tensor[]) => {
        const [value, outs, ...saved] = this.forward.replay(call.args) as [unknown, Tensor[], ...Tensor[]];
        call.result = value;
        // With the others, a write to them between the passes is found.
        ctx.saveForBackward(...saved, ...this.reads.map((i) => call.args[i]!), ...this.others);
        return outs;
      },
      backward: (ctx, ...given) => {
        const saved = ctx.savedTensors;
        const read: Tensor[] = [];
        for (const [k, i] of this.reads.entries()) read[i] = saved[this.kept + k]!;
        const starts = given.map((g) => g!.contiguous());
        const grads = this.backward.replay([...starts, ...saved.slice(0, this.kept), ...read]);
        return [null, ...(grads as (Tensor | null)[])];
      },
    });
  }

  /** Refuses the recording, and gives null, where there can be no plan. `nodes` are those of the call's own graph. */
  static of(
    name: string,
    recording: Recording,
    nodes: ReadonlySet<Node>,
    args: readonly Tensor[],
    result: unknown,
    outs: readonly Tensor[],
  ): GraphPlan | null {
    const inputs = inputsOf(recording, nodes, args, outs);
    const pass = inputs === null ? null : recordBackward(recording, outs, inputs);
    return pass && new GraphPlan(name, recording, args, result, outs, inputs!, pass);
  }

  get running(): boolean {
    return this.forward.running || this.backward.running;
  }

  get kernels(): Record<string, number> {
    const all = { ...this.forward.kernels };
    for (const [name, count] of Object.entries(this.backward.kernels)) all[name] = (all[name] ?? 0) + count;
    return all;
  }

  get actions(): number {
    return this.forward.actions + this.backward.actions;
  }

  get chains(): string[][] {
    return [...this.forward.chains, ...this.backward.chains];
  }

  get bytes(): number {
    return this.forward.bytes + this.backward.bytes;
  }

  get unshared(): number {
    return this.forward.unshared + this.backward.unshared;
  }

  replay(args: readonly Tensor[]): unknown {
    const call = { args, result: undefined as unknown };
    this.apply(call, ...this.inputs.map((input) => (typeof input === 'number' ? args[input]! : input)));
    return call.result;
  }
}

/**
 * The arguments and leaves that the graph of `outs` leads to; null where the graph, or a hook on it, cannot be
 * replayed.
 */
function inputsOf(
  recording: Recording,
  nodes: ReadonlySet<Node>,
  args: readonly Tensor[],
  outs: readonly Tensor[],
): Tensor[] | null {
  const edges = args.map((t) => gradEdge(t));
  const inputs = new Set<Tensor>();
  const seen = new Set<Node>();
  const left = outs.map((t) => gradEdge(t)!);
  if (!outs.every(({ storage }) => recording.made.has(storage)))
    return recording.refuse('it returns a view of memory from elsewhere, with a graph');
  for (let edge = left.pop(); edge !== undefined; edge = left.pop()) {
    const { node, index } = edge;
    const at = edges.findIndex((other) => other !== null && other.node === node && other.index === index);
    if (at >= 0) inputs.add(args[at]!);
    else if (node instanceof AccumulateGrad) {
      if (recording.made.has(node.leaf.storage))
        return recording.refuse('a leaf is made inside, which the results have a graph to');
      inputs.add(node.leaf);
    } else if (!nodes.has(node))
      return recording.refuse('its graph goes on through the graph of a tensor from elsewhere');
    else if (node.gradHooks !== null || node.nodeHooks !== null || node.retained !== null)
      return recording.refuse('there is a hook on its graph, or a gradient to be kept by retainGrad');
    else if (!seen.has(node)) {
      seen.add(node);
      for (const next of node.edges) if (next !== null) left.push(next);
    }
  }
  return [...inputs];
}

interface BackwardPass {
  readonly recording: Recording;
  /** The gradients that it begins with. */
  readonly starts: readonly Tensor[];
  readonly grads: readonly (Tensor | null)[];
}

/** Goes through the graph of a call once more than the program does, to record the kernels of a backward pass. */
function recordBackward(recording: Recording, outs: readonly Tensor[], inputs: readonly Tensor[]): BackwardPass | null {
  const starts = outs.map(({ dtype, shape, storage }) => Tensor.zeros(dtype, shape, storage.backend));
  const back = new Recording([]);
  try {
    const [from, to] = [outs.map((t) => gradEdge(t)!), inputs.map((t) => gradEdge(t) ?? leafEdge(t))];
    const grads = back.run(() => gradientsWithin(from, starts, to, false));
    if (back.asked.length > 0) back.refuse('a gate in its backward pass has a condition');
    if (back.broken === null) return { recording: back, starts, grads };
    return recording.refuse(`in its backward pass ${back.broken.why}`);
  } catch (error) {
    return recording.refuse(`its backward pass fails: ${(error as Error).message}`);
  }
}
