import { check, is } from '@gradgate/core/internal';
import { saveCheckpoint } from '@gradgate/nn';
import type { Callback } from './callback.js';
import { fileSystem } from './files.js';
import { Monitor, type MonitorOptions } from './monitor.js';
import { checkRun, type Run } from './run.js';

/**
 * A callback that saves the run in a folder: `last.safetensors` after each epoch, and `best.safetensors` when a figure
 * is the best so far. `fit(model, { resume: 'runs/last.safetensors' })` continues from one;
 * `loadCheckpoint('runs/best.safetensors', { model })` loads the weights alone.
 */
export class ModelCheckpoint implements Callback {
  readonly isLast = true;
  private readonly monitor: Monitor;
  private readonly everySteps: number;

  /**
   * @param folder The folder, created if needed.
   * @param options.everySteps The number of steps after which `last.safetensors` is saved within an epoch too; by
   * default it is not.
   */
  constructor(
    /** Where the checkpoints are written. */
    readonly folder: string,
    options: MonitorOptions & { everySteps?: number } = {},
  ) {
    check('ModelCheckpoint', 'the folder', folder, is.string);
    const { everySteps } = Monitor.check('ModelCheckpoint', options, { everySteps: is.count });
    this.monitor = new Monitor(options);
    this.everySteps = everySteps ?? Number.POSITIVE_INFINITY;
  }

  /** The best value so far; null before the first epoch. */
  get best(): number | null {
    return this.monitor.best;
  }

  /** Returns the path of the last or the best checkpoint. */
  path(which: 'last' | 'best'): string {
    check('ModelCheckpoint.path', 'which', which, is.oneOf('last', 'best'));
    return `${this.folder}/${which}.safetensors`;
  }

  async onFitStart(run: Run): Promise<void> {
    checkRun('ModelCheckpoint.onFitStart', run);
    // A run from the start owes nothing to one before it.
    if (run.epoch === 0) this.monitor.best = null;
    await fileSystem('ModelCheckpoint').mkdir(this.folder, { recursive: true });
  }

  async onStep(run: Run): Promise<void> {
    checkRun('ModelCheckpoint.onStep', run);
    if (run.step % this.everySteps === 0) await this.save(run, 'last');
  }

  async onEpochEnd(run: Run): Promise<void> {
    checkRun('ModelCheckpoint.onEpochEnd', run);
    const isBest = this.monitor.isBest(this.monitor.valueIn('ModelCheckpoint', run));
    await this.save(run, 'last');
    if (isBest) await this.save(run, 'best');
  }

  async onAbort(run: Run): Promise<void> {
    checkRun('ModelCheckpoint.onAbort', run);
    await this.save(run, 'last');
  }

  private async save(run: Run, which: 'last' | 'best'): Promise<void> {
    if (run.isMain) await saveCheckpoint(this.path(which), run.parts);
  }

  stateDict(): object {
    return { best: this.best };
  }

  loadStateDict(state: { best: number | null }): void {
    check('ModelCheckpoint.loadStateDict', 'the state', state, is.object);
    this.monitor.best = state.best;
  }
}
