import { onBackwardEnd, type Tensor, tensor } from '@gradgate/core';
import { Module, type Parameter } from '@gradgate/nn';
import { type Bucket, bucketsOf } from './bucket.js';
import { broadcast } from './collectives.js';
import { DistributedError } from './connection.js';
import { isSyncing } from './noSync.js';
import { type Group, run, world } from './world.js';

export interface DistributedDataParallelOptions {
  /** The ranks that train together; all by default. */
  group?: Group;
  /** How many bytes of gradients are sent at once, 25 MiB by default. Fewer are sent sooner, more in fewer pieces. */
  bucketBytes?: number;
  /** Whether rank 0's buffers, such as running statistics, are the others' too before each forward pass in training. */
  broadcastBuffers?: boolean;
}

/** A backward pass under way. */
interface Pass {
  /** How many buckets have been sent: all ranks send them in the same order. */
  sent: number;
  /** The parameters in the order in which their gradients came. */
  readonly order: Parameter[];
}

/**
 * A module that is trained in several ranks at once, each with its own part of every batch: after `backward()` the
 * gradients of all ranks are the same means, to the last bit. Parameters and buffers start as rank 0 has them.
 *
 * Gradients are sent in buckets while the backward pass goes on, and are views of their bucket's memory afterwards. A
 * parameter that the pass did not reach takes part with zeros; where no rank reached it, its gradient stays as it is.
 * Under `noSync` gradients add up in each rank.
 *
 * All ranks make the same number of passes. Batches of several lengths come out as means of means; where the last batch may
 * be missing in some ranks, `DistributedSampler` makes their numbers equal.
 *
 * @example
 * await init();
 * const model = new DistributedDataParallel(new Net());
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
 * loss(model(x), y).backward(); // the gradients of all ranks
 * optimizer.step();
 */
export class DistributedDataParallel<M extends Module = Module> extends Module {
  readonly #group: Group;
  readonly #bucketBytes: number;
  readonly #broadcastBuffers: boolean;
  #parameters: Parameter[];
  #buckets: Bucket[];
  #bucketOf = new Map<Parameter, Bucket>();
  #pass: Pass | null = null;
  #ordered = false;

  constructor(
    readonly module: M,
    options: DistributedDataParallelOptions = {},
  ) {
    super();
    if (!(module instanceof Module))
      throw new TypeError(
        `DistributedDataParallel: expected a Module, got ${module === null ? 'null' : typeof module}`,
      );
    const { group = world(), bucketBytes = 25 * 2 ** 20, broadcastBuffers = true } = options;
    if (!(bucketBytes > 0)) throw new RangeError(`DistributedDataParallel: bucketBytes is above 0, got ${bucketBytes}`);
    this.#group = group;
    this.#bucketBytes = bucketBytes;
    this.#broadcastBuffers = broadcastBuffers;
    this.#start();
    // The last layers are the first that gradients reach.
    this.#parameters = [...module.parameters()].filter((p) => p.requiresGrad).reverse();
    if (this.#parameters.length === 0)
      throw new TypeError('DistributedDataParallel: no parameter of the module requires grad');
    for (const p of this.#parameters) {
      if (p.dtype !== 'float32' && p.dtype !== 'float64')
        throw new TypeError(`DistributedDataParallel: parameters are float32 or float64, one is ${p.dtype}`);
      p.registerPostAccumulateGradHook(() => this.#arrived(p));
    }
    this.#buckets = this.#fill();
  }

  /** Makes sure that all ranks have the same module, and gives them rank 0's values. */
  #start(): void {
    const all = [...this.module.namedParameters(), ...this.module.namedBuffers()];
    const description = all.map(([name, t]) => `${name} ${t.dtype} [${t.shape.join(', ')}]`).join(', ');
    const job = {
      op: 'barrier',
      group: this.#group.id,
      description: `DistributedDataParallel(${description})`,
    } as const;
    run(job, 'DistributedDataParallel', () => {}).wait();
    for (const [, t] of all) broadcast(t, { group: this.#group });
  }

  #fill(): Bucket[] {
    const buckets = bucketsOf(this.#parameters, this.#bucketBytes, this.#group);
    this.#bucketOf.clear();
    let i = 0;
    for (const bucket of buckets)
      for (let n = 0; n < bucket.length; n++) this.#bucketOf.set(this.#parameters[i++]!, bucket);
    return buckets;
  }

  override forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    if (this.#pass !== null) this.#forget();
    if (this.training && this.#broadcastBuffers && isSyncing() && this.#group.size > 1)
      for (const b of this.module.buffers()) broadcast(b as Tensor, { group: this.#group });
    return (this.module as unknown as (...args: Parameters<M['forward']>) => ReturnType<M['forward']>)(...args);
  }

  #arrived(p: Parameter): void {
    if (!isSyncing()) return;
    this.#pass ??= this.#begin();
    const pass = this.#pass;
    const bucket = this.#bucketOf.get(p)!;
    if (bucket.isSent)
      throw new DistributedError(
        'DistributedDataParallel: a parameter got a gradient after its bucket was sent; call backward() once a pass, or use noSync for all but the last',
      );
    pass.order.push(p);
    bucket.take(p);
    while (this.#buckets[pass.sent]?.isFull) this.#buckets[pass.sent++]!.send();
  }

  #begin(): Pass {
    onBackwardEnd(() => this.#finish());
    return { sent: 0, order: [] };
  }

  #finish(): void {
    const pass = this.#pass!;
    this.#pass = null;
    for (; pass.sent < this.#buckets.length; pass.sent++) this.#buckets[pass.sent]!.send();
    for (const bucket of this.#buckets) bucket.receive();
    if (!this.#ordered) this.#reorder(pass.order);
  }

  /** After the first pass buckets follow the order in which gradients came in rank 0. */
  #reorder(order: readonly Parameter[]): void {
    this.#ordered = true;
    const came = [...new Set([...order, ...this.#parameters])];
    const places = tensor(Int32Array.from(came, (p) => this.#parameters.indexOf(p)));
    broadcast(places, { group: this.#group });
    const before = this.#parameters;
    this.#parameters = Array.from(places.toTypedArray(), (i) => before[Number(i)]!);
    this.#buckets = this.#fill();
  }

  /** A backward pass failed before this forward pass: what it has sent is waited for, and nothing of it counts. */
  #forget(): void {
    this.#pass = null;
    for (const bucket of this.#buckets) bucket.reset();
  }
}
