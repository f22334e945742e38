import { isPlain, show } from '../check.js';
import { isThenable } from '../grad/cover.js';
import { Tensor } from '../tensor/tensor.js';

/** Tensors in arrays and plain objects, nested to any depth. */
export type Tree = Tensor | readonly Tree[] | { readonly [name: string]: Tree };

/** The leaves of a tree in order, and a function that rebuilds the tree from other leaves. */
export interface Flat<L> {
  readonly leaves: L[];
  rebuild(leaves: readonly unknown[]): unknown;
}

/** The children of an array or a plain object; null for everything else. */
export const entriesOf = (value: unknown): [key: string | number, item: unknown][] | null =>
  Array.isArray(value) ? [...value.entries()] : isPlain(value) ? Object.entries(value) : null;

/** What is nested deeper most likely contains itself. */
const maxDepth = 500;

/** The leaves: all that is neither an array nor a plain object. */
export function flatten(op: string, tree: unknown, depth = 0): Flat<unknown> {
  const entries = entriesOf(tree);
  if (entries === null) return { leaves: [tree], rebuild: ([leaf]) => leaf };
  if (depth === maxDepth)
    throw new TypeError(
      `${op}: arrays and objects are nested deeper than ${maxDepth} levels; does one contain itself?`,
    );
  const parts = entries.map(([key, item]) => ({ key, part: flatten(op, item, depth + 1) }));
  return {
    leaves: parts.flatMap(({ part }) => part.leaves),
    rebuild(leaves) {
      let at = 0;
      const items = parts.map(({ key, part }) => {
        const item = part.rebuild(leaves.slice(at, at + part.leaves.length));
        at += part.leaves.length;
        return [key, item] as const;
      });
      return Array.isArray(tree) ? items.map(([, item]) => item) : Object.fromEntries(items);
    },
  };
}

/** The tensors of a tree; refuses other leaves. `what` begins the message, as in "the result". */
export function tensorsOf(op: string, what: string, tree: unknown): Flat<Tensor> {
  const flat = flatten(op, tree);
  for (const leaf of flat.leaves)
    if (!Tensor.is(leaf)) throw new TypeError(`${op}: ${what} must consist of Tensors, got ${showLeaf(leaf)}`);
  return flat as Flat<Tensor>;
}

const showLeaf = (leaf: unknown): string =>
  isThenable(leaf) ? 'a promise; the function has to be synchronous, so await before it' : show(leaf);

/**
 * A value for each leaf of `tree`. `given` is one value for all leaves, or an array or object with the tree's structure
 * whose branches may end earlier. Whatever is neither an array nor a plain object is a value.
 */
export function spread(op: string, what: string, given: unknown, tree: unknown): unknown[] {
  const { leaves } = flatten(op, tree);
  const own = entriesOf(given);
  if (own === null) return leaves.map(() => given);
  const entries = entriesOf(tree);
  const names = own.map(([key]) => key).join();
  if (entries === null || names !== entries.map(([key]) => key).join())
    throw new TypeError(
      `${op}: ${what} has ${entriesInWords(own)} where there ${entries === null ? `is ${show(tree)}` : `are ${entriesInWords(entries)}`}; ` +
        'give one value for all, or one in each place',
    );
  return entries.flatMap(([, item], i) => spread(op, what, own[i]![1], item));
}

const entriesInWords = (entries: readonly [string | number, unknown][]): string =>
  entries.every(([key]) => typeof key === 'number')
    ? `${entries.length} items`
    : `the names ${entries.map(([key]) => key).join(', ')}`;
