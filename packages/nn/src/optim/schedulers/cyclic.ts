import { check, checkOptions, is } from '@gradgate/core/internal';
import { type MomentumRange, MomentumScheduler, momentumRange } from './momentum.js';
import { checkOptimizer, type LastEpochOption, lastEpochKind, ratesOf, type Scheduled } from './scheduler.js';

/** Options of `CyclicLR`. */
export interface CyclicOptions extends LastEpochOption {
  /** The lowest learning rate, for all groups or for each. */
  baseLr: number | readonly number[];
  /** The highest learning rate, for all groups or for each. */
  maxLr: number | readonly number[];
  /** The number of steps in which the rate rises; 2000 by default. */
  stepSizeUp?: number;
  /** The number of steps in which it falls; `stepSizeUp` by default. */
  stepSizeDown?: number;
  /**
   * 'triangular' (the default): all cycles alike. 'triangular2': each half as high as the one before. 'expRange':
   * `gamma` times as high with each step.
   */
  mode?: 'triangular' | 'triangular2' | 'expRange';
  /** The factor of 'expRange'; 1 by default. */
  gamma?: number;
  /**
   * Whether momentum, or the first of `betas`, moves in the opposite direction; by default if the optimizer has one.
   */
  cycleMomentum?: boolean;
  /** The lowest momentum; 0.8 by default. */
  baseMomentum?: number;
  /** The highest momentum; 0.9 by default. */
  maxMomentum?: number;
}

const rates = is.either(is.nonNegative, is.arrayOf(is.nonNegative));
const kinds = {
  baseLr: rates,
  maxLr: rates,
  stepSizeUp: is.count,
  stepSizeDown: is.count,
  gamma: is.nonNegative,
  mode: is.oneOf('triangular', 'triangular2', 'expRange'),
  cycleMomentum: is.boolean,
  baseMomentum: is.nonNegative,
  maxMomentum: is.nonNegative,
  ...lastEpochKind,
};

/**
 * Raises and lowers the learning rate between two values, cycle after cycle (Smith, 2017), and momentum in the opposite
 * direction. Step it after each batch.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.CyclicLR(optimizer, { baseLr: 0.1, maxLr: 0.5, stepSizeUp: 4 });
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.2
 * ```
 */
export class CyclicLR extends MomentumScheduler {
  private readonly range: { low: readonly number[]; high: readonly number[] };
  private readonly length: { up: number; total: number };
  private readonly scale: (cycle: number, epoch: number) => number;

  constructor(optimizer: Scheduled, options: CyclicOptions) {
    const op = 'CyclicLR';
    const given = checkOptions(op, options, kinds);
    const { stepSizeUp = 2000, stepSizeDown = stepSizeUp, mode = 'triangular', gamma = 1 } = given;
    const { cycleMomentum, baseMomentum = 0.8, maxMomentum = 0.9, lastEpoch } = given;
    check(op, 'baseLr', given.baseLr, kinds.baseLr);
    check(op, 'maxLr', given.maxLr, kinds.maxLr);
    checkOptimizer(op, optimizer);
    const momentum = momentumRange(op, optimizer, cycleMomentum, { low: baseMomentum, high: maxMomentum });
    const low = ratesOf(op, 'baseLr', given.baseLr, optimizer);
    const range = { low, high: ratesOf(op, 'maxLr', given.maxLr, optimizer) };
    super(optimizer, lastEpoch, momentum);
    this.range = range;
    this.length = { up: stepSizeUp, total: stepSizeUp + stepSizeDown };
    this.scale = scales(gamma)[mode];
    this.beginFrom(low);
  }

  /** The height of a step between the lowest and the highest rate, from 0 to 1. */
  private height(epoch: number): number {
    const { up, total } = this.length;
    const cycle = Math.floor(epoch / total);
    const at = epoch - cycle * total;
    const height = at <= up ? at / up : (total - at) / (total - up);
    return Math.max(0, height) * this.scale(cycle + 1, epoch);
  }

  protected lrAt(epoch: number, _baseLr: number, group: number): number {
    const { low, high } = this.range;
    const [from, to] = [low[group] ?? low.at(-1)!, high[group] ?? high.at(-1)!];
    return from + (to - from) * this.height(epoch);
  }

  protected momentumAt(epoch: number, { low, high }: MomentumRange): number {
    return high - (high - low) * this.height(epoch);
  }
}

const scales = (gamma: number) => ({
  triangular: () => 1,
  triangular2: (cycle: number) => 1 / 2 ** (cycle - 1),
  expRange: (_: number, epoch: number) => gamma ** epoch,
});
