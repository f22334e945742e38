import type { Backend } from '../backend/backend.js';
import { cpu } from '../backend/cpu.js';
import { closeWindows } from '../backend/host/storage.js';
import type { Kernels, View } from '../backend/kernels.js';
import { runChain } from '../backend/wasm/chain.js';
import { isPlain } from '../check.js';
import type { Storage } from '../memory/storage.js';
import { currentGenerator, Generator } from '../tensor/random.js';
import { onLentGrad, Tensor } from '../tensor/tensor.js';
import { captured, type Placed, type Step } from './captured.js';
import { chainOf, type FusedOp, fused } from './chains.js';
import { withOperandsInPlace } from './inPlace.js';
import { isLendable, type Lent, lentBy } from './lent.js';
import { type Layout, layOut } from './lifetimes.js';
import { memoryOf, wholeOf } from './memory.js';
import { isView, type Recording } from './recorder.js';
import type { PlanReport } from './report.js';
import { newResults, tensorsOf } from './results.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A view whose memory is replaced in each call. */
interface Bound {
  readonly view: Mutable<View>;
  /** How many elements it begins after the bound tensor. */
  readonly behind: number;
}

/** A tensor that is replaced in each call: an argument, or the gradient that a leaf has when the call begins. */
interface Slot {
  /** The tensor of this call. */
  readonly of: (args: readonly Tensor[]) => Tensor;
  readonly storage: Storage;
  readonly offset: number;
  readonly views: Bound[];
  /** How often the call writes to it. */
  writes: number;
}

/** The tensors that a replay has made for its result, by what they are views of. */
type Made = Map<View, Tensor>;

/** Makes a part of the result from what a replay computed. */
type Part = (args: readonly Tensor[], made: Made) => unknown;

/** The memory of plans. A leaf's gradient that lies in it is copied before code outside of the library gets it. */
const planned = new WeakSet<Storage>();

function copyOf(view: View): Tensor {
  const { backend } = view.storage;
  const copy = Tensor.uninitialized(view.dtype, view.shape, backend);
  backend.kernels.copy(view, copy);
  closeWindows();
  return copy;
}

onLentGrad((grad) => (planned.has(grad.storage) ? copyOf(grad) : grad));

/** A recorded call over memory of its own, which storages share if they are not in use at the same time. */
export class Plan {
  readonly report: PlanReport;
  running = false;
  /** The functions of each chain of elementwise calls that is run as one. */
  private readonly chains: string[][] = [];
  private readonly steps: readonly Step[];
  private slots: Slot[] = [];
  /** The tensors that the slots stand for in this call. */
  private bound: readonly Placed[] = [];
  private readonly backend: Backend;
  /** The memory of each storage that the call made. */
  private readonly storages: Map<Storage, Storage>;
  private readonly views = new Map<View, View>();
  private readonly foreignWrites: [Storage, number][] = [];
  private readonly result: Part;
  /** Results in the memory of the plan; null if they have their own. */
  private readonly lent: Lent | null;

  constructor(
    recording: Recording,
    /** The tensors that are others in each call. */
    private args: readonly Tensor[],
    result: unknown,
  ) {
    this.backend = recording.device;
    this.lent = lentBy(recording);
    const kernels: Record<string, number> = {};
    for (const op of recording.ops) if (op.kind === 'kernel') kernels[op.name] = (kernels[op.name] ?? 0) + 1;
    const actions = recording.ops.filter(({ kind }) => kind === 'action').length;
    for (const [i, t] of args.entries()) this.addSlot((args) => args[i]!, t, recording);
    // `leaf.grad` would copy a gradient out of the memory of a plan, which the call is about to write.
    for (const [leaf, grad] of recording.entryGrads) {
      const of = this.leafOf(leaf);
      if (grad !== null) this.addSlot((args) => of(args).grad!, grad, recording);
    }
    for (const [storage, version] of recording.foreign)
      if (storage.version > version && !this.slotOf(storage))
        this.foreignWrites.push([storage, storage.version - version]);
    const made = new Map(recording.made);
    // What is made one on a device, it makes one by itself.
    const ops =
      this.backend === cpu
        ? fused(withOperandsInPlace(recording, new Set(args.map(({ storage }) => storage)), made), made)
        : recording.ops.filter((op) => !('storage' in op) || op.storage.backend === this.backend);
    const results = tensorsOf(result);
    for (const storage of newResults(ops, made, recording.finalGrads, results)) {
      const length = made.get(storage)!;
      if (this.lent && isLendable(storage.dtype, length)) continue;
      const make = () => Tensor.uninitialized(storage.dtype, [length], this.backend);
      this.addSlot(make, { storage, offset: 0 }, recording);
      made.delete(storage);
    }
    const stay = new Set(results.map(({ storage }) => storage));
    for (const grad of recording.finalGrads.values()) if (grad !== null) stay.add(grad.storage);
    const layout = layOut(ops, made, stay, memoryOf(this.backend));
    this.storages = layout.storages;
    this.report = { kernels, actions, fused: this.chains, bytes: layout.bytes, unshared: layout.unshared };
    for (const storage of this.storages.values()) planned.add(storage);
    const stepOf = (op: FusedOp) => this.stepOf(op, layout.inner, recording);
    this.steps =
      this.backend === cpu ? ops.map(stepOf) : captured(ops, stepOf, layout.ahead, this.backend, () => this.bound);
    this.result = this.partOf(result);
    // What no kernel uses need not be there: `zeroGrad()` may have freed it by then.
    this.slots = this.slots.filter(({ views, writes }) => views.length > 0 || writes > 0);
    // The recorded call's own memory is not held.
    this.storages.clear();
    this.views.clear();
    this.args = [];
  }

  /** Does what the recorded call did, with the arguments of this call. */
  replay(args: readonly Tensor[]): unknown {
    this.running = true;
    try {
      const bound = this.slots.map(({ of }) => {
        const { storage, offset } = of(args);
        // A result of the call before, which this call writes over, is copied.
        return { storage: this.lent?.has(storage) ? copyOf(wholeOf(storage)).storage : storage, offset };
      });
      this.bound = bound;
      this.lent?.takeBack();
      for (const [i, { views }] of this.slots.entries()) {
        const { storage, offset } = bound[i]!;
        for (const { view, behind } of views) {
          view.storage = storage;
          view.offset = offset + behind;
        }
      }
      for (const step of this.steps) {
        step(args);
        closeWindows();
      }
      for (const [i, { writes }] of this.slots.entries()) bound[i]!.storage.version += writes;
      for (const [storage, writes] of this.foreignWrites) storage.version += writes;
      return this.result(args, new Map());
    } finally {
      this.running = false;
      this.bound = [];
    }
  }

  private addSlot(of: Slot['of'], { storage, offset }: Placed, { foreign }: Recording): void {
    const before = foreign.get(storage);
    this.slots.push({ of, storage, offset, views: [], writes: before === undefined ? 0 : storage.version - before });
  }

  private slotOf(storage: Storage): Slot | undefined {
    return this.slots.find((slot) => slot.storage === storage);
  }

  private stepOf(op: FusedOp, inner: Layout['inner'], recording: Recording): Step {
    switch (op.kind) {
      case 'kernel':
        return this.call(op.name, op.args, recording);
      case 'chain': {
        const chain = chainOf(op.calls, inner, (view) => this.viewOf(view));
        this.chains.push(chain.links.map(({ name }) => name));
        return () => runChain(chain);
      }
      case 'zeros': {
        const storage = this.storages.get(op.storage);
        if (storage === undefined) return nothing;
        const out = wholeOf(storage);
        return () => this.backend.kernels.fill(0, out);
      }
      case 'constant': {
        const storage = this.storages.get(op.storage);
        const values = recording.constants.get(op.storage)!;
        if (storage === undefined) return nothing;
        if (this.backend === cpu) return () => this.backend.write(storage, values);
        // They are sent once: a kernel that copies them can be kept with those around it.
        const sent = this.backend.allocate(storage.dtype, storage.length, 'uninitialized');
        this.backend.write(sent, values);
        const [from, out] = [wholeOf(sent), wholeOf(storage)];
        return () => this.backend.kernels.copy(from, out);
      }
      case 'draw': {
        const { draw, generator } = op;
        const isAround = recording.isAround(generator);
        // What is drawn has memory.
        const [rule, out] = [{ name: 'draw', loop: draw }, wholeOf(this.storages.get(op.storage)!)];
        return () => this.backend.kernels.random(rule, isAround ? currentGenerator() : generator, [], out);
      }
      case 'grad':
        return this.setGrad(op.leaf, op.grad);
      case 'action':
        return op.run as () => void;
    }
  }

  private setGrad(leaf: Tensor, grad: Tensor | null): Step {
    const of = this.leafOf(leaf);
    if (grad === null)
      return (args) => {
        of(args).grad = null;
      };
    const storage = this.storages.get(grad.storage);
    // It is the gradient from before the call, which was written to in place.
    if (storage === undefined) return nothing;
    return (args) => {
      of(args).grad = viewOn(storage, grad);
    };
  }

  /** A leaf, or the argument of this call in its place. */
  private leafOf(leaf: Tensor): Slot['of'] {
    const at = this.args.indexOf(leaf);
    return at < 0 ? () => leaf : (args) => args[at]!;
  }

  private call(name: keyof Kernels, args: readonly unknown[], recording: Recording): () => void {
    const own = args.map((arg) => this.argument(arg));
    const at = args.findIndex((arg) => arg instanceof Generator && recording.isAround(arg));
    return () => {
      if (at >= 0) own[at] = currentGenerator();
      (this.backend.kernels[name] as (...args: unknown[]) => void)(...own);
    };
  }

  private argument(arg: unknown): unknown {
    if (Array.isArray(arg)) return arg.map((item) => this.argument(item));
    return isView(arg) ? this.viewOf(arg) : arg;
  }

  private viewOf(view: View): View {
    const known = this.views.get(view);
    if (known !== undefined) return known;
    const { dtype, shape, numel, strides, offset, isContiguous } = view;
    const slot = this.slotOf(view.storage);
    const storage = this.storages.get(view.storage) ?? view.storage;
    const own = { storage, dtype, shape, numel, strides, offset, isContiguous };
    slot?.views.push({ view: own, behind: offset - slot.offset });
    this.views.set(view, own);
    return own;
  }

  private partOf(value: unknown): Part {
    if (Tensor.is(value)) return this.tensorPart(value);
    if (Array.isArray(value)) {
      const parts = value.map((item) => this.partOf(item));
      return (args, made) => parts.map((part) => part(args, made));
    }
    if (isPlain(value)) {
      const parts = Object.entries(value).map(([name, item]) => [name, this.partOf(item)] as const);
      return (args, made) => Object.fromEntries(parts.map(([name, part]) => [name, part(args, made)]));
    }
    return () => value;
  }

  private tensorPart(t: Tensor): Part {
    const at = this.args.indexOf(t);
    if (at >= 0) return (args) => args[at];
    const isOwn = this.storages.has(t.storage);
    if (!isOwn && t.viewInfo === null && this.slotOf(t.storage) === undefined) return () => t;
    const view = this.viewOf(t);
    return (_, made) => {
      if (!made.has(view)) made.set(view, isOwn ? (this.lent?.lend(view) ?? copyOf(view)) : viewOn(view.storage, view));
      return made.get(view);
    };
  }
}

const viewOn = (storage: Storage, { dtype, shape, strides, offset }: View): Tensor =>
  new Tensor(storage, dtype, shape, strides, offset);

const nothing = (): void => {};
