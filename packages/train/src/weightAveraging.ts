import { checkOptions, is } from '@gradgate/core/internal';
import { Module, optim } from '@gradgate/nn';
import type { Callback } from './callback.js';
import { checkRun, type Run } from './run.js';

const aModule = is.instanceOf('a Module', () => Module);

/**
 * A callback that keeps an exponential moving average of the weights and validates with it. The model itself is not
 * changed, so code that uses it during training sees its own weights; `average` is a module of its own.
 */
export class WeightAveraging implements Callback {
  private readonly decay: number;
  private readonly given: Module | undefined;
  private ema: optim.ExponentialMovingAverage<Module> | null = null;

  /**
   * @param options.decay The share of the average that is kept in each step; 0.999 by default.
   * @param options.average The module to hold the average; a clone of the model by default.
   */
  constructor(options: { decay?: number; average?: Module } = {}) {
    const known = { decay: is.probability, average: aModule };
    const { decay = 0.999, average } = checkOptions('WeightAveraging', options, known);
    this.decay = decay;
    this.given = average;
  }

  /** The module with averaged weights; throws before the run has started. */
  get average(): Module {
    if (!this.ema) throw new TypeError('WeightAveraging: there is no average before the run starts');
    return this.ema.average;
  }

  /** The average is the part `average` of checkpoints. */
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
