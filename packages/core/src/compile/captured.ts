import type { Backend, Captured } from '../backend/backend.js';
import { Generator } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { FusedOp } from './chains.js';

/** One thing that a replay does. */
export type Step = (args: readonly Tensor[]) => void;

/** Where the elements of a tensor begin. */
export type Placed = Pick<Tensor, 'storage' | 'offset'>;

/** Kernels are kept for so many places where arguments begin; for others they run as they are. */
const maxPlaces = 4;

/**
 * The steps on a device that makes calls of kernels again: kernels that follow each other are kept together, and
 * gradients are set behind them. What draws random numbers runs before them, for it takes nothing of theirs; what has
 * state of its own runs as it is.
 *
 * `stepOf` makes the step of one op, `ahead` has the draws that may run first, and `bound` gives the tensors of this
 * call.
 */
export function captured(
  ops: readonly FusedOp[],
  stepOf: (op: FusedOp) => Step,
  ahead: ReadonlyMap<FusedOp, unknown>,
  backend: Backend,
  bound: () => readonly Placed[],
): Step[] {
  const steps: Step[] = [];
  let draws: Step[] = [];
  let kernels: Step[] = [];
  let grads: Step[] = [];
  const end = () => {
    steps.push(...draws);
    if (kernels.length > 0) steps.push(kept(kernels, backend, bound));
    steps.push(...grads);
    [draws, kernels, grads] = [[], [], []];
  };
  for (const op of ops) {
    const step = stepOf(op);
    if (op.kind === 'grad') grads.push(step);
    else if (ahead.has(op)) draws.push(step);
    else if (isRepeatable(op)) kernels.push(step);
    else {
      end();
      steps.push(step);
    }
  }
  end();
  return steps;
}

/** Whether a device can make the op again by itself: it has no state outside of the device's memory. */
const isRepeatable = (op: FusedOp): boolean =>
  op.kind === 'zeros' ||
  op.kind === 'constant' ||
  (op.kind === 'kernel' && !op.args.some((arg) => arg instanceof Generator));

/** Kernels whose calls are kept, for as many places where arguments begin in their memory as there may be. */
function kept(kernels: readonly Step[], backend: Backend, bound: () => readonly Placed[]): Step {
  const all = new Map<string, Captured>();
  let isRefused = false;
  return (args) => {
    const own = bound().filter(({ storage }) => storage.backend === backend);
    const storages = own.map(({ storage }) => storage);
    const place = own.map(({ offset }) => offset).join();
    const known = all.get(place);
    if (known?.replay(storages)) return;
    const run = () => {
      for (const kernel of kernels) kernel(args);
    };
    if (isRefused || (known === undefined && all.size >= maxPlaces)) {
      run();
      return;
    }
    const made = backend.captures!.capture(run, storages);
    if (made === null) isRefused = true;
    else all.set(place, made);
  };
}
