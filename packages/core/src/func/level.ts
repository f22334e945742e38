import type { Backend } from '../backend/backend.js';
import { allBackends } from '../backend/backends.js';
import { noKernels, refuseGone } from '../backend/gone.js';
import type { Kernels, View } from '../backend/kernels.js';
import { AutogradError, DTypeError, TensorError } from '../errors.js';
import { AccumulateGrad, type Edge, gradEdge, Node, watchNodes } from '../graph/node.js';
import { type Batching, batching, drawn } from '../memory/batching.js';
import { isComplex } from '../memory/dtype.js';
import { noteMade, outlive } from '../memory/scope.js';
import { contiguousStrides, formatShape } from '../memory/shape.js';
import { noteTemporaries, type Storage } from '../memory/storage.js';
import { stack } from '../ops/joining.js';
import { Tensor } from '../tensor/tensor.js';
import { type AnyKernel, Batch, type Randomness, refuseRandom, viewOn } from './batch.js';
import { rules } from './rules.js';

/** What a device had before a call replaced it. */
type Own = Pick<Backend, 'kernels' | 'allocate'>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Where the graph of a call begins, and where the surrounding graph continues from there. */
export interface Beginning {
  /** The tensor inside the call. */
  readonly edge: Edge;
  /** The tensor outside it. */
  readonly outer: Edge;
  /** Whether all examples share the tensor; its gradient is then the sum over the examples. */
  readonly isShared: boolean;
}

/**
 * One call of a function over a batch. The function computes with tensors that have the shapes of one example, and the
 * kernels that its operators call compute for all examples: the memory behind such a tensor holds all of them, one
 * after another. The storage tells whether the values differ between the examples. Tensors that do not, such as
 * parameters from outside, are ordinary ones. A later backward pass through the call runs in it again.
 */
export class Level implements Batching {
  /** The storage of all examples, for each storage whose values differ between them. */
  readonly #whole = new WeakMap<Storage, Storage>();
  /** Storages made during the call, whose values may become different for each example. */
  readonly #own = new WeakSet<Storage>();
  /** The storages of tensors from outside; they are copied before they are written to. */
  readonly #lent = new WeakSet<Storage>();
  /** Tensors from outside on these storages, to report writes to them. */
  readonly lent: Tensor[] = [];
  readonly #nodes = new WeakSet<Node>();
  readonly #entries = new WeakMap<Node, Edge>();
  readonly #devices = new Map<Backend, BatchedBackend>();
  readonly #replaced = new Map<Backend, Own>();
  #outer: Batching | null = null;
  #unwatch: (() => void) | null = null;

  constructor(
    /** The number of examples. */
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

  /** Runs `fn` outside of this call, in the surrounding code's modes and devices. */
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
      // Made on first use, by name: a device may have more kernels than its table lists.
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
    if (rule === undefined) throw new TensorError(name, 'does not work inside of vmap');
    rule(batch, ...args);
  }

  /** Whether the values of a view differ between the examples. */
  isBatched(arg: unknown): boolean {
    const storage = (arg as View | null | undefined)?.storage;
    return storage !== undefined && this.#whole.has(storage);
  }

  /**
   * The view of all examples: the batch comes first, then dimensions of size 1 up to `rank` dimensions for each
   * example.
   */
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

  /** Prepares `out` for values that differ between the examples. With `holds`, its values are kept. */
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

  /** From now on `whole` holds the values of `storage`, whose own memory is no longer read. */
  #tie(storage: Storage, whole: Storage, backend: Backend): void {
    storage.backend.memory?.forget(storage);
    Object.defineProperty(storage, 'length', { value: whole.length / this.size });
    this.#whole.set(storage, whole);
    const device = this.#devices.get(backend) ?? new BatchedBackend(this, backend);
    this.#devices.set(backend, device);
    (storage as { backend: Backend }).backend = device;
  }

  /**
   * Memory for all examples. Neither a backward pass nor `tidy` frees it: it lives as long as the storage it stands
   * for.
   */
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

  /** The elements of a storage, repeated `count` times. */
  #copied(storage: Storage, times: number, kernels: Kernels, backend: Backend): Storage {
    const { dtype, length } = storage;
    const copy = this.#allocate(dtype, times * length, backend);
    const shape = [times, length];
    const from = viewOn(storage, storage, shape, [0, 1], 0);
    kernels.copy(from, viewOn(copy, storage, shape, [length, 1], 0));
    return copy;
  }

  /** The tensor of one example, given the tensor of all of them with the batch first. */
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

  /** The tensor of all examples, with the batch first and without a graph, given the tensor of one example. */
  leave(example: Tensor): Tensor {
    const { storage, dtype } = example;
    const whole = this.#whole.get(storage);
    const from = this.all(example);
    const isWhole = whole !== undefined && from.isContiguous && from.numel === whole.length && !this.#lent.has(whole);
    // A backward pass may read it again, and callers may write to a result.
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

/** The device behind a batched one. */
const baseOf = (backend: Backend): Backend => (backend instanceof BatchedBackend ? backend.base : backend);

/** The device of tensors that differ between the examples of a call. */
class BatchedBackend implements Backend {
  /** Operators that read values to choose a faster way must take the general one. */
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

  /** The kernels of the innermost call; none after the end of this one. */
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

  /** Arrays that operators put beside a tensor of this device are shared by all examples. */
  write: Backend['write'] = (storage, ...args) =>
    this.level.isActive && !this.level.isBatched({ storage })
      ? this.base.write(storage, ...args)
      : this.read(storage, 'write');
}
