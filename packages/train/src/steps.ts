import { Tensor } from '@gradgate/core';
import { is, show } from '@gradgate/core/internal';
import { Module } from '@gradgate/nn';
import type { StepResult } from './figures.js';

/** Batches to go through: a `DataLoader`, an array, a generator; anew in each epoch. */
export type Batches<B> = Iterable<B> | AsyncIterable<B>;

/** What is done with a batch: gives the loss, or an object of figures. `model` is the one that it is done with. */
export type Step<B> = (batch: B, model: Module) => StepResult | PromiseLike<StepResult>;

/** An optimizer: one of `optim`, or what shares its work out among ranks. */
export interface Stepped {
  readonly paramGroups: { params: Tensor[]; lr: number }[];
  step(): unknown;
  zeroGrad(): void;
  stateDict(): object;
  loadStateDict(state: any): unknown;
}

/** The steps that a model brings as methods; without `validationStep` its `trainingStep` validates. */
export interface Steps<B, V> {
  trainingStep(batch: B, model: Module): StepResult | PromiseLike<StepResult>;
  validationStep(batch: V, model: Module): StepResult | PromiseLike<StepResult>;
}

/** The function among the options, or else the method of the model. */
export function stepOf<B>(op: string, name: keyof Steps<B, B>, model: Module, given: Step<B> | undefined): Step<B> {
  if (given) return given;
  const method = (model as Partial<Steps<B, B>>)[name];
  if (typeof method !== 'function')
    throw new TypeError(`${op}: ${model.constructor.name} has no ${name}(batch), and none is among the options`);
  return (batch, current) => (current as unknown as Steps<B, B>)[name](batch, current);
}

/** The step that validates: `validationStep`, or else `trainingStep`. */
export function validationStepOf<V>(
  op: string,
  model: Module,
  given: Step<V> | undefined,
  training?: Step<V>,
): Step<V> {
  const own = typeof (model as Partial<Steps<V, V>>).validationStep === 'function';
  if (given || own || !training) return stepOf(op, own || given ? 'validationStep' : 'trainingStep', model, given);
  return training;
}

/** How many samples are in a batch: the first dimension of its first tensor, the length of its first list of texts, or 1. */
export function sizeOf(batch: unknown, depth = 0): number {
  if (Tensor.is(batch)) return batch.shape[0] ?? 1;
  if (Array.isArray(batch) && typeof batch[0] === 'string') return batch.length;
  if (typeof batch !== 'object' || batch === null || depth > 4) return 1;
  const first = Object.values(batch).find((value) => typeof value === 'object' && value !== null);
  return sizeOf(first, depth + 1);
}

/** Refuses what is no module. */
export function checkModel(op: string, model: unknown): void {
  if (!(model instanceof Module)) throw new TypeError(`${op}: the model is a Module, got ${show(model)}`);
}

/** Refuses what neither is an optimizer nor shares the work of one out, and one of another model: it would train nothing. */
export function checkOptimizer(op: string, optimizer: Partial<Stepped> | null, model: Module): void {
  const { step, zeroGrad, stateDict, loadStateDict, paramGroups } = optimizer ?? {};
  if (![step, zeroGrad, stateDict, loadStateDict].every(is.callback.is) || !Array.isArray(paramGroups))
    throw new TypeError(`${op}: the optimizer is one of optim, got ${show(optimizer)}`);
  const own = new Set<Tensor>(model.parameters());
  const stepped = paramGroups.flatMap((group) => group.params);
  // A rank that shares the work out may have none to step.
  if (own.size > 0 && stepped.length > 0 && !stepped.some((p) => own.has(p)))
    throw new TypeError(
      `${op}: the optimizer steps ${stepped.length} tensors, and none is a parameter of ${model.constructor.name}, so nothing would ` +
        'be learned; make it of model.parameters()',
    );
}

/** What can end a run; of any realm. */
export const abortSignal = {
  text: 'an AbortSignal',
  is: (v: unknown): boolean => is.callback.is((v as Partial<AbortSignal> | null)?.throwIfAborted),
};

/** Refuses what cannot be gone through. */
export function checkBatches(op: string, name: string, batches: unknown): void {
  const given = Object(batches) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  const isIterable = typeof given[Symbol.iterator] === 'function' || typeof given[Symbol.asyncIterator] === 'function';
  if (!isIterable || typeof batches === 'string' || Tensor.is(batches))
    throw new TypeError(`${op}: ${name} are batches: a DataLoader, an array or another iterable; got ${show(batches)}`);
}

let lastPause = 0;

/**
 * Lets timers, requests and pages have their turn, at most some hundred times a second: a loop that only awaits what is
 * there already would keep them waiting.
 */
export async function breathe(): Promise<void> {
  const now = performance.now();
  if (now - lastPause < 8) return;
  lastPause = now;
  const { setImmediate } = globalThis as { setImmediate?: (done: () => void) => void };
  await new Promise<void>((resolve) => {
    if (setImmediate) setImmediate(resolve);
    else setTimeout(resolve);
  });
}
