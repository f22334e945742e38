import { currentGenerator } from '@gradgate/core';
import { brand, show, thisCopy } from '@gradgate/core/internal';
import { decodeCheckpoint, encodeCheckpoint, loadCheckpoint, type Module, type Stateful } from '@gradgate/nn';
import { isStateful } from '@gradgate/nn/internal';
import type { Callback } from './callback.js';
import { Figures, type SavedFigure } from './figures.js';
import type { FitOptions } from './fit.js';

type Parts = Parameters<typeof encodeCheckpoint>[0];

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

/** A run of `fit`, with its progress and results. Runs in one process are independent. */
export class Run {
  /** The number of finished epochs. */
  epoch = 0;
  /** The number of finished batches in the current epoch. */
  batch = 0;
  /** The number of steps of the optimizer since the start. */
  step = 0;
  /** The number of samples since the start. */
  samples = 0;
  /**
   * The figures of the last finished epoch: those of training by name, those of validation with prefix, as `valLoss`.
   */
  figures: Record<string, number> = {};
  /** The figures of the last batch that are numbers. */
  batchFigures: Record<string, number> = {};
  /** The values of each figure by epoch, for example for `curvesSvg`. */
  history: Record<string, number[]> = {};
  /** The module to validate: the model, or a copy with averaged weights. */
  evaluated: Module;
  /** Why the run ended before all epochs were done; null otherwise. */
  stopReason: string | null = null;
  /** @internal Whether all batches of the current epoch are done. */
  isTrained = false;
  /** @internal During validation, the loader's state before it: a resumed run validates from the start. */
  validationStart: object | null = null;
  /** @internal */
  readonly sums = new Figures();
  /** @internal */
  readonly callbacks: readonly Callback[];

  /** @internal */
  constructor(
    /** The model that is trained. */
    readonly model: Module,
    /** @internal */
    readonly options: FitOptions<any, any>,
  ) {
    this.evaluated = model;
    const { callbacks = [] } = options;
    this.callbacks = [...callbacks.filter((c) => !c.isLast), ...callbacks.filter((c) => c.isLast)];
  }

  /** The optimizer, or what was given as such. */
  get optimizer(): FitOptions<any, any>['optimizer'] {
    return this.options.optimizer;
  }

  /** The number of epochs to run; infinite if only `maxSteps` ends the run. */
  get epochs(): number {
    return this.options.epochs ?? Number.POSITIVE_INFINITY;
  }

  /** Whether this is the only or the first rank, the one that writes files. */
  get isMain(): boolean {
    return (this.options.ranks?.rank() ?? 0) === 0;
  }

  /** The number of batches in an epoch, if it is known. */
  get batchesPerEpoch(): number | undefined {
    try {
      const { length } = this.options.train as { length?: unknown };
      return typeof length === 'number' ? length : undefined;
    } catch {
      // A DataLoader over a stream does not know its length.
      return undefined;
    }
  }

  /** The number of steps left, if it is known. */
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

  /** Ends the run after the current step or epoch, whose figures are still computed. */
  stop(reason = 'stop() was called'): void {
    this.stopReason ??= reason;
  }

  /** The parts of a checkpoint of the run, for `saveCheckpoint` and `encodeCheckpoint`. */
  get parts(): Parts {
    const { optimizer, scheduler, train, validation, parts = {} } = this.options;
    const own: Parts = {
      model: this.model as Stateful,
      ...(optimizer && { optimizer: optimizer as Stateful }),
      ...(scheduler && { scheduler: scheduler as Stateful }),
      ...(isStateful(train) && { loader: train }),
      ...(isStateful(validation) && {
        validation: {
          stateDict: () => this.validationStart ?? validation.stateDict(),
          loadStateDict: (state: object) => validation.loadStateDict(state),
        },
      }),
      ...Object.assign({}, ...this.callbacks.map((callback) => callback.parts?.(this))),
      run: { stateDict: () => this.state(), loadStateDict: (state: RunState) => this.setState(state) },
    };
    const twice = Object.keys(parts).find((name) => name in own || name === 'generator');
    if (twice) throw new TypeError(`fit: checkpoints already have a part '${twice}'; choose another name`);
    // Last: loading the other parts may use the generator.
    return { ...own, ...parts, generator: currentGenerator() };
  }

  /** Encodes the run as bytes, for `fit(model, { resume: bytes })` where there are no files. */
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
        `fit: the checkpoint is of a run with ${show(callbacks?.length)} callbacks, and this one has ${this.callbacks.length}; ` +
          'give the same callbacks in the same order',
      );
    Object.assign(this, own);
    this.history = Object.fromEntries(Object.entries(history).map(([name, values]) => [name, [...values]]));
    this.sums.loadStateDict(sums);
    this.callbacks.forEach((callback, i) => {
      if (callbacks[i]) callback.loadStateDict?.(callbacks[i]);
    });
  }

  /** @internal */
  get [brand](): object {
    return thisCopy;
  }
}

/** Throws unless a callback's method got a run of `fit`. @internal */
export function checkRun(op: string, run: unknown): void {
  if (!(run instanceof Run)) throw new TypeError(`${op}: takes a run of fit(), got ${show(run)}`);
}
