import type { Scheduled } from './scheduler.js';

type WithMomentum = { momentum?: number; betas?: readonly [number, number] };

/** Whether all groups of the optimizer have momentum, or `betas`. */
export const hasMomentum = ({ paramGroups }: Scheduled): boolean =>
  (paramGroups as WithMomentum[]).every(({ momentum, betas }) => momentum !== undefined || betas !== undefined);

/** Sets the momentum, or the first of `betas`, in all groups. */
export function setMomentum({ paramGroups }: Scheduled, momentum: number): void {
  for (const group of paramGroups as WithMomentum[])
    if (group.betas !== undefined) group.betas = [momentum, group.betas[1]];
    else group.momentum = momentum;
}
