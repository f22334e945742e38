import { currentGenerator } from '@gradgate/core';
import { checkOptions, is } from '@gradgate/core/internal';
import { type Module, snapshot } from '@gradgate/nn';
import { isStateful } from '@gradgate/nn/internal';
import type { Callback } from './callback.js';
import { fit } from './fit.js';
import type { Run } from './run.js';
import {
  abortSignal,
  type Batches,
  checkBatches,
  checkModel,
  checkOptimizer,
  type Step,
  type Stepped,
  type Steps,
} from './steps.js';

/** The results of `findLearningRate`. */
export interface LearningRates {
  /** The learning rate of each step. */
  rates: number[];
  /** The loss of each step, smoothed. */
  losses: number[];
  /** The learning rate at which the loss fell fastest; null if it did not fall. */
  suggestion: number | null;
}

const smoothing = 0.98;

/** Raises the learning rate with each step, until the loss is four times its best. */
class RangeTest implements Callback {
  readonly rates: number[] = [];
  readonly losses: number[] = [];
  private average = 0;

  constructor(
    private readonly optimizer: Stepped,
    private readonly rateOf: (step: number) => number,
  ) {}

  onFitStart(): void {
    this.setRate(0);
  }

  onStep(run: Run): void {
    this.average = smoothing * this.average + (1 - smoothing) * run.batchFigures['loss']!;
    const loss = this.average / (1 - smoothing ** run.step);
    if (!Number.isFinite(loss)) {
      if (this.rates.length === 0)
        throw new RangeError(
          `findLearningRate: the loss is ${loss} at the first rate, before any could be too high; look for NaN in the data, or for a ` +
            'logarithm or a division of 0',
        );
      run.stop();
      return;
    }
    this.rates.push(this.rateOf(run.step - 1));
    this.losses.push(loss);
    if (this.losses.some((earlier) => loss > 4 * earlier)) run.stop();
    this.setRate(run.step);
  }

  private setRate(step: number): void {
    for (const group of this.optimizer.paramGroups) group.lr = this.rateOf(step);
  }
}

const known = {
  train: is.anything,
  optimizer: is.object,
  trainingStep: is.callback,
  start: is.positive,
  end: is.positive,
  steps: is.count,
  signal: abortSignal,
};

/** Repeats batches endlessly. */
async function* repeated<B>(batches: Batches<B>): AsyncGenerator<B> {
  for (;;) {
    let some = false;
    for await (const batch of batches) {
      some = true;
      yield batch;
    }
    if (!some) return;
  }
}

/**
 * Searches for a learning rate (Smith, 2017): trains for some steps with a rate that grows from `start` to `end`, and
 * suggests the one at which the loss falls fastest. Afterwards model, optimizer, loader and random generator are in
 * their former state.
 *
 * @param options.train The batches, repeated if there are too few.
 * @param options.steps The number of rates to try; 100 by default, at least 10.
 * @param options.start The first rate; 1e-7 by default.
 * @param options.end The last rate; 1 by default.
 * @example
 * const { suggestion } = await findLearningRate(model, { train: loader, optimizer });
 */
export async function findLearningRate<B>(
  model: Module & Partial<Steps<B, any>>,
  options: {
    train: Batches<B>;
    optimizer: Stepped;
    trainingStep?: Step<B>;
    start?: number;
    end?: number;
    steps?: number;
    signal?: AbortSignal;
  },
): Promise<LearningRates> {
  const given = checkOptions('findLearningRate', options, known);
  const { train, optimizer, trainingStep, signal, start = 1e-7, end = 1, steps = 100 } = given;
  checkModel('findLearningRate', model);
  checkBatches('findLearningRate', 'train', train);
  checkOptimizer('findLearningRate', optimizer, model);
  if (steps < 10) throw new RangeError(`findLearningRate: steps must be at least 10, got ${steps}`);
  if (end <= start) throw new RangeError(`findLearningRate: end must be above start, got ${end} and ${start}`);
  const test = new RangeTest(optimizer, (step) => start * (end / start) ** (step / (steps - 1)));
  const generator = currentGenerator();
  const loader = isStateful(train) ? train : null;
  const before = { model: snapshot(model.stateDict()), optimizer: optimizer.stateDict(), loader: loader?.stateDict() };
  const random = generator.getState();
  try {
    // High rates may give NaN; the test stops by itself.
    const limits = { maxSteps: steps, epochs: 1, terminateOnNan: false };
    await fit(model, { train: repeated(train), optimizer, trainingStep, callbacks: [test], signal, ...limits });
  } finally {
    model.loadStateDict(before.model);
    optimizer.loadStateDict(before.optimizer);
    optimizer.zeroGrad();
    if (loader) loader.loadStateDict(before.loader!);
    generator.setState(random);
  }
  return { rates: test.rates, losses: test.losses, suggestion: steepest(test) };
}

/**
 * The rate at which the loss falls fastest over its logarithm, measured over a tenth of the steps on each side to
 * reduce noise.
 */
function steepest({ rates, losses }: { rates: number[]; losses: number[] }): number | null {
  const reach = Math.max(1, Math.floor(rates.length / 10));
  let best: number | null = null;
  let slope = 0;
  // Skip the start, where the average depends on few batches.
  for (let i = 3 * reach; i + reach < rates.length; i++) {
    const own = losses[i + reach]! - losses[i - reach]!;
    if (own < slope) [best, slope] = [rates[i]!, own];
  }
  return best;
}
