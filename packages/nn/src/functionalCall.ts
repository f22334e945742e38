import { ShapeError, Tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { checkModule } from './checkModule.js';
import { className, membersOf, startSubstituting, substituting } from './members.js';
import { Module } from './module.js';

/**
 * What a module gives with other tensors in the place of its parameters and buffers, in this call and what it awaits: for
 * evaluation with averaged weights, adapters for each request, and meta-learning, whose gradients go through the tensors
 * that are given. The module itself and other flows are untouched. Calls nest: what an inner one does not name is as the
 * outer one says. A parameter that is shared has its substitute in all places.
 *
 * @param module The module to call.
 * @param tensors By name, as `namedParameters()` and `namedBuffers()` give them; of the shape of what they stand for. Those
 *   that are not named stay.
 * @param args The arguments of `forward`.
 * @returns What `module(...args)` gives: hooks run too.
 *
 * ```ts
 * const net = new Linear(1, 1);
 * functionalCall(net, { weight: tensor([[2]]), bias: tensor([1]) }, tensor([3])); // [7]
 * ```
 */
export function functionalCall<M extends Module>(
  module: M,
  tensors: Readonly<Record<string, Tensor>>,
  ...args: Parameters<M['forward']>
): ReturnType<M['forward']> {
  checkModule('functionalCall', module);
  if (typeof tensors !== 'object' || tensors === null || Tensor.is(tensors))
    throw new TypeError(`functionalCall: expected tensors by name, got ${show(tensors)}`);
  const own = new Map<string, Tensor>([...module.namedParameters(), ...module.namedBuffers()]);
  const chosen = new Map<Tensor, Tensor>();
  for (const [name, tensor] of Object.entries(tensors)) {
    const before = own.get(name) ?? find(module, name);
    if (before === null)
      throw new TypeError(
        `functionalCall: ${className(module)} has no parameter or buffer '${name}'; it has ${[...own.keys()].slice(0, 8).join(', ')}`,
      );
    if (!Tensor.is(tensor)) throw new TypeError(`functionalCall: '${name}' is a Tensor, got ${show(tensor)}`);
    if (tensor.shape.join() !== before.shape.join())
      throw new ShapeError(
        'functionalCall',
        `'${name}' has shape [${before.shape.join(', ')}], its substitute [${tensor.shape.join(', ')}]`,
      );
    if (chosen.has(before) && chosen.get(before) !== tensor)
      throw new TypeError(`functionalCall: '${name}' is shared, and is given two different substitutes`);
    chosen.set(before, tensor);
  }
  startSubstituting();
  return substituting(chosen).run(() =>
    (module as unknown as (...args: unknown[]) => ReturnType<M['forward']>)(...args),
  );
}

/** A tensor by a name that is not the first of a shared one. */
function find(module: Module, path: string): Tensor | null {
  for (const [name, member] of membersOf(module)) {
    if (name === path && Tensor.is(member)) return member;
    if (member instanceof Module && path.startsWith(`${name}.`)) {
      const found = find(member, path.slice(name.length + 1));
      if (found) return found;
    }
  }
  return null;
}
