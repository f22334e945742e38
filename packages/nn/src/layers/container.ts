import type { Tensor } from '@gradgate/core';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

const mustBe = (what: string, type: new (...args: any[]) => unknown, value: unknown): void => {
  if (!(value instanceof type))
    throw new TypeError(`${what} is not a ${type.name}, got ${value === null ? 'null' : typeof value}`);
};

/** Members as fields '0', '1', ..., in order. */
class List<T> extends Module {
  constructor(members: Iterable<T>, type: new (...args: any[]) => T) {
    super();
    Object.defineProperty(this, 'memberType', { value: type });
    this.extend(members);
  }

  private get members(): Record<string, T> {
    return this as unknown as Record<string, T>;
  }

  override get length(): number {
    return Object.keys(this).length;
  }

  /** Member `i`; negative numbers count from the end. */
  at(i: number): T | undefined {
    return this.members[i < 0 ? this.length + i : i];
  }

  append(member: T): this {
    return this.extend([member]);
  }

  /** Adds all of `members`, or none if one is of a wrong kind. */
  extend(members: Iterable<T>): this {
    const added = [...members];
    const { memberType } = this as unknown as { memberType: new (...args: any[]) => T };
    added.forEach((member, i) => {
      mustBe(`${this.constructor.name}: ${this.length + i}`, memberType, member);
    });
    for (const member of added) this.members[this.length] = member;
    return this;
  }

  *[Symbol.iterator](): Generator<T> {
    // Numbers are keys in their order.
    yield* Object.values(this.members);
  }
}

/** What the first of some modules takes, and what the last gives. */
type Takes<M extends readonly Module[]> = M extends readonly [infer F extends Module, ...Module[]]
  ? Parameters<F['forward']>
  : [x: Tensor];
type Gives<M extends readonly Module[]> = M extends readonly [...Module[], infer L extends Module]
  ? ReturnType<L['forward']>
  : Tensor;

/**
 * Modules in a row: each takes what the one before gives. They are its fields '0', '1', ... It takes what the first one
 * does, and gives what the last one does.
 */
export class Sequential<M extends readonly Module[] = Module[]> extends List<Module> {
  [index: number]: Module;

  constructor(...modules: M) {
    super(modules, Module);
  }

  override forward(...inputs: Takes<M>): Gives<M> {
    // Object.values takes several times as long for a function.
    const names = Object.keys(this) as unknown as number[];
    if (names.length === 0) return inputs[0] as Gives<M>;
    let value: unknown = this[names[0]!]!(...inputs);
    for (let i = 1; i < names.length; i++) value = this[names[i]!]!(value);
    return value as Gives<M>;
  }
}

/** A list of modules that are registered with the module whose field it is; has no forward of its own. */
export class ModuleList<M extends Module = Module> extends List<M> {
  [index: number]: M;

  constructor(modules: Iterable<M> = []) {
    super(modules, Module as unknown as new () => M);
  }
}

/** A list of parameters. */
export class ParameterList extends List<Parameter> {
  [index: number]: Parameter;

  constructor(parameters: Iterable<Parameter> = []) {
    super(parameters, Parameter);
  }
}

/** Members by name. */
class Dict<T> extends Module {
  constructor(members: Record<string, T>, type: new (...args: any[]) => T) {
    super();
    Object.defineProperty(this, 'memberType', { value: type });
    for (const [name, member] of Object.entries(members)) this.set(name, member);
  }

  private get members(): Record<string, T> {
    return this as unknown as Record<string, T>;
  }

  get(name: string): T | undefined {
    return this.has(name) ? this.members[name] : undefined;
  }

  set(name: string, member: T): this {
    const { memberType } = this as unknown as { memberType: new (...args: any[]) => T };
    mustBe(`${this.constructor.name}: '${name}'`, memberType, member);
    if (name === '' || name.includes('.') || (name in this && !this.has(name)))
      throw new TypeError(
        `${this.constructor.name}: '${name}' cannot be a member's name; it is empty, dotted or taken`,
      );
    this.members[name] = member;
    return this;
  }

  has(name: string): boolean {
    return Object.keys(this).includes(name);
  }

  delete(name: string): boolean {
    return this.has(name) && delete this.members[name];
  }

  keys(): string[] {
    return Object.keys(this);
  }

  values(): T[] {
    return Object.values(this.members);
  }

  entries(): [string, T][] {
    return Object.entries(this.members);
  }

  [Symbol.iterator](): Iterator<[string, T]> {
    return this.entries()[Symbol.iterator]();
  }
}

/** Modules by name, registered with the module whose field it is. */
export class ModuleDict<M extends Module = Module> extends Dict<M> {
  constructor(modules: Record<string, M> = {}) {
    super(modules, Module as unknown as new () => M);
  }
}

/** Parameters by name. */
export class ParameterDict extends Dict<Parameter> {
  constructor(parameters: Record<string, Parameter> = {}) {
    super(parameters, Parameter);
  }
}
