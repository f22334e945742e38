import type { Node } from '../graph/node.js';
import type { Storage } from '../memory/storage.js';
import type { Generator } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { TypedArray } from './dtype.js';

/** What is told of all that a recording of `compile` has to know, beside the kernels that are called. */
export interface Recorder {
  /** What runs cannot be replayed. */
  refuse(why: string): void;
  /** Runs code that has state of its own, such as an optimizer's step: a replay runs it again. */
  action<R>(run: () => R): R;
  /** Fields of this object have been read: a replay is for the same values. Gives false if that is noted already. */
  owner(object: object): boolean;
  /** A replay is for calls for which this gives null: it says in words what has changed. */
  condition(changed: () => string | null): void;
  /** A storage was made over an array of JavaScript: the same in each call. */
  constant(storage: Storage): void;
  /** It was filled by `draw`, which takes random numbers. */
  drawn(storage: Storage, draw: (to: TypedArray, generator: Generator) => void, generator: Generator): void;
  gradRead(leaf: Tensor, grad: Tensor | null): void;
  /** Its gradient was given to code that may keep it. */
  gradShown(grad: Tensor): void;
  gradSet(leaf: Tensor, grad: Tensor | null): void;
  /** A backward pass has gone through these. */
  wentThrough(nodes: readonly Node[], retainGraph: boolean): void;
  /** A tensor got a history by a write in place. */
  wroteInPlace(t: Tensor): void;
}

/** The recording under way, if any. A recording is synchronous, so what runs meanwhile belongs to it. */
export const recording = {
  current: null as Recorder | null,
  /** Called when one has begun, and when it has ended. */
  watchers: new Set<() => void>(),
};

export function refuseRecording(why: string): void {
  recording.current?.refuse(why);
}

/** Runs code that has state of its own beside tensors; a compiled function runs it at each call. */
export const asAction = <R>(run: () => R): R => {
  const { current } = recording;
  return current === null ? run() : current.action(run);
};
