import { show } from '../check.js';
import { AutogradError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

/** What a checkpoint can keep the results of: operators that cost more than to go through their elements. */
export const keepableOperators = [
  'matmul',
  'linear',
  'conv2d',
  'convTranspose2d',
  'softmax',
  'logSoftmax',
  'attentionWeights',
  'solve',
  'cholesky',
] as const;

/** An operator whose result a checkpoint can keep, by the name of its node in the graph. */
export type KeepableOperator = (typeof keepableOperators)[number];

interface Result {
  readonly op: KeepableOperator;
  /** Null where it is not kept. */
  readonly tensor: Tensor | null;
  readonly version: number;
}

/** A run of a checkpointed function that is under way; of nested ones the innermost. */
interface Run {
  readonly kept: KeptResults;
  /** How many results it has been asked for, in a second run; null in a first one, which notes them. */
  next: number | null;
  readonly outer: Run | null;
}

const state = { run: null as Run | null };

/** Who refuses: not a plain name, which the operator under way would put its own in the place of. */
const keeping = 'selectiveCheckpoint(keep)';

/** The results that a checkpoint keeps, in the order in which its function computes them. */
export class KeptResults {
  readonly #results: Result[] = [];

  constructor(private readonly wants: (op: KeepableOperator) => boolean) {}

  /** Runs the function: the first time notes results, later gives them in the place of computing them. */
  run<R>(which: 'first' | 'again', fn: () => R): R {
    const outer = state.run;
    state.run = { kept: this, next: which === 'first' ? null : 0, outer };
    try {
      return fn();
    } finally {
      state.run = outer;
    }
  }

  note(op: KeepableOperator, { storage, dtype, shape, inference }: Tensor): void {
    const wanted: unknown = this.wants(op);
    if (typeof wanted !== 'boolean')
      throw new TypeError(`${keeping}: what says whether to keep ${op} must give true or false, got ${show(wanted)}`);
    const tensor = wanted && !inference ? new Tensor(storage, dtype, shape) : null;
    this.#results.push({ op, tensor, version: storage.version });
  }

  /** Null where the result was not kept, or has been written to since. */
  give(op: KeepableOperator, i: number): Tensor | null {
    const result = this.#results[i];
    if (result?.op !== op)
      throw new AutogradError(
        keeping,
        `the second run computed ${op} where the first ${result ? `computed ${result.op}` : 'had ended'}; the function must ` +
          'not depend on what changes in between, such as a flag that a condition reads',
      );
    return result.tensor?.storage.version === result.version ? result.tensor : null;
  }
}

/** The result that a checkpoint has kept of the operator that is to be computed now; null if it is to be computed. */
export const keptResult = (op: KeepableOperator): Tensor | null => (state.run === null ? null : give(op));

/** Has checkpoints keep a result, if they want it; gives it back. */
export function keepResult(op: KeepableOperator, out: Tensor): Tensor {
  if (state.run !== null) note(op, out);
  return out;
}

function give(op: KeepableOperator): Tensor | null {
  let found: Tensor | null = null;
  for (let run: Run | null = state.run; run !== null; run = run.outer)
    if (run.next !== null) {
      const given = run.kept.give(op, run.next++);
      found ??= given;
    }
  if (found === null) return null;
  note(op, found);
  // Another tensor each time: it gets a graph of its own.
  return new Tensor(found.storage, found.dtype, found.shape);
}

function note(op: KeepableOperator, out: Tensor): void {
  for (let run: Run | null = state.run; run !== null; run = run.outer) if (run.next === null) run.kept.note(op, out);
}
