import { noGrad } from '@gradgate/core';
import type { Module } from '../module.js';

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
    if (!(decay >= 0 && decay <= 1))
      throw new RangeError(`ExponentialMovingAverage: decay is from 0 to 1, got ${decay}`);
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
