import { ShapeError, Tensor } from '@gradgate/core';
import { check, is, show } from '@gradgate/core/internal';
import { checkModule } from './checkModule.js';
import { className, startSubstituting, substituting } from './members.js';
import type { Module } from './module.js';
import { shapeText } from './shapeText.js';
import { tensorsByAnyName } from './state.js';

/**
 * Calls a module with other tensors in place of its parameters and buffers, in this call and what it awaits: for
 * evaluation with averaged weights, adapters for each request, and meta-learning, where gradients go through the given
 * tensors. The module itself and other flows are not affected. Calls nest: for names that an inner call does not give,
 * the outer one holds. A shared parameter is replaced everywhere.
 *
 * @param module The module to call.
 * @param tensors By name, as in `namedParameters()` and `namedBuffers()` or as in `stateDict()`, with the shapes of the
 * originals. Names that are not given keep their tensors.
 * @param args The arguments of `forward`.
 * @returns The result of `module(...args)`, hooks included.
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
  const given = Object.entries(tensors);
  const all = given.every(([name]) => own.has(name)) ? own : tensorsByAnyName(module);
  const chosen = new Map<Tensor, Tensor>();
  for (const [name, tensor] of given) {
    const before = all.get(name);
    if (before === undefined)
      throw new TypeError(
        `functionalCall: ${className(module)} has no parameter or buffer ${show(name)}; it has ${[...own.keys()].slice(0, 8).join(', ')}`,
      );
    check('functionalCall', `'${name}'`, tensor, is.tensor);
    if (tensor.shape.join() !== before.shape.join())
      throw new ShapeError(
        'functionalCall',
        `'${name}' has shape ${shapeText(before)}, its substitute ${shapeText(tensor)}`,
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
