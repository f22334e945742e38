import { noGrad } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { Module } from '../module.js';

const aModule = is.instanceOf('a Module', () => Module);

/**
 * Keeps `average` near `source`: an exponential moving average of its weights, `decay` of the old and the rest of the
 * new, for evaluation or as a target network. Buffers are copied. The average starts equal to the source and does not
 * require grad.
 *
 * ```ts
 * const [model, average] = [new Linear(3, 1), new Linear(3, 1)];
 * const ema = new optim.ExponentialMovingAverage(average, model, 0.99);
 * ema.update();
 * ```
 */
export class ExponentialMovingAverage<M extends Module> {
  constructor(
    readonly average: M,
    readonly source: M,
    readonly decay = 0.999,
  ) {
    for (const [name, module] of Object.entries({ average, source }))
      check('ExponentialMovingAverage', name, module, aModule);
    check('ExponentialMovingAverage', 'decay', decay, is.probability);
    average.loadStateDict(source.stateDict());
    average.requiresGrad_(false);
  }

  /** Moves the average by 1 - decay towards the source. */
  @noGrad update(): void {
    const source = new Map(this.source.namedParameters());
    for (const [name, p] of this.average.namedParameters()) p.lerp_(source.get(name)!, 1 - this.decay);
    const buffers = new Map(this.source.namedBuffers());
    for (const [name, b] of this.average.namedBuffers()) b.copy_(buffers.get(name)!);
  }
}
