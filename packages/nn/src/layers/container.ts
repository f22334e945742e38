import type { Tensor } from '@gradgate/core';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

function checkModule(op: string, module: unknown, at: string | number): asserts module is Module {
  if (!(module instanceof Module))
    throw new TypeError(`${op}: ${at} is not a Module, got ${module === null ? 'null' : typeof module}`);
}

/** Modules by number, as fields '0', '1', ...: the order is theirs. */
abstract class Numbered<M extends Module = Module> extends Module {
  [index: number]: M;

  constructor(modules: readonly M[]) {
    super();
    for (const module of modules) this.append(module);
  }

  get size(): number {
    return [...this.children()].length;
  }

  append(module: M): this {
    checkModule(this.constructor.name, module, this.size);
    this[this.size] = module;
    return this;
  }

  /** The module at `index`, counted from the end when negative. */
  get(index: number): M {
    const at = index < 0 ? index + this.size : index;
    const module = this[at];
    if (module === undefined)
      throw new RangeError(`${this.constructor.name}: there is no module ${index}, only ${this.size}`);
    return module;
  }

  *[Symbol.iterator](): Generator<M> {
    yield* this.children() as Generator<M>;
  }
}

/** Modules in a row: each takes what the one before gives. */
export class Sequential extends Numbered {
  constructor(...modules: Module[]) {
    super(modules);
  }

  override forward(x: Tensor): Tensor {
    for (const module of this.children()) x = module(x);
    return x;
  }
}

/** A list of modules that a `forward` of your own goes through. */
export class ModuleList<M extends Module = Module> extends Numbered<M> {
  constructor(modules: readonly M[] = []) {
    super(modules);
  }
}

/** Modules by name. */
export class ModuleDict<M extends Module = Module> extends Module {
  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    for (const [name, module] of Object.entries(modules)) this.set(name, module);
  }

  set(name: string, module: M): this {
    checkModule('ModuleDict', module, name);
    if (name in this && !Object.hasOwn(this, name))
      throw new TypeError(`ModuleDict: '${name}' is a name that every module has; choose another`);
    (this as unknown as Record<string, M>)[name] = module;
    return this;
  }

  get(name: string): M {
    const found = Object.hasOwn(this, name) ? (this as unknown as Record<string, unknown>)[name] : undefined;
    checkModule('ModuleDict', found, name);
    return found as M;
  }
}

/** A list of parameters. */
export class ParameterList extends Module {
  [index: number]: Parameter;

  constructor(parameters: readonly Parameter[] = []) {
    super();
    parameters.forEach((p, i) => {
      if (!(p instanceof Parameter)) throw new TypeError(`ParameterList: ${i} is not a Parameter, got ${typeof p}`);
      this[i] = p;
    });
  }

  *[Symbol.iterator](): Generator<Parameter> {
    yield* this.parameters();
  }
}
