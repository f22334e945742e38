import { type DType, DTypeError, noGrad, Tensor, TensorError } from '@gradgate/core';
import {
  type BackwardHook,
  call,
  type ForwardHook,
  type ForwardPreHook,
  register,
  runStateDictHooks,
  type StateDictHook,
} from './hooks.js';
import { Buffer, Parameter } from './parameter.js';

/** The tensors of a module by their dotted names. */
export type StateDict = Record<string, Tensor>;

/**
 * Base class of all models and layers. Parameters, buffers and submodules are registered by being fields:
 *
 * ```ts
 * class Net extends Module {
 *   fc = new Linear(784, 10);
 *   override forward(x: Tensor) { return this.fc(x); }
 * }
 * const scores = new Net()(x);
 * ```
 *
 * A module is a function: calling it calls `forward` with its hooks. Private `#fields` are not seen.
 */
export class Module {
  /** Whether layers such as Dropout behave as in training; set by `train()` and `eval()`. No grad mode follows it. */
  training = true;

  constructor() {
    // The instance is a function, so that `net(x)` works; its class is that of `new`. Returning it from here makes it
    // the `this` of all derived constructors and field initialisers.
    const self = ((...args: unknown[]) => call(self, args)) as unknown as Module & {
      name?: string;
      length?: number;
    };
    delete self.name;
    delete self.length;
    Object.setPrototypeOf(self, new.target.prototype);
    Object.defineProperty(self, 'training', { value: true, writable: true, configurable: true });
    // biome-ignore lint/correctness/noConstructorReturn: see above
    return self;
  }

  /** Computes the module's output. Every module has its own; call the module itself to run its hooks too. */
  forward(..._args: any[]): any {
    throw new TypeError(`${this.constructor.name} has no forward(); define it in the class`);
  }

  /** Calls `hook` before `forward` whenever the module is called. */
  registerForwardPreHook(hook: ForwardPreHook): { remove(): void } {
    return register(this, 'pre', hook);
  }

  /** Calls `hook` after `forward` whenever the module is called. */
  registerForwardHook(hook: ForwardHook): { remove(): void } {
    return register(this, 'post', hook);
  }

  /**
   * Calls `hook` in backward, with the gradients of the arguments and outputs of each call that was recorded. It runs in
   * backward's mode; calls under noGrad never reach it.
   */
  registerFullBackwardHook(hook: BackwardHook): { remove(): void } {
    return register(this, 'backward', hook);
  }

  /** Calls `hook` with each state dict that this module is in, to add to it or to take from it. */
  registerStateDictPostHook(hook: StateDictHook): { remove(): void } {
    return register(this, 'stateDict', hook);
  }

  /** Calls `hook` with a copy of each state dict that is about to be checked and loaded, to rename keys for example. */
  registerLoadStateDictPreHook(hook: StateDictHook): { remove(): void } {
    return register(this, 'loadStateDict', hook);
  }

  /** The fields that are modules, by name. */
  *namedChildren(): Generator<[string, Module]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Module) yield [name, value];
  }

  *children(): Generator<Module> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** This module and all below it, each once, by dotted name; its own name is ''. */
  *namedModules(prefix = '', seen = new Set<Module>()): Generator<[string, Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(join(prefix, name), seen);
  }

  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** All parameters, each once, by dotted name. */
  namedParameters(): Generator<[string, Parameter]> {
    return namedTensors(this, Parameter);
  }

  *parameters(): Generator<Parameter> {
    for (const [, p] of this.namedParameters()) yield p;
  }

  /** All buffers, each once, by dotted name. */
  namedBuffers(): Generator<[string, Buffer]> {
    return namedTensors(this, Buffer);
  }

  *buffers(): Generator<Buffer> {
    for (const [, b] of this.namedBuffers()) yield b;
  }

  /** Sets `training` of this module and all below it. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') throw new TypeError(`train: mode is true or false, got ${typeof mode}`);
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Sets `requiresGrad` of all parameters there are now. */
  requiresGrad_(value = true): this {
    for (const p of this.parameters()) p.requiresGrad_(value);
    return this;
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(options?: { setToNull?: boolean }): void {
    for (const p of this.parameters()) p.zeroGrad(options);
  }

  /** The module of a dotted name; '' is this one. */
  getSubmodule(path: string): Module {
    const found = [...this.namedModules()].find(([name]) => name === path);
    if (!found)
      throw new TypeError(
        `getSubmodule: ${this.constructor.name} has no module '${path}'; it has ${[...this.namedModules()].map(([n]) => `'${n}'`).join(', ')}`,
      );
    return found[1];
  }

  /** The parameter of a dotted name. */
  getParameter(path: string): Parameter {
    return named(this, 'getParameter', 'parameter', path, this.namedParameters());
  }

  /** The buffer of a dotted name. */
  getBuffer(path: string): Buffer {
    return named(this, 'getBuffer', 'buffer', path, this.namedBuffers());
  }

  /** Converts floating point parameters, their gradients and buffers; they stay the same objects. */
  to(dtype: DType): this {
    if (dtype !== 'float32' && dtype !== 'float64')
      throw new DTypeError('to', `${this.constructor.name} can be float32 or float64, got ${String(dtype)}`);
    const tensors = [...this.parameters(), ...this.buffers()].filter((t) => t.dtype.startsWith('float'));
    for (const t of tensors) convert(t, dtype);
    return this;
  }

  float(): this {
    return this.to('float32');
  }

  double(): this {
    return this.to('float64');
  }

  /** Calls `fn` with every module, children first. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Parameters and persistent buffers by dotted name; the tensors share storage with the module's. */
  stateDict(): StateDict {
    const state: StateDict = Object.fromEntries(ownState(this));
    runStateDictHooks(this, 'stateDict', state);
    return state;
  }

  /**
   * Copies values into the module's parameters and buffers. Everything is checked before anything is written; with
   * `strict: false` missing and unexpected keys are returned rather than refused.
   */
  loadStateDict(
    given: StateDict,
    { strict = true }: { strict?: boolean } = {},
  ): { missingKeys: string[]; unexpectedKeys: string[] } {
    if (typeof given !== 'object' || given === null)
      throw new TypeError(
        `loadStateDict: takes an object of tensors by name, got ${given === null ? 'null' : typeof given}`,
      );
    const state = { ...given };
    runStateDictHooks(this, 'loadStateDict', state);
    const own: StateDict = Object.fromEntries(ownState(this));
    const missingKeys = Object.keys(own).filter((key) => !Object.hasOwn(state, key));
    const unexpectedKeys = Object.keys(state).filter((key) => !Object.hasOwn(own, key));
    const problems: string[] = [];
    if (strict && missingKeys.length > 0) problems.push(`missing keys: ${missingKeys.join(', ')}`);
    if (strict && unexpectedKeys.length > 0) problems.push(`unexpected keys: ${unexpectedKeys.join(', ')}`);
    const shared = Object.keys(own).filter((key) => Object.hasOwn(state, key));
    for (const key of shared) {
      const to = own[key]!;
      const from = state[key]!;
      if (!(from instanceof Tensor))
        problems.push(`${key} is not a Tensor, got ${from === null ? 'null' : typeof from}`);
      else if (to.shape.join() !== from.shape.join())
        problems.push(`${key} has shape [${from.shape.join(', ')}], the module's is [${to.shape.join(', ')}]`);
      else if (to.dtype !== from.dtype)
        problems.push(`${key} is ${from.dtype}, the module's is ${to.dtype}; convert it with to()`);
    }
    if (problems.length > 0)
      throw new TensorError(
        'loadStateDict',
        `${this.constructor.name} was left as it is:\n  ${problems.join('\n  ')}` +
          (strict && missingKeys.length + unexpectedKeys.length > 0
            ? '\n  pass strict: false to load only the keys that match'
            : ''),
      );
    noGrad.run(() => {
      for (const key of shared) own[key]!.copy_(state[key]!);
    });
    return { missingKeys, unexpectedKeys };
  }

  /** What `toString` shows in the parentheses: a layer's sizes. */
  extraRepr(): string {
    return '';
  }

  /** The module and those below it, as an indented tree. */
  toString(): string {
    const children = [...this.namedChildren()].map(
      ([name, child]) => `  (${name}): ${child.toString().replaceAll('\n', '\n  ')}`,
    );
    const extra = this.extraRepr();
    if (children.length === 0) return `${this.constructor.name}(${extra})`;
    return `${this.constructor.name}(${extra}\n${children.join('\n')}\n)`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Calling a module takes and gives what its `forward` does. */
export interface Module {
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

/** Which fields have been seen to be parameters or buffers, to notice when one becomes a plain tensor. */
const registered = new WeakMap<Module, Map<string, 'Parameter' | 'Buffer'>>();

/** The fields of one module, `path` its name. */
function fields(path: string, module: Module): [string, unknown][] {
  const entries = Object.entries(module);
  let seen = registered.get(module);
  for (const [name, value] of entries) {
    if (!(value instanceof Tensor)) continue;
    const kind = value instanceof Parameter ? 'Parameter' : value instanceof Buffer ? 'Buffer' : null;
    const before = seen?.get(name);
    if (kind === null && before !== undefined)
      throw new TypeError(
        `${module.constructor.name}: the field '${join(path, name)}' was a ${before} and is now a plain Tensor of shape ` +
          `[${value.shape.join(', ')}], which would be neither saved nor learned; write to it with copy_() under noGrad, ` +
          `or assign ${before === 'Parameter' ? 'new Parameter(tensor)' : 'buffer(tensor)'}`,
      );
    if (kind === null) continue;
    if (!seen) {
      seen = new Map();
      registered.set(module, seen);
    }
    seen.set(name, kind);
  }
  return entries;
}

/** The fields of a type in a module and all below it, each once, by dotted name. */
function* namedTensors<T extends Tensor>(root: Module, type: new (...args: any[]) => T): Generator<[string, T]> {
  const seen = new Set<T>();
  for (const [path, module] of root.namedModules())
    for (const [name, value] of fields(path, module))
      if (value instanceof type && !seen.has(value)) {
        seen.add(value);
        yield [join(path, name), value];
      }
}

/** Parameters and persistent buffers, detached, by dotted name; a shared one under each of its names. */
function* ownState(root: Module): Generator<[string, Tensor]> {
  for (const [path, module] of root.namedModules())
    for (const [name, value] of fields(path, module))
      if (value instanceof Parameter || (value instanceof Buffer && value.persistent))
        yield [join(path, name), value.detach()];
}

function named<T>(root: Module, op: string, what: string, path: string, all: Iterable<[string, T]>): T {
  const names: string[] = [];
  for (const [name, value] of all) {
    if (name === path) return value;
    names.push(`'${name}'`);
  }
  throw new TypeError(`${op}: ${root.constructor.name} has no ${what} '${path}'; it has ${names.join(', ') || 'none'}`);
}

/** Gives `t` other storage, so that optimizers and sharing modules that hold it see the change. */
function convert(t: Tensor, dtype: DType): void {
  if (t.dtype === dtype) return;
  const { storage, shape, strides, isContiguous } = noGrad.run(() => t.detach().to(dtype));
  // A graph that saved the old values must not go on with these.
  storage.version = t.storage.version + 1;
  Object.assign(t, { storage, dtype, shape, strides, isContiguous, offset: 0 });
  const { grad } = t;
  if (grad !== null) t.grad = noGrad.run(() => grad.to(dtype));
}

const join = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);
