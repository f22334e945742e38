import { fromTypedArray, noGrad, type Tensor, zeros } from '@gradgate/core';
import { heldGrad, ownRequiresGrad, pin, writableElements } from '@gradgate/core/internal';
import type { Parameter } from '@gradgate/nn';
import type { Work } from './work.js';
import { type Group, run } from './world.js';

interface Slot {
  readonly parameter: Parameter;
  /** The parameter's gradient, a view of the bucket's memory. */
  readonly gradient: Tensor;
}

/**
 * Parameters whose gradients share one piece of memory, which is sent as a whole when all of them have arrived. Behind
 * them is a 1 for each parameter that got a gradient: where the sum over ranks is 0, none got one in any rank.
 */
export class Bucket {
  readonly #slots: Slot[] = [];
  readonly #memory: Tensor;
  /** The elements of the memory, which MPI reads and writes. */
  readonly #data: Float32Array | Float64Array;
  readonly #used: Float32Array | Float64Array;
  readonly #arrived = new Set<Parameter>();
  #work: Work<void> | null = null;

  constructor(
    readonly index: number,
    parameters: readonly Parameter[],
    private readonly group: Group,
    /** The number of the module among those that are trained, which tells modules of equal size apart. */
    private readonly model: number,
  ) {
    const size = parameters.reduce((sum, p) => sum + paddedLength(p), 0);
    this.#memory = sharedZeros(size + parameters.length, parameters[0]!.dtype as 'float32' | 'float64');
    this.#data = writableElements(this.#memory) as Float32Array | Float64Array;
    this.#used = this.#data.subarray(size);
    let offset = 0;
    for (const parameter of parameters) {
      const gradient = this.#memory.narrow(0, offset, parameter.numel).view(parameter.shape);
      this.#slots.push({ parameter, gradient });
      offset += paddedLength(parameter);
    }
  }

  /** The number of parameters. */
  get length(): number {
    return this.#slots.length;
  }

  get isSent(): boolean {
    return this.#work !== null;
  }

  get isFull(): boolean {
    return this.#arrived.size === this.#slots.length;
  }

  /** Moves a parameter's gradient into the bucket, where it stays. */
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

  /** Starts the reduction. Parameters without a gradient from this pass contribute the one they have, or zeros. */
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

  /** Waits for the sums, divides them by the number of ranks and sets the parameters' gradients. */
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

  /** Whether all parameters still have the dtype and `requiresGrad` for which the memory was made. */
  get fits(): boolean {
    return this.#slots.every(({ parameter: p, gradient: g }) => p.dtype === g.dtype && ownRequiresGrad(p));
  }

  /** Discards a pass that failed, after waiting for a running reduction. */
  reset(): void {
    this.#arrived.clear();
    this.#used.fill(0);
    this.#work?.wait();
    this.#work = null;
  }
}

/**
 * The elements that a gradient takes: whole cache lines, as for arrays of kernels. MPI copies unaligned data byte by
 * byte.
 */
const paddedLength = (parameter: Parameter): number => Math.ceil(parameter.numel / 16) * 16;

/**
 * Zeros in memory shared with the MPI thread: kernel memory, so that kernels copy nothing, or other memory if that is
 * full.
 */
function sharedZeros(length: number, dtype: 'float32' | 'float64'): Tensor {
  const t = zeros([length], { dtype, device: 'cpu' });
  pin(t);
  if (writableElements(t).buffer instanceof SharedArrayBuffer) return t;
  const Class = dtype === 'float64' ? Float64Array : Float32Array;
  return fromTypedArray(new Class(new SharedArrayBuffer(length * Class.BYTES_PER_ELEMENT) as unknown as ArrayBuffer));
}

/**
 * Groups parameters, in the order in which their gradients are expected, into buckets of one dtype and limited size.
 */
export function bucketsOf(
  parameters: readonly Parameter[],
  bucketBytes: number,
  group: Group,
  model: number,
): Bucket[] {
  const lists: Parameter[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const parameter of parameters) {
    // The first bucket is small, so that communication starts early.
    const enough = lists.length === 1 ? Math.min(bucketBytes, firstBucketBytes) : bucketBytes;
    // A bucket is closed once it is full. Otherwise the bias beside a large weight would be sent alone, which costs a
    // round trip.
    if (bytes >= enough || lists.at(-1)![0]!.dtype !== parameter.dtype) {
      lists.push([]);
      bytes = 0;
    }
    lists.at(-1)!.push(parameter);
    bytes += parameter.numel * (parameter.dtype === 'float64' ? 8 : 4);
  }
  return lists.map((list, i) => new Bucket(i, list, group, model));
}

const firstBucketBytes = 2 ** 20;
