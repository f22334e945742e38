import type { Backend, Kernels, View } from '../backend/backend.js';
import { allBackends } from '../backend/backends.js';
import { noKernels, refuseGone } from '../backend/gone.js';
import { AutogradError, DTypeError, TensorError } from '../errors.js';
import { AccumulateGrad, type Edge, gradEdge, Node, watchNodes } from '../graph/node.js';
import { type Batching, batching, drawn } from '../memory/batching.js';
import { isComplex } from '../memory/dtype.js';
import { noteMade, outlive } from '../memory/scope.js';
import { contiguousStrides, formatShape } from '../memory/shape.js';
import { noteTemporaries, type Storage } from '../memory/storage.js';
import { stack } from '../ops/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { type AnyKernel, Batch, type Randomness, refuseRandom, viewOn } from './batch.js';
import { rules } from './rules.js';

/** What a device had before a call took its place. */
type Own = Pick<Backend, 'kernels' | 'allocate'>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Where the graph of a call begins: what the graph around it goes on from there. */
export interface Beginning {
  /** Inside. */
  readonly edge: Edge;
  /** Outside. */
  readonly outer: Edge;
  /** A tensor of all examples: its gradient is the sum of theirs. */
  readonly isShared: boolean;
}

/**
 * One call of a function over a batch. What it computes with are tensors as a single example has them, and the kernels that
 * operators call compute them for all examples: the memory behind such a tensor is that of all of them, one after the
 * other. What differs between the examples is told by the storage. Everything else, such as parameters from outside,
 * is what it always is. A backward pass through the call goes on in it later.
 */
export class Level implements Batching {
  /** For the storages that differ between the examples, the storage of all of them. */
  readonly #whole = new WeakMap<Storage, Storage>();
  /** What is made in the call, and so may become different between the examples. */
  readonly #own = new WeakSet<Storage>();
  /** The storages of tensors from outside: they are copied before they are written to. */
  readonly #lent = new WeakSet<Storage>();
  /** Tensors from outside on these, to tell of writes to them. */
  readonly lent: Tensor[] = [];
  readonly #nodes = new WeakSet<Node>();
  readonly #entries = new WeakMap<Node, Edge>();
  readonly #devices = new Map<Backend, BatchedBackend>();
  readonly #replaced = new Map<Backend, Own>();
  #outer: Batching | null = null;
  #unwatch: (() => void) | null = null;

  constructor(
    /** How many examples there are. */
    readonly size: number,
    readonly randomness: Randomness,
  ) {}

  /** Runs `fn` with the kernels of this call. */
  run<R>(fn: () => R): R {
    this.#begin();
    try {
      return fn();
    } finally {
      this.#end();
    }
  }

  /** Runs `fn` as the code around this call. */
  #outside<R>(fn: () => R): R {
    this.#end();
    try {
      return fn();
    } finally {
      this.#begin();
    }
  }

  #begin(): void {
    this.#outer = batching.current;
    for (const backend of allBackends() as Iterable<Mutable<Backend>>) {
      const { kernels, allocate } = backend;
      this.#replaced.set(backend, { kernels, allocate });
      backend.kernels = this.#tableOver(kernels, backend);
      backend.allocate = (dtype, length, fill) => {
        const storage = allocate(dtype, length, fill);
        this.#own.add(storage);
        return storage;
      };
    }
    this.#unwatch = watchNodes((node) => {
      if (batching.current === this && !(node instanceof AccumulateGrad)) this.#nodes.add(node);
    });
    batching.current = this;
  }

  #end(): void {
    batching.current = this.#outer;
    this.#unwatch!();
    for (const [backend, own] of this.#replaced) Object.assign(backend, own);
    this.#replaced.clear();
  }

  get isActive(): boolean {
    return this.#replaced.size > 0;
  }

  #tableOver(kernels: Kernels, backend: Backend): Kernels {
    return new Proxy({} as Record<string, AnyKernel>, {
      // By name as they are asked for: a device may have more of them than its table lists.
      get: (made, name: string) => {
        made[name] ??= (...args) => this.#call(name as keyof Kernels, new Batch(this, kernels, backend), args);
        return made[name];
      },
    }) as unknown as Kernels;
  }

  #call(name: keyof Kernels, batch: Batch, args: unknown[]): void {
    if (name !== 'random' && !args.flat().some((arg) => this.isBatched(arg))) {
      (batch.kernels[name] as AnyKernel)(...args);
      return;
    }
    const rule = rules[name] as ((batch: Batch, ...args: unknown[]) => void) | undefined;
    if (rule === undefined) throw new TensorError(name, 'is not there inside of vmap');
    rule(batch, ...args);
  }

  /** Whether a view differs between the examples. */
  isBatched(arg: unknown): boolean {
    const storage = (arg as View | null | undefined)?.storage;
    return storage !== undefined && this.#whole.has(storage);
  }

  /** The view of all examples; the new dimension stands first, then ones up to `rank` dimensions of an example. */
  all(view: View, rank = view.shape.length): View {
    const whole = this.#whole.get(view.storage);
    const ones = new Array<number>(rank - view.shape.length);
    const shape = [this.size, ...ones.fill(1), ...view.shape];
    const strides = [whole === undefined ? 0 : whole.length / this.size, ...ones.fill(0), ...view.strides];
    return viewOn(whole ?? view.storage, view, shape, strides, view.offset);
  }

  /** The view of example `i`. */
  one(view: View, i: number): View {
    const whole = this.#whole.get(view.storage);
    if (whole === undefined) return view;
    const { shape, strides, offset } = view;
    return viewOn(whole, view, shape, strides, offset + i * (whole.length / this.size));
  }

  /** Gets `out` ready to be written to with values that differ between the examples. If it `holds` values, they stay. */
  admit({ storage, shape, numel }: View, holds: boolean, { kernels, backend }: Batch): void {
    const before = this.#whole.get(storage);
    if (before !== undefined) {
      if (this.#lent.delete(before)) this.#whole.set(storage, this.#copied(before, 1, kernels, backend));
      return;
    }
    if (!this.#own.has(storage))
      throw new AutogradError(
        'vmap',
        `inside of vmap, values that differ between the examples are written to a tensor of shape ${formatShape(shape)} from outside, ` +
          'which all of them share; write to a clone() made inside, or return the values',
      );
    const { length } = storage;
    const whole =
      holds || numel !== length
        ? this.#copied(storage, this.size, kernels, backend)
        : this.#allocate(storage.dtype, length * this.size, backend);
    this.#tie(storage, whole, backend);
  }

  /** From now on `whole` holds the values of `storage`, whose own memory is not read any more. */
  #tie(storage: Storage, whole: Storage, backend: Backend): void {
    storage.backend.memory?.forget(storage);
    Object.defineProperty(storage, 'length', { value: whole.length / this.size });
    this.#whole.set(storage, whole);
    const device = this.#devices.get(backend) ?? new BatchedBackend(this, backend);
    this.#devices.set(backend, device);
    (storage as { backend: Backend }).backend = device;
  }

  /** Memory of all examples. No backward pass and no `tidy` gives it back: it lives as long as what it is the memory of. */
  #allocate(dtype: Storage['dtype'], length: number, backend: Backend): Storage {
    const before = noteTemporaries(null);
    try {
      const storage = (this.#replaced.get(backend) ?? backend).allocate(dtype, length, 'uninitialized');
      outlive(storage);
      return storage;
    } finally {
      noteTemporaries(before);
    }
  }

  /** So many copies of a storage, one after the other. */
  #copied(storage: Storage, times: number, kernels: Kernels, backend: Backend): Storage {
    const { dtype, length } = storage;
    const copy = this.#allocate(dtype, times * length, backend);
    const shape = [times, length];
    const from = viewOn(storage, storage, shape, [0, 1], 0);
    kernels.copy(from, viewOn(copy, storage, shape, [length, 1], 0));
    return copy;
  }

  /** An example's tensor, given that of all of them with the batch first. */
  enter(x: Tensor): Tensor {
    if (isComplex(x.dtype)) refuseComplex(x.dtype);
    const backend = [...this.#replaced.keys()].find(({ name }) => name === x.device)!;
    const { dtype } = x;
    const { kernels } = this.#replaced.get(backend)!;
    const shape = x.shape.slice(1);
    const isWhole = x.isContiguous && x.offset === 0 && x.numel === x.storage.length;
    const whole = isWhole ? x.storage : this.#allocate(dtype, x.numel, backend);
    if (isWhole) this.#lend(x);
    else kernels.copy(x, viewOn(whole, x, x.shape, contiguousStrides(x.shape), 0));
    const storage = this.#allocate(dtype, 0, backend);
    this.#tie(storage, whole, backend);
    const example = new Tensor(storage, dtype, shape);
    example.untracked = x.untracked;
    const edge = gradEdge(x);
    if (edge !== null) {
      const node = new Node('vmap', [], () => [], [shape], dtype);
      this.#nodes.add(node);
      this.#entries.set(node, edge);
      example.setHistory(node);
    }
    return example;
  }

  #lend(x: Tensor): void {
    this.#lent.add(x.storage);
    if (!x.inference) this.lent.push(x.detach());
  }

  /** The tensor of all examples, with the batch first and without a graph, given that of an example. */
  leave(example: Tensor): Tensor {
    const { storage, dtype } = example;
    const whole = this.#whole.get(storage);
    const from = this.all(example);
    const isWhole = whole !== undefined && from.isContiguous && from.numel === whole.length && !this.#lent.has(whole);
    // What it is computed from inside may be read again by a backward pass, and what is returned may be written to.
    if (isWhole) this.#lent.add(whole);
    if (isWhole) return new Tensor(noteMade(whole), dtype, from.shape);
    const backend = baseOf(storage.backend);
    const out = Tensor.uninitialized(dtype, from.shape, backend);
    backend.kernels.copy(from, out);
    return out;
  }

  /** The graph of this call behind `roots`: where it begins, and its nodes. */
  behind(roots: readonly Edge[]): { beginnings: Beginning[]; nodes: Node[] } {
    const beginnings: Beginning[] = [];
    const nodes: Node[] = [];
    const seen = new Map<Node, Set<number>>();
    const waiting = [...roots];
    for (let edge = waiting.pop(); edge !== undefined; edge = waiting.pop()) {
      const { node, index } = edge;
      const indices = seen.get(node);
      if (indices?.has(index)) continue;
      seen.set(node, (indices ?? new Set()).add(index));
      const outer = this.#entries.get(node);
      if (outer !== undefined) beginnings.push({ edge, outer, isShared: false });
      else if (this.#nodes.has(node)) {
        if (indices !== undefined) continue;
        nodes.push(node);
        for (const next of node.edges) if (next !== null) waiting.push(next);
      } else if (!(node instanceof AccumulateGrad && this.isBatched(node.leaf)))
        beginnings.push({ edge, outer: edge, isShared: true });
    }
    return { beginnings, nodes };
  }

  made(storage: Storage): void {
    this.#own.add(storage);
    this.#outer?.made(storage);
  }

  drawn(op: string, make: () => Tensor): Tensor {
    if (this.randomness === 'error') refuseRandom(op);
    if (this.randomness === 'same') {
      const t = this.#outside(() => drawn(op, make));
      this.#own.add(t.storage);
      return t;
    }
    const all = this.#outside(() => Array.from({ length: this.size }, () => drawn(op, make)));
    const [first] = all;
    const example = this.enter(this.#outside(() => stack(all.map((t) => t.detach()))));
    return first?.requiresGrad ? example.requiresGrad_() : example;
  }

  refuse(op: string): void {
    throw new AutogradError(
      op,
      'inside of vmap it would add gradients of single examples to tensors of all of them; use grad() of @gradgate/core/func, ' +
        'or grad(output, inputs), and return the gradients',
    );
  }
}

function refuseComplex(dtype: string): never {
  throw new DTypeError('vmap', `takes real tensors, got ${dtype}, inside of vmap; use viewAsReal()`);
}

/** The device that a storage is on. */
const baseOf = (backend: Backend): Backend => (backend instanceof BatchedBackend ? backend.base : backend);

/** The device of tensors that differ between the examples of a call. */
class BatchedBackend implements Backend {
  /** Operators that would look at values to choose a faster way take the general one. */
  readonly isAsync = true;

  constructor(
    private readonly level: Level,
    readonly base: Backend,
  ) {}

  get name(): string {
    return this.base.name;
  }

  get over(): Backend {
    return this.base;
  }

  /** Those of the innermost call; after the end of this one there are none. */
  get kernels(): Kernels {
    return this.level.isActive ? this.base.kernels : noKernels;
  }

  how(): string {
    return 'when the function of its vmap returned; what is used later has to be returned by the function';
  }

  allocate: Backend['allocate'] = (dtype, length, fill) => {
    if (isComplex(dtype)) refuseComplex(dtype);
    return this.base.allocate(dtype, length, fill);
  };

  read(storage: Storage, op = 'read'): never {
    if (!this.level.isActive) refuseGone(op, { ...storage, dtype: storage.dtype, backend: this });
    throw new TensorError(
      op,
      'inside of vmap a tensor has a value for each example, which cannot be read; compute with where() in the place of if, ' +
        'or return the tensor and read it outside',
    );
  }

  async readAsync(storage: Storage): Promise<never> {
    return this.read(storage, 'data');
  }

  /** What operators make of an array, beside a tensor of this device, all examples share. */
  write: Backend['write'] = (storage, ...args) =>
    this.level.isActive && !this.level.isBatched({ storage })
      ? this.base.write(storage, ...args)
      : this.read(storage, 'write');
}
