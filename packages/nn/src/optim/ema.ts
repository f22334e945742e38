import { noGrad } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { Module } from '../module.js';

const aModule = is.instanceOf('a Module', () => Module);

/**
 * Keeps in `average` an exponential moving average of the weights of `source`, for evaluation or as a target network:
 * each update keeps `decay`, 0.999 by default, of the average and takes the rest from the source. Buffers are copied.
 * The average starts equal to the source and does not require grad.
 *
 * ```ts
 * const [model, average] = [new Linear(3, 1), new Linear(3, 1)];
 * const ema = new optim.ExponentialMovingAverage(average, model, 0.99);
 * ema.update();
 * ```
 */
export class ExponentialMovingAverage<M extends Module> {
  constructor(
    /** The module with the averages. */
    readonly average: M,
    /** The module whose parameters are averaged. */
    readonly source: M,
    /** How much of the average stays at each step. */
    readonly decay = 0.999,
  ) {
    for (const [name, module] of Object.entries({ average, source }))
      check('ExponentialMovingAverage', name, module, aModule);
    check('ExponentialMovingAverage', 'decay', decay, is.probability);
    average.loadStateDict(source.stateDict());
    average.requiresGrad_(false);
  }

  /** Moves the average towards the source by a fraction of `1 - decay`. */
  update(): void {
    const source = new Map(this.source.namedParameters());
    const buffers = new Map(this.source.namedBuffers());
    noGrad.run(() => {
      for (const [name, p] of this.average.namedParameters()) p.lerp_(source.get(name)!, 1 - this.decay);
      for (const [name, b] of this.average.namedBuffers()) b.copy_(buffers.get(name)!);
    });
  }
}
