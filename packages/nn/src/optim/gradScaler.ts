import { backend, DeviceError, DTypeError, noGrad, stack, Tensor } from '@gradgate/core';
import { check, checkOptions, heldGrad, is, refuseRecording, show } from '@gradgate/core/internal';
import { checkGroups } from './groups.js';
import type { Optimizer } from './optimizer.js';

/** Options of `GradScaler`. */
export interface GradScalerOptions {
  /** The factor of the loss at first; 65536 by default. */
  initScale?: number;
  /** What the factor is multiplied by after `growthInterval` steps without an overflow; 2 by default. */
  growthFactor?: number;
  /** What the factor is multiplied by after an overflow; 0.5 by default. */
  backoffFactor?: number;
  /** How many steps in a row without an overflow let the factor grow; 2000 by default. */
  growthInterval?: number;
  /** False makes each method do nothing: losses stay as they are, and `step` is the optimizer's. True by default. */
  enabled?: boolean;
}

/** What `stateDict()` of a scaler gives. */
export interface GradScalerState {
  /** What losses are multiplied by. */
  readonly scale: number;
  /** What the scale is multiplied by when it grows. */
  readonly growthFactor: number;
  /** What the scale is multiplied by at an overflow. */
  readonly backoffFactor: number;
  /** After how many steps without overflow the scale grows. */
  readonly growthInterval: number;
  /** How many steps have been without overflow. */
  readonly growthTracker: number;
}

const above1 = { text: 'a number above 1', is: (v: unknown) => typeof v === 'number' && v > 1 };
const below1 = { text: 'a number above 0 and below 1', is: (v: unknown) => typeof v === 'number' && v > 0 && v < 1 };
const positive = { text: 'a finite number above 0', is: (v: unknown) => Number.isFinite(v) && (v as number) > 0 };
const kinds = {
  initScale: positive,
  growthFactor: above1,
  backoffFactor: below1,
  growthInterval: is.count,
  enabled: is.boolean,
};
const stateKinds = {
  scale: positive,
  growthFactor: above1,
  backoffFactor: below1,
  growthInterval: is.count,
  growthTracker: is.size,
};

/** What has been done with the gradients of an optimizer since the last `update()`. */
interface Done {
  overflowed: boolean;
  stepped: boolean;
  /** True while it is not known whether they overflowed. */
  awaited?: boolean;
}

type Step = Pick<Optimizer<any, any>, 'paramGroups' | 'step'>;

/**
 * Scales losses, so that small gradients are not lost where float16 rounds them to 0, and scales the gradients back
 * before the step. A step whose gradients overflowed is left out, and the factor made smaller; after many steps without
 * an overflow it grows.
 *
 * ```ts
 * const w = tensor([2], { requiresGrad: true });
 * const optimizer = new optim.SGD([w], { lr: 0.1 });
 * const scaler = new optim.GradScaler();
 * scaler.scale(w.square().sum()).backward();
 * scaler.step(optimizer);
 * scaler.update();
 * w; // [1.6]
 * ```
 */
export class GradScaler {
  private factor: number;
  private growthTracker = 0;
  private growthFactor: number;
  private backoffFactor: number;
  private growthInterval: number;
  private readonly enabled: boolean;
  private readonly done = new Map<Step, Done>();

  constructor(options?: GradScalerOptions) {
    const known = checkOptions('GradScaler', options, kinds);
    this.factor = known.initScale ?? 65536;
    this.growthFactor = known.growthFactor ?? 2;
    this.backoffFactor = known.backoffFactor ?? 0.5;
    this.growthInterval = known.growthInterval ?? 2000;
    this.enabled = known.enabled ?? true;
  }

  /** A loss of any shape, times the factor. */
  scale(outputs: Tensor): Tensor;
  /** Losses of any shapes, each times the factor. */
  scale(outputs: readonly Tensor[]): Tensor[];
  scale(outputs: Tensor | readonly Tensor[]): Tensor | Tensor[] {
    check('GradScaler.scale', 'the outputs', outputs, is.either(is.tensor, is.arrayOf(is.tensor)));
    if (!this.enabled) return outputs as Tensor;
    // The next call may have another factor.
    refuseRecording('a GradScaler decides by the values of gradients');
    return Tensor.is(outputs) ? outputs.mul(this.factor) : outputs.map((t) => t.mul(this.factor));
  }

  /**
   * Divides the gradients of the optimizer's parameters by the factor, in place, and notes whether one is infinite or
   * NaN. `step` does it by itself; call it before where gradients are clipped or looked at, once between two `update`s.
   */
  unscale_(optimizer: Step): void {
    const params = this.checkUnscale('unscale_', optimizer);
    if (!this.enabled) return;
    const away = params.find(({ device }) => backend(device).isAsync);
    if (away !== undefined)
      throw new DeviceError(
        'GradScaler.unscale_',
        `whether gradients on ${away.device} are finite can only be read asynchronously; use await scaler.unscaleAsync_(optimizer) and await scaler.stepAsync(optimizer)`,
      );
    const overflowed = this.unscale(params).some((isFinite) => isFinite.item() === 0);
    this.done.set(optimizer, { overflowed, stepped: false });
  }

  /** `unscale_` for every device: it waits for whether a gradient is infinite or NaN. */
  async unscaleAsync_(optimizer: Step): Promise<void> {
    const params = this.checkUnscale('unscaleAsync_', optimizer);
    if (!this.enabled) return;
    // Where it can't be read, no step is made.
    const done = { overflowed: true, stepped: false, awaited: true };
    this.done.set(optimizer, done);
    try {
      const finite = this.unscale(params);
      done.overflowed = finite.length > 0 && (await stack(finite).all().itemAsync()) === 0;
    } finally {
      done.awaited = false;
    }
  }

  /** The parameters that have gradients. Throws if they have been unscaled since the last `update`. */
  private checkUnscale(op: string, optimizer: Step): Tensor[] {
    checkOptimizer(op, optimizer);
    const before = this.done.get(optimizer);
    if (before !== undefined)
      throw new TypeError(
        `GradScaler.${op}: the gradients of this optimizer have been ${before.stepped ? 'used by step()' : 'unscaled'} since the last update(); call update() once after the steps`,
      );
    const params = optimizer.paramGroups.flatMap(({ params }) => params).filter((p) => heldGrad(p) !== null);
    const half = params.find((p) => p.dtype === 'float16');
    if (this.enabled && half !== undefined)
      throw new DTypeError(
        `GradScaler.${op}`,
        'a parameter is float16, whose gradient would be lost when it is scaled back; keep parameters in float32 and compute under autocast',
      );
    return params;
  }

  /** Scales the gradients back; returns for each whether all of it is finite. */
  private unscale(params: readonly Tensor[]): Tensor[] {
    const factor = 1 / this.factor;
    return noGrad.run(() => {
      for (const p of params) heldGrad(p)!.mul_(factor);
      return params.map((p) => heldGrad(p)!.detach().isfinite().all());
    });
  }

  /**
   * Makes the optimizer's step, unless a gradient is infinite or NaN; unscales the gradients first where that has not
   * been done. Returns what the step returns, and undefined where it was left out.
   */
  step<R>(optimizer: { readonly paramGroups: Step['paramGroups']; step(): R }): R | undefined {
    this.checkStep('step', optimizer);
    if (this.enabled && !this.done.has(optimizer as never)) this.unscale_(optimizer as never);
    return this.stepUnlessOverflowed(optimizer);
  }

  /** `step` for every device: it waits for whether a gradient is infinite or NaN. */
  async stepAsync<R>(optimizer: { readonly paramGroups: Step['paramGroups']; step(): R }): Promise<R | undefined> {
    this.checkStep('stepAsync', optimizer);
    if (this.enabled && !this.done.has(optimizer as never)) await this.unscaleAsync_(optimizer as never);
    return this.stepUnlessOverflowed(optimizer);
  }

  private checkStep(op: string, optimizer: object): void {
    checkOptimizer(op, optimizer);
    const done = this.done.get(optimizer as never);
    checkKnown(op, done);
    if (done?.stepped)
      throw new TypeError(
        `GradScaler.${op}: this optimizer has made a step since the last update(); call update() once after the steps`,
      );
  }

  private stepUnlessOverflowed<R>(optimizer: { step(): R }): R | undefined {
    if (!this.enabled) return optimizer.step();
    const done = this.done.get(optimizer as never)!;
    done.stepped = true;
    return done.overflowed ? undefined : optimizer.step();
  }

  /**
   * Makes the factor smaller or larger by what the steps since the last call found, or sets it. Call it once after the
   * steps.
   */
  update(newScale?: number): void {
    if (newScale !== undefined) check('GradScaler.update', 'the new scale', newScale, positive);
    if (!this.enabled) return;
    refuseRecording('a GradScaler decides by the values of gradients');
    for (const done of this.done.values()) checkKnown('update', done);
    if (newScale !== undefined) this.factor = newScale;
    else if (this.done.size === 0)
      throw new TypeError(
        'GradScaler.update: no optimizer has been unscaled or stepped since the last update(); call step(optimizer) first',
      );
    else if ([...this.done.values()].some(({ overflowed }) => overflowed)) {
      this.factor *= this.backoffFactor;
      this.growthTracker = 0;
    } else if (++this.growthTracker === this.growthInterval) {
      // In float32 a larger one would be infinite.
      const grown = this.factor * this.growthFactor;
      if (Number.isFinite(Math.fround(grown))) this.factor = grown;
      this.growthTracker = 0;
    }
    this.done.clear();
  }

  /** The factor; 1 where the scaler is not enabled. */
  getScale(): number {
    return this.enabled ? this.factor : 1;
  }

  /** What the scale is multiplied by after enough steps without overflow. */
  getGrowthFactor(): number {
    return this.growthFactor;
  }

  /** Sets the growth factor: above 1. */
  setGrowthFactor(factor: number): void {
    check('GradScaler.setGrowthFactor', 'the factor', factor, above1);
    this.growthFactor = factor;
  }

  /** What the scale is multiplied by at an overflow. */
  getBackoffFactor(): number {
    return this.backoffFactor;
  }

  /** Sets the backoff factor: above 0 and below 1. */
  setBackoffFactor(factor: number): void {
    check('GradScaler.setBackoffFactor', 'the factor', factor, below1);
    this.backoffFactor = factor;
  }

  /** After how many steps without overflow the scale grows. */
  getGrowthInterval(): number {
    return this.growthInterval;
  }

  /** Sets the growth interval: a whole number above 0. */
  setGrowthInterval(interval: number): void {
    check('GradScaler.setGrowthInterval', 'the interval', interval, is.count);
    this.growthInterval = interval;
  }

  /** Whether it scales at all. */
  isEnabled(): boolean {
    return this.enabled;
  }

  /** Numbers, for a checkpoint; an empty object where the scaler is not enabled. */
  stateDict(): GradScalerState | Record<string, never> {
    if (!this.enabled) return {};
    return {
      scale: this.factor,
      growthFactor: this.growthFactor,
      backoffFactor: this.backoffFactor,
      growthInterval: this.growthInterval,
      growthTracker: this.growthTracker,
    };
  }

  /** Goes on from what `stateDict()` gave. */
  loadStateDict(state: GradScalerState | Record<string, never>): void {
    if (!this.enabled) return;
    check('GradScaler.loadStateDict', 'the state', state, is.object);
    for (const [name, kind] of Object.entries(stateKinds))
      check('GradScaler.loadStateDict', name, (state as Record<string, unknown>)[name], kind);
    const known = state as GradScalerState;
    this.factor = known.scale;
    this.growthFactor = known.growthFactor;
    this.backoffFactor = known.backoffFactor;
    this.growthInterval = known.growthInterval;
    this.growthTracker = known.growthTracker;
  }
}

function checkKnown(op: string, done: Done | undefined): void {
  if (done?.awaited) throw new TypeError(`GradScaler.${op}: await the calls of unscaleAsync_ and stepAsync first`);
}

function checkOptimizer(op: string, optimizer: unknown): void {
  if (
    !Array.isArray((optimizer as Step | null | undefined)?.paramGroups) ||
    typeof (optimizer as Step).step !== 'function'
  )
    throw new TypeError(`GradScaler.${op}: takes an optimizer, got ${show(optimizer)}`);
  checkGroups(`GradScaler.${op}`, (optimizer as Step).paramGroups);
}
