import { check } from '../check.js';
import { AutogradError } from '../errors.js';
import { bindGradMode, isGradEnabled } from '../grad/index.js';
import * as is from '../kinds.js';
import { currentGenerator } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
import { type SavedTensorHooks, savedTensorsHooks } from './savedTensorHooks.js';
import { synchronous } from './synchronous.js';

/**
 * Runs `fn` without keeping what its operations save for backward; the backward pass runs it again to get that back
 * (Chen et al., 2016). Random numbers and modes, such as `evalMode`, are the same in both runs. Where gradients are off it
 * just runs `fn`. An async `fn` is refused: checkpoint the parts between its awaits.
 *
 * `fn` must do the same in both runs: a second run that saves other tensors, or inputs that were written to in between,
 * are an error.
 */
export function checkpoint<Args extends unknown[], R>(fn: (...args: Args) => R, ...args: Args): R {
  check('checkpoint', 'the function', fn, is.callback);
  if (!isGradEnabled()) return fn(...args);
  const generator = currentGenerator();
  const random = generator.getState();
  // All modes of the first run are those of the second, wherever backward is called.
  const runWith = bindGradMode((hooks: SavedTensorHooks) => savedTensorsHooks(hooks, () => fn(...args)));
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
    const now = generator.getState();
    generator.setState(random);
    try {
      runWith({ pack: (t) => kept.push(t) - 1, unpack: (i: number) => kept[i]! });
    } finally {
      generator.setState(now);
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
    // Backward, which is synchronous, could not run an async function again.
    () => synchronous('checkpoint', () => fn(...args)),
  );
}

const describe = (t: Tensor): string => `${t.dtype} [${t.shape.join(' ')}]`;
