import { isGradEnabled, onBackwardEnd, type Tensor, tensor } from '@gradgate/core';
import { check, checkOptions, heldGrad, is, ownRequiresGrad } from '@gradgate/core/internal';
import { Module, type Parameter } from '@gradgate/nn';
import { type Bucket, bucketsOf } from './bucket.js';
import { broadcast } from './collectives.js';
import { DistributedError } from './connection.js';
import { isSyncing } from './noSync.js';
import { type Group, groupKind, run, world } from './world.js';

export interface DistributedDataParallelOptions {
  /** The ranks that train together; all by default. */
  group?: Group;
  /** How many bytes of gradients are sent at once, 25 MiB by default. Fewer are sent sooner, more in fewer pieces. */
  bucketBytes?: number;
  /** Whether rank 0's buffers, such as running statistics, are the others' too before each forward pass in training. */
  broadcastBuffers?: boolean;
  /**
   * Whether gradients are sent while the backward pass goes on, true by default. False sends them at its end: for models whose
   * parameters get gradients several times a pass, as some that call `checkpoint` do.
   */
  overlap?: boolean;
}

const name = 'DistributedDataParallel';

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
 * All ranks make the same number of passes; `DistributedSampler` makes their numbers of samples equal. Batches of several
 * lengths come out as means of means. Parameters may be frozen and thawed between passes, by all ranks alike; under `freezing`
 * they take part with zeros, as others that the pass does not reach. Gradients that `grad()` gives are not sent. `ddp.module`
 * is the module itself, for its state dict.
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
  readonly #overlap: boolean;
  /** Its place among those of the group: in all ranks the same number names the same module. */
  readonly #number: number;
  readonly #hooked = new WeakSet<Parameter>();
  #parameters: Parameter[] = [];
  #buckets: Bucket[] = [];
  #bucketOf = new Map<Parameter, Bucket>();
  #pass: Pass | null = null;
  #failed = false;
  #ordered = false;

  constructor(
    readonly module: M,
    options?: DistributedDataParallelOptions,
  ) {
    super();
    check(
      name,
      'module',
      module,
      is.instanceOf('a Module', () => Module),
    );
    const {
      group = world(),
      bucketBytes = 25 * 2 ** 20,
      broadcastBuffers = true,
      overlap = true,
    } = checkOptions(name, options, {
      group: groupKind,
      bucketBytes: is.positive,
      broadcastBuffers: is.boolean,
      overlap: is.boolean,
    });
    if (group.rank < 0) throw new RangeError(`${name}: this rank does not belong to the group`);
    this.#group = group;
    this.#bucketBytes = bucketBytes;
    this.#broadcastBuffers = broadcastBuffers;
    this.#overlap = overlap;
    const trained = this.#trained();
    if (trained.length === 0) throw new TypeError(`${name}: no parameter of the module requires grad`);
    this.#number = ++group.models;
    this.#start();
    this.#distribute(trained);
  }

  /** The parameters that gradients are expected for, in the order in which they are: the last layers are the first. */
  #trained(): Parameter[] {
    const trained: Parameter[] = [];
    for (const [path, p] of this.module.namedParameters()) {
      // Whatever this flow has frozen: another flow may be between its forward and its backward pass.
      if (!ownRequiresGrad(p)) continue;
      if (p.dtype !== 'float32' && p.dtype !== 'float64')
        throw new TypeError(`${name}: parameters are float32 or float64, ${path} is ${p.dtype}; use module.float()`);
      trained.push(p);
    }
    return trained.reverse();
  }

  #distribute(parameters: Parameter[]): void {
    this.#parameters = parameters;
    this.#ordered = false;
    // Alone, a rank has the means already.
    if (this.#group.size === 1) return;
    for (const p of parameters) {
      if (this.#hooked.has(p)) continue;
      this.#hooked.add(p);
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
      description: `${name}(${description})`,
    } as const;
    run(job, name, () => {}).wait();
    for (const [, t] of all) broadcast(t, { group: this.#group });
  }

  #fill(): Bucket[] {
    const buckets = bucketsOf(this.#parameters, this.#bucketBytes, this.#group, this.#number);
    this.#bucketOf.clear();
    let i = 0;
    for (const bucket of buckets)
      for (let n = 0; n < bucket.length; n++) this.#bucketOf.set(this.#parameters[i++]!, bucket);
    return buckets;
  }

  override forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    if (this.#failed) this.#forget();
    if (isGradEnabled()) {
      this.#refresh();
      if (this.training && this.#broadcastBuffers && isSyncing() && this.#group.size > 1)
        for (const b of this.module.buffers()) broadcast(b as Tensor, { group: this.#group });
    }
    return (this.module as unknown as (...args: Parameters<M['forward']>) => ReturnType<M['forward']>)(...args);
  }

  /** Since the last pass parameters may have been frozen, thawed or converted: by all ranks, or the next collective says so. */
  #refresh(): void {
    if (this.#group.size === 1) return;
    let trained = 0;
    for (const p of this.module.parameters()) {
      if (!ownRequiresGrad(p)) continue;
      trained++;
      if (!this.#bucketOf.has(p)) trained = Number.NaN;
    }
    if (trained === this.#parameters.length && this.#buckets.every((b) => b.fits)) return;
    this.#distribute(this.#trained());
  }

  /** Not to be had: parameters belong to one of them. Clone `ddp.module`. */
  override clone(): never {
    throw new TypeError(`${name}: clone its module, and make another one of that`);
  }

  #arrived(p: Parameter): void {
    const bucket = this.#bucketOf.get(p);
    if (!isSyncing() || bucket === undefined) return;
    if (this.#failed) this.#forget();
    if (heldGrad(p)!.requiresGrad)
      throw new DistributedError(
        `${name}: backward({ createGraph: true }) gives gradients whose own gradients cannot be sent; call it under noSync, or use grad() for them`,
      );
    this.#pass ??= this.#begin();
    const pass = this.#pass;
    if (bucket.isSent)
      throw new DistributedError(
        `${name}: a parameter got a second gradient in one pass, and its bucket has been sent, as happens with checkpoint(); use { overlap: false }`,
      );
    pass.order.push(p);
    bucket.take(p);
    while (this.#overlap && this.#buckets[pass.sent]?.isFull) this.#buckets[pass.sent++]!.send();
  }

  #begin(): Pass {
    onBackwardEnd(
      () => this.#finish(),
      () => {
        this.#failed = true;
      },
    );
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

  /** A backward pass failed before this one: what it has sent is waited for, and nothing of it counts. */
  #forget(): void {
    this.#failed = false;
    this.#pass = null;
    for (const bucket of this.#buckets) bucket.reset();
  }
}
