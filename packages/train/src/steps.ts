import { Tensor } from '@gradgate/core';
import { is, show } from '@gradgate/core/internal';
import { Module } from '@gradgate/nn';
import type { StepResult } from './figures.js';

/** The batches of an epoch: a `DataLoader`, an array or another iterable, iterated anew for each epoch. */
export type Batches<B> = Iterable<B> | AsyncIterable<B>;

/** A step: computes the loss of a batch, or an object of figures, with `model`. */
export type Step<B> = (batch: B, model: Module) => StepResult | PromiseLike<StepResult>;

/** An optimizer: one of `optim`, or one that divides its work among ranks. */
export interface Stepped {
  /** The groups of parameters, each with its learning rate. */
  readonly paramGroups: { params: Tensor[]; lr: number }[];
  /** Changes the parameters by their gradients. */
  step(): unknown;
  /** Drops the gradients. */
  zeroGrad(): void;
  /** What is to be saved. */
  stateDict(): object;
  /** Takes what `stateDict()` gave. */
  loadStateDict(state: any): unknown;
}

/** The steps that a model has as methods. Without `validationStep`, `trainingStep` is used for validation too. */
export interface Steps<B, V> {
  /** The loss of a batch, with a graph, or an object of figures with a loss. */
  trainingStep(batch: B, model: Module): StepResult | PromiseLike<StepResult>;
  /** The figures of a batch of validation. */
  validationStep(batch: V, model: Module): StepResult | PromiseLike<StepResult>;
}

/** The function given as an option, or otherwise the method of the model. */
export function stepOf<B>(op: string, name: keyof Steps<B, B>, model: Module, given: Step<B> | undefined): Step<B> {
  if (given) return given;
  const method = (model as Partial<Steps<B, B>>)[name];
  if (typeof method !== 'function')
    throw new TypeError(`${op}: ${model.constructor.name} has no method ${name}(batch), and no option gives one`);
  return (batch, current) => (current as unknown as Steps<B, B>)[name](batch, current);
}

/** The step for validation: `validationStep`, or otherwise `trainingStep`. */
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

/**
 * The number of samples in a batch: the first dimension of its first tensor, the length of its first list of strings,
 * or 1.
 */
export function sizeOf(batch: unknown, depth = 0): number {
  if (Tensor.is(batch)) return batch.shape[0] ?? 1;
  if (Array.isArray(batch) && typeof batch[0] === 'string') return batch.length;
  if (typeof batch !== 'object' || batch === null || depth > 4) return 1;
  const first = Object.values(batch).find((value) => typeof value === 'object' && value !== null);
  return sizeOf(first, depth + 1);
}

/** Throws unless `model` is a module. */
export function checkModel(op: string, model: unknown): void {
  if (!(model instanceof Module)) throw new TypeError(`${op}: the model must be a Module, got ${show(model)}`);
}

/**
 * Throws unless `optimizer` has the methods of one and parameters of the model: with others nothing would be learned.
 */
export function checkOptimizer(op: string, optimizer: Partial<Stepped> | null, model: Module): void {
  const { step, zeroGrad, stateDict, loadStateDict, paramGroups } = optimizer ?? {};
  if (![step, zeroGrad, stateDict, loadStateDict].every(is.callback.is) || !Array.isArray(paramGroups))
    throw new TypeError(`${op}: the optimizer must be one of optim, got ${show(optimizer)}`);
  const own = new Set<Tensor>(model.parameters());
  const stepped = paramGroups.flatMap((group) => group.params);
  // A rank that shares the optimizer's work may have no parameters to step.
  if (own.size > 0 && stepped.length > 0 && !stepped.some((p) => own.has(p)))
    throw new TypeError(
      `${op}: the optimizer steps ${stepped.length} tensors, and none is a parameter of ${model.constructor.name}, so nothing would ` +
        'be learned; make it with model.parameters()',
    );
}

/** The check of an AbortSignal, of any realm. */
export const abortSignal = {
  text: 'an AbortSignal',
  is: (v: unknown): boolean => is.callback.is((v as Partial<AbortSignal> | null)?.throwIfAborted),
};

/** Throws unless `batches` can be iterated. */
export function checkBatches(op: string, name: string, batches: unknown): void {
  const given = Object(batches) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  const isIterable = typeof given[Symbol.iterator] === 'function' || typeof given[Symbol.asyncIterator] === 'function';
  if (!isIterable || typeof batches === 'string' || Tensor.is(batches))
    throw new TypeError(
      `${op}: ${name} must be a DataLoader, an array or another iterable of batches, got ${show(batches)}`,
    );
}

let lastPause = 0;

/**
 * Lets timers, requests and pages run, at most every 8 ms: a loop that awaits only resolved promises would keep them
 * waiting.
 */
export async function yieldToEventLoop(): Promise<void> {
  const now = performance.now();
  if (now - lastPause < 8) return;
  lastPause = now;
  const { setImmediate } = globalThis as { setImmediate?: (done: () => void) => void };
  await new Promise<void>((resolve) => {
    if (setImmediate) setImmediate(resolve);
    else setTimeout(resolve);
  });
}
