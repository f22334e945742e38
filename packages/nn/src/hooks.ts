import { isGradEnabled, recordMany, Tensor } from '@gradgate/core';
import { check, is, type Recorder, recording, removable, show } from '@gradgate/core/internal';
import { located } from './location.js';
import { hasCallHooks, noteModule, type Registry, receiverOf, registryOf } from './members.js';
import type { Module, StateDict } from './module.js';
import { isThenable, refusePromise } from './promise.js';
import { reportStray } from './stray.js';

/** Sees the arguments of a call before `forward` does; an array it returns replaces them. */
export type ForwardPreHook = (module: Module, args: unknown[]) => unknown[] | void;

/** Sees the result of `forward`; a value that it returns replaces the result. */
export type ForwardHook = (module: Module, args: unknown[], output: any) => unknown;

/**
 * Sees the gradients of a call's arguments (null where there is none) and of its outputs; an array that it returns
 * replaces those of the arguments.
 */
export type BackwardHook = (
  module: Module,
  gradInput: readonly (Tensor | null)[],
  gradOutput: readonly (Tensor | null)[],
) => readonly (Tensor | null)[] | void;

/** Sees, and may change, the state dict of the model in which `module` has the name `prefix`. */
export type StateDictHook = (module: Module, state: StateDict, prefix: string) => void;

export interface Hooks {
  readonly pre: Set<ForwardPreHook>;
  readonly post: Set<ForwardHook>;
  readonly backward: Set<BackwardHook>;
  readonly stateDict: Set<StateDictHook>;
  readonly loadStateDict: Set<StateDictHook>;
}

/** Sets of hooks: empty ones, or copies of those of `from`. */
export const newHooks = (from?: Hooks): Hooks => ({
  pre: new Set(from?.pre),
  post: new Set(from?.post),
  backward: new Set(from?.backward),
  stateDict: new Set(from?.stateDict),
  loadStateDict: new Set(from?.loadStateDict),
});

/** Registers `hook`, which may be registered already, and returns the handle that removes this registration. */
export function register<K extends keyof Hooks>(
  module: Module,
  kind: K,
  hook: Parameters<Hooks[K]['add']>[0],
): { remove(): void } {
  check(module.constructor.name, 'a hook', hook, is.callback);
  const registry = registryOf(module);
  registry.hooks ??= newHooks();
  return removable(registry.hooks[kind] as Set<(...args: any[]) => unknown>, hook);
}

/** The modules whose `forward` is running, as far as synchronous code can tell; innermost last. */
const running: Registry[] = [];

/** How many calls of modules run here, one within another. */
export const callDepth = (): number => running.length;

/** Calls a module: its hooks run in the caller's mode, around `forward`. */
export function call(registry: Registry, args: unknown[]): unknown {
  if (recording.current !== null) noteCall(recording.current, registry);
  const depth = running.push(registry);
  try {
    // A module that calls itself, or that one of its own modules calls, is not stray.
    if (!registry.owned && depth > 1 && running.indexOf(registry) === depth - 1)
      reportStray(running[depth - 2]!, registry);
    const output =
      registry.hooks === null
        ? // Looked up on the target: a look-up through the proxy takes longer.
          callForward(registry, (registry.target as Module).forward, args)
        : withHooks(registry, registry.hooks, args);
    if (!(output instanceof Promise)) return output;
    return output.then(undefined, (error) => {
      throw located(error, registry.module, args);
    });
  } catch (error) {
    throw located(error, registry.module, args);
  } finally {
    running.pop();
  }
}

const callForward = (registry: Registry, forward: Module['forward'], args: unknown[]): unknown =>
  forward.apply(receiverOf(registry, forward), args);

/** Tells a recording of `compile` what the call reads, and that it runs no hooks. */
function noteCall(recorder: Recorder, registry: Registry): void {
  if (hasCallHooks(registry)) recorder.refuse(`a hook on a call of ${registry.module.constructor.name} runs`);
  for (const part of registry.module.modules()) noteModule(recorder, registryOf(part));
}

function withHooks({ module }: Registry, hooks: Hooks, args: unknown[]): unknown {
  let values = args;
  for (const hook of hooks.pre) {
    const replaced: unknown = hook(module, values);
    if (replaced != null && !Array.isArray(replaced))
      throw new TypeError(`a forward pre-hook must give an array or nothing, got ${show(replaced)}`);
    values = replaced ?? values;
  }
  const watch = hooks.backward.size > 0 && isGradEnabled() ? new BackwardWatch(module, hooks.backward) : null;
  if (watch) values = watch.arguments(values);
  let output: unknown = module.forward(...values);
  for (const hook of hooks.post) {
    const replaced = hook(module, values, output);
    if (!isThenable(output)) refusePromise('a forward hook', replaced);
    if (replaced !== undefined) output = replaced;
  }
  return watch ? watch.outputs(output) : output;
}

type Grads = readonly (Tensor | null)[];

/** Puts a node before and behind a call, so that hooks see the gradients that pass. */
class BackwardWatch {
  private gradOutput: Grads = [];
  /** For each argument its place among those that require grad, or -1. */
  private places: number[] = [];

  constructor(
    private readonly module: Module,
    private readonly hooks: Set<BackwardHook>,
  ) {}

  arguments(args: unknown[]): unknown[] {
    const tracked = args.filter((a): a is Tensor => Tensor.is(a) && a.requiresGrad);
    let next = 0;
    this.places = args.map((a) => (Tensor.is(a) && a.requiresGrad ? next++ : -1));
    const aliases = alias('moduleInputs', tracked, (grads) => this.fire(grads));
    return args.map((a, i) => (this.places[i]! < 0 ? a : aliases[this.places[i]!]));
  }

  outputs(output: unknown): unknown {
    const tracked: Tensor[] = [];
    each(output, (t) => {
      if (t.requiresGrad) tracked.push(t);
      return t;
    });
    const aliases = alias('moduleOutputs', tracked, (grads) => {
      this.gradOutput = grads;
      // If no argument requires grad, no gradient leaves the call.
      if (this.places.every((p) => p < 0)) this.fire([]);
      return grads;
    });
    return each(output, (t) => (t.requiresGrad ? aliases[tracked.indexOf(t)]! : t));
  }

  private fire(grads: Grads): Grads {
    let gradInput: Grads = this.places.map((p) => grads[p] ?? null);
    for (const hook of this.hooks) {
      const replaced = hook(this.module, gradInput, this.gradOutput);
      if (replaced === undefined) continue;
      if (!Array.isArray(replaced) || replaced.length !== gradInput.length)
        throw new TypeError(
          `${this.module.constructor.name}: a backward hook gives nothing or one gradient for each of ${gradInput.length} arguments`,
        );
      gradInput = replaced;
    }
    this.gradOutput = [];
    return gradInput.filter((_, i) => this.places[i]! >= 0);
  }
}

/** The same tensors behind one node, which shows the gradients to `see` and passes its result on. */
function alias(name: string, tensors: readonly Tensor[], see: (grads: Grads) => Grads): Tensor[] {
  const outs = tensors.map((t) => t.detach());
  const { length } = tensors;
  // The engine leaves holes where no gradient arrived.
  recordMany(name, tensors, outs, (grads) => see(Array.from({ length }, (_, i) => grads[i] ?? null)));
  return outs;
}

/** `value` with `f` applied to each tensor in it, also in nested arrays. */
function each(value: unknown, f: (t: Tensor) => Tensor): unknown {
  if (Tensor.is(value)) return f(value);
  return Array.isArray(value) ? value.map((v) => each(v, f)) : value;
}
