import { type Node, Tensor } from '@gradgate/core';
import { check, type Kind, watchNodes } from '@gradgate/core/internal';
import type { Module } from '@gradgate/nn';
import { callDepth } from '@gradgate/nn/internal';

/** A call of a module, and the call it was made in. */
export interface ModuleCall {
  /** The module that was called. */
  readonly module: Module;
  /** The module's name within that of `parent`, such as `layers.0`. */
  readonly name: string;
  /** The call it was made in, null for none. */
  readonly parent: ModuleCall | null;
  /** How many calls enclose it. */
  readonly depth: number;
  /** The shapes of the tensors it returned. */
  readonly shapes: string[];
}

/** The recorded calls of modules, by which `graphSvg` groups a graph. */
export interface ModuleCalls {
  /** The innermost call in which an operation was recorded. */
  of(node: Node): ModuleCall | null;
  /** The place of an operation among all that were recorded. */
  order(node: Node): number;
  /** The names of all parameters. */
  readonly names: ReadonlyMap<Tensor, string>;
}

/** Whether a value is a module, of this or another copy of the package. */
export const isModule = (value: unknown): value is Module =>
  typeof (value as { namedModules?: unknown } | null | undefined)?.namedModules === 'function';

const modulesKind: Kind = {
  text: 'a Module, or an object of Modules by name',
  is: (v) => isModule(v) || (typeof v === 'object' && v !== null && Object.values(v).every(isModule)),
};

/** The leaf that a node accumulates gradients into. */
export const leafOf = (node: Node): Tensor | undefined => (node as { leaf?: Tensor }).leaf;

/** All tensors in a module's output: a tensor, or those in arrays and plain objects. */
export function tensorsIn(value: unknown): Tensor[] {
  if (Tensor.is(value)) return [value];
  if (typeof value !== 'object' || value === null) return [];
  const isPlain = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return isPlain ? Object.values(value).flatMap(tensorsIn) : [];
}

/**
 * Records which module records which operation until `stop()`, so that `graphSvg` can group a graph by modules. An
 * operation belongs to the module whose call runs: after an `await` in `forward` that may be another one.
 *
 * ```ts
 * const net = new Sequential(new Linear(2, 3), new ReLU());
 * const recorded = recordModules(net);
 * const loss = net(tensor([[1, 2]])).sum();
 * const svg = await graphSvg(loss, { modules: recorded.stop() });
 * ```
 */
export function recordModules(modules: Module | Record<string, Module>): { stop(): ModuleCalls } {
  check('recordModules', 'modules', modules, modulesKind);
  const roots: [string, Module][] = isModule(modules) ? [['', modules]] : Object.entries(modules);
  const paths = new Map<Module, string>();
  const names = new Map<Tensor, string>();
  for (const [name, root] of roots) {
    for (const [path, module] of root.namedModules(name)) if (!paths.has(module)) paths.set(module, path);
    for (const [path, p] of root.namedParameters()) if (!names.has(p)) names.set(p, name ? `${name}.${path}` : path);
  }
  // With their depths: calls that an error has ended are still on the stack, and are at least as deep as the one that
  // runs.
  const running: { call: ModuleCall; depth: number }[] = [];
  const calls = new WeakMap<Node, ModuleCall>();
  const orders = new WeakMap<Node, number>();
  let count = 0;
  const dropEnded = (depth: number) => {
    while (running.length > 0 && running.at(-1)!.depth > depth) running.pop();
    return running.at(-1)?.call ?? null;
  };

  const begin = (module: Module) => {
    const depth = callDepth();
    const parent = dropEnded(depth - 1);
    const path = paths.get(module)!;
    const above = parent === null ? '' : paths.get(parent.module)!;
    const name = above !== '' && path.startsWith(`${above}.`) ? path.slice(above.length + 1) : path;
    running.push({ call: { module, name, parent, depth: running.length, shapes: [] }, depth });
  };
  const end = (output: unknown) => {
    dropEnded(callDepth())?.shapes.push(...tensorsIn(output).map((t) => `[${t.shape.join(', ')}]`));
    running.pop();
  };
  const unwatch = watchNodes((node) => {
    const call = dropEnded(callDepth());
    if (call === null) return;
    calls.set(node, call);
    orders.set(node, count++);
  });
  const hooks = [...paths.keys()].flatMap((module) => [
    module.registerForwardPreHook(begin),
    module.registerForwardHook((_module, _args, output) => end(output)),
  ]);
  return {
    stop() {
      unwatch();
      for (const hook of hooks) hook.remove();
      return { of: (node) => calls.get(node) ?? null, order: (node) => orders.get(node) ?? 0, names };
    },
  };
}
