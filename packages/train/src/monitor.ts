import { checkOptions, is, type Schema, show } from '@gradgate/core/internal';
import type { Run } from './run.js';

/** The figure to monitor, and which values are better. */
export interface MonitorOptions {
  /** The name of the figure; `'valLoss'` by default, or `'loss'` without validation. */
  monitor?: string;
  /** Whether smaller values are better ('min', the default) or larger ones ('max'). */
  mode?: 'min' | 'max';
  /** The smallest change that counts as an improvement; 0 by default. */
  minDelta?: number;
}

const kinds = { monitor: is.string, mode: is.oneOf('min', 'max'), minDelta: is.nonNegative };

/** Keeps the best value of a figure. */
export class Monitor {
  best: number | null = null;
  private readonly sign: 1 | -1;

  constructor(private readonly options: MonitorOptions) {
    this.sign = options.mode === 'max' ? -1 : 1;
  }

  /** Checks the options, with further ones in `known`. */
  static check<O extends MonitorOptions>(op: string, options: O, known: object): O {
    return checkOptions(op, options, { ...kinds, ...known } as unknown as Schema<O>);
  }

  /** Takes the value of an epoch; returns whether it is the best one so far. NaN never is. */
  isBest(value: number): boolean {
    const { best, sign } = this;
    const isBest = best === null ? !Number.isNaN(value) : sign * value < sign * best - (this.options.minDelta ?? 0);
    if (isBest) this.best = value;
    return isBest;
  }

  /** The value in the last epoch. */
  valueIn(op: string, { figures }: Run): number {
    return figureIn(op, figures, this.options.monitor);
  }
}

/** A figure by name; by default the loss of validation, or of training if there is no validation. */
export function figureIn(op: string, figures: Record<string, number>, name?: string): number {
  const found = name ?? ('valLoss' in figures ? 'valLoss' : 'loss');
  const value = figures[found];
  if (value === undefined)
    throw new TypeError(
      `${op}: there is no figure ${show(found)}; there are ${Object.keys(figures).join(', ') || 'none'}`,
    );
  return value;
}
