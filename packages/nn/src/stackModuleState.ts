import { noGrad, ShapeError, stack, type Tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { checkModule } from './checkModule.js';
import { className } from './members.js';
import type { Module } from './module.js';
import { shapeText } from './shapeText.js';

/**
 * The parameters and the buffers of models of one kind, stacked: `[models, ...shape]` by name. With `vmap` and
 * `functionalCall` they are an ensemble that is called, and trained, at once. The stacked parameters are new leaves,
 * which require grad where those of the first model do.
 *
 * @param models At least one, all of one class, with parameters and buffers of the same names, shapes and dtypes, and
 * all in training or all in evaluation.
 * @returns Parameters and buffers.
 *
 * ```ts
 * const [params] = stackModuleState([new Linear(3, 2), new Linear(3, 2)]);
 * params['weight']!.shape; // [2, 2, 3]
 * ```
 */
export function stackModuleState(
  models: readonly Module[],
): [parameters: Record<string, Tensor>, buffers: Record<string, Tensor>] {
  if (!Array.isArray(models) || models.length === 0)
    throw new TypeError(`stackModuleState: takes an array of at least one module, got ${show(models)}`);
  for (const model of models) checkModule('stackModuleState', model);
  const first: Module = models[0]!;
  for (const model of models) {
    if (model.constructor !== first.constructor)
      throw new TypeError(
        `stackModuleState: the modules must be of one class, got ${className(first)} and ${className(model)}`,
      );
    if (model.training !== first.training)
      throw new TypeError(
        'stackModuleState: some modules are in training and some in evaluation; call train() or eval()',
      );
  }
  const parameters = stacked(models, (model) => model.namedParameters());
  for (const [name, parameter] of first.namedParameters()) parameters[name]!.requiresGrad_(parameter.requiresGrad);
  return [parameters, stacked(models, (model) => model.namedBuffers())];
}

function stacked(
  models: readonly Module[],
  tensorsOf: (model: Module) => Iterable<[string, Tensor]>,
): Record<string, Tensor> {
  const all = models.map((model) => new Map(tensorsOf(model)));
  const kinds = all.map((tensors) => [...tensors].map(([name, t]) => `${name} ${t.dtype} ${shapeText(t)}`));
  kinds.forEach((kind, i) => {
    const other = kind.find((text) => !kinds[0]!.includes(text)) ?? kinds[0]!.find((text) => !kind.includes(text));
    if (other !== undefined)
      throw new ShapeError('stackModuleState', `module ${i} differs from the first one: only one of them has ${other}`);
  });
  return Object.fromEntries(
    [...all[0]!.keys()].map((name) => [
      name,
      noGrad.run(() => stack(all.map((tensors) => tensors.get(name)!.detach()))).detach(),
    ]),
  );
}
