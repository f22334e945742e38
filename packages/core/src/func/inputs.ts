import { check, checkOptions, type Schema, show } from '../check.js';
import { AutogradError, inNameOf } from '../errors.js';
import { enableGrad, isGradEnabled } from '../grad/index.js';
import { gradEdge, type Node, record } from '../graph/node.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { type Flat, flatten, tensorsOf } from './trees.js';

/** The arguments to differentiate with respect to: the first by default. */
export type ArgNums = number | readonly number[];

/** The arguments that `argnums` chooses: one, or an array of them. */
export type Chosen<A extends readonly unknown[], N> = N extends number
  ? A[N]
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: A[N[K] & number] }
    : A[0];

export const argnumsKind = is.either(is.integer, is.arrayOf(is.integer));

/** A function's value as a graph of its own. */
export interface Recorded {
  /** What `fn` was called with in the place of the chosen tensors. */
  readonly inputs: readonly Tensor[];
  /** Puts values into the places of the inputs: one argument, or an array of them, as `argnums` says. */
  rebuild(values: readonly unknown[]): unknown;
  readonly outputs: Flat<Tensor>;
  readonly aux: unknown;
  /** Whether derivatives of what is computed may be asked for by the code around: whether the graph goes on there. */
  readonly isOpen: boolean;
}

/** Calls `fn` with recording on, whatever the mode around it; what it switches off itself stays off. */
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
    throw new TypeError(`${op}: with hasAux the function returns [output, aux], got ${show(result)}`);
  const [output, aux] = hasAux ? (result as [unknown, unknown]) : [result, undefined];
  const outputs = tensorsOf(op, 'the result of the function', output);
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
    aux: isOpen ? aux : detached(aux),
    isOpen,
  };
}

function placeOf(op: string, n: number, args: readonly unknown[]): number {
  const at = n < 0 ? n + args.length : n;
  if (!(at >= 0 && at < args.length))
    throw new RangeError(`${op}: argnums names argument ${n}, and the function was called with ${args.length}`);
  return at;
}

/** The tensor to differentiate with respect to: it stands apart from others that are made of the same values. */
function inputOf(op: string, t: Tensor): Tensor {
  try {
    const own = t.detach();
    return t.requiresGrad && isGradEnabled() ? record(op, [t], own, (g) => [g]) : own.requiresGrad_();
  } catch (error) {
    throw inNameOf(op, error);
  }
}

/** The tensors in a value, without the graph. */
export function detached(value: unknown): unknown {
  const { leaves, rebuild } = flatten(value);
  return rebuild(leaves.map((leaf) => (Tensor.is(leaf) ? leaf.detach() : leaf)));
}

/** Whether the graph of `outputs` begins at anything but these inputs. */
function goesOn(outputs: readonly Tensor[], inputs: readonly Tensor[]): boolean {
  const own = new Set(inputs.map((t) => gradEdge(t)!.node));
  const seen = new Set<Node>();
  const waiting = outputs.flatMap((t) => gradEdge(t)?.node ?? []);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const before = node.edges.flatMap((edge) => edge?.node ?? []);
    if (before.length === 0 && !own.has(node)) return true;
    waiting.push(...before);
  }
  return false;
}

/** Checks a function and its options, which are the same for all calls. */
export function checkTransform<O extends object>(op: string, fn: unknown, options: O | undefined, known: Schema<O>): O {
  check(op, 'the function', fn, is.callback);
  return checkOptions(op, options, known);
}

/** Directions, or gradients, in the structure and of the shapes of `like`. */
export function alike(op: string, what: string, given: unknown, like: Flat<Tensor>): Tensor[] {
  const { leaves } = tensorsOf(op, what, given);
  const shapes = (tensors: readonly Tensor[]) => tensors.map((t) => `${t.dtype} [${t.shape.join(', ')}]`).join(' and ');
  if (shapes(leaves) !== shapes(like.leaves))
    throw new AutogradError(op, `${what} is ${shapes(like.leaves)}, got ${shapes(leaves)}`);
  return leaves;
}
