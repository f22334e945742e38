import { ones, type Tensor, tensor } from '@gradgate/core';
import { autocast } from '@gradgate/core/autocast';
import { Linear, optim } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const { GradScaler } = optim;

function setup(value = 2) {
  const w = tensor([value], { requiresGrad: true });
  return { w, optimizer: new optim.SGD([w], { lr: 0.1 }) };
}

describe('GradScaler', () => {
  it('makes the step that there would be without it', () => {
    const { w, optimizer } = setup();
    const scaler = new GradScaler();
    const loss = scaler.scale(w.square().sum());
    expect(loss.item()).toBe(4 * 65536);
    loss.backward();
    expect(w.grad!.item()).toBe(4 * 65536);
    scaler.step(optimizer);
    scaler.update();
    expect(w.item()).toBeCloseTo(1.6, 6);
    expect(scaler.getScale()).toBe(65536);
    expect(scaler.scale([ones([2]), ones([])]).map((t) => t.toArray())).toEqual([[65536, 65536], 65536]);
  });

  it('steps and unscales asynchronously as it does at once', async () => {
    const { w, optimizer } = setup();
    const scaler = new GradScaler();
    scaler.scale(w.square().sum()).backward();
    await scaler.unscaleAsync_(optimizer);
    expect(w.grad!.item()).toBe(4);
    await expect(scaler.unscaleAsync_(optimizer)).rejects.toThrow(/^GradScaler.unscaleAsync_: .* have been unscaled/);
    await scaler.stepAsync(optimizer);
    await expect(scaler.stepAsync(optimizer)).rejects.toThrow(/^GradScaler.stepAsync: .* has made a step/);
    scaler.update();
    expect(w.item()).toBeCloseTo(1.6, 6);
    scaler.scale(w.mul(Number.POSITIVE_INFINITY).sum()).backward();
    expect(await scaler.stepAsync(optimizer)).toBeUndefined();
    scaler.update();
    expect([w.item(), scaler.getScale()]).toEqual([expect.closeTo(1.6, 6), 32768]);
    const off = new GradScaler({ enabled: false });
    w.grad = ones([1]);
    await off.unscaleAsync_(optimizer);
    await off.stepAsync(optimizer);
    expect(w.item()).toBeCloseTo(1.5, 6);
  });

  it('refuses what has not been awaited: no step of gradients that overflow, and no step twice', async () => {
    const { w, optimizer } = setup();
    const scaler = new GradScaler();
    scaler.scale(w.mul(Number.POSITIVE_INFINITY).sum()).backward();
    const unscaled = scaler.unscaleAsync_(optimizer);
    expect(() => scaler.step(optimizer)).toThrow(/^GradScaler.step: await the calls/);
    expect(() => scaler.update()).toThrow(/^GradScaler.update: await the calls/);
    await expect(scaler.stepAsync(optimizer)).rejects.toThrow(/^GradScaler.stepAsync: await the calls/);
    await unscaled;
    expect(await scaler.stepAsync(optimizer)).toBeUndefined();
    scaler.update();
    expect([w.item(), scaler.getScale()]).toEqual([2, 32768]);
    optimizer.zeroGrad();
    scaler.scale(w.square().sum()).backward();
    const steps = await Promise.allSettled([scaler.stepAsync(optimizer), scaler.stepAsync(optimizer)]);
    expect(steps.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    scaler.update();
    expect(w.item()).toBeCloseTo(1.6, 6);
  });

  it('keeps gradients that float16 would round to 0', () => {
    const layer = new Linear(1, 1, { bias: false });
    const run = (scale: (loss: Tensor) => Tensor) => {
      layer.weight.grad = null;
      const y = autocast('float16').run(() => layer(ones([1, 1])) as Tensor);
      scale(y.float().mul(1e-8).sum()).backward();
      return layer.weight.grad!.item();
    };
    expect(run((loss) => loss)).toBe(0);
    const scaler = new GradScaler();
    const optimizer = new optim.SGD(layer.parameters(), { lr: 1 });
    expect(run((loss) => scaler.scale(loss))).toBeGreaterThan(0);
    scaler.unscale_(optimizer);
    expect(layer.weight.grad!.item() / 1e-8).toBeCloseTo(1, 0);
  });

  it('leaves out a step whose gradients overflow in float16, with a smaller factor from then on', () => {
    const layer = new Linear(1, 1, { bias: false });
    const before = layer.weight.item();
    const optimizer = new optim.Adam(layer.parameters());
    const scaler = new GradScaler({ initScale: 2 ** 20, growthInterval: 2 });
    const scales: number[] = [];
    for (let i = 0; i < 8; i++) {
      optimizer.zeroGrad();
      const y = autocast('float16').run(() => layer(ones([1, 1])) as Tensor);
      // The gradient of y is the factor itself, in float16, which ends at 65504.
      scaler.scale(y.float().sum()).backward();
      scaler.step(optimizer);
      scaler.update();
      scales.push(scaler.getScale());
      if (i < 5) expect(layer.weight.item()).toBe(before);
    }
    expect(scales).toEqual([2 ** 19, 2 ** 18, 2 ** 17, 2 ** 16, 2 ** 15, 2 ** 15, 2 ** 16, 2 ** 15]);
    expect(layer.weight.item()).not.toBe(before);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'a gradient of %s is an overflow',
    (value) => {
      const { w, optimizer } = setup();
      const scaler = new GradScaler({ initScale: 8 });
      w.grad = tensor([value]);
      expect(scaler.step(optimizer)).toBeUndefined();
      scaler.update();
      expect([w.item(), scaler.getScale()]).toEqual([2, 4]);
    },
  );

  it('unscale_ divides in place, once, so that gradients can be clipped before the step', () => {
    const { w, optimizer } = setup();
    const scaler = new GradScaler({ initScale: 1024 });
    scaler.scale(w.square().sum()).backward();
    scaler.unscale_(optimizer);
    expect(w.grad!.item()).toBe(4);
    optim.clipGradNorm_([w], 1);
    scaler.step(optimizer);
    scaler.update();
    expect(w.item()).toBeCloseTo(1.9, 5);
  });

  it('one overflow of several optimizers makes the factor smaller, and only that step is left out', () => {
    const [a, b] = [setup(), setup()];
    const scaler = new GradScaler({ initScale: 2 });
    a.w.grad = tensor([Number.POSITIVE_INFINITY]);
    b.w.grad = tensor([2]);
    scaler.step(a.optimizer);
    scaler.step(b.optimizer);
    scaler.update();
    expect(a.w.item()).toBe(2);
    expect(b.w.item()).toBeCloseTo(1.9, 6);
    expect(scaler.getScale()).toBe(1);
  });

  it('grows after growthInterval steps in a row without an overflow, and not to infinity', () => {
    const { w, optimizer } = setup();
    const scaler = new GradScaler({ initScale: 4, growthFactor: 3, growthInterval: 2 });
    const scales = [1, 1, 1, Number.NaN, 1, 1].map((g) => {
      w.grad = tensor([g]);
      scaler.step(optimizer);
      scaler.update();
      return scaler.getScale();
    });
    expect(scales).toEqual([4, 12, 12, 6, 6, 18]);
    const most = new GradScaler({ initScale: 2 ** 127, growthInterval: 1 });
    w.grad = tensor([1]);
    most.step(optimizer);
    most.update();
    expect(most.getScale()).toBe(2 ** 127);
    most.update(32);
    expect(most.getScale()).toBe(32);
  });

  it('goes on from its state', () => {
    const scaler = new GradScaler({ initScale: 8, growthFactor: 4, backoffFactor: 0.25, growthInterval: 2 });
    const { w, optimizer } = setup();
    const step = (s: InstanceType<typeof GradScaler>) => {
      w.grad = tensor([1]);
      s.step(optimizer);
      s.update();
      return s.getScale();
    };
    step(scaler);
    const state = scaler.stateDict();
    expect(state).toEqual({ scale: 8, growthFactor: 4, backoffFactor: 0.25, growthInterval: 2, growthTracker: 1 });
    const other = new GradScaler();
    other.loadStateDict(JSON.parse(JSON.stringify(state)));
    expect(step(other)).toBe(32);
    other.setGrowthFactor(8);
    other.setBackoffFactor(0.125);
    other.setGrowthInterval(1);
    expect([other.getGrowthFactor(), other.getBackoffFactor(), other.getGrowthInterval(), other.isEnabled()]).toEqual([
      8,
      0.125,
      1,
      true,
    ]);
    expect(step(other)).toBe(256);
  });

  it('does nothing where it is not enabled', () => {
    const { w, optimizer } = setup();
    const scaler = new GradScaler({ enabled: false });
    const loss = w.square().sum();
    expect(scaler.scale(loss)).toBe(loss);
    loss.backward();
    scaler.unscale_(optimizer);
    scaler.step(optimizer);
    scaler.update();
    expect(w.item()).toBeCloseTo(1.6, 6);
    expect([scaler.getScale(), scaler.stateDict(), scaler.isEnabled()]).toEqual([1, {}, false]);
  });

  const stepped = () => {
    const { optimizer } = setup();
    const scaler = new GradScaler();
    scaler.step(optimizer);
    return { scaler, optimizer };
  };
  it.each<[string, () => unknown, RegExp]>([
    [
      'update before a step',
      () => new GradScaler().update(),
      /^GradScaler\.update: no optimizer has been unscaled or stepped/,
    ],
    [
      'a second unscale_',
      () => {
        const { optimizer } = setup();
        const scaler = new GradScaler();
        scaler.unscale_(optimizer);
        scaler.unscale_(optimizer);
      },
      /^GradScaler\.unscale_: the gradients of this optimizer have been unscaled since/,
    ],
    [
      'unscale_ after a step',
      () => {
        const { scaler, optimizer } = stepped();
        scaler.unscale_(optimizer);
      },
      /^GradScaler\.unscale_: the gradients of this optimizer have been used by step\(\) since/,
    ],
    [
      'a second step',
      () => {
        const { scaler, optimizer } = stepped();
        scaler.step(optimizer);
      },
      /^GradScaler\.step: this optimizer has made a step since/,
    ],
    [
      'parameters of float16',
      () => {
        const w = tensor([1], { dtype: 'float16', requiresGrad: true });
        w.sum().backward();
        new GradScaler().unscale_(new optim.SGD([w], { lr: 1 }));
      },
      /^GradScaler\.unscale_: a parameter is float16/,
    ],
    [
      'what is no optimizer',
      () => new GradScaler().step({} as never),
      /^GradScaler\.step: takes an optimizer, got an object/,
    ],
    [
      'nothing',
      () => new GradScaler().unscale_(undefined as never),
      /^GradScaler\.unscale_: takes an optimizer, got undefined/,
    ],
    [
      'a loss that is a number',
      () => new GradScaler().scale(3 as never),
      /^GradScaler\.scale: the outputs must be a Tensor/,
    ],
    ['a factor of 0', () => new GradScaler({ initScale: 0 }), /^GradScaler: initScale must be a finite number above 0/],
    ['growth below 1', () => new GradScaler({ growthFactor: 1 }), /^GradScaler: growthFactor must be a number above 1/],
    [
      'backoff above 1',
      () => new GradScaler({ backoffFactor: 2 }),
      /^GradScaler: backoffFactor must be a number above 0 and below 1/,
    ],
    [
      'an interval of half a step',
      () => new GradScaler({ growthInterval: 0.5 }),
      /^GradScaler: growthInterval must be a whole number above 0/,
    ],
    [
      'an unknown option',
      () => new GradScaler({ init_scale: 2 } as never),
      /^GradScaler: there is no option 'init_scale'; did you mean 'initScale'/,
    ],
    [
      'a damaged state',
      () => new GradScaler().loadStateDict({ scale: 'x' } as never),
      /^GradScaler\.loadStateDict: scale must be a finite number/,
    ],
    [
      'a new scale of NaN',
      () => new GradScaler().update(Number.NaN),
      /^GradScaler\.update: the new scale must be a finite number above 0/,
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
