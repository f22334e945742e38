import { fromTypedArray, noGrad, type Tensor, zeros } from '@gradgate/core';
import { heldGrad, ownRequiresGrad, pin, writableElements } from '@gradgate/core/internal';
import type { Parameter } from '@gradgate/nn';
import type { Work } from './work.js';
import { type Group, run } from './world.js';

interface Slot {
  readonly parameter: Parameter;
  /** The part of the bucket's memory that is the parameter's gradient. */
  readonly gradient: Tensor;
}

/**
 * Some parameters whose gradients lie in one piece of memory, which is sent as a whole as soon as all of them are there.
 * Behind them stands a 1 for each that got a gradient: in a sum over ranks what is 0 got none in any.
 */
export class Bucket {
  readonly #slots: Slot[] = [];
  readonly #memory: Tensor;
  /** What MPI reads and writes: the elements of the memory. */
  readonly #data: Float32Array | Float64Array;
  readonly #used: Float32Array | Float64Array;
  readonly #arrived = new Set<Parameter>();
  #work: Work<void> | null = null;

  constructor(
    readonly index: number,
    parameters: readonly Parameter[],
    private readonly group: Group,
    /** The number of the module among those that are trained: so that two of one size are not mixed up. */
    private readonly model: number,
  ) {
    const size = parameters.reduce((sum, p) => sum + room(p), 0);
    this.#memory = sharedZeros(size + parameters.length, parameters[0]!.dtype as 'float32' | 'float64');
    this.#data = writableElements(this.#memory) as Float32Array | Float64Array;
    this.#used = this.#data.subarray(size);
    let offset = 0;
    for (const parameter of parameters) {
      const gradient = this.#memory.narrow(0, offset, parameter.numel).view(parameter.shape);
      this.#slots.push({ parameter, gradient });
      offset += room(parameter);
    }
  }

  /** How many parameters there are. */
  get length(): number {
    return this.#slots.length;
  }

  get isSent(): boolean {
    return this.#work !== null;
  }

  get isFull(): boolean {
    return this.#arrived.size === this.#slots.length;
  }

  /** Takes over a parameter's gradient, which from now on lies in the bucket. */
  take(parameter: Parameter): void {
    this.#arrived.add(parameter);
    const i = this.#slots.findIndex((slot) => slot.parameter === parameter);
    const { gradient } = this.#slots[i]!;
    this.#used[i] = 1;
    const given = heldGrad(parameter)!;
    if (given === gradient) return;
    noGrad.run(() => gradient.copy_(given));
    parameter.grad = gradient;
  }

  /** Sends the sums. Parameters that got no gradient in this pass take part with what they have, or with zeros. */
  send(): void {
    for (const [i, { parameter, gradient }] of this.#slots.entries()) {
      if (this.#arrived.has(parameter)) continue;
      if (heldGrad(parameter) !== null) this.take(parameter);
      else {
        noGrad.run(() => gradient.zero_());
        this.#used[i] = 0;
      }
    }
    const bucket = `bucket ${this.index} of DistributedDataParallel ${this.model}`;
    const name = `allReduce of the gradients in ${bucket} (${this.#slots.length} parameters, ${this.#data.length} elements)`;
    this.#work = run(
      {
        op: 'allReduce',
        data: this.#data,
        by: 'sum',
        group: this.group.id,
        description: `allReduce(gradients in ${bucket}, ${this.#memory.dtype} [${this.#data.length}])`,
      },
      name,
      () => {},
    );
  }

  /** Waits for the sums, and makes them the parameters' gradients: the means over the ranks. */
  receive(): void {
    this.#work!.wait();
    this.#work = null;
    this.#arrived.clear();
    noGrad.run(() => this.#memory.div_(this.group.size));
    for (const [i, { parameter, gradient }] of this.#slots.entries()) {
      if (this.#used[i]! > 0) parameter.grad = gradient;
      this.#used[i] = 0;
    }
  }

  /** Of all parameters whether they are still what the memory was made for. */
  get fits(): boolean {
    return this.#slots.every(({ parameter: p, gradient: g }) => p.dtype === g.dtype && ownRequiresGrad(p));
  }

  /** Forgets a pass that failed: what is under way is waited for. */
  reset(): void {
    this.#arrived.clear();
    this.#used.fill(0);
    this.#work?.wait();
    this.#work = null;
  }
}

/**
 * The elements that a gradient takes up: whole cache lines, as arrays of kernels do. What lies askew is copied byte by byte.
 */
const room = (parameter: Parameter): number => Math.ceil(parameter.numel / 16) * 16;

/** Zeros on memory that the thread of MPI sees as well: that of kernels, which then copy nothing, or where it has no room another. */
function sharedZeros(length: number, dtype: 'float32' | 'float64'): Tensor {
  const t = zeros([length], { dtype, device: 'cpu' });
  pin(t);
  if (writableElements(t).buffer instanceof SharedArrayBuffer) return t;
  const Class = dtype === 'float64' ? Float64Array : Float32Array;
  return fromTypedArray(new Class(new SharedArrayBuffer(length * Class.BYTES_PER_ELEMENT) as unknown as ArrayBuffer));
}

/** Groups parameters, in the order in which their gradients are expected, into buckets of one dtype and some size. */
export function bucketsOf(
  parameters: readonly Parameter[],
  bucketBytes: number,
  group: Group,
  model: number,
): Bucket[] {
  const lists: Parameter[][] = [];
  let bytes = 0;
  for (const parameter of parameters) {
    const size = parameter.numel * (parameter.dtype === 'float64' ? 8 : 4);
    const last = lists.at(-1);
    // The first one is small: the sooner something is sent, the more goes on beside it.
    const most = lists.length <= 1 ? Math.min(bucketBytes, firstBucketBytes) : bucketBytes;
    if (last && last[0]!.dtype === parameter.dtype && bytes + size <= most) {
      last.push(parameter);
      bytes += size;
    } else {
      lists.push([parameter]);
      bytes = size;
    }
  }
  return lists.map((list, i) => new Bucket(i, list, group, model));
}

const firstBucketBytes = 2 ** 20;
