import { check } from '../check.js';
import type { Kind } from '../kinds.js';

/** What has modules inside, as `Module` of `@gradgate/nn`, which core does not know. */
interface Root {
  modules(): Iterable<object>;
}

const root: Kind = { text: 'a module', is: (v) => typeof (v as Root | null)?.modules === 'function' };

/**
 * Removes the running statistics from all norms of `net`, in place, and returns it: the norms then use the statistics
 * of the batch, as with `trackRunningStats: false`. For `vmap` over examples, which share the running statistics, so
 * that they could not be written in training.
 *
 * ```ts
 * replaceAllBatchNormModules_(new BatchNorm1d(2)).runningMean; // null
 * ```
 */
export function replaceAllBatchNormModules_<M extends Root>(net: M): M {
  check('replaceAllBatchNormModules_', 'the net', net, root);
  for (const module of net.modules())
    if ('runningMean' in module)
      Object.assign(module, { runningMean: null, runningVar: null, numBatchesTracked: null });
  return net;
}
