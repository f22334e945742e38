import type { Backend, Captured } from '../backend/backend.js';
import { cpu } from '../backend/cpu.js';
import { closeWindows } from '../backend/host/storage.js';
import type { Kernels, View } from '../backend/kernels.js';
import { runChain } from '../backend/wasm/chain.js';
import { isPlain } from '../check.js';
import { recordOf } from '../memory/dtype.js';
import type { Storage } from '../memory/storage.js';
import { currentGenerator, Generator } from '../tensor/random.js';
import { onLentGrad, Tensor } from '../tensor/tensor.js';
import { chainOf, type FusedOp, fused, innerStorages, usedBy } from './chains.js';
import { withOperandsInPlace } from './inPlace.js';
import { memoryOf, type PlanMemory } from './memory.js';
import { isView, type Recording } from './recorder.js';

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

/** One thing that a replay does. */
type Step = (args: readonly Tensor[]) => void;

/** Kernels are kept for so many places where arguments begin; for others they run as they are. */
const mostPlaces = 4;

/** Makes a part of the result from what a replay computed. */
type Part = (args: readonly Tensor[]) => unknown;

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
  /** Bytes of memory for what the call computes, and bytes without sharing. */
  bytes = 0;
  unshared = 0;
  running = false;
  /** How often each kernel is called. */
  readonly kernels: Record<string, number> = {};
  /** How much runs as it is. */
  readonly actions: number;
  /** The functions of each chain of elementwise calls that is run as one. */
  readonly chains: string[][] = [];
  /** Storages that only one chain uses; they have no memory. */
  private inner: ReadonlySet<Storage> = new Set();
  /** Draws that are made before what precedes them, on a device that makes calls again: their memory is their own. */
  private ahead: ReadonlyMap<FusedOp, Storage> = new Map();
  private readonly steps: readonly Step[];
  private slots: Slot[] = [];
  /** The tensors that the slots stand for in this call. */
  private bound: readonly Tensor[] = [];
  private readonly backend: Backend;
  private readonly memory: PlanMemory;
  private readonly storages = new Map<Storage, Storage>();
  private readonly views = new Map<View, View>();
  private readonly foreignWrites: [Storage, number][] = [];
  private readonly result: Part;

  constructor(
    recording: Recording,
    /** The tensors that are others in each call. */
    private args: readonly Tensor[],
    result: unknown,
  ) {
    this.backend = recording.device;
    this.memory = memoryOf(this.backend);
    for (const op of recording.ops) if (op.kind === 'kernel') this.kernels[op.name] = (this.kernels[op.name] ?? 0) + 1;
    this.actions = recording.ops.filter(({ kind }) => kind === 'action').length;
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
    for (const storage of newResults(ops, made, recording.finalGrads, tensorsOf(result))) {
      const length = made.get(storage)!;
      const make = () => Tensor.uninitialized(storage.dtype, [length], this.backend);
      this.addSlot(make, { storage, offset: 0 }, recording);
      made.delete(storage);
    }
    this.allocate(ops, made, recording.finalGrads, new Set(tensorsOf(result).map(({ storage }) => storage)));
    this.steps = this.backend === cpu ? ops.map((op) => this.stepOf(op, recording)) : this.captured(ops, recording);
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
      const bound = this.slots.map(({ of }) => of(args));
      this.bound = bound;
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
      return this.result(args);
    } finally {
      this.running = false;
      this.bound = [];
    }
  }

  /**
   * The steps on a device that makes calls of kernels again: kernels that follow each other are kept together, and gradients are set behind
   * them. What draws random numbers runs before them, for it takes nothing of theirs; what has state of its own runs as it is.
   */
  private captured(ops: readonly FusedOp[], recording: Recording): Step[] {
    const steps: Step[] = [];
    let draws: Step[] = [];
    let kernels: Step[] = [];
    let grads: Step[] = [];
    const end = () => {
      steps.push(...draws);
      if (kernels.length > 0) steps.push(this.kept(kernels));
      steps.push(...grads);
      [draws, kernels, grads] = [[], [], []];
    };
    for (const op of ops) {
      const step = this.stepOf(op, recording);
      if (op.kind === 'grad') grads.push(step);
      else if (this.ahead.has(op)) draws.push(step);
      else if (
        op.kind === 'zeros' ||
        op.kind === 'constant' ||
        (op.kind === 'kernel' && !op.args.some((arg) => arg instanceof Generator))
      )
        kernels.push(step);
      else {
        end();
        steps.push(step);
      }
    }
    end();
    return steps;
  }

  /** Kernels whose calls are kept, for as many places where arguments begin in their memory as there may be. */
  private kept(kernels: readonly Step[]): Step {
    const all = new Map<string, Captured>();
    let isRefused = false;
    return (args) => {
      const bound = this.bound.filter(({ storage }) => storage.backend === this.backend);
      const storages = bound.map(({ storage }) => storage);
      const place = bound.map(({ offset }) => offset).join();
      const known = all.get(place);
      if (known?.replay(storages)) return;
      const run = () => {
        for (const kernel of kernels) kernel(args);
      };
      if (isRefused || (known === undefined && all.size >= mostPlaces)) {
        run();
        return;
      }
      const made = this.backend.captures!.capture(run, storages);
      if (made === null) isRefused = true;
      else all.set(place, made);
    };
  }

  private addSlot(
    of: Slot['of'],
    { storage, offset }: Pick<Tensor, 'storage' | 'offset'>,
    { foreign }: Recording,
  ): void {
    const before = foreign.get(storage);
    this.slots.push({ of, storage, offset, views: [], writes: before === undefined ? 0 : storage.version - before });
  }

  private slotOf(storage: Storage): Slot | undefined {
    return this.slots.find((slot) => slot.storage === storage);
  }

  /** Gives memory to each storage that the call made, from its first use to its last. */
  private allocate(
    ops: readonly FusedOp[],
    made: ReadonlyMap<Storage, number>,
    finalGrads: Recording['finalGrads'],
    kept: ReadonlySet<Storage>,
  ): void {
    const last = new Map<Storage, number>();
    const stay = new Set(kept);
    for (const grad of finalGrads.values()) if (grad !== null) stay.add(grad.storage);
    this.inner = innerStorages(ops, made, stay);
    ops.forEach((op, i) => {
      for (const storage of usedBy(op)) if (made.has(storage) && !this.inner.has(storage)) last.set(storage, i);
    });
    // An optimizer's step reads gradients where they lie.
    const grads = new Set(ops.flatMap((op) => (op.kind === 'grad' && op.grad !== null ? [op.grad.storage] : [])));
    for (const storage of [...stay, ...grads]) if (made.has(storage)) last.set(storage, ops.length);
    const free: Storage[] = [];
    const blocks = new Map<Storage, Storage>();
    if (this.memory.isFilledApart) this.ahead = drawsAhead(ops, made);
    const apart = new Set(this.memory.isFilledApart ? [...filledBy(ops), ...this.ahead.values()] : []);
    const resting: { readonly block: Storage; readonly until: number }[] = [];
    ops.forEach((op, i) => {
      while (resting[0] && resting[0].until <= i) free.push(resting.shift()!.block);
      const used = usedBy(op).filter((storage) => last.has(storage));
      for (const storage of used) {
        if (this.storages.has(storage)) continue;
        const { dtype } = storage;
        const length = made.get(storage)!;
        const block = this.memory.shares(dtype) && !apart.has(storage) ? this.blockFor(length, free) : null;
        const own = this.memory.storage(block, dtype, length);
        planned.add(own);
        this.storages.set(storage, own);
        this.unshared += bytesOf(own);
        if (block === null) this.bytes += bytesOf(own);
        else blocks.set(storage, block);
      }
      for (const storage of used) {
        const block = blocks.get(storage);
        if (last.get(storage) === i && block !== undefined) resting.push({ block, until: i + 1 + this.memory.rest });
      }
    });
  }

  /** The smallest free block that is large enough, else a new one. */
  private blockFor(length: number, free: Storage[]): Storage {
    let best = -1;
    free.forEach((block, i) => {
      if (block.length >= length && (best < 0 || block.length < free[best]!.length)) best = i;
    });
    if (best >= 0) return free.splice(best, 1)[0]!;
    const block = this.memory.block(length);
    this.bytes += length * 4;
    return block;
  }

  private stepOf(op: FusedOp, recording: Recording): (args: readonly Tensor[]) => void {
    switch (op.kind) {
      case 'kernel':
        return this.call(op.name, op.args, recording);
      case 'chain': {
        const chain = chainOf(op.calls, this.inner, (view) => this.viewOf(view));
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
        const storage = this.storages.get(op.storage);
        const { draw, generator } = op;
        if (storage === undefined) throw new Error('what is drawn has memory');
        const [rule, out] = [{ name: 'draw', loop: draw }, wholeOf(storage)];
        if (recording.isAround(generator)) return () => this.backend.kernels.random(rule, currentGenerator(), [], out);
        return () => this.backend.kernels.random(rule, generator, [], out);
      }
      case 'grad':
        return this.setGrad(op.leaf, op.grad);
      case 'action':
        return op.run as () => void;
    }
  }

  private setGrad(leaf: Tensor, grad: Tensor | null): (args: readonly Tensor[]) => void {
    const of = this.leafOf(leaf);
    if (grad === null)
      return (args) => {
        of(args).grad = null;
      };
    const storage = this.storages.get(grad.storage);
    // It is the gradient from before the call, which was written to in place.
    if (storage === undefined) return nothing;
    const { dtype, shape, strides, offset } = grad;
    return (args) => {
      of(args).grad = new Tensor(storage, dtype, shape, strides, offset);
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
      return (args) => parts.map((part) => part(args));
    }
    if (isPlain(value)) {
      const parts = Object.entries(value).map(([name, item]) => [name, this.partOf(item)] as const);
      return (args) => Object.fromEntries(parts.map(([name, part]) => [name, part(args)]));
    }
    return () => value;
  }

  private tensorPart(t: Tensor): Part {
    const at = this.args.indexOf(t);
    if (at >= 0) return (args) => args[at];
    if (this.storages.has(t.storage)) {
      const view = this.viewOf(t);
      return () => copyOf(view);
    }
    const slot = this.slotOf(t.storage);
    if (slot === undefined && t.viewInfo === null) return () => t;
    const view = this.viewOf(t);
    return () => new Tensor(view.storage, view.dtype, view.shape, view.strides, view.offset);
  }
}

const nothing = (): void => {};

/** The tensors in a result. */
export function tensorsOf(value: unknown): Tensor[] {
  if (Tensor.is(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsOf);
  return isPlain(value) ? Object.values(value).flatMap(tensorsOf) : [];
}

/**
 * The memory of results that one kernel writes and nothing reads: each call has it write to a new tensor, so that none is copied out of
 * the memory of the plan. Of a result that is a part of it alone a copy is smaller.
 */
function newResults(
  ops: readonly FusedOp[],
  made: ReadonlyMap<Storage, number>,
  finalGrads: Recording['finalGrads'],
  results: readonly Tensor[],
): Storage[] {
  const gradients = new Set([...finalGrads.values()].map((grad) => grad?.storage));
  const isWrittenOnce = (storage: Storage): boolean => {
    const users = ops.filter((op) => usedBy(op).includes(storage));
    const uses = users.flatMap(usedBy).filter((used) => used === storage);
    return uses.length === 1 && (users[0]!.kind === 'kernel' || users[0]!.kind === 'chain');
  };
  const whole = results.filter(({ storage, numel }) => made.get(storage) === numel);
  return [...new Set(whole.map(({ storage }) => storage))].filter(
    (storage) => !gradients.has(storage) && isWrittenOnce(storage),
  );
}

/** What is drawn into, where nothing but the generator decides what: undefined where another tensor does. */
function drawnBy(op: FusedOp): Storage | undefined {
  if (op.kind === 'draw') return op.storage;
  if (op.kind !== 'kernel' || op.name !== 'random' || !Array.isArray(op.args[2])) return undefined;
  return (op.args[3] as View).storage;
}

/** The draws into what the call made, and has not used before: those can be made before everything else. */
function drawsAhead(ops: readonly FusedOp[], made: ReadonlyMap<Storage, number>): Map<FusedOp, Storage> {
  const draws = new Map<FusedOp, Storage>();
  const used = new Set<Storage>();
  for (const op of ops) {
    const drawn = drawnBy(op);
    if (drawn !== undefined && made.has(drawn) && !used.has(drawn)) draws.set(op, drawn);
    for (const storage of usedBy(op)) used.add(storage);
  }
  return draws;
}

/** The storages that kernels make one number. */
const filledBy = (ops: readonly FusedOp[]): Set<Storage> =>
  new Set(
    ops.flatMap((op) =>
      op.kind === 'zeros'
        ? [op.storage]
        : op.kind === 'kernel' && op.name === 'fill'
          ? [(op.args[1] as View).storage]
          : [],
    ),
  );

/** All elements of a storage. */
const wholeOf = (storage: Storage): View => {
  const { dtype, length } = storage;
  return { storage, dtype, shape: [length], numel: length, strides: [1], offset: 0, isContiguous: true };
};

const bytesOf = ({ dtype, length }: Storage): number => length * recordOf(dtype).bytes;
