import { type DType, isTraining, type Tensor } from '@gradgate/core';
import { brand, check, checkOptions, is } from '@gradgate/core/internal';
import { convertAll, moveAll } from './convert.js';
import { copyOf } from './copy.js';
import {
  type BackwardHook,
  call,
  type ForwardHook,
  type ForwardPreHook,
  register,
  type StateDictHook,
} from './hooks.js';
import { asModule, join, type Member, membersOf, type Registry, readsFields, registryOf, thisCopy } from './members.js';
import { Buffer, Parameter } from './parameter.js';
import { refusePromise } from './promise.js';
import { loadState, stateOf } from './state.js';
import { treeOf } from './tree.js';

const aSet = is.instanceOf('a Set', () => Set);

const ownTraining = Symbol('training');

const loadStateDictOptions = { strict: is.boolean };

/**
 * The tensors of a module by their dotted names, spelled as PyTorch does: `encoder.layers.0.self_attn.in_proj_weight`.
 */
export type StateDict = Record<string, Tensor>;

/**
 * Base class of all models and layers. Parameters, buffers and submodules are registered by being fields:
 *
 * ```ts
 * class Net extends Module {
 *   fc = new Linear(784, 10);
 *   override forward(x: Tensor) {
 *     return this.fc(x);
 *   }
 * }
 * new Net()(randn([5, 784])).shape; // [5, 10]
 * ```
 *
 * Members in arrays, sets, maps and plain objects that are fields, and behind `accessor` fields, are registered too, by
 * index or key: `blocks.0`. Those in `#private` fields cannot be seen; a call of one is reported.
 *
 * A module is a function: calling it calls `forward` with its hooks. A field that holds a parameter, a buffer or a
 * module goes on to hold one, or null: writing something else throws, rather than losing it.
 */
export class Module {
  /**
   * Whether layers such as Dropout behave as in training here: by `evalMode` or `trainMode` of this flow, otherwise as
   * `train()` and `eval()` set it for all flows. Grad modes do not depend on it.
   */
  get training(): boolean {
    return isTraining(this[ownTraining]);
  }
  set training(value: boolean) {
    this[ownTraining] = value;
  }
  /** What `train()` and `eval()` set. The key is a symbol, so it is not listed as a field. */
  declare private [ownTraining]: boolean;

  constructor() {
    // The instance is a function, so that `net(x)` works, with the class of `new`. Returning it from here makes it the
    // `this` of all derived constructors and field initializers.
    const target = ((...args: unknown[]) => call(registry, args)) as unknown as Module & {
      name?: string;
      length?: number;
    };
    delete target.name;
    delete target.length;
    Object.setPrototypeOf(target, new.target.prototype);
    Object.defineProperty(target, ownTraining, { value: true, writable: true, configurable: true });
    const self = asModule(target, Module, target[readsFields]);
    const registry: Registry = registryOf(self);
    // biome-ignore lint/correctness/noConstructorReturn: see above
    return self;
  }

  /** Computes the module's output; every module defines its own. Call the module itself, so that hooks run too. */
  forward(..._args: any[]): any {
    throw new TypeError(`${this.constructor.name}: has no forward(); define it in the class`);
  }

  /** @internal */
  get [readsFields](): Module['forward'] | null {
    return null;
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
   * Calls `hook` in backward, with the gradients of the arguments and outputs of each call that was recorded. It runs
   * in backward's mode; calls under noGrad never reach it.
   */
  registerFullBackwardHook(hook: BackwardHook): { remove(): void } {
    return register(this, 'backward', hook);
  }

  /** Calls `hook` with each state dict that contains this module's, to add or remove entries. */
  registerStateDictPostHook(hook: StateDictHook): { remove(): void } {
    return register(this, 'stateDict', hook);
  }

  /** Calls `hook` with a copy of each state dict before it is checked and loaded, for example to rename keys. */
  registerLoadStateDictPreHook(hook: StateDictHook): { remove(): void } {
    return register(this, 'loadStateDict', hook);
  }

  /** The modules that are fields, or in collections that are, by name. */
  *namedChildren(): Generator<[string, Module]> {
    for (const [name, member] of membersOf(this)) if (member instanceof Module) yield [name, member];
  }

  /** The modules that are fields, or in collections that are. */
  *children(): Generator<Module> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** This module and all below it, each once, by dotted name; its own name is ''. */
  *namedModules(prefix = '', seen = new Set<Module>()): Generator<[string, Module]> {
    check('namedModules', 'prefix', prefix, is.string);
    check('namedModules', 'seen', seen, aSet);
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(join(prefix, name), seen);
  }

  /** This module and all below it, each once. */
  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** All parameters, each once, by dotted name. */
  namedParameters(): Generator<[string, Parameter]> {
    return namedTensors(this, Parameter);
  }

  /** All parameters, each once. */
  *parameters(): Generator<Parameter> {
    for (const [, p] of this.namedParameters()) yield p;
  }

  /** All buffers, each once, by dotted name. */
  namedBuffers(): Generator<[string, Buffer]> {
    return namedTensors(this, Buffer);
  }

  /** All buffers, each once. */
  *buffers(): Generator<Buffer> {
    for (const [, b] of this.namedBuffers()) yield b;
  }

  /** Sets `training` of this module and all below it. */
  train(mode = true): this {
    check('train', 'mode', mode, is.boolean);
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Sets `training` of this module and all below it to false. */
  eval(): this {
    return this.train(false);
  }

  /** Sets `requiresGrad` of all parameters there are now. */
  requiresGrad_(value = true): this {
    check('requiresGrad_', 'value', value, is.boolean);
    for (const p of this.parameters()) p.requiresGrad_(value);
    return this;
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(options?: { setToNull?: boolean }): void {
    checkOptions('zeroGrad', options, { setToNull: is.boolean });
    for (const p of this.parameters()) p.zeroGrad(options);
  }

  /** The module of a dotted name; '' is this one. */
  getSubmodule(path: string): Module {
    check('getSubmodule', 'path', path, is.string);
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

  /**
   * Converts floating-point parameters, their gradients and buffers to a dtype, or moves all of them to a device. They
   * stay the same objects. Complex ones are converted to complex dtypes only.
   */
  to(target: DType | (string & {})): this {
    convertAll(this, target);
    return this;
  }

  /**
   * Moves parameters, their gradients and buffers to a device as `to` does, also from one whose values are not there at
   * once.
   *
   * ```ts
   * const model = await new Linear(3, 2).toAsync('cpu');
   * model.weight.device; // 'cpu'
   * ```
   */
  async toAsync(device: string): Promise<this> {
    await moveAll(this, device);
    return this;
  }

  /** Converts to float32, as `to('float32')`. */
  float(): this {
    return this.to('float32');
  }

  /** Converts to float64, as `to('float64')`. */
  double(): this {
    return this.to('float64');
  }

  /** Converts to float16, as `to('float16')`. */
  half(): this {
    return this.to('float16');
  }

  /** Converts to bfloat16, as `to('bfloat16')`. */
  bfloat16(): this {
    return this.to('bfloat16');
  }

  /** Calls `fn` with every module, each once, children first. */
  apply(fn: (module: this | Module) => void): this;
  /** @internal As a function has it, for libraries that wrap functions: calls the module with `args`. */
  apply(self: unknown, args: unknown[]): any;
  apply(fn: unknown, args?: unknown[]): unknown {
    if (args !== undefined) return call(registryOf(this), [...args]);
    check('apply', 'fn', fn, is.callback);
    for (const module of childrenFirst(this, new Set()))
      refusePromise('apply: the function', (fn as (module: Module) => unknown)(module));
    return this;
  }

  /** @internal As a function has it, for libraries that call what they are given so. */
  call(self: unknown, ...args: unknown[]): any {
    return this.apply(self, args);
  }

  /** @internal As a function has it. */
  bind(self: unknown, ...first: unknown[]): (...args: unknown[]) => any {
    return (...args) => this.apply(self, first.concat(args));
  }

  /**
   * A copy of the module and everything below it: parameters, buffers and other tensors with their own values and
   * gradients, hooks, and plain data. What is shared inside stays shared inside. Other objects are not copied. A class
   * with `#private` fields overrides it.
   */
  clone(): this {
    return copyOf(this);
  }

  /**
   * Parameters and persistent buffers by dotted name, in PyTorch's spelling. Live: the tensors share storage with the
   * module's, so they change as it learns; `snapshot(model.stateDict())` does not. A tensor in several fields is there
   * under each of their names.
   */
  stateDict(): StateDict {
    return stateOf(this);
  }

  /**
   * Copies values into parameters and buffers. Everything is checked before anything is written; with `strict: false`,
   * missing and unexpected keys are returned instead of refused. Takes PyTorch's spelling of names and that of the
   * fields; a tensor in several fields needs one of its names.
   */
  loadStateDict(given: StateDict, options?: { strict?: boolean }): { missingKeys: string[]; unexpectedKeys: string[] } {
    const { strict = true } = checkOptions('loadStateDict', options, loadStateDictOptions);
    return loadState(this, given, strict);
  }

  /** What `toString` shows in the parentheses: a layer's sizes. */
  extraRepr(): string {
    return '';
  }

  /** The module and those below it, as an indented tree. */
  toString(): string {
    return treeOf(this);
  }

  /** Prints the tree of modules on the console. */
  print(): void {
    console.log(this.toString());
  }

  /** Refuses `JSON.stringify(model)`: it would be text without the weights, or all of them by accident. */
  toJSON(): never {
    throw new TypeError(
      `${this.constructor.name}: a module is not JSON; save() and encodeSafetensors() keep its stateDict(), ` +
        'JSON.stringify(model.stateDict()) gives its numbers, and String(model) its layers',
    );
  }

  /** Node, debuggers and notebooks print modules as `toString` does. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
  [Symbol.for('debug.description')](): string {
    return this.toString();
  }
  [Symbol.for('Jupyter.display')](): { 'text/plain': string } {
    return { 'text/plain': this.toString() };
  }

  /** @internal */
  get [brand](): object {
    return thisCopy;
  }
}

/** The types of calling a module: those of its `forward`. */
export interface Module {
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

function* childrenFirst(module: Module, seen: Set<Module>): Generator<Module> {
  seen.add(module);
  for (const child of module.children()) if (!seen.has(child)) yield* childrenFirst(child, seen);
  yield module;
}

/** The members of a type in a module and all below it, each once, by dotted name. */
function* namedTensors<T extends Member & Tensor>(
  root: Module,
  type: new (...args: any[]) => T,
): Generator<[string, T]> {
  const seen = new Set<T>();
  for (const [path, module] of root.namedModules())
    for (const [name, member] of membersOf(module))
      if (member instanceof type && !seen.has(member)) {
        seen.add(member);
        yield [join(path, name), member];
      }
}

function named<T>(root: Module, op: string, what: string, path: string, all: Iterable<[string, T]>): T {
  check(op, 'path', path, is.string);
  const names: string[] = [];
  for (const [name, value] of all) {
    if (name === path) return value;
    names.push(`'${name}'`);
  }
  throw new TypeError(`${op}: ${root.constructor.name} has no ${what} '${path}'; it has ${names.join(', ') || 'none'}`);
}
