import { LRScheduler, type Scheduled } from './scheduler.js';

/** The lowest and the highest momentum of a cycle. */
export interface MomentumRange {
  readonly low: number;
  readonly high: number;
}

type WithMomentum = { momentum?: number; betas?: readonly [number, number] };

/** Whether all groups of the optimizer have momentum, or `betas`. */
const hasMomentum = ({ paramGroups }: Scheduled): boolean =>
  (paramGroups as WithMomentum[]).every(({ momentum, betas }) => momentum !== undefined || betas !== undefined);

/** `range`, or null where momentum stays as it is: by `cycleMomentum`, or because the optimizer has none. */
export function momentumRange(
  op: string,
  optimizer: Scheduled,
  cycleMomentum: boolean | undefined,
  range: MomentumRange,
): MomentumRange | null {
  if (hasMomentum(optimizer)) return cycleMomentum === false ? null : range;
  if (cycleMomentum)
    throw new TypeError(
      `${op}: cycleMomentum needs an optimizer with momentum or betas; leave it out or set it to false`,
    );
  return null;
}

/** A scheduler that also moves the optimizer's momentum, or the first of its `betas`. */
export abstract class MomentumScheduler extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    lastEpoch: number | undefined,
    private readonly momentumRange: MomentumRange | null,
  ) {
    super(optimizer, lastEpoch);
  }

  /** The momentum after `epoch` steps. */
  protected abstract momentumAt(epoch: number, range: MomentumRange): number;

  /** Makes `rates` the initial ones, whatever the groups had, and sets those of the first epoch. */
  protected beginFrom(rates: readonly number[]): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      group.initialLr = rates[i]!;
      this.baseLrs[i] = rates[i]!;
    });
    this.begin();
  }

  protected override setRates(epoch: number, rate: (lr: number, baseLr: number, group: number) => number): void {
    super.setRates(epoch, rate);
    if (this.momentumRange === null) return;
    const momentum = this.momentumAt(epoch, this.momentumRange);
    for (const group of this.optimizer.paramGroups as WithMomentum[])
      if (group.betas !== undefined) group.betas = [momentum, group.betas[1]];
      else group.momentum = momentum;
  }
}
