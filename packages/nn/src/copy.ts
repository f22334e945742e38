import { noGrad, Tensor } from '@gradgate/core';
import { heldGrad, isOfAnotherCopy, ownRequiresGrad, show } from '@gradgate/core/internal';
import { newHooks } from './hooks.js';
import { className, isModule, type Registry, registryOf } from './members.js';
import type { Module } from './module.js';
import { Buffer, Parameter } from './parameter.js';

/**
 * A copy under way, and what has been copied: what is shared in the original is shared in the copy, and circles end.
 */
interface Copies {
  readonly op: string;
  readonly known: Map<unknown, unknown>;
  depth: number;
}

const newCopies = (op: string): Copies => ({ op, known: new Map(), depth: 0 });

/** What is nested deeper would not fit on the stack. */
const maxDepth = 500;

/**
 * A copy of a state dict of a module, an optimizer or a scheduler that stays as it is while training goes on: its
 * tensors have storage of their own. `const best = snapshot(model.stateDict())`.
 *
 * ```ts
 * const model = new Linear(1, 1);
 * const best = snapshot(model.stateDict());
 * init.zeros_(model.weight);
 * model.loadStateDict(best);
 * ```
 */
export function snapshot<S extends object>(state: S): S {
  return noGrad.run(() => copy(state, newCopies('snapshot')) as S);
}

/** See `Module.clone`. */
export function copyOf<M extends Module>(module: M): M {
  return noGrad.run(() => copy(module, newCopies('clone')) as M);
}

function copy(value: unknown, copies: Copies): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
  const known = copies.known.get(value);
  if (known !== undefined) return known;
  if (copies.depth === maxDepth)
    throw new TypeError(`${copies.op}: lists and objects are nested deeper than ${maxDepth} levels`);
  copies.depth++;
  const made = copyObject(value, copies);
  copies.depth--;
  return made;
}

function copyObject(value: object, copies: Copies): unknown {
  if (isModule(value)) return copyModule(value, copies);
  if (Tensor.is(value)) return remembered(copies, value, copyTensor(value));
  if (isOfAnotherCopy(value)) throw new TypeError(`${copies.op}: cannot copy ${show(value)}`);
  if (Array.isArray(value)) {
    const list: unknown[] = remembered(copies, value, []);
    for (const item of value) list.push(copy(item, copies));
    return list;
  }
  if (value instanceof Map) {
    const map: Map<unknown, unknown> = remembered(copies, value, new Map());
    for (const [key, item] of value) map.set(copy(key, copies), copy(item, copies));
    return map;
  }
  if (value instanceof Set) {
    const set: Set<unknown> = remembered(copies, value, new Set());
    for (const item of value) set.add(copy(item, copies));
    return set;
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return remembered(copies, value, (value as Float64Array).slice());
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const object: Record<string, unknown> = remembered(copies, value, Object.create(prototype));
  for (const [key, item] of Object.entries(value))
    Object.defineProperty(object, key, {
      value: copy(item, copies),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return object;
}

function remembered<T>(copies: Copies, from: unknown, to: T): T {
  copies.known.set(from, to);
  return to;
}

function copyTensor(t: Tensor): Tensor {
  const values = t.detach().clone();
  if (t instanceof Buffer) return new Buffer(values, t.persistent);
  const fresh = t instanceof Parameter ? new Parameter(values, { requiresGrad: ownRequiresGrad(t) }) : values;
  if (fresh === values && t.isLeaf && ownRequiresGrad(t)) fresh.requiresGrad_(true);
  const grad = heldGrad(t);
  if (grad !== null) fresh.grad = grad.detach().clone();
  return fresh;
}

function copyModule(module: Module, copies: Copies): Module {
  const from = registryOf(module);
  refusePrivate(from);
  const to = registryOf(Reflect.construct(from.base, [], module.constructor as new () => Module) as Module);
  copies.known.set(module, to.module);
  // Symbols too: what `train()` and `eval()` set has one as its key.
  for (const name of Reflect.ownKeys(from.target)) {
    const field = Object.getOwnPropertyDescriptor(from.target, name)!;
    Object.defineProperty(to.module, name, 'value' in field ? { ...field, value: copy(field.value, copies) } : field);
  }
  copyRegistry(from, to);
  return to.module;
}

function copyRegistry(from: Registry, to: Registry): void {
  for (const [name, kind] of from.kinds) to.kinds.set(name, kind);
  Object.assign(to, { aliases: from.aliases, keysAreChosen: from.keysAreChosen });
  if (from.hooks !== null) to.hooks = newHooks(from.hooks);
}

/** Private fields are made by constructors alone: a copy would lack them, and fail when they are asked for. */
function refusePrivate({ module, base }: Registry): void {
  for (let c = module.constructor; c !== base && typeof c === 'function'; c = Object.getPrototypeOf(c))
    if (/\b(this|self)\.#\w|\baccessor\s+\w+\s*[=:;]|__private/.test(Function.prototype.toString.call(c)))
      throw new TypeError(
        `clone: ${className(module)} has private fields or accessors, which cannot be copied; give it a clone() that makes ` +
          'a new one and calls loadStateDict(this.stateDict())',
      );
}
