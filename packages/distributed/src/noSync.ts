import { defineMode, type Gate } from '@gradgate/core';

const syncing = defineMode('@gradgate/distributed.sync', true);

/** @internal Whether gradients are averaged over ranks here. */
export const isSyncing = (): boolean => syncing.get();

/**
 * A gate in which `DistributedDataParallel` does not send gradients: they add up in each rank, and the first backward
 * pass outside of the gate sends the sums. Use it for several small batches in a step. It has all the forms of
 * `noGrad`; what counts is where `backward()` is called.
 *
 * @example
 * for (const [i, batch] of batches.entries()) {
 *   noSync(() => i < batches.length - 1).run(() => loss(model(batch)).backward());
 * }
 * optimizer.step();
 */
export const noSync: Gate = syncing.gate('noSync', false);
