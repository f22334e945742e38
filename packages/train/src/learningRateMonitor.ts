import type { Callback } from './callback.js';
import { checkRun, type Run } from './run.js';

/** A callback that adds the learning rate to the figures of each epoch: `lr`, and `lr1`, `lr2` for further groups. */
export class LearningRateMonitor implements Callback {
  onTrainEpochEnd(run: Run): void {
    checkRun('LearningRateMonitor.onTrainEpochEnd', run);
    run.optimizer?.paramGroups.forEach(({ lr }, i) => {
      run.figures[i === 0 ? 'lr' : `lr${i}`] = lr;
    });
  }
}
