import { currentGenerator } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { decodeCheckpoint, encodeCheckpoint, loadCheckpoint, type Module } from '@gradgate/nn';
import type { Callback } from './callback.js';
import { Figures, type SavedFigure } from './figures.js';
import type { FitOptions } from './fit.js';

type Parts = Parameters<typeof encodeCheckpoint>[0];
type Stateful = { stateDict(): object; loadStateDict(state: any): unknown };

/** Whether something can be part of a checkpoint. @internal */
export const hasState = (value: unknown): value is Stateful =>
  typeof (value as Partial<Stateful> | undefined)?.stateDict === 'function' &&
  typeof (value as Partial<Stateful>).loadStateDict === 'function';

interface RunState {
  epoch: number;
  batch: number;
  step: number;
  samples: number;
  isTrained: boolean;
  history: Record<string, number[]>;
  figures: Record<string, number>;
  sums: Record<string, SavedFigure>;
  callbacks: (object | null)[];
}

/** A run of `fit`: how far it is and what came of it. Runs in one process share nothing. */
export class Run {
  /** Epochs that are done. */
  epoch = 0;
  /** Batches that are done of the epoch under way. */
  batch = 0;
  /** Steps of the optimizer since the start. */
  step = 0;
  /** Samples since the start. */
  samples = 0;
  /** The figures of the epoch that ended last: those of training by their names, those of validation as `valLoss`. */
  figures: Record<string, number> = {};
  /** The figures of the last batch, of those that are numbers. */
  batchFigures: Record<string, number> = {};
  /** Each figure over the epochs, such as `curvesSvg` takes. */
  history: Record<string, number[]> = {};
  /** What validates: the model, or an average of its weights. */
  evaluated: Module;
  /** Why the run ended before all epochs were done; null otherwise. */
  stopReason: string | null = null;
  /** @internal Whether all batches of the epoch under way are done. */
  isTrained = false;
  /** @internal While it validates, where the loader was before: what is resumed validates from the start. */
  validationStart: object | null = null;
  /** @internal */
  readonly sums = new Figures();
  /** @internal */
  readonly callbacks: readonly Callback[];

  /** @internal */
  constructor(
    readonly model: Module,
    /** @internal */
    readonly options: FitOptions<any, any>,
  ) {
    this.evaluated = model;
    const { callbacks = [] } = options;
    this.callbacks = [...callbacks.filter((c) => !c.isLast), ...callbacks.filter((c) => c.isLast)];
  }

  get optimizer(): FitOptions<any, any>['optimizer'] {
    return this.options.optimizer;
  }

  /** How many epochs there are to be; infinite where only `maxSteps` ends the run. */
  get epochs(): number {
    return this.options.epochs ?? Number.POSITIVE_INFINITY;
  }

  /** Whether this is the only rank or the first one, which writes files. */
  get isMain(): boolean {
    return (this.options.ranks?.rank() ?? 0) === 0;
  }

  /** How many batches an epoch has, where that is known. */
  get batchesPerEpoch(): number | undefined {
    try {
      const { length } = this.options.train as { length?: unknown };
      return typeof length === 'number' ? length : undefined;
    } catch {
      // A DataLoader over a stream does not know its length.
      return undefined;
    }
  }

  /** How many steps are still to be done, where that is known. */
  get stepsLeft(): number | undefined {
    const { batchesPerEpoch, epochs } = this;
    const { maxSteps = Number.POSITIVE_INFINITY, accumulateGradBatches = 1 } = this.options;
    const perEpoch = batchesPerEpoch === undefined ? undefined : Math.ceil(batchesPerEpoch / accumulateGradBatches);
    const byEpochs =
      perEpoch === undefined
        ? Number.POSITIVE_INFINITY
        : perEpoch * (epochs - this.epoch) - Math.ceil(this.batch / accumulateGradBatches);
    const left = Math.min(byEpochs, maxSteps - this.step);
    return Number.isFinite(left) ? left : undefined;
  }

  /** Ends the run after the step, or the epoch, that is under way; its figures are still computed. */
  stop(reason = 'stop() was called'): void {
    this.stopReason ??= reason;
  }

  /** Everything that a checkpoint of the run consists of, for `saveCheckpoint` and `encodeCheckpoint`. */
  get parts(): Parts {
    const { optimizer, scheduler, train, validation, parts = {} } = this.options;
    const own: Parts = {
      model: this.model as Stateful,
      ...(optimizer && { optimizer: optimizer as Stateful }),
      ...(scheduler && { scheduler: scheduler as Stateful }),
      ...(hasState(train) && { loader: train }),
      ...(hasState(validation) && {
        validation: {
          stateDict: () => this.validationStart ?? validation.stateDict(),
          loadStateDict: (state: object) => validation.loadStateDict(state),
        },
      }),
      ...Object.assign({}, ...this.callbacks.map((callback) => callback.parts?.(this))),
      run: { stateDict: () => this.state(), loadStateDict: (state: RunState) => this.setState(state) },
    };
    const twice = Object.keys(parts).find((name) => name in own || name === 'generator');
    if (twice) throw new TypeError(`fit: a part of checkpoints is called '${twice}' already; choose another name`);
    // Last, so that what loads the others draws nothing from it.
    return { ...own, ...parts, generator: currentGenerator() };
  }

  /** The run as bytes, for `fit(model, { resume: bytes })`: where there are no files. */
  encode(): Uint8Array {
    return encodeCheckpoint(this.parts);
  }

  /** @internal */
  async resume(from: string | URL | Uint8Array): Promise<void> {
    if (from instanceof Uint8Array) decodeCheckpoint(from, this.parts);
    else await loadCheckpoint(from, this.parts);
  }

  private state(): RunState {
    const { epoch, batch, step, samples, isTrained, history, figures } = this;
    const callbacks = this.callbacks.map((c) => c.stateDict?.() ?? null);
    return { epoch, batch, step, samples, isTrained, history, figures, sums: this.sums.stateDict(), callbacks };
  }

  private setState(state: RunState): void {
    const { sums, callbacks, history, ...own } = state;
    if (!Array.isArray(callbacks) || callbacks.length !== this.callbacks.length)
      throw new TypeError(
        `fit: the checkpoint is of a run with ${show(callbacks?.length)} callbacks, and there are ${this.callbacks.length}; ` +
          'give the same ones, in the same order',
      );
    Object.assign(this, own);
    this.history = Object.fromEntries(Object.entries(history).map(([name, values]) => [name, [...values]]));
    this.sums.loadStateDict(sums);
    this.callbacks.forEach((callback, i) => {
      if (callbacks[i]) callback.loadStateDict?.(callbacks[i]);
    });
  }
}

/** Callbacks are called by `fit`, with its run. @internal */
export function checkRun(op: string, run: unknown): void {
  if (!(run instanceof Run)) throw new TypeError(`${op}: takes the run that fit() gives, got ${show(run)}`);
}
