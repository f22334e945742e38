import type { Tensor } from '@gradgate/core';
import { check, checkOptions, is, show } from '@gradgate/core/internal';
import type { Callback } from '../callback.js';
import { checkRun, type Run } from '../run.js';

/** An object that records figures: `SummaryWriter`, `JsonLines`, or your own. */
export interface Logger {
  /** Records figures by name, after `step` steps. */
  addFigures(figures: Readonly<Record<string, number>>, step: number): unknown;
  /** Records the distribution of a tensor's values. */
  addHistogram?(tag: string, values: Tensor, step: number): unknown;
  /** Called when the run ends. */
  close?(): unknown;
}

/** Throws unless `figures` are numbers and `step` is a number of steps. */
export function checkFigures(op: string, figures: object, step: number): void {
  check(op, 'figures', figures, is.object);
  for (const [name, value] of Object.entries(figures)) check(op, name, value, is.number);
  check(op, 'the step', step, is.size);
}

/**
 * A callback that passes the figures of a run to a logger: those of epochs as `epoch/valLoss`, those of batches as
 * `step/loss`.
 *
 * ```ts
 * const callbacks = [new Logging(new SummaryWriter('runs/first'))];
 * ```
 */
export class Logging implements Callback {
  private readonly everySteps: number;
  private readonly histograms: boolean;

  /**
   * @param options.everySteps The number of steps between logs of batch figures; 50 by default.
   * @param options.histograms Whether to log histograms of all parameters after each epoch; false by default.
   */
  constructor(
    /** Where the figures go. */
    readonly logger: Logger,
    options: { everySteps?: number; histograms?: boolean } = {},
  ) {
    if (typeof logger?.addFigures !== 'function')
      throw new TypeError(`Logging: the logger must have addFigures(figures, step), got ${show(logger)}`);
    const given = checkOptions('Logging', options, { everySteps: is.count, histograms: is.boolean });
    this.everySteps = given.everySteps ?? 50;
    this.histograms = given.histograms ?? false;
  }

  async onStep(run: Run): Promise<void> {
    checkRun('Logging.onStep', run);
    if (run.isMain && run.step % this.everySteps === 0)
      await this.logger.addFigures(prefixed('step', run.batchFigures), run.step);
  }

  async onEpochEnd(run: Run): Promise<void> {
    checkRun('Logging.onEpochEnd', run);
    if (!run.isMain) return;
    await this.logger.addFigures(prefixed('epoch', run.figures), run.step);
    if (this.histograms)
      for (const [name, p] of run.model.namedParameters()) await this.logger.addHistogram?.(name, p.detach(), run.step);
  }

  async close(): Promise<void> {
    await this.logger.close?.();
  }
}

const prefixed = (prefix: string, figures: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix}/${name}`, value]));
