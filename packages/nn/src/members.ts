import { defineMode, Tensor } from '@gradgate/core';
import {
  thisCopy as coreCopy,
  isOfAnotherCopy,
  type Recorder,
  recording,
  show,
  twoCopies,
} from '@gradgate/core/internal';
import type { Hooks } from './hooks.js';
import type { Module } from './module.js';
import { Buffer, Parameter } from './parameter.js';
import { shapeText } from './shapeText.js';

// The members of a module are what its fields hold. A module is a proxy that sees each write of a field, the one place
// where a write that would lose a parameter can be refused.

/** What a module can own. */
export type Member = Module | Parameter | Buffer;
type Kind = 'Module' | 'Parameter' | 'Buffer';

/** A field that is a member, or a collection that may contain members. */
interface Field {
  readonly name: string;
  readonly value: unknown;
  readonly kind: Kind | null;
}

/** What is known of a module beyond its fields. */
export interface Registry {
  readonly module: Module;
  /** The fields themselves; reading them through the proxy takes longer. */
  readonly target: object;
  /** The class of all modules, by which copies are made. */
  readonly base: typeof Module;
  /** What each field holds or held: a field that was set to null is still that of a parameter. */
  readonly kinds: Map<string, Kind>;
  /** Null until the first hook. */
  hooks: Hooks | null;
  /** Whether it has been in a field of another module, directly or in a collection. */
  owned: boolean;
  /** Names under which other programs save a member of this module, by the name under which we do. */
  aliases: Map<string, readonly string[]> | null;
  /** Whether the program chose the names of its fields, as for ModuleDict; these are saved as they are. */
  keysAreChosen: boolean;
  /** Null after a field was written: computed anew when it is needed. */
  fields: readonly Field[] | null;
  /** Those of them that are modules, without their proxies: to be called. Null as `fields`. */
  steps: readonly Module[] | null;
  /** The `forward` that is called on the fields themselves: see `readsFields`. */
  readonly reader: Module['forward'] | null;
}

/**
 * A class whose `forward` only reads fields of `this`, and shows `this` to nobody, has it under this name: it gets the
 * target of the proxy, through which reading takes longer. What is written there would not be seen.
 */
export const readsFields: unique symbol = Symbol('readsFields');

/** The brand of the modules of this copy of the package. */
export const thisCopy: object = Object.freeze(Object.create(coreCopy));

const registries = new WeakMap<object, Registry>();

/** The registry of a module or of what inherits from one, as what a gate has wrapped does. */
function registryIn(value: object): Registry | undefined {
  for (let of: object | null = value; of !== null; of = Object.getPrototypeOf(of)) {
    const registry = registries.get(of);
    if (registry !== undefined) return registry;
  }
  return undefined;
}

/** The registry of a module. */
export function registryOf(module: Module): Registry {
  const registry = registryIn(module);
  if (registry === undefined)
    throw new TypeError('Module: this object only inherits from the class; make modules with new');
  return registry;
}

/** Whether a value is a module, or inherits from one. */
export const isModule = (value: object): value is Module => registryIn(value) !== undefined;

/** Makes `target` a module: gives the proxy through which its fields are written. */
export function asModule(target: object, base: typeof Module, reader: Module['forward'] | null): Module {
  const kinds = new Map<string, Kind>();
  const module = new Proxy(target, handler) as Module;
  const registry: Registry = {
    module,
    target,
    base,
    kinds,
    hooks: null,
    owned: false,
    aliases: null,
    keysAreChosen: false,
    fields: null,
    steps: null,
    reader,
  };
  registries.set(module, registry);
  registries.set(target, registry);
  return module;
}

const handler: ProxyHandler<object> = {
  // Assignments come here too.
  defineProperty(target, key, descriptor) {
    if (typeof key === 'string') admit(registries.get(target)!, key, descriptor);
    return Reflect.defineProperty(target, key, descriptor);
  },
  deleteProperty(target, key) {
    const registry = registries.get(target)!;
    registry.fields = registry.steps = null;
    registry.kinds.delete(String(key));
    return Reflect.deleteProperty(target, key);
  },
};

/** Tensors that replace those of modules in this flow: see `functionalCall`. */
const substitutes = defineMode<ReadonlyMap<Tensor, Tensor>>('@gradgate/nn.substitutes', new Map());

/** A gate in which modules have other tensors in place of some of theirs. */
export const substituting = substitutes.gateWith(
  'functionalCall',
  ({ outer }, tensors: ReadonlyMap<Tensor, Tensor>) => new Map([...outer, ...tensors]),
);

const reads = { substituting: false };

/**
 * Reading fields is faster without a function for it, so there is one from the first `functionalCall` on, and in
 * recordings.
 */
function setReading(): void {
  handler.get = reads.substituting || recording.current !== null ? readField : undefined;
}

recording.watchers.add(setReading);

/** From now on modules look for replacements when their fields are read. */
export function startSubstituting(): void {
  reads.substituting = true;
  setReading();
}

function readField(target: object, key: PropertyKey, receiver: unknown): unknown {
  if (recording.current !== null) noteModule(recording.current, registries.get(target)!);
  const value: unknown = Reflect.get(target, key, receiver);
  if (typeof value !== 'object' || value === null) return value;
  if (Tensor.is(value)) return substitutes.get().get(value) ?? value;
  if (!Array.isArray(value)) return value;
  const all = substitutes.get();
  return value.some((item) => all.has(item)) ? value.map((item) => all.get(item) ?? item) : value;
}

/** Tells a recording of `compile` that the call reads what a module holds. */
export function noteModule(recorder: Recorder, registry: Registry): void {
  if (!recorder.owner(registry.target)) return;
  const hooked = hasCallHooks(registry);
  recorder.condition(() =>
    hasCallHooks(registry) === hooked ? null : `the hooks of a ${registry.module.constructor.name}`,
  );
}

export const hasCallHooks = ({ hooks }: Registry): boolean =>
  hooks !== null && hooks.pre.size + hooks.post.size + hooks.backward.size > 0;

/** What `forward` is called on. */
export const receiverOf = ({ module, target, reader }: Registry, forward: Module['forward']): object =>
  forward === reader && handler.get === undefined ? target : module;

function kindOf(value: unknown): Kind | null {
  if (value instanceof Parameter) return 'Parameter';
  if (value instanceof Buffer) return 'Buffer';
  if (registries.has(value as object)) return 'Module';
  // It would be lost silently. Only tensors may come from another copy of this package.
  if (Tensor.is(value) ? /^(Parameter|Buffer)$/.test(value.constructor.name) : isOfAnotherCopy(value, thisCopy))
    throw new TypeError(`Module: a field, or a collection in one, holds something ${twoCopies}`);
  return null;
}

/** What writing a field does to the members; throws if a member would be lost. */
function admit(registry: Registry, name: string, { value, get }: PropertyDescriptor): void {
  const before = registry.kinds.get(name);
  const kind = typeof value === 'object' || typeof value === 'function' ? kindOf(value) : null;
  if (before !== undefined && kind !== before && value != null)
    throw new TypeError(lost(registry, name, before, value));
  registry.fields = registry.steps = null;
  if (get !== undefined) registry.kinds.delete(name);
  if (kind === null) return;
  if (name === '' || name.includes('.'))
    throw new TypeError(
      `${className(registry.module)}: '${name}' cannot be the name of a ${kind}; names of state are joined by dots, so no name is empty or has one`,
    );
  registry.kinds.set(name, kind);
  if (kind === 'Module') registries.get(value)!.owned = true;
}

/** The name of a module's class, for errors. */
export const className = (module: Module): string => module.constructor.name;

function lost(registry: Registry, name: string, before: Kind, value: unknown): string {
  const what = Tensor.is(value) ? `a plain Tensor of shape ${shapeText(value)}` : show(value);
  const field = `${className(registry.module)}: the field '${name}' is a ${before} and would become ${what}`;
  if (before === 'Module')
    return `${field}, and the layer would be neither saved nor trained; assign a Module or null, or delete the field first`;
  const fresh = before === 'Parameter' ? 'new Parameter(tensor)' : 'buffer(tensor)';
  return (
    `${field}, which would be ${before === 'Parameter' ? 'neither saved nor learned' : 'no longer saved'}; write to it ` +
    `with copy_() under noGrad, assign ${fresh} or null, or delete the field first`
  );
}

/** Arrays, sets, maps and plain objects: members in them are found by index or key. */
export const isCollection = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  (Array.isArray(value) ||
    value instanceof Map ||
    value instanceof Set ||
    [Object.prototype, null].includes(Object.getPrototypeOf(value)));

function fieldsOf(registry: Registry): readonly Field[] {
  if (registry.fields !== null) return registry.fields;
  const fields: Field[] = [];
  for (const [name, value] of Object.entries(registry.target)) {
    if (typeof value !== 'object' && typeof value !== 'function') continue;
    const kind = kindOf(value);
    if (kind !== null || isCollection(value)) fields.push({ name, value, kind });
  }
  registry.fields = fields;
  return fields;
}

/** The members that are a module's own fields, by name, without those in collections. */
export function* fieldMembers(module: Module): Generator<[string, Member]> {
  for (const { name, value, kind } of fieldsOf(registryOf(module))) if (kind !== null) yield [name, value as Member];
}

/** The modules that are a module's own fields, to be called. */
export function stepsOf(module: Module): readonly Module[] {
  const registry = registryOf(module);
  registry.steps ??= fieldsOf(registry)
    .filter(({ kind }) => kind === 'Module')
    .map(({ value }) => registryOf(value as Module).target as Module);
  return registry.steps;
}

/** The own members of a module by name, as `fc`, `blocks.0` or `heads.left`. */
export function* membersOf(module: Module): Generator<[string, Member]> {
  const registry = registryOf(module);
  const path: object[] = [];
  for (const { name, value, kind } of fieldsOf(registry))
    if (kind !== null) yield [name, value as Member];
    else yield* membersIn(registry, value as object, name, path);
  yield* accessorMembers(registry);
}

function* membersIn(registry: Registry, collection: object, name: string, path: object[]): Generator<[string, Member]> {
  if (path.includes(collection)) return;
  path.push(collection);
  const entries: Iterable<[unknown, unknown]> =
    collection instanceof Map
      ? collection
      : collection instanceof Set
        ? [...collection].entries()
        : Array.isArray(collection)
          ? collection.entries()
          : Object.entries(collection);
  for (const [key, value] of entries) {
    if (typeof value !== 'object' && typeof value !== 'function') continue;
    const kind = kindOf(value);
    if (kind === null) {
      if (isCollection(value)) yield* membersIn(registry, value, `${name}.${String(key)}`, path);
      continue;
    }
    if ((typeof key !== 'string' && typeof key !== 'number') || key === '' || `${key}`.includes('.'))
      throw new TypeError(
        `${className(registry.module)}: '${name}' holds a ${kind} under the key ${show(key)}; keys of state are texts without dots, or numbers`,
      );
    if (kind === 'Module') registries.get(value as object)!.owned = true;
    yield [`${name}.${key}`, value as Member];
  }
  path.pop();
}

/** Members behind `accessor` fields, which are pairs of getter and setter, unless a field holds the same. */
function* accessorMembers(registry: Registry): Generator<[string, Member]> {
  const { module } = registry;
  for (const name of accessorsOf(Object.getPrototypeOf(module))) {
    const value = (module as unknown as Record<string, unknown>)[name];
    if (typeof value !== 'object' && typeof value !== 'function') continue;
    const kind = kindOf(value);
    if (kind === null || fieldsOf(registry).some((field) => field.value === value)) continue;
    if (kind === 'Module') registries.get(value as object)!.owned = true;
    yield [name, value as Member];
  }
}

const accessors = new WeakMap<object, readonly string[]>();

function accessorsOf(prototype: object): readonly string[] {
  const known = accessors.get(prototype);
  if (known !== undefined) return known;
  const above = Object.getPrototypeOf(prototype) as object | null;
  const inherited = above === null || above === Object.prototype ? [] : accessorsOf(above);
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { get, set }]) => get !== undefined && set !== undefined && name !== '__proto__')
    .map(([name]) => name);
  const all = [...new Set([...inherited, ...own])];
  accessors.set(prototype, all);
  return all;
}

/** A name below another, joined by a dot. */
export const join = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);

/** A field's name as PyTorch spells it: `weightIhL0` is `weight_ih_l0`. */
export const snakeCase = (name: string): string =>
  name.replace(/(?<=[a-z0-9])[A-Z]+/g, (run) => `_${run.toLowerCase()}`);

/** The name of a member in state dicts: the field's in PyTorch's spelling, and below it keys as they were chosen. */
export function stateName(module: Module, name: string): string {
  if (registryOf(module).keysAreChosen) return name;
  const dot = name.indexOf('.');
  return dot < 0 ? snakeCase(name) : snakeCase(name.slice(0, dot)) + name.slice(dot);
}
