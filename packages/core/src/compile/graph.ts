import { gradientsWithin } from '../autograd/backward.js';
import { defineFunction } from '../autograd/function.js';
import { AccumulateGrad, gradEdge, leafEdge, type Node } from '../graph/node.js';
import { Tensor } from '../tensor/tensor.js';
import { wholeOf } from './memory.js';
import { Plan } from './plan.js';
import { Recording } from './recorder.js';
import type { PlanReport } from './report.js';
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
  private readonly apply: (call: { args: readonly Tensor[]; result: unknown }, ...inputs: Tensor[]) => Tensor[];

  private constructor(
    name: string,
    recording: Recording,
    args: readonly Tensor[],
    result: unknown,
    outs: readonly Tensor[],
    inputs: readonly Tensor[],
    /** Those that each of `outs` depends on. */
    reached: readonly (readonly Tensor[])[],
    pass: BackwardPass,
  ) {
    const { recording: back, starts, grads } = pass;
    const kept = [...back.foreign.keys()].filter((storage) => recording.made.has(storage));
    // Results of the first plan that are for the second one alone.
    const tensors = kept.map((storage) => wholeOf(storage, recording.made.get(storage)!));
    const count = kept.length;
    this.forward = new Plan(recording, args, [result, outs, ...tensors]);
    this.backward = new Plan(back, [...starts, ...tensors, ...args], grads);
    this.inputs = inputs.map((t) => (args.includes(t) ? args.indexOf(t) : t));
    // The arguments that the backward pass reads.
    const reads = args.flatMap((t, i) => (back.foreign.has(t.storage) || grads.includes(t) ? [i] : []));
    const storages = new Set([...kept, ...args.map(({ storage }) => storage)]);
    const reaches = inputs.map((t) => reached.map((these) => these.includes(t)));
    const others = [...back.seen].filter(({ storage }) => !storages.has(storage));
    this.apply = defineFunction({
      name,
      onceDifferentiable: true,
      forward: (ctx, call, ..._inputs: Tensor[]) => {
        ctx.materializeGrads = false;
        const [value, outs, ...saved] = this.forward.replay(call.args) as [unknown, Tensor[], ...Tensor[]];
        call.result = value;
        // With the others, a write to them between the passes is found.
        ctx.saveForBackward(...saved, ...reads.map((i) => call.args[i]!), ...others);
        return outs;
      },
      backward: (ctx, ...given) => {
        const saved = ctx.savedTensors;
        const read: Tensor[] = [];
        for (const [k, i] of reads.entries()) read[i] = saved[count + k]!;
        const begin = given.map((g, i) => g?.contiguous() ?? starts[i]!);
        const grads = this.backward.replay([...begin, ...saved.slice(0, count), ...read]) as (Tensor | null)[];
        // What only results without a gradient depend on gets none, rather than zeros.
        return [null, ...grads.map((grad, i) => (given.some((g, k) => g && reaches[i]![k]) ? grad : null))];
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
    const reached = outs.map((out) => inputsOf(recording, nodes, args, out));
    const inputs = [...new Set(reached.flat())] as Tensor[];
    const pass = reached.includes(null) ? null : recordBackward(recording, outs, inputs);
    return pass && new GraphPlan(name, recording, args, result, outs, inputs, reached as Tensor[][], pass);
  }

  get running(): boolean {
    return this.forward.running || this.backward.running;
  }

  get report(): PlanReport {
    const [a, b] = [this.forward.report, this.backward.report];
    const kernels: Record<string, number> = { ...a.kernels };
    for (const [name, count] of Object.entries(b.kernels)) kernels[name] = (kernels[name] ?? 0) + count;
    return {
      kernels,
      actions: a.actions + b.actions,
      fused: [...a.fused, ...b.fused],
      bytes: a.bytes + b.bytes,
      unshared: a.unshared + b.unshared,
    };
  }

  replay(args: readonly Tensor[]): unknown {
    const call = { args, result: undefined as unknown };
    this.apply(call, ...this.inputs.map((input) => (typeof input === 'number' ? args[input]! : input)));
    return call.result;
  }
}

/**
 * The arguments and leaves that the graph of a result leads to; null where the graph, or a hook on it, cannot be
 * replayed.
 */
function inputsOf(
  recording: Recording,
  nodes: ReadonlySet<Node>,
  args: readonly Tensor[],
  out: Tensor,
): Tensor[] | null {
  const edges = args.map((t) => gradEdge(t));
  const inputs = new Set<Tensor>();
  const seen = new Set<Node>();
  const left = [gradEdge(out)!];
  if (!recording.made.has(out.storage))
    return recording.refuse('it returns a view of memory from elsewhere, with a graph');
  for (let edge = left.pop(); edge !== undefined; edge = left.pop()) {
    const { node, index } = edge;
    const at = edges.findIndex((other) => other !== null && other.node === node && other.index === index);
    if (at >= 0) inputs.add(args[at]!);
    else if (node instanceof AccumulateGrad) {
      if (recording.made.has(node.leaf.storage)) return recording.refuse('its graph goes on to a leaf made inside');
      inputs.add(node.leaf);
    } else if (!nodes.has(node))
      return recording.refuse('its graph goes on through the graph of a tensor from elsewhere');
    else if (node.gradHooks !== null || node.nodeHooks !== null || node.retained !== null)
      return recording.refuse('there is a hook or retainGrad on its graph');
    else if (!seen.has(node)) {
      seen.add(node);
      for (const next of node.edges) if (next !== null) left.push(next);
    }
  }
  return [...inputs];
}

interface BackwardPass {
  readonly recording: Recording;
  /** The gradients that it begins with: zeros, which stand for results without a gradient later. */
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
    return recording.refuse(`in its backward pass ${(error as Error).message}`);
  }
}
