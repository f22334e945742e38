import { type DType, fromTypedArray, noGrad, type Tensor } from '@gradgate/core';
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
  readonly #memory: Float32Array | Float64Array;
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
    const Class = parameters[0]!.dtype === 'float64' ? Float64Array : Float32Array;
    const size = parameters.reduce((sum, p) => sum + p.numel, 0);
    const bytes = (size + parameters.length) * Class.BYTES_PER_ELEMENT;
    this.#memory = new Class(new SharedArrayBuffer(bytes) as unknown as ArrayBuffer);
    this.#used = this.#memory.subarray(size);
    let offset = 0;
    for (const parameter of parameters) {
      const part = this.#memory.subarray(offset, offset + parameter.numel);
      this.#slots.push({ parameter, gradient: fromTypedArray(part, { shape: parameter.shape }) });
      offset += parameter.numel;
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
    if (parameter.grad === gradient) return;
    const given = parameter.grad!;
    noGrad.run(() => gradient.copy_(given));
    parameter.grad = gradient;
  }

  /** Sends the sums. Parameters that got no gradient in this pass take part with what they have, or with zeros. */
  send(): void {
    for (const [i, { parameter, gradient }] of this.#slots.entries()) {
      if (this.#arrived.has(parameter)) continue;
      if (parameter.grad !== null) this.take(parameter);
      else {
        noGrad.run(() => gradient.zero_());
        this.#used[i] = 0;
      }
    }
    const bucket = `bucket ${this.index} of DistributedDataParallel ${this.model}`;
    const name = `allReduce of the gradients in ${bucket} (${this.#slots.length} parameters, ${this.#memory.length} elements)`;
    this.#work = run(
      {
        op: 'allReduce',
        data: this.#memory,
        by: 'sum',
        group: this.group.id,
        description: `allReduce(gradients in ${bucket}, ${dtypeOf(this.#memory)} [${this.#memory.length}])`,
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
    const memory = this.#memory;
    const { size } = this.group;
    for (let i = 0; i < memory.length; i++) memory[i]! /= size;
    for (const [i, { parameter, gradient }] of this.#slots.entries()) {
      if (this.#used[i]! > 0) parameter.grad = gradient;
      this.#used[i] = 0;
    }
  }

  /** Of all parameters whether they are still what the memory was made for. */
  get fits(): boolean {
    return this.#slots.every(({ parameter: p, gradient: g }) => p.dtype === g.dtype && p.ownRequiresGrad);
  }

  /** Forgets a pass that failed: what is under way is waited for. */
  reset(): void {
    this.#arrived.clear();
    this.#used.fill(0);
    this.#work?.wait();
    this.#work = null;
  }
}

const dtypeOf = (memory: Float32Array | Float64Array): DType =>
  memory instanceof Float64Array ? 'float64' : 'float32';

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
