import { noGrad, Tensor } from '@gradgate/core';
import { type Schema, show } from '@gradgate/core/internal';
import { snapshot } from '../copy.js';
import { snakeCase } from '../members.js';
import { shapeText } from '../shapeText.js';
import type { MemoryKinds } from './optimizer.js';

/** The result of an optimizer's `stateDict`, under PyTorch's names. */
export interface OptimizerState {
  /** The memory of each parameter, by its number. */
  state: Record<number, Record<string, Tensor | number | readonly (Tensor | number)[]>>;
  /** The options of each group, with the numbers of its parameters. */
  param_groups: ({ params: number[] } & Record<string, unknown>)[];
}

type Groups = readonly { readonly params: readonly Tensor[] }[];
type Named = Record<string, unknown>;

/** The same values, with keys as PyTorch spells them. */
const inSnakeCase = (object: object): Named =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [snakeCase(key), value]));

/** The state of groups of parameters and of the memory of each parameter. */
export function writeState(groups: Groups, memory: ReadonlyMap<Tensor, object>): OptimizerState {
  const state: OptimizerState['state'] = {};
  const params = groups.flatMap((g) => g.params);
  params.forEach((p, i) => {
    const own = memory.get(p);
    if (own) state[i] = snapshot(inSnakeCase(own)) as OptimizerState['state'][number];
  });
  return {
    state,
    param_groups: groups.map(({ params: own, ...options }) => ({
      ...inSnakeCase(structuredClone(options)),
      params: own.map((p) => params.indexOf(p)),
    })),
  };
}

/**
 * What PyTorch keeps in groups beside the options of an optimizer: the choice of an implementation, which does not
 * change results, and the bounds of its `OneCycleLR`, `CyclicLR` and `SWALR`, which ours have from their constructors.
 */
const ignoredOptions = [
  ...['foreach', 'capturable', 'differentiable', 'fused', 'decoupled_weight_decay'],
  ...['max_lr', 'min_lr', 'max_momentum', 'base_momentum', 'swa_lr'],
];

/** Names in the memory that files of earlier versions spell differently. */
const formerNames: Record<string, string> = { expInf: 'expAvgSq' };

/** A checked state: the options of each group and the memory of each parameter. */
interface CheckedState {
  readonly options: readonly Named[];
  readonly memory: ReadonlyMap<Tensor, Named>;
}

/** Checks a whole state; returns copies of what will be loaded. */
export function readState(
  name: string,
  given: unknown,
  groups: Groups,
  known: Schema<any>,
  memoryOf: (group: object, p: Tensor) => MemoryKinds | null,
): CheckedState {
  const refuse = (message: string): never => {
    throw new TypeError(`${name}.loadStateDict: ${message}`);
  };
  if (!isNamed(given)) return refuse(`takes a state from stateDict(), got ${show(given)}`);
  const saved = given['param_groups'] ?? given['paramGroups'];
  const sizes = (list: readonly unknown[]) =>
    list.map((g) => (isNamed(g) && Array.isArray(g['params']) ? g['params'].length : show(g))).join(', ');
  const lists = Array.isArray(saved) ? saved : [];
  if (!Array.isArray(saved) || sizes(lists) !== sizes(groups))
    return refuse(`groups of ${sizes(lists) || 'no'} parameters do not fit those of ${sizes(groups)}`);
  const problems: string[] = [];
  const options = lists.map((group: Named, i) => readOptions(group, known, `group ${i}: `, problems));
  const memory = new Map<Tensor, Named>();
  const params = groups.flatMap((g, i) => g.params.map((p) => ({ p, group: { ...g, ...options[i] } })));
  const numbers = lists.flatMap((g: Named) => g['params'] as unknown[]);
  const { state = {} } = given;
  if (!isNamed(state)) return refuse(`state must be an object, got ${show(state)}`);
  for (const [number, value] of Object.entries(state)) {
    const found = params[numbers.findIndex((n) => String(n) === number)];
    const where = `parameter ${number}`;
    if (found === undefined) problems.push(`${where} is in no group`);
    else if (!isNamed(value)) problems.push(`the state of ${where} must be an object, got ${show(value)}`);
    else memory.set(found.p, readMemory(value, found.p, memoryOf(found.group, found.p), where, problems));
  }
  if (problems.length > 0) return refuse(`left as it was:\n  ${problems.join('\n  ')}`);
  return { options, memory };
}

const isNamed = (value: unknown): value is Named =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Tensor.is(value);

/** The key for a name, which is spelled as the key or as in PyTorch. */
const keyOf = (name: string, keys: readonly string[]): string | undefined =>
  keys.find((key) => key === name || snakeCase(key) === name);

function readOptions(group: Named, known: Schema<any>, where: string, problems: string[]): Named {
  const options: Named = {};
  const keys = Object.keys(known);
  for (const [name, value] of Object.entries(group)) {
    if (name === 'params' || ignoredOptions.includes(name)) continue;
    const key = keyOf(name, [...keys, 'initialLr']);
    const kind = key === 'initialLr' ? known['lr'] : key === undefined ? undefined : known[key];
    if (key === undefined || kind === undefined) problems.push(`${where}there is no option '${name}'`);
    else if (!kind.is(value)) problems.push(`${where}${name} must be ${kind.text}, got ${show(value)}`);
    else options[key] = Array.isArray(value) ? [...value] : value;
  }
  if (!('lr' in options) && !('lr' in group)) problems.push(`${where}lr is missing`);
  return options;
}

function readMemory(given: Named, p: Tensor, kinds: MemoryKinds | null, where: string, problems: string[]): Named {
  const memory: Named = {};
  const keys = Object.keys(kinds ?? given);
  for (const [name, value] of Object.entries(given)) {
    // PyTorch writes null for values that do not exist yet, and counts steps also where the rule does not.
    if (value === null || (name === 'step' && !keys.includes('step'))) continue;
    const key = keyOf(name, keys) ?? keys.find((k) => keyOf(name, [formerNames[k] ?? '']) !== undefined);
    if (key === undefined) {
      problems.push(`${where}: nothing is remembered as '${name}'`);
      continue;
    }
    const [read, problem] = readValue(value, p, kinds?.[key] ?? (Tensor.is(value) ? 'tensor' : 'number'));
    if (problem !== null) problems.push(`${where}: ${name} ${problem}`);
    memory[key] = read;
  }
  const missing = kinds === null || Object.keys(given).length === 0 ? [] : keys.filter((key) => !(key in memory));
  if (missing.length > 0) problems.push(`${where}: ${missing.map(snakeCase).join(', ')} is missing`);
  return memory;
}

/** Reads a value of the memory; returns it and what is wrong with it, or null. */
function readValue(value: unknown, p: Tensor, kind: MemoryKinds[string]): [unknown, string | null] {
  if (kind === 'number') {
    const number = Tensor.is(value) && value.numel === 1 ? value.item() : value;
    return [
      number,
      typeof number === 'number' && number >= 0 ? null : `must be a number from 0 up, got ${show(number)}`,
    ];
  }
  const wanted = kind === 'tensor' ? p.shape : kind;
  const shape = `[${wanted.join(', ')}]`;
  if (!Tensor.is(value)) return [value, `must be a tensor of shape ${shape}, got ${show(value)}`];
  if (value.shape.join() !== wanted.join())
    return [value, `has shape ${shapeText(value)}, ${kind === 'tensor' ? 'the parameter' : 'not'} ${shape}`];
  if (value.dtype !== p.dtype) return [value, `is ${value.dtype}, the parameter ${p.dtype}; convert it with to()`];
  const own = value.detach();
  return [noGrad.run(() => (own.device === p.device ? own.clone() : own.to(p.device))), null];
}
