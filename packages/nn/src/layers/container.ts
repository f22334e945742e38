import type { Tensor } from '@gradgate/core';
import { check, is, show } from '@gradgate/core/internal';
import { callDepth } from '../hooks.js';
import { listOf } from '../listOf.js';
import { fieldMembers, isModule, type Member, membersOf, readsFields, registryOf, stepsOf } from '../members.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

/** The class of a container's members: `Module` or `Parameter`. */
type Type<T> = abstract new (...args: any[]) => T;

const mustBe = (what: string, type: Type<unknown>, value: unknown): void => {
  if (!(value instanceof type)) throw new TypeError(`${what} must be a ${type.name}, got ${show(value)}`);
};

/** The fields of a container that hold members of its type, in the order of fields, which puts numbers first. */
function membersOfType<T extends Member>(container: Module, type: Type<T>): [string, T][] {
  const found: [string, T][] = [];
  for (const [name, member] of fieldMembers(container)) if (member instanceof type) found.push([name, member]);
  return found;
}

/**
 * How many calls lie one within another before a container asks whether it contains itself: far fewer than the engine
 * allows.
 */
const maxDepth = 256;

/** Whether a module is one of its own members, or a member of these at any depth. */
const isWithinItself = (module: Module): boolean =>
  [...module.modules()].some((part) =>
    [...membersOf(part)].some(([, member]) => isModule(member) && registryOf(member) === registryOf(module)),
  );

/** A container with its members as fields '0', '1', ..., in order. */
abstract class List<T extends Module | Parameter> extends Module {
  constructor(members: Iterable<T>) {
    super();
    this.extend(members);
  }

  /** @internal */
  protected abstract memberType(): Type<T>;

  /** The number of members. */
  override get length(): number {
    return membersOfType(this, this.memberType()).length;
  }

  /** Returns member `i`, where negative numbers count from the end, or undefined. */
  at(i: number): T | undefined {
    check(`${this.constructor.name}.at`, 'the index', i, is.integer);
    return [...this].at(i);
  }

  /** Appends a member; returns the list. */
  append(member: T): this {
    return this.replace('append', this.length, 0, [member]);
  }

  /** Appends all of `members`, or none if one is of the wrong class; returns the list. */
  extend(members: Iterable<T>): this {
    return this.replace('', this.length, 0, listOf(this.constructor.name, 'the list of members', members));
  }

  /** Inserts a member before member `i`, where negative numbers count from the end; returns the list. */
  insert(i: number, member: T): this {
    const n = this.length;
    check(`${this.constructor.name}.insert`, 'the index', i, is.integer);
    if (i < -n || i > n)
      throw new RangeError(`${this.constructor.name}.insert: the index must be from ${-n} to ${n}, got ${show(i)}`);
    return this.replace('insert', i < 0 ? n + i : i, 0, [member]);
  }

  /** Removes and returns member `i`, by default the last one; those after it move up. Throws if there is none. */
  pop(i = -1): T {
    const member = Number.isInteger(i) ? this.at(i) : undefined;
    if (member === undefined)
      throw new RangeError(`${this.constructor.name}.pop: there is no member ${show(i)}; it has ${this.length}`);
    this.replace('pop', i < 0 ? this.length + i : i, 1, []);
    return member;
  }

  /** Returns a list of the same class with the members from `start` up to but not including `end`, as for arrays. */
  slice(start?: number, end?: number): this {
    for (const bound of [start, end])
      check(`${this.constructor.name}.slice`, 'a bound', bound, is.optional(is.integer));
    const part = Reflect.construct(Module, [], this.constructor) as this;
    part.extend([...this].slice(start, end));
    return part;
  }

  /** The members in order. */
  *[Symbol.iterator](): Generator<T> {
    for (const [, member] of membersOfType(this, this.memberType())) yield member;
  }

  /** Replaces `count` members from `start` by `added` and numbers the members anew, without gaps. */
  private replace(op: string, start: number, count: number, added: readonly T[]): this {
    const type = this.memberType();
    const what = op === '' ? this.constructor.name : `${this.constructor.name}.${op}`;
    added.forEach((member, i) => {
      mustBe(`${what}: ${start + i}`, type, member);
    });
    const own = membersOfType<T>(this, type);
    const isNumber = ([name]: [string, T]) => /^\d+$/.test(name);
    const numbered = own.filter(isNumber);
    const fields = this as unknown as Record<string, T>;
    const members = numbered.map(([, member]) => member);
    members.splice(start, count, ...added);
    numbered.forEach(([name], i) => {
      if (Number(name) !== i || i >= members.length || fields[i] !== members[i]) delete fields[name];
    });
    members.forEach((member, i) => {
      if (fields[i] !== member) fields[i] = member;
    });
    return this;
  }
}

/** The arguments of the first of some modules, and the result of the last. */
type Arguments<M extends readonly Module[]> = M extends readonly [infer F extends Module, ...Module[]]
  ? Parameters<F['forward']>
  : [x: Tensor];
type Result<M extends readonly Module[]> = M extends readonly [...Module[], infer L extends Module]
  ? ReturnType<L['forward']>
  : Tensor;

/**
 * Calls modules in a row, each with the result of the one before. The first one may take several arguments. The modules
 * are the fields '0', '1', ...; read them as `model[0]`, `model.at(-1)` or by `for ... of`.
 *
 * ```ts
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * model(randn([5, 4])).shape; // [5, 2]
 * ```
 */
export class Sequential<M extends readonly Module[] = Module[]> extends List<Module> {
  [index: number]: Module;

  constructor(...modules: M) {
    super(modules);
  }

  /** @internal */
  protected override memberType(): Type<Module> {
    return Module;
  }

  /** @internal */
  override get [readsFields](): Module['forward'] {
    return Sequential.prototype.forward;
  }

  override forward(...inputs: Arguments<M>): Result<M> {
    const steps = stepsOf(this);
    if (steps.length === 0) return inputs[0] as Result<M>;
    if (callDepth() > maxDepth && isWithinItself(this))
      throw new TypeError(`${this.constructor.name}: it is a member of itself, so its forward would never end`);
    let value: unknown = steps[0]!(...inputs);
    for (let i = 1; i < steps.length; i++) value = steps[i]!(value);
    return value as Result<M>;
  }
}

/**
 * A list of modules, registered with the module that has it as a field. It has no `forward`. Read its members as
 * `list[0]`, `list.at(-1)` or by `for ... of`.
 *
 * ```ts
 * class Deep extends Module {
 *   layers = new ModuleList([new Linear(4, 4), new Linear(4, 4)]);
 *   override forward(x: Tensor): Tensor {
 *     for (const layer of this.layers) x = relu(layer(x));
 *     return x;
 *   }
 * }
 * [...new Deep().parameters()].length; // 4
 * ```
 */
export class ModuleList<M extends Module = Module> extends List<M> {
  [index: number]: M;

  constructor(modules: Iterable<M> = []) {
    super(modules);
  }

  /** @internal */
  protected override memberType(): Type<M> {
    return Module as unknown as Type<M>;
  }
}

/**
 * A list of parameters, registered with the module that has it as a field.
 *
 * ```ts
 * new ParameterList([new Parameter(zeros([2])), new Parameter(zeros([3]))]).length; // 2
 * ```
 */
export class ParameterList extends List<Parameter> {
  [index: number]: Parameter;

  constructor(parameters: Iterable<Parameter> = []) {
    super(parameters);
  }

  /** @internal */
  protected override memberType(): Type<Parameter> {
    return Parameter;
  }
}

/** A container with its members by name. */
abstract class Dict<T extends Module | Parameter> extends Module {
  constructor(members: Record<string, T>) {
    super();
    registryOf(this).keysAreChosen = true;
    check(this.constructor.name, 'the members', members, is.object);
    this.update(members);
  }

  /** @internal */
  protected abstract memberType(): Type<T>;

  /** Returns the member of that name, or undefined. */
  get(name: string): T | undefined {
    return this.entries().find(([key]) => key === name)?.[1];
  }

  /**
   * Adds a member, or replaces the one of that name; returns the container. Throws for names that cannot be a field's.
   */
  set(name: string, member: T): this {
    mustBe(`${this.constructor.name}: ${show(name)}`, this.memberType(), member);
    if (typeof name !== 'string' || name === '' || name.includes('.') || (name in this && !this.has(name)))
      throw new TypeError(
        `${this.constructor.name}: ${show(name)} cannot be a member's name; it is empty, dotted or taken`,
      );
    (this as unknown as Record<string, T>)[name] = member;
    return this;
  }

  /** Adds or replaces all of `members`; returns the container. */
  update(members: Record<string, T>): this {
    check(this.constructor.name, 'the object with the members', members, is.object);
    for (const [name, member] of Object.entries(members)) this.set(name, member);
    return this;
  }

  /** Returns whether there is a member of that name. */
  has(name: string): boolean {
    return this.keys().includes(name);
  }

  /** Removes a member; returns whether there was one. */
  delete(name: string): boolean {
    return this.has(name) && Reflect.deleteProperty(this, name);
  }

  /** Removes and returns a member; throws if there is none of that name. */
  pop(name: string): T {
    const member = this.get(name);
    if (member === undefined)
      throw new RangeError(
        `${this.constructor.name}.pop: there is no member ${show(name)}; it has ${this.keys().join(', ') || 'none'}`,
      );
    this.delete(name);
    return member;
  }

  /** Returns the names of the members, in the order of insertion. */
  keys(): string[] {
    return this.entries().map(([name]) => name);
  }

  /** Returns the members, in the order of insertion. */
  values(): T[] {
    return this.entries().map(([, member]) => member);
  }

  /** Returns pairs of name and member, in the order of insertion. */
  entries(): [string, T][] {
    return membersOfType(this, this.memberType());
  }

  [Symbol.iterator](): Iterator<[string, T]> {
    return this.entries()[Symbol.iterator]();
  }
}

/**
 * Modules by name, registered with the module that has this one as a field. It has no `forward`.
 *
 * ```ts
 * const heads = new ModuleDict({ color: new Linear(8, 3), size: new Linear(8, 1) });
 * heads.get('color')!(randn([5, 8])).shape; // [5, 3]
 * ```
 */
export class ModuleDict<M extends Module = Module> extends Dict<M> {
  constructor(modules: Record<string, M> = {}) {
    super(modules);
  }

  /** @internal */
  protected override memberType(): Type<M> {
    return Module as unknown as Type<M>;
  }
}

/**
 * Parameters by name, registered with the module that has this one as a field.
 *
 * ```ts
 * new ParameterDict({ scale: new Parameter(ones([3])) }).get('scale'); // [1, 1, 1]
 * ```
 */
export class ParameterDict extends Dict<Parameter> {
  constructor(parameters: Record<string, Parameter> = {}) {
    super(parameters);
  }

  /** @internal */
  protected override memberType(): Type<Parameter> {
    return Parameter;
  }
}
