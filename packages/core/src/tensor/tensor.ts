/// <reference lib="esnext.disposable" preserve="true" />
import type { Backend } from '../backend/backend.js';
import { backendFor } from '../backend/backends.js';
import { cpu, wrap } from '../backend/cpu.js';
import { giveBack, isGone } from '../backend/gone.js';
import { closeWindows } from '../backend/host/storage.js';
import { brand, thisCopy } from '../brand.js';
import { checkOptions, show } from '../check.js';
import { AutogradError, DeviceError, DTypeError, entered, inNameOf, ShapeError } from '../errors.js';
import { placeAbove, placeHint } from '../grad/diagnostics.js';
import { currentFrame, describeFrame, isInferenceMode } from '../grad/index.js';
import type { Edge, Node, UntrackedCause } from '../graph/node.js';
import * as is from '../kinds.js';
import { batching } from '../memory/batching.js';
import type { Bits } from '../memory/coding.js';
import { type DType, isFloat, recordOf, type TypedArray } from '../memory/dtype.js';
import { type Recorder, recording, refuseRecording } from '../memory/recording.js';
import { noteMade, noteTouched } from '../memory/scope.js';
import {
  contiguousStrides,
  formatShape,
  isContiguous,
  normalizeDim,
  type Shape,
  sameShape,
  sizeOf,
} from '../memory/shape.js';
import type { Storage } from '../memory/storage.js';
import { copyAmong, elementsOf, type NestedArray, nestedOf, storedAmong, storedOf } from './elements.js';
import { formatTensor } from './format.js';
import { frozen } from './frozen.js';

const zeroGradOptions = { setToNull: is.boolean };

/** How a view hangs on the tensor that owns its storage. */
interface ViewInfo {
  /** The tensor that is nobody's view. */
  readonly base: Tensor;
  /** The base's `history` when this view's own `gradFn` was last right. */
  history: number;
  /** Taken while recording was off, of a tensor it would have been recorded for. */
  readonly untracked: boolean;
}

const noTensor = 'a proxy of a Tensor, or an object that only inherits from it';

/** The elements of a tensor on any device, in the name of who asks. */
async function dataFor(op: string, t: Tensor): Promise<TypedArray> {
  try {
    return copyAmong(op, t, await t.storage.backend.readAsync(t.storage));
  } catch (error) {
    throw inNameOf(op, error);
  }
}

/**
 * An n-dimensional array that remembers how it was computed.
 *
 * Operators are methods and functions of the same name; each is defined in one file under `ops/`. Nobody has to dispose
 * of tensors. Views (`view`, `transpose`, `narrow`, ...) share storage with what they were taken of.
 *
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * x.add(1).sum().item(); // 14
 * ```
 */
export class Tensor {
  /** Made under `inferenceMode`: has no version, can't be saved for backward. */
  inference: boolean;
  /** @internal Why this tensor carries no graph, where its inputs would have given it one. */
  untracked: UntrackedCause | null = null;
  /** @internal Set for views. */
  viewInfo: ViewInfo | null = null;
  /** @internal Counts recorded in-place writes to this tensor or a view of it. */
  history = 0;
  /** @internal Where gradients that reach this leaf are accumulated; made on first use. */
  accumulator: Edge | null = null;
  /** @internal Which output of its node this tensor is. */
  outputNr = 0;
  /** Number of elements. */
  readonly numel: number;
  /** Row-major by default. */
  readonly strides: readonly number[];
  /** Whether the elements lie in row-major order without gaps. */
  readonly isContiguous: boolean;
  #grad: Tensor | null = null;
  /** The storage with which the memory of `#grad` is freed, where it is freed by hand. */
  #gradOwner: Storage | null = null;
  #leafRequiresGrad = false;
  /** Whether a gate has named this leaf as frozen in its flow. */
  #freezable = false;
  #node: Node | null = null;

  /** @internal Users call `tensor`, `zeros` and the other creation functions. */
  constructor(
    /** The memory of the elements, which views share. */
    readonly storage: Storage,
    /** What the elements are, such as `'float32'`. */
    readonly dtype: DType,
    /** The size of each dimension. */
    readonly shape: Shape,
    strides?: readonly number[],
    /** The index of the first element in the storage. */
    readonly offset = 0,
  ) {
    this.numel = sizeOf(shape);
    this.strides = strides ?? contiguousStrides(shape);
    this.isContiguous = strides === undefined || isContiguous(shape, strides);
    const frame = currentFrame();
    this.inference = frame.inference;
    // So that an error on its later use can tell where it was made.
    if (frame.inference) this.untracked = frame;
  }

  /**
   * Whether `value` is a tensor. A proxy of one, or what only inherits from the class, is none.
   *
   * ```ts
   * Tensor.is(tensor([1])); // true
   * ```
   */
  static is(value: unknown): value is Tensor {
    try {
      // Reading throws where `#node in value` would be false, but that is several times slower once it has seen objects
      // of all kinds.
      return value instanceof Tensor && value.#node !== undefined;
    } catch {
      return false;
    }
  }

  /**
   * @internal A new tensor over `data`, row-major: numbers, or what is stored for them. Copied to another device than
   * the host.
   */
  static of(data: TypedArray | Bits, dtype: DType, shape: Shape, backend: Backend = cpu): Tensor {
    const t = new Tensor(noteMade(wrap(data, dtype)), dtype, shape);
    recording.current?.constant(t.storage);
    batching.current?.made(t.storage);
    return backend === cpu ? t : t.moved(backend);
  }

  /** @internal A new zeroed tensor. */
  static zeros(dtype: DType, shape: Shape, backend: Backend = cpu): Tensor {
    return made(dtype, shape, backend, 'zeros');
  }

  /** @internal A new tensor whose elements must all be written: their values are anything. */
  static uninitialized(dtype: DType, shape: Shape, backend: Backend = cpu): Tensor {
    return made(dtype, shape, backend, 'uninitialized');
  }

  /** The gradient that `backward()` accumulated; same shape, `null` until then. */
  get grad(): Tensor | null {
    // The caller may keep it, so its memory is left to the garbage collector.
    if (this.#gradOwner !== null) this.#disown(this.#gradOwner, 'keep');
    if (this.#grad !== null && lentGrad !== null) this.#grad = lentGrad(this.#grad);
    if (recording.current !== null) this.#noteGrad(recording.current, true);
    return this.#grad;
  }
  set grad(value: Tensor | null) {
    if (value !== null) {
      checkGrad(this, value);
      noteTouched(this);
    }
    recording.current?.gradSet(this, value);
    if (this.#gradOwner !== null && value?.storage !== this.#grad!.storage) this.#disown(this.#gradOwner, 'free');
    this.#grad = value;
  }

  #noteGrad(recorder: Recorder, shown: boolean): void {
    recorder.gradRead(this, this.#grad);
    if (shown && this.#grad !== null) recorder.gradShown(this.#grad);
  }

  #disown(owner: Storage, by: 'keep' | 'free'): void {
    const memory = owner.backend.memory!;
    memory[by](this.#grad!.storage);
    memory.disown(owner);
    this.#gradOwner = null;
  }

  /** @internal `grad` for code of the library that does not keep it: it stays where it lives. */
  get heldGrad(): Tensor | null {
    if (recording.current !== null) this.#noteGrad(recording.current, false);
    return this.#grad;
  }

  /** @internal Makes a gradient that nobody else holds this leaf's; managed memory stays managed with the leaf. */
  keepGrad(grad: Tensor): void {
    recording.current?.gradSet(this, grad);
    this.#grad = grad;
    noteTouched(this);
    if (this.storage.backend.memory?.adopt(this.storage, grad.storage)) this.#gradOwner = this.storage;
  }

  /** The device that the elements are on, such as `'cpu'`. */
  get device(): string {
    return this.storage.backend.name;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** The shape, or the size of one dimension. */
  size(): Shape;
  /** The size of one dimension; negative numbers count from the last. */
  size(dim: number): number;
  size(dim?: number): Shape | number {
    return dim === undefined ? this.shape : (this.shape[normalizeDim('size', dim, this.ndim)] ?? 1);
  }

  /** How often the storage was written since it was made; shared with views and `detach()`. */
  get version(): number {
    if (this.inference) throw new AutogradError('version', 'inference tensors do not track versions; use clone()');
    return this.storage.version;
  }

  /** The graph node that made this tensor, `null` for leaves. */
  get gradFn(): Node | null {
    const view = this.viewInfo;
    if (view !== null && view.history !== view.base.history && !view.untracked) refreshView(this);
    return this.#node;
  }

  /** Whether operations on this tensor are recorded. Settable on leaves only. */
  get requiresGrad(): boolean {
    return (this.#leafRequiresGrad && !(this.#freezable && frozen.get().has(this))) || this.gradFn !== null;
  }
  set requiresGrad(value: boolean) {
    this.#setRequiresGrad('requiresGrad', value);
  }

  #setRequiresGrad(op: string, value: boolean): void {
    if (typeof value !== 'boolean') throw new TypeError(`${op}: takes true or false, got ${show(value)}`);
    if (!value && this.gradFn !== null)
      throw new AutogradError(
        op,
        `only a leaf can stop requiring grad, and this tensor was computed by ${this.gradFn.name}; use detach()`,
      );
    if (value) this.checkCanRequireGrad(op);
    if (this.gradFn === null) this.#leafRequiresGrad = value;
  }

  /** @internal `requiresGrad` outside of all `freezing` gates. */
  get ownRequiresGrad(): boolean {
    return this.#leafRequiresGrad || this.gradFn !== null;
  }

  /** @internal From now on it is asked whether this flow has the leaf frozen. */
  markFreezable(): void {
    this.#freezable = true;
  }

  /** @internal Whether this leaf requires grad but for a `freezing` gate of this flow. */
  get isFrozenHere(): boolean {
    return this.#freezable && this.#leafRequiresGrad && frozen.get().has(this);
  }

  /** @internal Where an inference tensor was made, in words. */
  get inferenceOrigin(): string {
    const cause = this.untracked;
    return cause === null || cause === 'detach' ? 'inferenceMode' : describeFrame(cause);
  }

  /** @internal */
  checkCanRequireGrad(op: string): void {
    if (!isFloat(this.dtype))
      throw new DTypeError(op, `only floating point tensors can require grad, this one is ${this.dtype}; use .float()`);
    if (this.inference && !isInferenceMode())
      throw new AutogradError(
        op,
        `a tensor made under inferenceMode cannot require grad outside; use clone(). It was made under ${this.inferenceOrigin}`,
      );
  }

  /** Sets `requiresGrad` and returns the tensor. */
  requiresGrad_(value = true): this {
    this.#setRequiresGrad('requiresGrad_', value);
    return this;
  }

  /** True for tensors that no recorded operation made: gradients are accumulated into these. */
  get isLeaf(): boolean {
    return this.gradFn === null;
  }

  /** @internal Makes this the output of a graph node; `null` makes it a leaf that requires no grad. */
  setHistory(node: Node | null, outputNr = 0): void {
    this.#node = node;
    this.outputNr = outputNr;
    this.#leafRequiresGrad = false;
    if (this.viewInfo !== null) this.viewInfo.history = this.viewInfo.base.history;
  }

  /** The same values without the graph: shares storage and version; requires no grad until told to. */
  detach(): Tensor {
    const out = new Tensor(this.storage, this.dtype, this.shape, this.strides, this.offset);
    out.inference = this.inference;
    out.untracked = 'detach';
    return out;
  }

  /** Cuts this tensor off from the graph, in place. */
  detach_(): this {
    if (this.viewInfo !== null) throw new AutogradError('detach_', 'a view cannot be detached in place; use detach()');
    this.setHistory(null);
    return this;
  }

  /**
   * Gives the memory back now, rather than when the garbage collector finds it: using the tensor later, or a view or
   * `detach()` of it, is an error. Nobody has to. On a view it does nothing: the memory is its base's. `using t = ...`
   * does it where the block ends.
   *
   * ```ts
   * const x = ones([1000]);
   * x.dispose();
   * x.isDisposed; // true
   * ```
   */
  dispose(): void {
    dispose(this);
  }

  /** As `dispose()`, at the end of the block of `using`. */
  [Symbol.dispose](): void {
    dispose(this);
  }

  /** Whether its memory was given back, by `dispose()` or `tidy`. */
  get isDisposed(): boolean {
    return isGone(this.storage);
  }

  /** Drops the accumulated gradient, or with `setToNull: false` fills it with zeros. */
  zeroGrad(options?: { setToNull?: boolean }): void {
    const { setToNull = true } = checkOptions('zeroGrad', options, zeroGradOptions);
    if (setToNull) this.grad = null;
    else if (this.#grad !== null) {
      refuseRecording('zeroGrad({ setToNull: false }) keeps a gradient from call to call');
      if (this.#grad.requiresGrad) this.#grad = this.#grad.detach();
      clear(this.#grad);
    }
  }

  /** The one element as a number (a boolean for bool tensors). Throws on a device that cannot be read at once. */
  item(): number {
    this.#checkOne('item');
    if (this.dtype !== 'float32' && recordOf(this.dtype).coding !== undefined) return elementsOf(this, 'item')[0]!;
    return (this.storage.backend.read(this.storage, 'item') as TypedArray)[this.offset]!;
  }

  #checkOne(op: string): void {
    if (this.numel !== 1)
      throw new ShapeError(
        op,
        `only a tensor of one element has an item, this one is ${formatShape(this.shape)}; use toArray()`,
      );
  }

  /**
   * A copy of the elements in row-major order, as numbers: float16 and bfloat16 as a Float32Array, int64 as a
   * Float64Array, and refused where that does not hold them (`toBigInt64Array` does).
   */
  toTypedArray(): TypedArray {
    return copyAmong('toTypedArray', this, this.storage.backend.read(this.storage, 'toTypedArray'));
  }

  /** The elements as `toTypedArray` gives them, on every device: of those that cannot be read at once too. */
  data(): Promise<TypedArray> {
    return dataFor('data', this);
  }

  /**
   * The same values on `device`, also from one whose values are not there at once; itself where it is there already. A
   * copy has no graph.
   *
   * ```ts
   * const x = tensor([1, 2]);
   * (await x.toAsync('cpu')) === x; // true
   * ```
   */
  async toAsync(device: string): Promise<Tensor> {
    const to = backendFor('toAsync', device);
    if (to === this.storage.backend) return this;
    try {
      return this.moved(to, storedAmong(this, await this.storage.backend.readAsync(this.storage)));
    } catch (error) {
      throw inNameOf('toAsync', error);
    }
  }

  /** The one element, as `item` gives it, on every device. */
  async itemAsync(): Promise<number> {
    this.#checkOne('itemAsync');
    return (await dataFor('itemAsync', this))[0]!;
  }

  /** The elements as `toArray` gives them, on every device. */
  async toArrayAsync(): Promise<NestedArray> {
    return nestedOf(this, await dataFor('toArrayAsync', this));
  }

  /**
   * @internal The same values on another device, without a graph: on its own it is a copy that starts at its storage.
   */
  moved(to: Backend, stored = storedOf(this, 'to')): Tensor {
    const t = Tensor.uninitialized(this.dtype, this.shape, to);
    to.write(t.storage, stored);
    return t;
  }

  /** A copy of the elements of an integer or bool tensor in row-major order, as 64-bit integers. */
  toBigInt64Array(): BigInt64Array {
    if (isFloat(this.dtype))
      throw new DTypeError('toBigInt64Array', `takes integer tensors, got ${this.dtype}; use long() first`);
    return this.dtype === 'int64'
      ? (storedOf(this, 'toBigInt64Array') as BigInt64Array).slice()
      : BigInt64Array.from(elementsOf(this, 'toBigInt64Array'), BigInt);
  }

  /**
   * The elements as nested arrays (a plain value for a scalar tensor); booleans for bool tensors, `{ re, im }` for
   * complex ones.
   */
  toArray(): NestedArray {
    return nestedOf(this, recordOf(this.dtype).complex?.elements(this) ?? elementsOf(this, 'toArray'));
  }

  /** The elements as text, with shape and dtype where these are not plain to see; of large tensors the ends. */
  toString(): string {
    return Tensor.is(this) ? formatTensor(this) : noTensor;
  }

  /** Prints the tensor on the console, as text. */
  print(): void {
    console.log(this.toString());
  }

  /** The elements for `JSON.stringify`, as `toArray` gives them. JSON has no NaN and no infinity: both become null. */
  toJSON(): NestedArray {
    if (!Tensor.is(this)) throw new TypeError(`toJSON: this is ${noTensor}`);
    return this.toArray();
  }

  /** Node, debuggers and notebooks print tensors as `toString` does. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
  [Symbol.for('debug.description')](): string {
    return this.toString();
  }
  [Symbol.for('Jupyter.display')](): { 'text/plain': string } {
    return { 'text/plain': this.toString() };
  }

  /** JavaScript's own operators would take the text for a value: `loss += t` would give a string, and `t > 1` false. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new TypeError(
      'Tensor: a Tensor is no number for the operators of JavaScript, such as + and >; use item() for that of one element, ' +
        'add() and gt() for tensors, and String(t) for text',
    );
  }

  /** Libraries that wrap plain objects, as Vue's reactive() does, leave tagged ones alone. */
  get [Symbol.toStringTag](): string {
    return 'Tensor';
  }

  /** @internal */
  get [brand](): object {
    return thisCopy;
  }

  /** Iterates over the first dimension: views of one dimension less. */
  *[Symbol.iterator](): Generator<Tensor> {
    if (!Tensor.is(this)) throw new TypeError(`iterator: this is ${noTensor}`);
    if (this.ndim === 0)
      throw new ShapeError('iterator', 'a scalar tensor has no dimension to iterate over; use item()');
    for (let i = 0; i < this.shape[0]!; i++) yield this.select(0, i);
  }
}

/** The setter of what nobody can assign: an assignment would be lost, or be refused in words that name no way out. */
export const readOnly = (name: string) => (): never => {
  throw new TypeError(
    `${name}: cannot be assigned; use copy_() under noGrad for new elements, and to() for a dtype or device`,
  );
};

// PyTorch's `p.data = x` would hide the method.
for (const [name, { value, get = () => value, set }] of Object.entries(
  Object.getOwnPropertyDescriptors(Tensor.prototype),
))
  if (name === 'data' || (value === undefined && set === undefined))
    Object.defineProperty(Tensor.prototype, name, { get, set: readOnly(name) });

function dispose(t: Tensor): void {
  if (t.viewInfo !== null) return;
  const at = placeAbove(2);
  const where = at === null ? placeHint() && ` (${placeHint()})` : ` at ${at}`;
  giveBack(t.storage, () => `by dispose()${where}; dispose of it after its last use`);
}

/** Fills a gradient with zeros: no more than its tensor shows of the memory. */
function clear(grad: Tensor): void {
  const { storage } = grad;
  const { kernels } = storage.backend;
  if (grad.numel === storage.length) kernels.fill(0, grad);
  else kernels.copy(Tensor.zeros(grad.dtype, [], storage.backend).expand(grad.shape), grad);
  closeWindows();
  storage.version++;
}

/** A new tensor; a device that has no memory for it refuses in the name of the operator under way. */
function made(dtype: DType, shape: Shape, backend: Backend, fill: 'zeros' | 'uninitialized'): Tensor {
  try {
    return new Tensor(noteMade(backend.allocate(dtype, sizeOf(shape), fill)), dtype, shape);
  } catch (error) {
    throw inNameOf(entered.op, error, `, for shape ${formatShape(shape)}`);
  }
}

/** Optimizers and kernels read a gradient as far as its tensor goes. */
function checkGrad(t: Tensor, grad: unknown): void {
  if (!Tensor.is(grad)) throw new TypeError(`grad: a gradient must be a Tensor or null, got ${show(grad)}`);
  if (!sameShape(t.shape, grad.shape))
    throw new ShapeError(
      'grad',
      `the gradient must have the shape ${formatShape(t.shape)} of its tensor, got ${formatShape(grad.shape)}`,
    );
  if (t.dtype !== grad.dtype)
    throw new DTypeError(
      'grad',
      `the gradient must be ${t.dtype}, as its tensor, got ${grad.dtype}; convert it with to()`,
    );
  if (t.device !== grad.device)
    throw new DeviceError(
      'grad',
      `the gradient must be on ${t.device}, as its tensor, got ${grad.device}; move it with to()`,
    );
  if (grad === t) throw new AutogradError('grad', 'a tensor cannot be its own gradient; use clone()');
}

/** Set by what lends gradients memory that is written again: gives one that stays. */
let lentGrad: ((grad: Tensor) => Tensor) | null = null;
export function onLentGrad(copy: typeof lentGrad): void {
  lentGrad = copy;
}

/** Set by `graph/view.ts`, which knows how to make a view's history anew; the class itself knows no operators. */
let refreshView: (view: Tensor) => void;
export function onStaleView(refresh: typeof refreshView): void {
  refreshView = refresh;
}
