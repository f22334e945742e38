import { isPlain } from '../check.js';
import { AccumulateGrad, type Node } from '../graph/node.js';
import { Tensor } from '../tensor/tensor.js';
import type { Recording } from './recorder.js';

/**
 * Whether the call has reached the memory of an argument by a tensor from elsewhere, which a replay would take for the
 * argument. What operators make of their operands is detached.
 */
export const sharesMemory = ({ whole }: Recording, args: readonly Tensor[]): boolean =>
  [...whole].some(
    (t) => t.untracked !== 'detach' && !args.includes(t) && args.some(({ storage }) => storage === t.storage),
  );

/** Results that are nested deeper most likely contain themselves. */
const maxDepth = 64;

/** Refuses results that a replay could not give. */
export function refuseResult(recording: Recording, value: unknown, depth = 0): void {
  if (depth > maxDepth) recording.refuse('it returns what is nested too deep, or contains itself');
  else if (Tensor.is(value)) {
    const { backend } = value.storage;
    if (recording.made.has(value.storage) && backend !== recording.device)
      recording.refuse(`it computes on ${recording.device.name} and returns what is made on ${backend.name}`);
  } else if (Array.isArray(value)) for (const item of value) refuseResult(recording, item, depth + 1);
  else if (isPlain(value)) for (const item of Object.values(value)) refuseResult(recording, item, depth + 1);
  else if (typeof value === 'number' || typeof value === 'bigint')
    recording.refuse('it returns a number, which a replay cannot compute; return the tensor');
  else if ((typeof value === 'object' && value !== null) || typeof value === 'function')
    recording.refuse(
      'it returns something else than tensors, plain values, arrays and plain objects, such as a promise',
    );
}

/** Refuses a backward pass of the call's own that leaves it: the graph of an argument is another one in each call. */
export function refuseOuterPass(recording: Recording, nodes: ReadonlySet<Node>): void {
  for (const node of recording.passed)
    if (!nodes.has(node) && !(node instanceof AccumulateGrad))
      recording.refuse('its backward pass goes on through the graph of a tensor from elsewhere');
}
