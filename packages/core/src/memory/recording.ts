import type { Node } from '../graph/node.js';
import type { Storage } from '../memory/storage.js';
import type { Generator } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { TypedArray } from './dtype.js';

/** What a recording of `compile` is told, beside the kernel calls. */
export interface Recorder {
  /** The running code cannot be replayed. */
  refuse(why: string): void;
  /** Runs code with state of its own, such as the step of an optimizer; a replay runs it again. */
  action<R>(run: () => R): R;
  /** Plain fields of this object have been read: a replay is valid only for the same values. */
  owner(object: object): void;
  /** A storage was made over an array of JavaScript: it is the same in each call. */
  constant(storage: Storage): void;
  /** The storage was filled by `draw`, which takes random numbers. */
  drawn(storage: Storage, draw: (to: TypedArray, generator: Generator) => void, generator: Generator): void;
  gradRead(leaf: Tensor, grad: Tensor | null): void;
  /** The gradient was given to code that may keep it. */
  gradShown(grad: Tensor): void;
  gradSet(leaf: Tensor, grad: Tensor | null): void;
  /** A backward pass has gone through these nodes. */
  wentThrough(nodes: readonly Node[]): void;
  /** A write in place gave the tensor a history. */
  wroteInPlace(t: Tensor): void;
}

/** The running recording, if any. It is synchronous, so everything that runs meanwhile belongs to it. */
export const recording: { current: Recorder | null } = { current: null };

export function refuseRecording(why: string): void {
  recording.current?.refuse(why);
}

/** Runs code with state of its own beside tensors; a compiled function runs it at each call. */
export const asAction = <R>(run: () => R): R => {
  const { current } = recording;
  return current === null ? run() : current.action(run);
};
