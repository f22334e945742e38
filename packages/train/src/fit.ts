import { Tensor } from '@gradgate/core';
import { check, checkOptions, is, type Kind, show } from '@gradgate/core/internal';
import { type Module, type metrics, optim } from '@gradgate/nn';
import { aCallback, type Callback } from './callback.js';
import { evaluateWith } from './evaluate.js';
import { recordOf, type StepResult } from './figures.js';
import { figureIn } from './monitor.js';
import { hasState, Run } from './run.js';
import {
  abortSignal,
  type Batches,
  breathe,
  checkBatches,
  checkModel,
  checkOptimizer,
  type Step,
  type Stepped,
  type Steps,
  sizeOf,
  stepOf,
  validationStepOf,
} from './steps.js';

type Scheduler = optim.LRScheduler | optim.SequentialLR | optim.ReduceLROnPlateau;

export interface FitOptions<B, V = B> {
  /** The batches of an epoch. */
  train: Batches<B>;
  /** Batches on which each epoch is validated. */
  validation?: Batches<V>;
  /** What is stepped after each batch; without it `trainingStep` takes gradients and steps by itself. */
  optimizer?: Stepped;
  /** How many times `train` is gone through, those of a resumed run included. */
  epochs?: number;
  /** Ends the run after so many steps of the optimizer. */
  maxSteps?: number;
  /** Stepped after each epoch, or each step. */
  scheduler?: Scheduler;
  /** When the scheduler is stepped; `'epoch'` by default. */
  schedulerInterval?: 'epoch' | 'step';
  /** The figure that `ReduceLROnPlateau` gets; `'valLoss'` by default, or `'loss'` where nothing validates. */
  monitor?: string;
  /** Functions in place of the model's methods. */
  trainingStep?: Step<B>;
  validationStep?: Step<V>;
  /** The gradients of so many batches make one step: the mean of their losses. 1 by default. */
  accumulateGradBatches?: number;
  /** The most that the joint norm of all gradients may be. */
  clipGradNorm?: number;
  /** The most that an element of a gradient may be, in size. */
  clipGradValue?: number;
  /** Ends the run with an error, before the step, where the loss of a batch is NaN or infinite; true by default. */
  terminateOnNan?: boolean;
  callbacks?: readonly Callback[];
  /** Ends the run with the signal's reason, at a place where it can be resumed. */
  signal?: AbortSignal;
  /** A checkpoint of a run with the same parts, to go on from: a file, or the bytes. */
  resume?: string | URL | Uint8Array;
  /** More that belongs to checkpoints, by name: further optimizers, generators, data loaders. */
  parts?: Record<string, any>;
  /** The ranks over which figures are put together: the module `@gradgate/distributed`. */
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
 * Trains a model: `trainingStep` gives the loss of a batch, and `fit` takes its gradient, steps the optimizer and goes on;
 * after each epoch it validates under `evaluating`. What the steps give are figures: the loss, numbers of which the mean is
 * taken, and metrics. The run that it gives has them by epoch in `history`.
 *
 * Modes of modules and gates are those of the caller: dropout is on unless `model.eval()` was called. Timers and requests
 * have their turn between batches.
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
  const run = new Run(model, checked(model, options));
  const training = stepOf('fit', 'trainingStep', model, options.trainingStep);
  const validating = validationStepOf('fit', model, options.validationStep, training as unknown as Step<V>);
  options.signal?.throwIfAborted();
  if (options.resume !== undefined) await run.resume(options.resume);
  try {
    await tell(run, 'onFitStart');
    while (run.epoch < run.epochs && run.stopReason === null) {
      if (!run.isTrained) await trainEpoch(run, training);
      const { validation, ranks } = options;
      if (validation) {
        run.validationStart = hasState(validation) ? validation.stateDict() : null;
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
    await tell(run, 'onFitEnd');
    return run;
  } finally {
    for (const callback of run.callbacks) await callback.close?.();
  }
}

/** The batches of an epoch, or those that are left of it. */
async function trainEpoch(run: Run, step: Step<any>): Promise<void> {
  const { train, accumulateGradBatches = 1 } = run.options;
  // A loader goes on by itself; others are gone through anew as far as they were.
  let skip = 'loadStateDict' in train ? 0 : run.batch;
  run.optimizer?.zeroGrad();
  let pending = 0;
  for await (const batch of train) {
    if (skip-- > 0) continue;
    const result = await step(batch, run.model);
    const counts = result !== undefined;
    if (counts && run.optimizer) lossOf(result).div(accumulateGradBatches).backward();
    run.batchFigures = await run.sums.note('trainingStep', result, sizeOf(batch));
    if (run.options.terminateOnNan !== false) checkLoss(run);
    run.batch++;
    run.samples += sizeOf(batch);
    if (counts) pending++;
    const isStep = pending >= accumulateGradBatches;
    if (!isStep) continue;
    await endStep(run);
    pending = 0;
    if (run.stopReason !== null) break;
  }
  if (run.batch === 0)
    throw new TypeError(
      `fit: train gives no batches in epoch ${run.epoch + 1}; a generator is gone through once: give what can be gone through anew`,
    );
  if (pending > 0) await endStep(run);
  run.figures = run.sums.compute(run.options.ranks);
  run.isTrained = true;
  await tell(run, 'onTrainEpochEnd');
}

/** Refuses the loss of the batch before weights learn from it: they would be NaN from then on. */
function checkLoss({ batchFigures: { loss = 0 }, epoch, batch }: Run): void {
  if (Number.isFinite(loss)) return;
  throw new RangeError(
    `fit: the loss is ${loss} in batch ${batch + 1} of epoch ${epoch + 1}. Often the rate is too high, the data have NaN, or a log ` +
      'or a division meets 0: detectAnomaly(() => loss.backward()) names the operator; clipGradNorm limits steps. ' +
      '{ terminateOnNan: false } goes on',
  );
}

/** The optimizer's step, and all that goes with it. */
async function endStep(run: Run): Promise<void> {
  const { optimizer, scheduler, schedulerInterval, clipGradNorm, clipGradValue, maxSteps = 0 } = run.options;
  if (optimizer) {
    // Where ranks share the optimizer's work out, each one steps a part, and the norm is that of all.
    const params = new Set([...run.model.parameters(), ...optimizer.paramGroups.flatMap((group) => group.params)]);
    if (clipGradValue !== undefined) optim.clipGradValue_(params, clipGradValue);
    if (clipGradNorm !== undefined) await optim.clipGradNormAsync_(params, clipGradNorm);
    optimizer.step();
    optimizer.zeroGrad();
  }
  run.step++;
  if (schedulerInterval === 'step') stepScheduler(run, scheduler, run.batchFigures);
  if (run.step === maxSteps) run.stop(`maxSteps, ${maxSteps}, are done`);
  await tell(run, 'onStep');
  await abortIfAsked(run);
  await breathe();
}

async function endEpoch(run: Run): Promise<void> {
  const { scheduler, schedulerInterval } = run.options;
  if (schedulerInterval !== 'step') stepScheduler(run, scheduler, run.figures);
  for (const name of new Set([...Object.keys(run.history), ...Object.keys(run.figures)])) {
    run.history[name] ??= new Array<number>(run.epoch).fill(Number.NaN);
    run.history[name].push(run.figures[name] ?? Number.NaN);
  }
  run.epoch++;
  run.batch = 0;
  run.isTrained = false;
  await tell(run, 'onEpochEnd');
}

function stepScheduler(run: Run, scheduler: Scheduler | undefined, figures: Record<string, number>): void {
  if (scheduler instanceof optim.ReduceLROnPlateau) scheduler.step(figureIn('fit', figures, run.options.monitor));
  else scheduler?.step();
}

async function tell(
  run: Run,
  what: 'onFitStart' | 'onStep' | 'onTrainEpochEnd' | 'onEpochEnd' | 'onAbort' | 'onFitEnd',
) {
  for (const callback of run.callbacks) await callback[what]?.(run);
}

async function abortIfAsked(run: Run): Promise<void> {
  const { signal } = run.options;
  if (!signal?.aborted) return;
  await tell(run, 'onAbort');
  throw signal.reason;
}

function lossOf(result: StepResult): Tensor {
  const { loss } = recordOf('trainingStep', result);
  if (!Tensor.is(loss))
    throw new TypeError(
      `trainingStep: gives the loss, a Tensor, or an object with a loss, got ${show(loss ?? result)}; ` +
        'without the option optimizer it takes gradients by itself',
    );
  return loss;
}

function checked<B, V>(model: Module, options: FitOptions<B, V>): FitOptions<B, V> {
  checkModel('fit', model);
  check('fit', 'options', options, is.object);
  checkOptions('fit', options, known);
  const { train, validation, optimizer, scheduler, epochs, maxSteps, accumulateGradBatches, callbacks = [] } = options;
  for (const [i, callback] of callbacks.entries()) check('fit', `callbacks[${i}]`, callback, aCallback);
  checkBatches('fit', 'train', train);
  if (validation !== undefined) checkBatches('fit', 'validation', validation);
  if (optimizer !== undefined) checkOptimizer('fit', optimizer, model);
  if (scheduler !== undefined && typeof scheduler.step !== 'function')
    throw new TypeError(`fit: the scheduler is one of optim, got ${show(scheduler)}`);
  if (epochs === undefined && maxSteps === undefined) throw new TypeError('fit: give epochs, or maxSteps');
  if (!optimizer && accumulateGradBatches !== undefined)
    throw new TypeError('fit: accumulateGradBatches needs the optimizer that is to be stepped');
  return options;
}
