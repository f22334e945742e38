import { evaluating } from '@gradgate/core';
import { checkOptions, is } from '@gradgate/core/internal';
import type { Module, metrics } from '@gradgate/nn';
import { Figures, type StepResult } from './figures.js';
import {
  abortSignal,
  type Batches,
  checkBatches,
  checkModel,
  type Step,
  type Steps,
  sizeOf,
  validationStepOf,
  yieldToEventLoop,
} from './steps.js';

/** Runs `step` on all batches under `evaluating`; returns the figures. @internal */
export async function evaluateWith<V>(
  op: string,
  step: Step<V>,
  model: Module,
  batches: Batches<V>,
  { ranks, beforeBatch }: { ranks?: metrics.Ranks; beforeBatch?: () => unknown },
): Promise<Record<string, number>> {
  const figures = new Figures();
  let count = 0;
  try {
    for await (const batch of batches) {
      await beforeBatch?.();
      const result: StepResult = await evaluating.run(() => step(batch, model));
      await figures.note(op, result, sizeOf(batch));
      count++;
      await yieldToEventLoop();
    }
    if (count === 0) throw new TypeError(`${op}: there are no batches to evaluate`);
    return figures.compute(ranks);
  } finally {
    figures.reset();
  }
}

/**
 * Computes the figures of a model over batches: those that its `validationStep`, or otherwise its `trainingStep`,
 * returns for each batch. Runs under `evaluating`: nothing is recorded, dropout is off, and a training of the model
 * that goes on meanwhile is not affected. Returns the figures by name.
 *
 * @param options.step A function to use instead of the model's own step.
 * @param options.ranks The ranks over which figures are combined: the module `@gradgate/distributed`.
 * @param options.signal Ends the evaluation, which throws the signal's reason.
 * @example
 * const { loss, accuracy } = await evaluate(model, testLoader);
 */
export async function evaluate<V>(
  model: Module & Partial<Steps<V, V>>,
  batches: Batches<V>,
  options: { step?: Step<V>; ranks?: metrics.Ranks; signal?: AbortSignal } = {},
): Promise<Record<string, number>> {
  const known = { step: is.callback, ranks: is.anything, signal: abortSignal };
  const { step, ranks, signal } = checkOptions('evaluate', options, known);
  checkModel('evaluate', model);
  checkBatches('evaluate', 'the batches', batches);
  return evaluateWith('evaluate', validationStepOf('evaluate', model, step), model, batches, {
    ranks,
    beforeBatch: () => signal?.throwIfAborted(),
  });
}
