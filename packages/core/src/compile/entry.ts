import type { AccumulateGrad } from '../graph/node.js';
import type { Storage } from '../memory/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import type { GraphPlan } from './graph.js';
import { changeOf, type Held } from './held.js';
import type { Plan } from './plan.js';
import type { Asked, Recording } from './recorder.js';

interface Leaf {
  readonly t: Tensor;
  readonly storage: Storage;
  readonly requiresGrad: boolean;
  readonly hooked: boolean;
}

/** A recorded call, and what must be as it was for its plan to stand for another. */
export interface Entry {
  readonly plan: Plan | GraphPlan;
  readonly asked: readonly Asked[];
  readonly args: readonly unknown[];
  readonly held: readonly Held[];
  readonly conditions: readonly (() => string | null)[];
  readonly leaves: readonly Leaf[];
  /** Whether each tensor among the arguments has hooks. */
  readonly hooked: readonly boolean[];
  /** The memory of tensors from outside, which arguments do not share. */
  readonly foreign: ReadonlySet<Storage>;
  readonly entryGrads: readonly { readonly at: number; readonly leaf: Tensor; readonly isNull: boolean }[];
  readonly trace: string;
  replays: number;
}

/** The record of a call with these arguments, and the tensors among them. */
export const entryOf = (
  recording: Recording,
  plan: Entry['plan'],
  args: readonly unknown[],
  tensors: readonly Tensor[],
  trace: string,
): Entry => ({
  plan,
  asked: recording.asked,
  args,
  held: recording.held,
  conditions: recording.conditions,
  leaves: [...recording.seen]
    .filter((t) => !tensors.includes(t) && t.isLeaf)
    .map((t) => ({ t, storage: t.storage, requiresGrad: t.requiresGrad, hooked: hasHooks(t) })),
  hooked: tensors.map(hasHooks),
  foreign: new Set([...recording.foreign.keys()].filter((storage) => !tensors.some((t) => t.storage === storage))),
  entryGrads: [...recording.entryGrads].map(([leaf, grad]) => ({
    at: tensors.indexOf(leaf),
    leaf,
    isNull: grad === null,
  })),
  trace,
  replays: 0,
});

/** The first thing that has changed since the recording, or null. */
export function firstChange(entry: Entry, tensors: readonly Tensor[]): string | null {
  for (const held of entry.held) {
    const changed = changeOf(held);
    if (changed !== null) return `${changed} changed`;
  }
  for (const condition of entry.conditions) {
    const changed = condition();
    if (changed !== null) return `${changed} changed`;
  }
  for (const leaf of entry.leaves) {
    const changed = changeOfLeaf(leaf);
    if (changed !== null) return changed;
  }
  for (let i = 0; i < tensors.length; i++) {
    if (hasHooks(tensors[i]!) !== entry.hooked[i]) return 'the hooks of an argument changed';
    if (entry.foreign.has(tensors[i]!.storage)) return 'an argument shares memory with a tensor from elsewhere';
  }
  for (const { at, leaf, isNull } of entry.entryGrads)
    if (((at < 0 ? leaf : tensors[at]!).heldGrad === null) !== isNull)
      return isNull
        ? 'a parameter has a gradient when the call begins'
        : 'a parameter has no gradient when the call begins';
  return null;
}

function changeOfLeaf({ t, storage, requiresGrad, hooked }: Leaf): string | null {
  if (t.storage !== storage) return 'the memory of a parameter is another one';
  if (t.requiresGrad !== requiresGrad) return 'requiresGrad of a parameter changed';
  return hasHooks(t) === hooked ? null : 'the hooks of a parameter changed';
}

/** Whether somebody sees the gradient of a leaf. */
const hasHooks = ({ accumulator }: Tensor): boolean => {
  if (accumulator === null) return false;
  const { gradHooks, postHooks, retained } = accumulator.node as AccumulateGrad;
  return (gradHooks?.size ?? 0) + (postHooks?.size ?? 0) + (retained?.size ?? 0) > 0;
};
