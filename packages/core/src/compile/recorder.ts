import type { Backend } from '../backend/backend.js';
import { allBackends } from '../backend/backends.js';
import { cpu } from '../backend/cpu.js';
import type { Kernels, View } from '../backend/kernels.js';
import { isPlain } from '../check.js';
import { asking } from '../grad/condition.js';
import type { Frame } from '../grad/index.js';
import { currentFrame } from '../grad/index.js';
import type { Node } from '../graph/node.js';
import type { Bits } from '../memory/coding.js';
import { recordOf, type TypedArray } from '../memory/dtype.js';
import { type Recorder, recording } from '../memory/recording.js';
import type { Storage } from '../memory/storage.js';
import { currentGenerator, Generator } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
import { changeOf, type Held, holdsTensors, noteContents, noteFields } from './held.js';
import { placeOutside } from './place.js';

type Draw = (to: TypedArray, generator: Generator) => void;

/** A thing that a call did, and that a replay does. */
export type Op =
  | { readonly kind: 'kernel'; readonly name: keyof Kernels; readonly args: readonly unknown[] }
  | { readonly kind: 'zeros' | 'constant'; readonly storage: Storage }
  | { readonly kind: 'draw'; readonly storage: Storage; readonly draw: Draw; readonly generator: Generator }
  | { readonly kind: 'grad'; readonly leaf: Tensor; readonly grad: Tensor | null }
  | { readonly kind: 'action'; readonly run: () => unknown };

/** A condition of a gate, with the arguments and the answer of one call. */
export interface Asked {
  readonly condition: (...args: any[]) => boolean;
  readonly self: unknown;
  readonly args: readonly unknown[];
  readonly frame: Frame;
  readonly outcome: boolean;
}

/** Why a call cannot be replayed, and where in the program that is. */
export interface Break {
  /** Why it ran as it is. */
  readonly why: string;
  /** Where, if that is known. */
  readonly at: string | null;
}

type AnyKernel = (...args: unknown[]) => void;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What one call does by kernels, and what must hold for another call to do the same. */
export class Recording implements Recorder {
  readonly ops: Op[] = [];
  readonly asked: Asked[] = [];
  /**
   * What objects hold that each call of the record has: `this`, modules, and arguments that are compared by identity.
   */
  readonly held: Held[] = [];
  /** The same of arguments that are other objects in each call. */
  private readonly heldByArguments: Held[] = [];
  /** What must still be true for a replay: it says what is not. */
  readonly conditions: (() => string | null)[] = [];
  /** The function whose results lie in the memory of its record until the next call; null if they have their own. */
  lender: string | null = null;
  /** Storages that the call allocated, with their lengths, as it may have given them back since. */
  readonly made = new Map<Storage, number>();
  /** What storages over an array held at first. */
  readonly constants = new Map<Storage, TypedArray | Bits>();
  /** Storages from outside that kernels used, with their versions at first. */
  readonly foreign = new Map<Storage, number>();
  /** Tensors from outside that kernels used. */
  readonly seen = new Set<Tensor>();
  /** Those of them that kernels used by themselves, not by a view. */
  readonly whole = new Set<Tensor>();
  /** Leaves whose gradient the call read before setting it, and that gradient. */
  readonly entryGrads = new Map<Tensor, Tensor | null>();
  /** The gradient of each leaf at the end. */
  readonly finalGrads = new Map<Tensor, Tensor | null>();
  /** The nodes that a backward pass went through. */
  readonly passed = new Set<Node>();
  /** Those of them that no further pass can go through. */
  readonly used = new Set<Node>();
  /** The device whose kernels the call uses. */
  backend: Backend | null = null;
  broken: Break | null = null;
  private readonly owners = new Set<object>();
  private readonly shown = new Set<Storage>();
  private readonly ofActions = new Set<Storage>();
  /** Arrays that a device has handed over of constants: the next call has the same. */
  private readonly fixed = new WeakSet<TypedArray | Bits>();
  private readonly generator = currentGenerator();
  /** The backend's own, which a recording replaces. */
  private readonly read = cpu.read;
  private inAction = 0;
  private inKernel = false;

  /** @param answers Conditions that have been asked already, in order. */
  constructor(private readonly answers: Asked[]) {}

  /** Runs the call, and records what it does. */
  run<R>(call: () => R): R {
    const { enabled, settings } = currentFrame();
    const unhook = [...allBackends()].map((backend) => this.hook(backend));
    asking.hook = (condition, self, args) => this.ask(condition, self, args);
    setRecording(this);
    try {
      const result = call();
      const after = currentFrame();
      if (after.enabled !== enabled || after.settings !== settings) this.refuse('it changes the mode around it');
      const { name } = this.device;
      if (this.ops.some((op) => op.kind === 'draw' && op.storage.backend !== this.device))
        this.refuse(
          `it computes on ${name} and draws random numbers elsewhere; pass { device: '${name}' } where they are drawn`,
        );
      for (const held of [...this.held, ...this.heldByArguments]) {
        const changed = changeOf(held);
        if (changed !== null) this.refuse(`it changes ${changed}`);
      }
      return result;
    } finally {
      setRecording(null);
      asking.hook = null;
      for (const end of unhook) end();
    }
  }

  /** Notes what is asked of a device, until what it gives is called. */
  private hook(backend: Mutable<Backend>): () => void {
    const { kernels, allocate, read, write } = backend;
    backend.kernels = this.table(backend);
    backend.allocate = (dtype, length, fill) => {
      const storage = allocate(dtype, length, fill);
      if (this.inAction > 0) this.ofActions.add(storage);
      else {
        // What is made on another device than the host need not be used there by a kernel.
        if (backend !== cpu) this.backend ??= backend;
        this.made.set(storage, length);
        if (fill === 'zeros') this.ops.push({ kind: 'zeros', storage });
      }
      return storage;
    };
    backend.read = (storage, op) => {
      if (this.isConstant(storage)) {
        const values = read(storage);
        this.fixed.add(values);
        return values;
      }
      if (this.inAction === 0)
        this.refuse(`${op ?? 'an operator'} reads the values of a tensor, which the next call has others of`);
      return read(storage, op);
    };
    backend.write = (storage, values, offset) => {
      if (this.inAction === 0 && this.fixed.has(values) && offset === undefined) this.noteConstant(storage, values);
      else if (this.inAction === 0) this.refuse('values of JavaScript are written to a tensor');
      write(storage, values, offset);
    };
    return () => void Object.assign(backend, { kernels, allocate, read, write });
  }

  private table(backend: Backend): Kernels {
    // By name as they are asked for: a device may have more of them than its table lists.
    return new Proxy(backend.kernels, {
      get: (kernels, name: keyof Kernels) => {
        const kernel = kernels[name] as AnyKernel;
        return (...args: unknown[]) => {
          if (this.inAction > 0 || this.inKernel) return kernel(...args);
          this.note(name, args, backend);
          this.inKernel = true;
          try {
            kernel(...args);
          } catch (error) {
            this.refuse(`${name} throws`);
            throw error;
          } finally {
            this.inKernel = false;
          }
        };
      },
    });
  }

  private note(name: keyof Kernels, args: readonly unknown[], backend: Backend): void {
    this.backend ??= backend;
    if (backend !== this.backend) this.refuse(`it computes on ${this.backend.name} and on ${backend.name}`);
    if (backend !== cpu && !backend.captures) this.refuse(`a tensor is on ${backend.name}`);
    this.ops.push({ kind: 'kernel', name, args: args.map((arg) => (Array.isArray(arg) ? [...arg] : arg)) });
    for (const arg of args.flat()) {
      if (arg instanceof Generator) this.noteGenerator(arg);
      if (!isView(arg)) continue;
      const { storage } = arg;
      if (this.made.has(storage)) {
        if (this.shown.has(storage)) this.refuse('a gradient that was given to code which may keep it is used again');
        continue;
      }
      if (storage.backend !== backend) this.refuse(`a tensor is on ${storage.backend.name}`);
      if (this.ofActions.has(storage)) this.refuse('it computes with a tensor that an optimizer or the like has made');
      if (!this.foreign.has(storage)) this.foreign.set(storage, storage.version);
      if (arg instanceof Tensor) {
        this.seen.add(arg.viewInfo?.base ?? arg);
        if (arg.viewInfo === null) this.whole.add(arg);
      }
    }
  }

  /** The device that the call computes on, as far as is known. */
  get device(): Backend {
    return this.backend ?? cpu;
  }

  private noteGenerator(generator: Generator): void {
    if (generator !== this.generator && generator === currentGenerator())
      this.refuse('forkRng inside starts anew at each call');
  }

  /** Whether draws from this generator are draws from the one that is in force around the call. */
  isAround(generator: Generator): boolean {
    return generator === this.generator;
  }

  private ask(condition: Asked['condition'], self: unknown, args: readonly unknown[]): boolean {
    const known = this.answers[0];
    const isKnown = known !== undefined && known.condition === condition && known.self === self;
    if (isKnown) this.answers.shift();
    else this.answers.length = 0;
    const frame = currentFrame();
    const outcome: unknown = isKnown ? known.outcome : Reflect.apply(condition, self, args);
    if (condition.length > 0 && args.some((arg) => arg instanceof Tensor && this.made.has(arg.storage)))
      this.refuse('a condition gets a tensor that is computed in the call');
    if (this.inAction === 0) this.asked.push({ condition, self, args, frame, outcome: outcome as boolean });
    return outcome as boolean;
  }

  refuse(why: string): null {
    if (this.inAction === 0) this.broken ??= { why, at: placeOutside() };
    return null;
  }

  action<R>(run: () => R): R {
    if (this.inAction > 0) return run();
    this.ops.push({ kind: 'action', run });
    this.inAction++;
    try {
      return run();
    } finally {
      this.inAction--;
    }
  }

  owner(object: object): boolean {
    if (this.owners.has(object)) return false;
    noteFields(object, this.held, this.owners);
    return true;
  }

  condition(changed: () => string | null): void {
    this.conditions.push(changed);
  }

  /** Notes what an argument holds: the call may read it, and must not change it. */
  argument(value: unknown): void {
    if (Array.isArray(value) || isPlain(value)) noteContents(value, this.heldByArguments, this.owners);
    else if (holdsTensors(value)) this.owner(value);
    else noteContents(value, this.held, this.owners);
  }

  constant(storage: Storage): void {
    if (this.inAction > 0) {
      this.ofActions.add(storage);
      return;
    }
    this.made.set(storage, storage.length);
    this.noteConstant(storage, this.read(storage));
  }

  private noteConstant(storage: Storage, values: TypedArray | Bits): void {
    this.constants.set(storage, values.slice());
    this.ops.push({ kind: 'constant', storage });
  }

  /** Whether a storage still holds what it was made of. */
  private isConstant(storage: Storage): boolean {
    return this.inAction === 0 && this.constants.has(storage) && storage.version === 0;
  }

  drawn(storage: Storage, draw: Draw, generator: Generator): void {
    if (this.inAction > 0) return;
    this.noteGenerator(generator);
    if (storage.backend === cpu && recordOf(storage.dtype).coding) this.refuse(`numbers are drawn as ${storage.dtype}`);
    // What it was made of are the numbers of this call.
    this.constants.delete(storage);
    const at = this.ops.findLastIndex((op) => op.kind === 'constant' && op.storage === storage);
    if (at >= 0) this.ops.splice(at, 1);
    this.ops.push({ kind: 'draw', storage, draw, generator });
  }

  gradRead(leaf: Tensor, grad: Tensor | null): void {
    if (this.inAction > 0 || this.finalGrads.has(leaf)) return;
    this.entryGrads.set(leaf, grad);
    this.finalGrads.set(leaf, grad);
  }

  gradShown({ storage }: Tensor): void {
    // Outside of an action, a replay does not run that code again.
    if (this.inAction > 0) this.shown.add(storage);
  }

  gradSet(leaf: Tensor, grad: Tensor | null): void {
    if (this.inAction > 0) {
      this.finalGrads.set(leaf, grad);
      return;
    }
    if (grad !== null && !this.made.has(grad.storage) && grad !== this.finalGrads.get(leaf))
      this.refuse('a gradient is set to a tensor from elsewhere');
    if (grad?.requiresGrad) this.refuse('a gradient has a graph of its own');
    this.finalGrads.set(leaf, grad);
    this.ops.push({ kind: 'grad', leaf, grad });
  }

  wentThrough(nodes: readonly Node[], retainGraph: boolean): void {
    for (const node of nodes) {
      this.passed.add(node);
      if (!retainGraph) this.used.add(node);
    }
  }

  wroteInPlace({ storage }: Tensor): void {
    if (!this.made.has(storage)) this.refuse('a tensor from elsewhere is written to with gradients on');
  }
}

export const isView = (value: unknown): value is View =>
  typeof value === 'object' && value !== null && 'storage' in value && 'strides' in value;

function setRecording(recorder: Recorder | null): void {
  recording.current = recorder;
  for (const watch of recording.watchers) watch();
}
