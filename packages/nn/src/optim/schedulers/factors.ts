import { check, checkOptions, is } from '@gradgate/core/internal';
import { FactorScheduler, type LastEpochOption, LRScheduler, lastEpochKind, type Scheduled } from './scheduler.js';

/**
 * Multiplies the learning rate by `gamma`, 0.1 by default, every `stepSize` steps.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.StepLR(optimizer, { stepSize: 2 });
 * for (let epoch = 0; epoch < 2; epoch++) scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.1
 * ```
 */
export class StepLR extends FactorScheduler {
  constructor(optimizer: Scheduled, options: { stepSize: number; gamma?: number } & LastEpochOption) {
    const known = { stepSize: is.count, gamma: is.nonNegative, ...lastEpochKind };
    const { stepSize, gamma = 0.1, lastEpoch } = checkOptions('StepLR', options, known);
    check('StepLR', 'stepSize', stepSize, is.count);
    const factor = (epoch: number) => gamma ** Math.floor(epoch / stepSize);
    super(optimizer, factor, lastEpoch, (epoch) => (epoch % stepSize === 0 ? gamma : 1));
  }
}

/**
 * Multiplies the learning rate by `gamma`, 0.1 by default, at each step in `milestones`.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.MultiStepLR(optimizer, { milestones: [1, 3] });
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.1
 * ```
 */
export class MultiStepLR extends FactorScheduler {
  constructor(optimizer: Scheduled, options: { milestones: readonly number[]; gamma?: number } & LastEpochOption) {
    const known = { milestones: is.arrayOf(is.size), gamma: is.nonNegative, ...lastEpochKind };
    const { milestones, gamma = 0.1, lastEpoch } = checkOptions('MultiStepLR', options, known);
    check('MultiStepLR', 'milestones', milestones, known.milestones);
    const passed = (test: (milestone: number) => boolean) => gamma ** milestones.filter(test).length;
    super(
      optimizer,
      (epoch) => passed((m) => m <= epoch),
      lastEpoch,
      (epoch) => passed((m) => m === epoch),
    );
  }
}

/**
 * Multiplies the learning rate by `gamma` with each step.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.ExponentialLR(optimizer, { gamma: 0.9 }).step();
 * optimizer.paramGroups[0]!.lr; // 0.9
 * ```
 */
export class ExponentialLR extends FactorScheduler {
  constructor(optimizer: Scheduled, options: { gamma: number } & LastEpochOption) {
    const { gamma, lastEpoch } = checkOptions('ExponentialLR', options, { gamma: is.nonNegative, ...lastEpochKind });
    check('ExponentialLR', 'gamma', gamma, is.nonNegative);
    super(
      optimizer,
      (epoch) => gamma ** epoch,
      lastEpoch,
      () => gamma,
    );
  }
}

/**
 * Sets the learning rate to the initial one times `lrLambda(steps)`, where `steps` is the number of steps made.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.LambdaLR(optimizer, (epoch) => 1 / (1 + epoch)).step();
 * optimizer.paramGroups[0]!.lr; // 0.5
 * ```
 */
export class LambdaLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    private readonly lrLambda: (epoch: number) => number,
    options: LastEpochOption = {},
  ) {
    check('LambdaLR', 'lrLambda', lrLambda, is.callback);
    super(optimizer, checkOptions('LambdaLR', options, lastEpochKind).lastEpoch);
    this.begin();
  }

  protected lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.lrLambda(epoch);
  }
}

/**
 * Multiplies the learning rate, with each step, by `lrLambda(steps)`, where `steps` is the number of steps made.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.MultiplicativeLR(optimizer, () => 0.95).step();
 * optimizer.paramGroups[0]!.lr; // 0.95
 * ```
 */
export class MultiplicativeLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    private readonly lrLambda: (epoch: number) => number,
    options: LastEpochOption = {},
  ) {
    check('MultiplicativeLR', 'lrLambda', lrLambda, is.callback);
    super(optimizer, checkOptions('MultiplicativeLR', options, lastEpochKind).lastEpoch);
  }

  protected lrAt(epoch: number, baseLr: number): number {
    if (epoch > 1e7)
      throw new RangeError(`MultiplicativeLR: takes epochs up to 1e7, as each has a factor of its own; got ${epoch}`);
    let lr = baseLr;
    for (let e = 1; e <= epoch; e++) lr *= this.lrLambda(e);
    return lr;
  }

  protected override next(lr: number, epoch: number): number {
    return lr * this.lrLambda(epoch);
  }
}

/**
 * A warm-up: multiplies the initial learning rate by a factor that goes linearly from `startFactor`, 1/3 by default, to
 * `endFactor`, 1 by default, over `totalIters` steps, 5 by default.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * optimizer.paramGroups[0]!.lr; // 0.5
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.75
 * ```
 */
export class LinearLR extends FactorScheduler {
  constructor(
    optimizer: Scheduled,
    options: { startFactor?: number; endFactor?: number; totalIters?: number } & LastEpochOption = {},
  ) {
    const known = { startFactor: is.nonNegative, endFactor: is.nonNegative, totalIters: is.count, ...lastEpochKind };
    const given = checkOptions('LinearLR', options, known);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5, lastEpoch } = given;
    const factor = (epoch: number) =>
      startFactor + ((endFactor - startFactor) * Math.min(epoch, totalIters)) / totalIters;
    super(optimizer, factor, lastEpoch);
  }
}

/**
 * Multiplies the learning rate by `factor`, 1/3 by default, for the first `totalIters` steps, 5 by default.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.ConstantLR(optimizer, { factor: 0.5 });
 * optimizer.paramGroups[0]!.lr; // 0.5
 * ```
 */
export class ConstantLR extends FactorScheduler {
  constructor(optimizer: Scheduled, options: { factor?: number; totalIters?: number } & LastEpochOption = {}) {
    const known = { factor: is.nonNegative, totalIters: is.size, ...lastEpochKind };
    const { factor = 1 / 3, totalIters = 5, lastEpoch } = checkOptions('ConstantLR', options, known);
    super(optimizer, (epoch) => (epoch < totalIters ? factor : 1), lastEpoch);
  }
}

/**
 * Lowers the learning rate to 0 over `totalIters` steps, 5 by default, in proportion to the fraction of steps left to
 * the power `power`, 1 by default.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.PolynomialLR(optimizer, { totalIters: 4 }).step();
 * optimizer.paramGroups[0]!.lr; // 0.75
 * ```
 */
export class PolynomialLR extends FactorScheduler {
  constructor(optimizer: Scheduled, options: { totalIters?: number; power?: number } & LastEpochOption = {}) {
    const known = { totalIters: is.count, power: is.nonNegative, ...lastEpochKind };
    const { totalIters = 5, power = 1, lastEpoch } = checkOptions('PolynomialLR', options, known);
    super(optimizer, (epoch) => (1 - Math.min(epoch, totalIters) / totalIters) ** power, lastEpoch);
  }
}
