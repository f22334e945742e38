import type { Callback } from './callback.js';
import { checkRun, type Run } from './run.js';

/** Puts the learning rate of each epoch among its figures: `lr`, and `lr1`, `lr2` of further groups. */
export class LearningRateMonitor implements Callback {
  onTrainEpochEnd(run: Run): void {
    checkRun('LearningRateMonitor.onTrainEpochEnd', run);
    run.optimizer?.paramGroups.forEach(({ lr }, i) => {
      run.figures[i === 0 ? 'lr' : `lr${i}`] = lr;
    });
  }
}
