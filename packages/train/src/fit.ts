import { Tensor } from '@gradgate/core';
import { check, checkOptions, is, type Kind, show } from '@gradgate/core/internal';
import { type Module, type metrics, optim } from '@gradgate/nn';
import { isStateful } from '@gradgate/nn/internal';
import { aCallback, type Callback } from './callback.js';
import { evaluateWith } from './evaluate.js';
import { recordOf, type StepResult } from './figures.js';
import { figureIn } from './monitor.js';
import { Run } from './run.js';
import {
  abortSignal,
  type Batches,
  checkBatches,
  checkModel,
  checkOptimizer,
  type Step,
  type Stepped,
  type Steps,
  sizeOf,
  stepOf,
  validationStepOf,
  yieldToEventLoop,
} from './steps.js';

type Scheduler = optim.LRScheduler | optim.SequentialLR | optim.ChainedScheduler | optim.ReduceLROnPlateau;

/** Options of `fit`. */
export interface FitOptions<B, V = B> {
  /** The batches of an epoch, iterated anew for each. */
  train: Batches<B>;
  /** The batches on which the model is validated after each epoch. */
  validation?: Batches<V>;
  /** The optimizer to step after each batch; without it `trainingStep` must call backward and step by itself. */
  optimizer?: Stepped;
  /** The number of epochs, including those of a resumed run. */
  epochs?: number;
  /** The number of steps of the optimizer after which the run ends. */
  maxSteps?: number;
  /** A scheduler to step after each epoch, or each step. */
  scheduler?: Scheduler;
  /** When the scheduler is stepped; `'epoch'` by default. */
  schedulerInterval?: 'epoch' | 'step';
  /** The figure for `ReduceLROnPlateau`; `'valLoss'` by default, or `'loss'` without validation. */
  monitor?: string;
  /** A function to use instead of the model's `trainingStep`. */
  trainingStep?: Step<B>;
  /** A function to use instead of the model's `validationStep`. */
  validationStep?: Step<V>;
  /** The number of batches whose mean loss makes one step; 1 by default. */
  accumulateGradBatches?: number;
  /** The largest joint norm of all gradients; larger ones are scaled down. */
  clipGradNorm?: number;
  /** The largest size of an element of a gradient; larger ones are clamped. */
  clipGradValue?: number;
  /** Whether a loss that is NaN or infinite ends the run with an error, before the step; true by default. */
  terminateOnNan?: boolean;
  /** Objects that take part in the run. */
  callbacks?: readonly Callback[];
  /** Ends the run after a step, at a point from which it can be resumed; `fit` throws the signal's reason. */
  signal?: AbortSignal;
  /** A checkpoint of a run with the same parts to continue from: its path or its bytes. */
  resume?: string | URL | Uint8Array;
  /** More parts for checkpoints, by name: further optimizers, generators, data loaders. */
  parts?: Record<string, any>;
  /** The ranks over which figures are combined: the module `@gradgate/distributed`. */
  ranks?: metrics.Ranks;
}

const checkpoint: Kind = {
  text: 'the path or the bytes of a checkpoint',
  is: (v) => typeof v === 'string' || v instanceof URL || v instanceof Uint8Array,
};

const known = {
  train: is.anything,
  validation: is.anything,
  optimizer: is.anything,
  epochs: is.count,
  maxSteps: is.count,
  scheduler: is.anything,
  schedulerInterval: is.oneOf('epoch', 'step'),
  monitor: is.string,
  trainingStep: is.callback,
  validationStep: is.callback,
  accumulateGradBatches: is.count,
  clipGradNorm: is.positive,
  clipGradValue: is.positive,
  terminateOnNan: is.boolean,
  callbacks: is.arrayOf(is.anything),
  signal: abortSignal,
  resume: checkpoint,
  parts: is.object,
  ranks: is.anything,
};

/**
 * Trains a model: `trainingStep` returns the loss of a batch, and `fit` calls backward and steps the optimizer; after
 * each epoch it validates under `evaluating`. Steps return figures: the loss, other numbers, which are averaged, and
 * metrics. Returns the run, which has them by epoch in `history`.
 *
 * Modes of modules and gates are those of the caller: dropout is on unless `model.eval()` was called. Timers and
 * requests can run between batches.
 *
 * @example
 * class Net extends Module {
 *   layer = new Linear(4, 1);
 *   trainingStep([x, y]: [Tensor, Tensor]) { return mseLoss(this.layer(x), y); }
 * }
 * const model = new Net();
 * const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
 * const { history } = await fit(model, { train: loader, validation: testLoader, optimizer, epochs: 10 });
 */
export async function fit<B, V = B>(model: Module & Partial<Steps<B, V>>, options: FitOptions<B, V>): Promise<Run> {
  const run = new Run(model, checkFit(model, options));
  const training = stepOf('fit', 'trainingStep', model, options.trainingStep);
  const validating = validationStepOf('fit', model, options.validationStep, training as unknown as Step<V>);
  options.signal?.throwIfAborted();
  const release = claim(run.callbacks);
  try {
    if (options.resume !== undefined) await run.resume(options.resume);
  } catch (error) {
    release();
    throw error;
  }
  try {
    await notify(run, 'onFitStart');
    while (run.epoch < run.epochs && run.stopReason === null) {
      if (!run.isTrained) await trainEpoch(run, training);
      const { validation, ranks } = options;
      if (validation) {
        run.validationStart = isStateful(validation) ? validation.stateDict() : null;
        const beforeBatch = () => abortIfAsked(run);
        const found = await evaluateWith('validationStep', validating, run.evaluated, validation, {
          ranks,
          beforeBatch,
        });
        for (const [name, value] of Object.entries(found))
          run.figures[`val${name[0]!.toUpperCase()}${name.slice(1)}`] = value;
        run.validationStart = null;
      }
      await endEpoch(run);
    }
    await notify(run, 'onFitEnd');
  } catch (error) {
    // Errors of closing would hide the one that ended the run.
    await closeAll(run.callbacks).catch(() => {});
    throw error;
  } finally {
    release();
  }
  await closeAll(run.callbacks);
  return run;
}

/** The callbacks of runs that have not ended and keep something between calls: two runs would count in one. */
const inRuns = new WeakSet<Callback>();

/** Takes callbacks for a run; returns what gives them back. */
function claim(callbacks: readonly Callback[]): () => void {
  const keeping = callbacks.filter((callback) => isStateful(callback) || callback.parts || callback.close);
  for (const [i, callback] of keeping.entries())
    if (inRuns.has(callback) || keeping.indexOf(callback) < i)
      throw new TypeError(
        `fit: ${callback.constructor?.name ?? 'a callback'} is in another run that has not ended, or twice in this one; ` +
          'it keeps a state, so make one for each',
      );
  for (const callback of keeping) inRuns.add(callback);
  return () => {
    for (const callback of keeping) inRuns.delete(callback);
  };
}

/** Closes each callback, also those after one that throws. */
async function closeAll(callbacks: readonly Callback[]): Promise<void> {
  const failures: unknown[] = [];
  for (const callback of callbacks)
    try {
      await callback.close?.();
    } catch (error) {
      failures.push(error);
    }
  if (failures.length > 0) throw failures[0];
}

/** Trains on the batches of an epoch, or on the rest of one that is resumed. */
async function trainEpoch(run: Run, step: Step<any>): Promise<void> {
  const { train, accumulateGradBatches = 1 } = run.options;
  // A loader with a state continues by itself; other batches are iterated from the start and skipped.
  let skip = isStateful(train) ? 0 : run.batch;
  const isWhole = run.batch === 0;
  let losses = 0;
  run.optimizer?.zeroGrad();
  let pending = 0;
  for await (const batch of train) {
    if (skip-- > 0) continue;
    const result = await step(batch, run.model);
    const counts = result !== undefined;
    if (counts && run.optimizer) lossOf(result, run.optimizer).div(accumulateGradBatches).backward();
    run.batchFigures = await run.sums.note('trainingStep', result, sizeOf(batch));
    if (run.options.terminateOnNan !== false) checkLoss(run);
    run.batch++;
    run.samples += sizeOf(batch);
    if (counts) {
      losses++;
      pending++;
    }
    const isStep = pending >= accumulateGradBatches;
    if (!isStep) continue;
    await endStep(run);
    pending = 0;
    if (run.stopReason !== null) break;
  }
  if (run.batch === 0)
    throw new TypeError(
      `fit: train has no batches in epoch ${run.epoch + 1}. A generator can be iterated only once: give a DataLoader, an array or an object whose [Symbol.iterator] starts anew`,
    );
  if (isWhole && losses === 0 && run.optimizer)
    throw new TypeError(
      `trainingStep: returned nothing for all ${run.batch} batches of epoch ${run.epoch + 1}, so nothing was learned; return the loss`,
    );
  if (pending > 0) await endStep(run);
  run.figures = run.sums.compute(run.options.ranks);
  run.isTrained = true;
  await notify(run, 'onTrainEpochEnd');
}

/** Throws for a loss that is NaN or infinite before the step, which would make the weights NaN. */
function checkLoss({ batchFigures: { loss = 0 }, epoch, batch }: Run): void {
  if (Number.isFinite(loss)) return;
  throw new RangeError(
    `fit: the loss is ${loss} in batch ${batch + 1} of epoch ${epoch + 1}. Often the learning rate is too high, the data have NaN, ` +
      'or there is a logarithm or a division of 0: detectAnomaly(() => loss.backward()) names the operator, clipGradNorm limits ' +
      'steps, and { terminateOnNan: false } continues in spite of it',
  );
}

/** Steps the optimizer, with clipping, scheduler and callbacks. */
async function endStep(run: Run): Promise<void> {
  const { optimizer, scheduler, schedulerInterval, clipGradNorm, clipGradValue, maxSteps = 0 } = run.options;
  if (optimizer) {
    // All parameters: a rank may step only a part of them, but the norm is over all.
    const params = new Set([...run.model.parameters(), ...optimizer.paramGroups.flatMap((group) => group.params)]);
    if (clipGradValue !== undefined) optim.clipGradValue_(params, clipGradValue);
    if (clipGradNorm !== undefined) await optim.clipGradNormAsync_(params, clipGradNorm);
    optimizer.step();
    optimizer.zeroGrad();
  }
  run.step++;
  if (schedulerInterval === 'step') stepScheduler(run, scheduler, run.batchFigures);
  if (run.step === maxSteps) run.stop(`maxSteps, ${maxSteps}, are done`);
  await notify(run, 'onStep');
  await abortIfAsked(run);
  await yieldToEventLoop();
}

async function endEpoch(run: Run): Promise<void> {
  const { scheduler, schedulerInterval } = run.options;
  if (schedulerInterval !== 'step') stepScheduler(run, scheduler, run.figures);
  for (const name of new Set([...Object.keys(run.history), ...Object.keys(run.figures)])) {
    // Figures may have any name, such as those that all objects inherit.
    if (!Object.hasOwn(run.history, name)) run.history[name] = new Array<number>(run.epoch).fill(Number.NaN);
    run.history[name]!.push(Object.hasOwn(run.figures, name) ? run.figures[name]! : Number.NaN);
  }
  run.epoch++;
  run.batch = 0;
  run.isTrained = false;
  await notify(run, 'onEpochEnd');
}

function stepScheduler(run: Run, scheduler: Scheduler | undefined, figures: Record<string, number>): void {
  if (scheduler instanceof optim.ReduceLROnPlateau) scheduler.step(figureIn('fit', figures, run.options.monitor));
  else scheduler?.step();
}

/** Calls a method of all callbacks, one after another. */
async function notify(
  run: Run,
  method: 'onFitStart' | 'onStep' | 'onTrainEpochEnd' | 'onEpochEnd' | 'onAbort' | 'onFitEnd',
) {
  for (const callback of run.callbacks) await callback[method]?.(run);
}

async function abortIfAsked(run: Run): Promise<void> {
  const { signal } = run.options;
  if (!signal?.aborted) return;
  await notify(run, 'onAbort');
  throw signal.reason;
}

/** The loss to call backward on. */
function lossOf(result: StepResult, { paramGroups }: Stepped): Tensor {
  const { loss } = recordOf('trainingStep', result);
  if (!Tensor.is(loss))
    throw new TypeError(
      `trainingStep: must return the loss, a Tensor, or an object with a loss, got ${show(loss ?? result)}; ` +
        'without the option optimizer it must call backward() by itself',
    );
  if (loss.requiresGrad) return loss;
  const params = paramGroups.flatMap((group) => group.params);
  if (params.length > 0 && params.every((p) => !p.requiresGrad))
    throw new TypeError(
      `fit: none of the ${params.length} tensors that the optimizer steps requires grad, so nothing would be learned; ` +
        'unfreeze some with requiresGrad_(true)',
    );
  return loss;
}

/** Throws for a scheduler of another optimizer: it would change nothing in this run. */
function checkScheduler(scheduler: Scheduler, optimizer: Stepped | undefined): void {
  if (typeof scheduler.step !== 'function')
    throw new TypeError(`fit: the scheduler must be one of optim, got ${show(scheduler)}`);
  const own = (scheduler as { optimizer?: { paramGroups?: unknown[] } }).optimizer?.paramGroups;
  const groups: readonly unknown[] | undefined = optimizer?.paramGroups;
  // A rank's optimizer that divides the work has the groups of the one in it.
  if (own && groups && !own.some((group) => groups.includes(group)))
    throw new TypeError('fit: the scheduler is one of another optimizer; make it with the optimizer that fit is given');
}

/** Checks the arguments of `fit`; returns the options. */
function checkFit<B, V>(model: Module, options: FitOptions<B, V>): FitOptions<B, V> {
  checkModel('fit', model);
  check('fit', 'options', options, is.object);
  checkOptions('fit', options, known);
  const { train, validation, optimizer, scheduler, epochs, maxSteps, accumulateGradBatches, callbacks = [] } = options;
  for (const [i, callback] of callbacks.entries()) check('fit', `callbacks[${i}]`, callback, aCallback);
  checkBatches('fit', 'train', train);
  if (validation !== undefined) checkBatches('fit', 'validation', validation);
  if (optimizer !== undefined) checkOptimizer('fit', optimizer, model);
  if (scheduler !== undefined) checkScheduler(scheduler, optimizer);
  if (epochs === undefined && maxSteps === undefined) throw new TypeError('fit: give epochs or maxSteps');
  if (!optimizer && accumulateGradBatches !== undefined)
    throw new TypeError('fit: accumulateGradBatches needs the option optimizer');
  return options;
}
