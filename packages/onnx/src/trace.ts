import { backend, type DType, TensorError, type View } from '@gradgate/core';
import { isContiguous, sameShape, sizeOf } from '@gradgate/core/internal';
import { type Attribute, elementType, type Initializer, type Node, type Value } from './proto.js';
import { placesOf, stepsOf } from './view.js';

type Storage = View['storage'];

/** A part of a storage that was written separately. */
interface Piece {
  readonly out: View;
  readonly value: Value;
}

/**
 * The graph's knowledge of a storage: its value, null if it does not depend on inputs, or why the value is not in the
 * graph.
 */
type Known = { readonly value: Value | null; readonly pieces: readonly Piece[]; readonly lost: string | null };

const constant: Known = { value: null, pieces: [], lost: null };

/** Memory of the tracing device: its content for the example inputs, and its value in the graph. */
export class TracedStorage implements Storage {
  version = 0;
  uses = 0;
  refCount = 0;
  known: Known = constant;
  /** The parts that were written separately while it was a constant. */
  parts: View[] = [];
  /** The name of a constant that is a parameter or buffer. */
  label: { readonly name: string; readonly shape: readonly number[] } | null = null;
  constructor(
    readonly backend: Storage['backend'],
    readonly host: Storage,
  ) {}
  get dtype(): DType {
    return this.host.dtype;
  }
  get length(): number {
    return this.host.length;
  }
  get isDependent(): boolean {
    return this.known !== constant;
  }
}

const storageOf = (view: View): TracedStorage => view.storage as TracedStorage;

/** The nodes and constants of a graph that is being recorded. */
export class Trace {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  private readonly constants = new Map<string, Value>();
  private readonly ofStorage = new Map<TracedStorage, { version: number; value: Value }>();
  private readonly names = new Set<string>();
  /** The values that reshaped values were made from. */
  private readonly reshaped = new Map<Value, Value>();

  /** Adds a node with one output. */
  node(
    op: string,
    inputs: readonly (Value | null)[],
    out: { readonly dtype: DType; readonly shape: readonly number[] },
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    const value = { name: this.fresh(op.toLowerCase()), dtype: out.dtype, shape: [...out.shape] };
    this.nodes.push({ op, inputs: inputs.map((v) => v?.name ?? ''), outputs: [value.name], attributes });
    return value;
  }

  /** A name that is not used yet, similar to `wish`. */
  fresh(wish: string): string {
    let name = wish;
    for (let i = 1; this.names.has(name); i++) name = `${wish}_${i}`;
    this.names.add(name);
    return name;
  }

  cast(x: Value, dtype: DType): Value {
    return x.dtype === dtype ? x : this.node('Cast', [x], { dtype, shape: x.shape }, { to: elementType(dtype) });
  }

  reshape(given: Value, shape: readonly number[]): Value {
    const x = this.reshaped.get(given) ?? given;
    if (sameShape(x.shape, shape)) return x;
    const allowzero: Readonly<Record<string, Attribute>> = sizeOf(shape) === 0 ? { allowzero: 1 } : {};
    const value = this.node('Reshape', [x, this.ints(shape)], { dtype: x.dtype, shape }, allowzero);
    this.reshaped.set(value, x);
    return value;
  }

  transpose(x: Value, order: readonly number[]): Value {
    if (order.every((d, i) => d === i)) return x;
    return this.node('Transpose', [x], { dtype: x.dtype, shape: order.map((d) => x.shape[d]!) }, { perm: order });
  }

  /** A vector of int64. */
  ints(values: readonly number[]): Value {
    return this.literal(BigInt64Array.from(values, BigInt), 'int64', [values.length]);
  }

  /** A scalar constant. */
  scalar(value: number, dtype: DType): Value {
    const array =
      dtype === 'float64'
        ? Float64Array.of(value)
        : dtype === 'float32'
          ? Float32Array.of(value)
          : dtype === 'int64'
            ? BigInt64Array.of(BigInt(value))
            : dtype === 'int32'
              ? Int32Array.of(value)
              : null;
    if (array === null)
      throw new TensorError('exportOnnx', `constants of ${dtype} cannot be exported; convert the model to float32`);
    return this.literal(array, dtype, []);
  }

  /** A constant; constants with the same elements are shared. */
  literal(array: ArrayBufferView, dtype: DType, shape: readonly number[]): Value {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
    const key = bytes.length <= 256 ? `${dtype} ${shape} ${bytes}` : null;
    const found = key === null ? undefined : this.constants.get(key);
    if (found) return found;
    const value = { name: this.fresh('constant'), dtype, shape };
    this.initializers.push({ ...value, bytes });
    if (key !== null) this.constants.set(key, value);
    return value;
  }

  /** The value of a view, in its shape. */
  read(view: View): Value {
    const storage = storageOf(view);
    let value = this.whole(storage, view);
    for (const step of stepsOf(storage.length, view)) {
      if (step.kind === 'reshape') value = this.reshape(value, step.shape);
      else if (step.kind === 'transpose') value = this.transpose(value, step.order);
      else if (step.kind === 'expand')
        value = this.node('Expand', [value, this.ints(step.shape)], { dtype: value.dtype, shape: step.shape });
      else if (step.kind === 'slice') {
        const { starts, ends, shape } = step;
        value = this.node('Slice', [value, this.ints(starts), this.ints(ends)], { dtype: value.dtype, shape });
      } else {
        const places = this.literal(BigInt64Array.from(step.places, BigInt), 'int64', step.shape);
        value = this.node('Gather', [value, places], { dtype: value.dtype, shape: step.shape }, { axis: 0 });
      }
    }
    return value;
  }

  /** The value of a whole storage, in any shape. */
  private whole(storage: TracedStorage, view: View): Value {
    const { known } = storage;
    if (known.lost !== null) throw new TensorError('exportOnnx', known.lost);
    if (!storage.isDependent) return this.constantOf(storage, view);
    if (known.pieces.length === 0) return known.value!;
    const value = this.joined(known) ?? this.scattered(storage, known, view);
    storage.known = { value, pieces: [], lost: null };
    return value;
  }

  private constantOf(storage: TracedStorage, view: View): Value {
    const found = this.ofStorage.get(storage);
    if (found && found.version === storage.version) return found.value;
    const array = backend('cpu').read(storage.host) as ArrayBufferView;
    const isWhole = view.isContiguous && view.offset === 0 && view.numel === storage.length;
    const { label } = storage;
    const shape = label?.shape ?? (isWhole ? view.shape : [storage.length]);
    let value: Value;
    if (label) {
      value = { name: this.fresh(label.name), dtype: storage.dtype, shape };
      this.initializers.push({
        ...value,
        shape,
        bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice(),
      });
    } else value = this.literal(array, storage.dtype, shape);
    this.ofStorage.set(storage, { version: storage.version, value });
    return value;
  }

  /** The concatenation of pieces, as `cat` writes them; null if they are not side by side. */
  private joined({ value, pieces }: Known): Value | null {
    const [first] = pieces;
    if (value !== null || !pieces.every(({ out }) => sameShape(out.strides, first!.out.strides))) return null;
    const { strides, storage } = first!.out;
    for (const axis of first!.out.shape.keys()) {
      const sorted = [...pieces].sort((a, b) => a.out.offset - b.out.offset);
      let offset = 0;
      const fits = sorted.every(({ out }) => {
        const isNext = out.offset === offset * strides[axis]!;
        offset += out.shape[axis]!;
        return isNext && out.shape.every((n, i) => i === axis || n === first!.out.shape[i]);
      });
      const shape = first!.out.shape.map((n, i) => (i === axis ? offset : n));
      if (!fits || sizeOf(shape) !== storage.length || !isContiguous(shape, strides)) continue;
      return this.node(
        'Concat',
        sorted.map((p) => p.value),
        { dtype: storage.dtype, shape },
        { axis },
      );
    }
    return null;
  }

  /** Pieces scattered over the former content. */
  private scattered(storage: TracedStorage, { value, pieces }: Known, view: View): Value {
    // The host has the former content, with the pieces in it, which are overwritten.
    let flat = this.reshape(
      value ?? this.literal(backend('cpu').read(storage.host) as ArrayBufferView, storage.dtype, [storage.length]),
      [storage.length],
    );
    for (const { out, value: part } of pieces) {
      const places = this.literal(BigInt64Array.from(placesOf(out), BigInt), 'int64', [out.numel]);
      flat = this.node(
        'ScatterElements',
        [flat, places, this.reshape(part, [out.numel])],
        { dtype: storage.dtype, shape: flat.shape },
        { axis: 0 },
      );
    }
    return this.reshape(flat, view.numel === storage.length ? view.shape : [storage.length]);
  }

  /** Sets the value of `out`. */
  write(out: View, value: Value): void {
    const storage = storageOf(out);
    if (out.isContiguous && out.numel === storage.length) storage.known = { value, pieces: [], lost: null };
    else {
      const before = storage.isDependent ? storage.known.pieces : storage.parts.map((part) => this.pieceOf(part));
      storage.known = { value: storage.known.value, pieces: [...before, { out: snapshot(out), value }], lost: null };
    }
  }

  /** Marks `out` as not in the graph, with the reason. */
  lose(out: View, why: string): void {
    storageOf(out).known = { value: null, pieces: [], lost: why };
  }

  /** Notes that a constant was written to `out`. */
  writeConstant(out: View): void {
    const storage = storageOf(out);
    storage.version++;
    if (out.isContiguous && out.numel === storage.length) {
      storage.known = constant;
      storage.parts = [];
    } else if (storage.isDependent) this.write(out, this.pieceOf(out).value);
    else storage.parts.push(snapshot(out));
  }

  /** The current content of a view of constants, as a piece. */
  private pieceOf(out: View): Piece {
    const { host, backend: own } = storageOf(out);
    const cpu = backend('cpu');
    const copy = cpu.allocate(host.dtype, host.length, 'uninitialized');
    cpu.write(copy, cpu.read(host));
    return { out: snapshot(out), value: this.read({ ...snapshot(out), storage: new TracedStorage(own, copy) }) };
  }
}

const snapshot = ({ storage, dtype, shape, strides, offset, numel, isContiguous }: View): View => ({
  storage,
  dtype,
  shape: [...shape],
  strides: [...strides],
  offset,
  numel,
  isContiguous,
});
