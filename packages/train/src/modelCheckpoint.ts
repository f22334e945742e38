import { check, is } from '@gradgate/core/internal';
import { saveCheckpoint } from '@gradgate/nn';
import type { Callback } from './callback.js';
import { Monitor, type MonitorOptions } from './monitor.js';
import { checkRun, type Run } from './run.js';

/**
 * Saves a run in a folder: `last.safetensors` after each epoch, and `best.safetensors` whenever a figure is the best so far.
 * `fit(model, { resume: 'runs/last.safetensors' })` goes on from one; `loadCheckpoint('runs/best.safetensors', { model })`
 * takes the weights alone.
 */
export class ModelCheckpoint implements Callback {
  readonly isLast = true;
  private readonly monitor: Monitor;
  private readonly everySteps: number;

  /**
   * @param folder Made if it is not there.
   * @param options.everySteps Save `last.safetensors` after so many steps too, in the middle of an epoch.
   */
  constructor(
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

  /** The file of the run as it was last, or as it was at its best. */
  path(which: 'last' | 'best'): string {
    check('ModelCheckpoint.path', 'which', which, is.oneOf('last', 'best'));
    return `${this.folder}/${which}.safetensors`;
  }

  async onFitStart(): Promise<void> {
    const { mkdir } = await import('node:fs/promises');
    await mkdir(this.folder, { recursive: true });
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
