import { equal, noGrad, Tensor, TensorError } from '@gradgate/core';
import { isInteger, show } from '@gradgate/core/internal';
import { className, join, membersOf, registryOf, stateName } from './members.js';
import type { Module, StateDict } from './module.js';
import { Buffer, Parameter } from './parameter.js';
import { refusePromise } from './promise.js';
import { shapeText } from './shapeText.js';

/** A module and its position in a state dict: `prefix` ends in a dot, or is empty. */
interface Place {
  readonly module: Module;
  readonly path: string;
  readonly prefix: string;
}

/**
 * A module and everything below it, a shared module under each of its names; references back to a parent are left out.
 */
function* places(module: Module, path = '', prefix = '', above: readonly Module[] = []): Generator<Place> {
  yield { module, path, prefix };
  const inside = [...above, module];
  for (const [name, child] of module.namedChildren())
    if (!inside.includes(child)) yield* places(child, join(path, name), `${prefix}${stateName(module, name)}.`, inside);
}

/** A tensor of a module, and the other names that it may be given under. */
interface Entry {
  readonly tensor: Parameter | Buffer;
  readonly otherNames: readonly string[];
}

/** Parameters and buffers by their names in the state dict. */
function* allEntries(root: Module): Generator<[key: string, Entry]> {
  for (const { module, path, prefix } of places(root))
    for (const [name, member] of membersOf(module)) {
      if (!(member instanceof Parameter || member instanceof Buffer)) continue;
      const own = stateName(module, name);
      const aliases = registryOf(module).aliases?.get(own) ?? [];
      const otherNames = [join(path, name), ...aliases.map((alias) => prefix + alias)];
      yield [prefix + own, { tensor: member, otherNames }];
    }
}

/** What is saved: parameters and persistent buffers. */
function entriesOf(root: Module): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const [key, entry] of allEntries(root)) {
    if (entry.tensor instanceof Buffer && !entry.tensor.persistent) continue;
    if (entries.has(key))
      throw new TypeError(
        `${className(root)}: two members are saved as '${key}'; rename the field of '${entry.otherNames[0]}'`,
      );
    entries.set(key, entry);
  }
  return entries;
}

/**
 * Parameters and buffers by every name that they may be given under: those of fields, of the state dict, and aliases.
 */
export function tensorsByAnyName(root: Module): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const entries = [...allEntries(root)];
  // The names of fields come last: they hold where a name is two things.
  for (const [key, { tensor }] of entries) found.set(key, tensor);
  for (const [, { tensor, otherNames }] of entries) for (const name of otherNames) found.set(name, tensor);
  return found;
}

function runHooks(root: Module, kind: 'stateDict' | 'loadStateDict', state: StateDict): void {
  for (const { module, prefix } of places(root))
    for (const hook of registryOf(module).hooks?.[kind] ?? [])
      refusePromise(`${kind}: a hook`, hook(module, state, prefix));
}

/** See `Module.stateDict`. */
export function stateOf(root: Module): StateDict {
  const state: StateDict = {};
  for (const [key, { tensor }] of entriesOf(root)) state[key] = tensor.detach();
  runHooks(root, 'stateDict', state);
  return state;
}

/** See `Module.loadStateDict`. */
export function loadState(
  root: Module,
  given: StateDict,
  strict: boolean,
): { missingKeys: string[]; unexpectedKeys: string[] } {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`loadStateDict: takes an object of tensors by name, got ${show(given)}`);
  const state = { ...given };
  runHooks(root, 'loadStateDict', state);
  const own = entriesOf(root);
  for (const [key, { otherNames }] of own) rename(state, key, otherNames, own);
  const shared = [...own].filter(([key]) => Object.hasOwn(state, key));
  // A tensor under several names needs to be given under one.
  const found = new Set(shared.map(([, { tensor }]) => tensor));
  const missingKeys = [...own].filter(([, { tensor }]) => !found.has(tensor)).map(([key]) => key);
  const unexpectedKeys = Object.keys(state).filter((key) => !own.has(key));
  const problems: string[] = [];
  if (strict && missingKeys.length > 0) problems.push(`missing keys: ${missingKeys.join(', ')}`);
  if (strict && unexpectedKeys.length > 0) problems.push(`unexpected keys: ${unexpectedKeys.join(', ')}`);
  const advise = problems.length > 0;
  for (const [key, { tensor }] of shared) {
    const problem = misfit(tensor, state[key]);
    if (problem !== null) problems.push(`${key} ${problem}`);
  }
  if (problems.length > 0)
    throw new TensorError(
      'loadStateDict',
      `${className(root)} was left as it is:\n  ${problems.join('\n  ')}` +
        (advise ? '\n  pass strict: false to load only the keys that match' : ''),
    );
  noGrad.run(() => {
    for (const [key, { tensor }] of shared) tensor.copy_(state[key]!);
  });
  return { missingKeys, unexpectedKeys };
}

/** Moves a value that is given under another name of `key` to `key`. */
function rename(state: StateDict, key: string, otherNames: readonly string[], own: ReadonlyMap<string, Entry>): void {
  if (Object.hasOwn(state, key)) return;
  const other = otherNames.find((name) => Object.hasOwn(state, name) && !own.has(name));
  if (other === undefined) return;
  state[key] = state[other]!;
  delete state[other];
}

function misfit(to: Tensor, from: unknown): string | null {
  if (!Tensor.is(from)) return `must be a Tensor, got ${show(from)}`;
  if (to.shape.join() !== from.shape.join()) return `has shape ${shapeText(from)}, the module's is ${shapeText(to)}`;
  // PyTorch's counters have 64 bits.
  if (to.dtype === from.dtype) return null;
  if (isInteger(to.dtype) && isInteger(from.dtype))
    return equal(from.detach().to(to.dtype).to(from.dtype), from.detach())
      ? null
      : `has values that the module's ${to.dtype} does not hold`;
  return `is ${from.dtype}, the module's is ${to.dtype}; convert it with to()`;
}
