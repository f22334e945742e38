import { tensor } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { broadcast } from './collectives.js';
import { DistributedError } from './connection.js';
import { checkMember, type Group, groupKind, world } from './world.js';

/**
 * Calls `fn` in rank 0 only, for things to be done once, such as saving a checkpoint or printing. The other ranks wait
 * until it is done and get undefined; if it fails, all ranks throw.
 *
 * @example
 * await onMain(() => saveCheckpoint('last.safetensors', { model: model.module, optimizer }));
 */
export async function onMain<R>(fn: () => R | Promise<R>, group: Group = world()): Promise<R | undefined> {
  check('onMain', 'fn', fn, is.callback);
  check('onMain', 'group', group, groupKind);
  checkMember('onMain', group);
  const outcome = tensor([0], { dtype: 'int32' });
  let result: R | undefined;
  let error: unknown;
  if (group.rank === 0) {
    try {
      result = await fn();
    } catch (reason) {
      error = reason;
      outcome.fill_(1);
    }
  }
  await broadcast(outcome, { group, async: true }).promise;
  if (outcome.item() === 0) return result;
  if (group.rank === 0) throw error;
  throw new DistributedError('onMain: the function failed in rank 0');
}
