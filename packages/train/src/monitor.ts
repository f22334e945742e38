import { checkOptions, is, type Schema, show } from '@gradgate/core/internal';
import type { Run } from './run.js';

/** Which figure is watched, and which values are better. */
export interface MonitorOptions {
  /** The figure; `'valLoss'` by default, or `'loss'` where nothing validates. */
  monitor?: string;
  /** Whether less (by default) or more is better. */
  mode?: 'min' | 'max';
  /** How much better counts as better; 0 by default. */
  minDelta?: number;
}

const kinds = { monitor: is.string, mode: is.oneOf('min', 'max'), minDelta: is.nonNegative };

/** The best value of a figure so far. */
export class Monitor {
  best: number | null = null;
  private readonly sign: 1 | -1;

  constructor(private readonly options: MonitorOptions) {
    this.sign = options.mode === 'max' ? -1 : 1;
  }

  /** The options that have to do with a figure, checked with those of `known`. */
  static check<O extends MonitorOptions>(op: string, options: O, known: object): O {
    return checkOptions(op, options, { ...kinds, ...known } as unknown as Schema<O>);
  }

  /** Takes the value of an epoch: whether it is the best one. NaN never is. */
  isBest(value: number): boolean {
    const { best, sign } = this;
    const isBest = best === null ? !Number.isNaN(value) : sign * value < sign * best - (this.options.minDelta ?? 0);
    if (isBest) this.best = value;
    return isBest;
  }

  /** The value of the epoch that has ended. */
  valueIn(op: string, { figures }: Run): number {
    return figureIn(op, figures, this.options.monitor);
  }
}

/** A figure by its name, by default that of validation or else of training. */
export function figureIn(op: string, figures: Record<string, number>, name?: string): number {
  const found = name ?? ('valLoss' in figures ? 'valLoss' : 'loss');
  const value = figures[found];
  if (value === undefined)
    throw new TypeError(
      `${op}: there is no figure ${show(found)}; there are ${Object.keys(figures).join(', ') || 'none'}`,
    );
  return value;
}
