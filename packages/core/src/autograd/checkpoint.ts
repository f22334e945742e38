import { check } from '../check.js';
import { AutogradError } from '../errors.js';
import { enableGrad, isGradEnabled } from '../grad/index.js';
import * as is from '../kinds.js';
import { defaultGenerator } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
import { savedTensorsHooks } from './savedTensorHooks.js';

/**
 * Runs `fn` without keeping what its operations save for backward; the backward pass runs it again to get that back
 * (Chen et al., 2016). Random numbers are the same in both runs. Where gradients are off it just runs `fn`.
 *
 * `fn` must do the same in both runs: a second run that saves other tensors, or inputs that were written to in between,
 * are an error.
 */
export function checkpoint<Args extends unknown[], R>(fn: (...args: Args) => R, ...args: Args): R {
  check('checkpoint', 'the function', fn, is.callback);
  if (!isGradEnabled()) return fn(...args);
  const random = defaultGenerator.getState();
  const versions = args.map((a) => (a instanceof Tensor ? a.storage.version : 0));
  const shapes: string[] = [];
  let again: Tensor[] | null = null;
  const taken = new Set<number>();

  const recompute = (): Tensor[] => {
    args.forEach((a, i) => {
      if (a instanceof Tensor && a.storage.version !== versions[i])
        throw new AutogradError(
          'checkpoint',
          `input ${i} was modified in place after the first run, so running again gives something else`,
        );
    });
    const kept: Tensor[] = [];
    const now = defaultGenerator.getState();
    defaultGenerator.setState(random);
    try {
      enableGrad.run(() =>
        savedTensorsHooks({ pack: (t) => kept.push(t) - 1, unpack: (i: number) => kept[i]! }, () => fn(...args)),
      );
    } finally {
      defaultGenerator.setState(now);
    }
    const found = kept.map(describe);
    if (found.join() !== shapes.join())
      throw new AutogradError(
        'checkpoint',
        `the second run saved other tensors than the first: ${found.length} (${found.join(', ')}) rather than ${shapes.length} (${shapes.join(', ')}); ` +
          'the function must not depend on what changes in between, such as a flag that a condition reads',
      );
    return kept;
  };

  return savedTensorsHooks(
    {
      pack: (t) => shapes.push(describe(t)) - 1,
      unpack: (i: number) => {
        again ??= recompute();
        const t = again[i]!;
        taken.add(i);
        // Dropped when each has been taken; where the graph is gone through again, it is computed again.
        if (taken.size === again.length) {
          again = null;
          taken.clear();
        }
        return t;
      },
    },
    () => fn(...args),
  );
}

const describe = (t: Tensor): string => `${t.dtype} [${t.shape.join(' ')}]`;
