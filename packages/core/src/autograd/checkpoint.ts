// The entry point `@gradgate/core/checkpoint`, as PyTorch's `torch.utils.checkpoint`.

import { check, show } from '../check.js';
import { AutogradError } from '../errors.js';
import { bindGradMode, isGradEnabled } from '../grad/index.js';
import {
  currentSavedTensorHooks,
  type Packed,
  packedBy,
  type SavedTensorHooks,
  savedTensorsHooks,
  unpackedBy,
} from '../graph/savedTensorHooks.js';
import * as is from '../kinds.js';
import { currentGenerator } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
import { type KeepableOperator, KeptResults, keepableOperators } from './keep.js';
import { synchronous } from './synchronous.js';

export type { KeepableOperator };

/**
 * Runs `fn` without keeping what its operations save for backward; the backward pass runs it again to get that back
 * (Chen et al., 2016). Random numbers and modes, such as `evalMode`, are the same in both runs. Where gradients are off
 * it just runs `fn`. An async `fn` is refused: checkpoint the parts between its awaits.
 *
 * `fn` must do the same in both runs: a second run that saves other tensors, or inputs that were written to in between,
 * are an error.
 *
 * ```ts
 * const x = tensor([1, 2], { requiresGrad: true });
 * checkpoint((y: Tensor) => y.exp().log().sum(), x).backward();
 * x.grad; // [1, 1]
 * ```
 */
export function checkpoint<Args extends unknown[], R>(fn: (...args: Args) => R, ...args: Args): R {
  check('checkpoint', 'fn', fn, is.callback);
  return isGradEnabled() ? run(fn, args, () => false) : fn(...args);
}

/**
 * `checkpoint` that keeps the results of some operators, so that the second run does not compute these again: of those
 * that cost much and whose results are small, while what is cheap is computed twice.
 *
 * @param keep Which ones: a list of `matmul`, `linear`, `conv2d`, `convTranspose2d`, `softmax`, `logSoftmax`,
 * `attentionWeights`, `solve`, `cholesky` (the names of their nodes in the graph), or a function that is asked at each
 * of their calls in the first run. All other operators are computed again, and so is a result that has been written to.
 *
 * ```ts
 * const block = (x: Tensor) => linear(x, eye(2)).tanh();
 * const x = tensor([[1, 2]], { requiresGrad: true });
 * selectiveCheckpoint(['linear'], block, x).sum().backward();
 * x.grad; // [[0.42, 0.07065]]
 * ```
 */
export function selectiveCheckpoint<Args extends unknown[], R>(
  keep: readonly KeepableOperator[] | ((op: KeepableOperator) => boolean),
  fn: (...args: Args) => R,
  ...args: Args
): R {
  const wants = policyOf(keep);
  check('selectiveCheckpoint', 'fn', fn, is.callback);
  return isGradEnabled() ? run(fn, args, wants) : fn(...args);
}

function policyOf(keep: unknown): (op: KeepableOperator) => boolean {
  if (typeof keep === 'function') return keep as (op: KeepableOperator) => boolean;
  const isName = (name: unknown): name is KeepableOperator => (keepableOperators as readonly unknown[]).includes(name);
  const wrong = Array.isArray(keep) ? keep.find((name) => !isName(name)) : keep;
  if (!Array.isArray(keep) || wrong !== undefined)
    throw new TypeError(
      `selectiveCheckpoint: what to keep must be a list of ${keepableOperators.join(', ')}, or a function that decides, got ${show(wrong)}`,
    );
  return (op) => keep.includes(op);
}

function run<Args extends unknown[], R>(
  fn: (...args: Args) => R,
  args: Args,
  wants: (op: KeepableOperator) => boolean,
): R {
  const results = new KeptResults(wants);
  const hooks = hooksFor(fn as (...args: unknown[]) => unknown, args.map(holdInput), results);
  // Backward, which is synchronous, could not run an async function again.
  return savedTensorsHooks(hooks, () => results.run('first', () => synchronous('checkpoint', () => fn(...args))));
}

/**
 * Hooks that note what the first run saves, and get it back by a second run. Apart from `run`, as is what holds an
 * input: all closures of a function hold what any of them names.
 */
function hooksFor(
  fn: (...args: unknown[]) => unknown,
  inputs: readonly (() => unknown)[],
  results: KeptResults,
): SavedTensorHooks {
  const generator = currentGenerator();
  const random = generator.getState();
  // All modes of the first run are those of the second, wherever backward is called.
  const runWith = bindGradMode((hooks: SavedTensorHooks) => {
    const args = inputs.map((input) => input());
    savedTensorsHooks(hooks, () => results.run('again', () => fn(...args)));
  });
  const shapes: string[] = [];
  let again: Tensor[] | null = null;
  const taken = new Set<number>();

  const recompute = (): Tensor[] => {
    const saved: Tensor[] = [];
    const now = generator.getState();
    generator.setState(random);
    try {
      runWith({ pack: (t) => saved.push(t) - 1, unpack: (i: number) => saved[i]! });
    } finally {
      generator.setState(now);
    }
    const found = saved.map(describe);
    if (found.join() !== shapes.join())
      throw new AutogradError(
        'checkpoint',
        `the second run saved other tensors than the first: ${found.length} (${found.join(', ')}) rather than ${shapes.length} (${shapes.join(', ')}); ` +
          'the function must not depend on what changes in between, such as a flag that a condition reads',
      );
    return saved;
  };

  return {
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
  };
}

/** Keeps an input for the second run: through hooks where there are some, as those of a checkpoint around this one. */
function holdInput(input: unknown, i: number): () => unknown {
  const hooks = currentSavedTensorHooks();
  if (!Tensor.is(input)) return () => input;
  return hooks === null || input.isLeaf ? holdTensor(input, i) : holdPacked(packedBy(hooks, input), hooks);
}

function holdTensor(input: Tensor, i: number): () => Tensor {
  const { version } = input.storage;
  return () => {
    if (input.storage.version !== version)
      throw new AutogradError(
        'checkpoint',
        `input ${i} was modified in place after the first run, so running again gives something else`,
      );
    return input;
  };
}

function holdPacked(packed: Packed, hooks: SavedTensorHooks): () => Tensor {
  return () => {
    const t = unpackedBy(hooks, packed);
    // It takes part in the second run's graph as the input did in the first one's.
    return t.requiresGrad ? t : t.detach().requiresGrad_();
  };
}

const describe = (t: Tensor): string => `${t.dtype} [${t.shape.join(' ')}]`;
