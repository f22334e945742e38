import { explainUntracked } from '../autograd/explain.js';
import { check, checkOptions, type Schema, show } from '../check.js';
import { AutogradError, inNameOf } from '../errors.js';
import { enableGrad, isGradEnabled } from '../grad/index.js';
import { gradEdge, type Node, record } from '../graph/node.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { type Flat, flatten, tensorsOf } from './trees.js';

/** The arguments to differentiate with respect to; by default the first. */
export type ArgNums = number | readonly number[];

/** The arguments that `argnums` selects: one, or an array of them. */
export type Chosen<A extends readonly unknown[], N> = N extends number
  ? A[N]
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: A[N[K] & number] }
    : A[0];

export const argnumsKind = is.either(is.integer, is.arrayOf(is.integer));

/** The value of a function with a graph of its own. */
export interface Recorded {
  /** The tensors that `fn` was called with in place of the selected ones. */
  readonly inputs: readonly Tensor[];
  /** Puts values in the positions of the inputs: one argument, or an array of them, as `argnums` says. */
  rebuild(values: readonly unknown[]): unknown;
  readonly outputs: Flat<Tensor>;
  readonly aux: unknown;
  /** Whether the surrounding code may differentiate the result, so that the graph continues outside. */
  readonly isOpen: boolean;
}

/** Calls `fn` with recording on, whatever the mode around the call; modes that `fn` sets itself are respected. */
export function recorded(
  op: string,
  fn: (...args: any[]) => unknown,
  args: readonly unknown[],
  argnums: ArgNums,
  hasAux: boolean,
): Recorded {
  const numbers = typeof argnums === 'number' ? [argnums] : argnums;
  const places = numbers.map((n) => placeOf(op, n, args));
  const flats = places.map((at) => tensorsOf(op, `argument ${at}`, args[at]));
  const inputs = flats.map(({ leaves }) => leaves.map((t) => inputOf(op, t)));
  const given = [...args];
  places.forEach((at, i) => {
    given[at] = flats[i]!.rebuild(inputs[i]!);
  });
  const result = enableGrad.run(() => fn(...given));
  if (hasAux && !(Array.isArray(result) && result.length === 2))
    throw new TypeError(`${op}: with hasAux the function must return [output, aux], got ${show(result)}`);
  const [output, aux] = hasAux ? (result as [unknown, unknown]) : [result, undefined];
  const outputs = tensorsOf(op, 'the result of the function', output);
  refuseSwitchedOff(op, outputs.leaves);
  const all = inputs.flat();
  const isOpen = isGradEnabled() && goesOn(outputs.leaves, all);
  return {
    inputs: all,
    rebuild(values) {
      let at = 0;
      const rebuilt = flats.map(({ leaves, rebuild }) => {
        at += leaves.length;
        return rebuild(values.slice(at - leaves.length, at));
      });
      return typeof argnums === 'number' ? rebuilt[0] : rebuilt;
    },
    outputs,
    aux: isOpen ? aux : detached(op, aux),
    isOpen,
  };
}

/** Refuses a result that was computed under a gate as a whole: its gradients would be zeros, in silence. */
function refuseSwitchedOff(op: string, outputs: readonly Tensor[]): void {
  const off = outputs.find((t) => t.untracked !== null && t.untracked !== 'detach');
  if (off !== undefined && !outputs.some((t) => t.requiresGrad))
    throw new AutogradError(
      op,
      `the result of the function would have gradients of zero: ${explainUntracked(off)}; take the gate out of the function, or use ` +
        'detach() on what is a constant',
    );
}

function placeOf(op: string, n: number, args: readonly unknown[]): number {
  const at = n < 0 ? n + args.length : n;
  if (!(at >= 0 && at < args.length))
    throw new RangeError(`${op}: argnums selects argument ${n}, but the function was called with ${args.length}`);
  return at;
}

/** The tensor to differentiate with respect to, separate from other tensors that share its values. */
function inputOf(op: string, t: Tensor): Tensor {
  try {
    const own = t.detach();
    return t.requiresGrad && isGradEnabled() ? record(op, [t], own, (g) => [g]) : own.requiresGrad_();
  } catch (error) {
    throw inNameOf(op, error);
  }
}

/** The tensors in a value, without the graph. */
export function detached(op: string, value: unknown): unknown {
  const { leaves, rebuild } = flatten(op, value);
  return rebuild(leaves.map((leaf) => (Tensor.is(leaf) ? leaf.detach() : leaf)));
}

/** Whether the graph of `outputs` has leaves other than these inputs. */
function goesOn(outputs: readonly Tensor[], inputs: readonly Tensor[]): boolean {
  const own = new Set(inputs.map((t) => gradEdge(t)!.node));
  const seen = new Set<Node>();
  const waiting = outputs.flatMap((t) => gradEdge(t)?.node ?? []);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const before = node.edges.flatMap((edge) => edge?.node ?? []);
    if (before.length === 0 && !own.has(node)) return true;
    for (const earlier of before) waiting.push(earlier);
  }
  return false;
}

/** Checks a function and its options, once for all calls. */
export function checkTransform<O extends object>(op: string, fn: unknown, options: O | undefined, known: Schema<O>): O {
  check(op, 'fn', fn, is.callback);
  return checkOptions(op, options, known);
}

/** Tangents or gradients with the structure and shapes of `like`. */
export function alike(op: string, what: string, given: unknown, like: Flat<Tensor>): Tensor[] {
  const { leaves } = tensorsOf(op, what, given);
  const shapes = (tensors: readonly Tensor[]) => tensors.map((t) => `${t.dtype} [${t.shape.join(', ')}]`).join(' and ');
  if (shapes(leaves) !== shapes(like.leaves))
    throw new AutogradError(op, `${what} must be ${shapes(like.leaves)}, got ${shapes(leaves)}`);
  return leaves;
}
