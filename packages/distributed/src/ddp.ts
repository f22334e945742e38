import { isGradEnabled, onBackwardEnd, type Tensor, tensor } from '@gradgate/core';
import { check, checkOptions, heldGrad, is, ownRequiresGrad } from '@gradgate/core/internal';
import { Module, type Parameter } from '@gradgate/nn';
import { type Bucket, bucketsOf } from './bucket.js';
import { broadcast } from './collectives.js';
import { DistributedError } from './connection.js';
import { isSyncing } from './noSync.js';
import { checkMember, type Group, groupKind, run, world } from './world.js';

/** Options of `DistributedDataParallel`. */
export interface DistributedDataParallelOptions {
  /** The ranks that train together; all by default. */
  group?: Group;
  /**
   * The bytes of gradients that are sent at once, 25 MiB by default. Small buckets are sent earlier, large ones in
   * fewer messages.
   */
  bucketBytes?: number;
  /**
   * Whether the buffers of rank 0, such as running statistics, are copied to all ranks before each forward pass in
   * training; true by default.
   */
  broadcastBuffers?: boolean;
  /**
   * Whether gradients are sent during the backward pass, true by default. False sends them at its end: for models whose
   * parameters get gradients several times in a pass, such as some that call `checkpoint`.
   */
  overlap?: boolean;
}

const name = 'DistributedDataParallel';

/** A running backward pass. */
interface Pass {
  /** The number of buckets sent. All ranks send them in the same order. */
  sent: number;
  /** The parameters in the order in which their gradients arrived. */
  readonly order: Parameter[];
}

/**
 * A module that is trained in several ranks at once, each with its own part of every batch. After `backward()` the
 * gradients are the means over all ranks, equal to the last bit in all of them. Parameters and buffers start with the
 * values of rank 0.
 *
 * Gradients are sent in buckets during the backward pass, and are views of their bucket's memory afterwards. A
 * parameter that the pass did not reach contributes zeros; if no rank reached it, its gradient stays as it is. Under
 * `noSync` gradients add up in each rank.
 *
 * All ranks must make the same number of passes; `DistributedSampler` gives them equally many samples. With batches of
 * different sizes the gradient is a mean of means. Parameters may be frozen and unfrozen between passes, in the same
 * way in all ranks; under `freezing` they contribute zeros, like others that the pass does not reach. Gradients
 * returned by `grad()` are not sent. `ddp.module` is the module itself, for its state dict.
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
  /** Its number among the modules of the group, the same in all ranks. */
  readonly #number: number;
  readonly #hooked = new WeakSet<Parameter>();
  #parameters: Parameter[] = [];
  #buckets: Bucket[] = [];
  #bucketOf = new Map<Parameter, Bucket>();
  #pass: Pass | null = null;
  #failed = false;
  #ordered = false;

  constructor(
    /** The module whose gradients are averaged. */
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
    checkMember(name, group);
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

  /** The parameters that require grad, in the order in which gradients are expected: last layers first. */
  #trained(): Parameter[] {
    const trained: Parameter[] = [];
    for (const [path, p] of this.module.namedParameters()) {
      // Regardless of `freezing` in this flow: another flow may be between its forward and backward passes.
      if (!ownRequiresGrad(p)) continue;
      if (p.dtype !== 'float32' && p.dtype !== 'float64')
        throw new TypeError(
          `${name}: parameters must be float32 or float64, but ${path} is ${p.dtype}; use module.float()`,
        );
      trained.push(p);
    }
    return trained.reverse();
  }

  #distribute(parameters: Parameter[]): void {
    this.#parameters = parameters;
    this.#ordered = false;
    // A single rank has the means already.
    if (this.#group.size === 1) return;
    for (const p of parameters) {
      if (this.#hooked.has(p)) continue;
      this.#hooked.add(p);
      p.registerPostAccumulateGradHook(() => this.#arrived(p));
    }
    this.#buckets = this.#fill();
  }

  /** Checks that all ranks have the same module, and copies the values of rank 0 to the others. */
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

  /**
   * Parameters may have been frozen, unfrozen or converted since the last pass. If ranks differ, the next collective
   * throws.
   */
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

  /** Throws, as parameters can belong to only one of them. Clone `ddp.module`. */
  override clone(): never {
    throw new TypeError(`${name}: clone ddp.module and wrap the clone`);
  }

  #arrived(p: Parameter): void {
    const bucket = this.#bucketOf.get(p);
    if (!isSyncing() || bucket === undefined) return;
    if (this.#failed) this.#forget();
    if (heldGrad(p)!.requiresGrad)
      throw new DistributedError(
        `${name}: backward({ createGraph: true }) makes gradients that require grad, which cannot be sent; call it under noSync, or use grad()`,
      );
    this.#pass ??= this.#begin();
    const pass = this.#pass;
    if (bucket.isSent)
      throw new DistributedError(
        `${name}: a parameter got a second gradient in one pass after its bucket was sent, as happens with checkpoint(); use { overlap: false }`,
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

  /** After the first pass, orders buckets as gradients arrived in rank 0. */
  #reorder(order: readonly Parameter[]): void {
    this.#ordered = true;
    const came = [...new Set([...order, ...this.#parameters])];
    const places = tensor(Int32Array.from(came, (p) => this.#parameters.indexOf(p)));
    broadcast(places, { group: this.#group });
    const before = this.#parameters;
    this.#parameters = Array.from(places.toTypedArray(), (i) => before[Number(i)]!);
    this.#buckets = this.#fill();
  }

  /** Discards a backward pass that failed, after waiting for what it has sent. */
  #forget(): void {
    this.#failed = false;
    this.#pass = null;
    for (const bucket of this.#buckets) bucket.reset();
  }
}
