import { checkOptions, is } from '@gradgate/core/internal';
import { Module, optim } from '@gradgate/nn';
import type { Callback } from './callback.js';
import { checkRun, type Run } from './run.js';

const aModule = is.instanceOf('a Module', () => Module);

/**
 * Keeps an exponential moving average of the weights, and validates with it. The model itself is left alone, so that what
 * serves it meanwhile sees no other weights; the average is `average`, a module of its own.
 */
export class WeightAveraging implements Callback {
  private readonly decay: number;
  private readonly given: Module | undefined;
  private ema: optim.ExponentialMovingAverage<Module> | null = null;

  /**
   * @param options.decay How much of the average stays in each step; 0.999 by default.
   * @param options.average The module that holds the average; a clone of the model by default.
   */
  constructor(options: { decay?: number; average?: Module } = {}) {
    const known = { decay: is.probability, average: aModule };
    const { decay = 0.999, average } = checkOptions('WeightAveraging', options, known);
    this.decay = decay;
    this.given = average;
  }

  /** The model with averaged weights, once the run has started. */
  get average(): Module {
    if (!this.ema) throw new TypeError('WeightAveraging: there is no average before the run starts');
    return this.ema.average;
  }

  /** In checkpoints the average is the part `average`. */
  parts(run: Run): { average: Module } {
    checkRun('WeightAveraging.parts', run);
    const { model } = run;
    if (this.ema?.source !== model)
      this.ema = new optim.ExponentialMovingAverage(this.given ?? model.clone(), model, this.decay);
    return { average: this.ema.average };
  }

  onFitStart(run: Run): void {
    checkRun('WeightAveraging.onFitStart', run);
    run.evaluated = this.parts(run).average;
  }

  onStep(): void {
    if (!this.ema) throw new TypeError('WeightAveraging.onStep: there is no average before the run starts');
    this.ema.update();
  }
}
