import { DeviceError, manualSeed, randint, randn, type Tensor, tensor } from '@gradgate/core';
import { autocast } from '@gradgate/core/autocast';
import '@gradgate/core/sparse';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  functional,
  LayerNorm,
  Linear,
  MaxPool2d,
  type Module,
  optim,
  ReLU,
  Sequential,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { needGpu } from './gpu.js';

const gpu = await needGpu('training on webgpu');

/** The losses of some steps, each on a device of its own, from the same weights and the same random numbers. */
async function losses(
  device: string,
  make: () => Module,
  x: Tensor,
  y: Tensor,
  optimizer: (params: Iterable<Tensor>) => optim.Optimizer<any, any>,
  steps: number,
): Promise<number[]> {
  manualSeed(7);
  const model = make().to(device) as Module & ((x: Tensor) => Tensor);
  const opt = optimizer(model.parameters());
  const [images, labels] = [x.to(device), y.to(device)];
  const all: number[] = [];
  for (let i = 0; i < steps; i++) {
    opt.zeroGrad();
    const loss = functional.crossEntropy(model(images), labels);
    loss.backward();
    opt.step();
    all.push(await loss.itemAsync());
  }
  return all;
}

function expectAlike(got: readonly number[], want: readonly number[], tolerance: number): void {
  got.forEach((v, i) => {
    expect(
      Math.abs(v - want[i]!) / Math.max(1, Math.abs(want[i]!)),
      `step ${i}: ${v}, on the host ${want[i]}`,
    ).toBeLessThan(tolerance);
  });
}

const mlp = () =>
  new Sequential(new Linear(12, 24), new ReLU(), new LayerNorm(24), new Dropout(0.2), new Linear(24, 5));
const cnn = () =>
  new Sequential(
    new Conv2d(1, 4, 3, { padding: 1 }),
    new BatchNorm2d(4),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(4, 8, 3),
    new ReLU(),
    new Flatten(),
    new Linear(8 * 2 * 2, 5),
  );

describe.skipIf(!gpu)('training on webgpu', () => {
  manualSeed(3);
  const [x, y] = [randn([16, 12]), randint(0, 5, [16])];
  const [images, labels] = [randn([8, 1, 8, 8]), randint(0, 5, [8])];

  it('a perceptron with dropout and layer norm has the losses that it has on the host', async () => {
    const train = (device: string) => losses(device, mlp, x, y, (p) => new optim.Adam(p, { lr: 0.01 }), 20);
    const [got, want] = [await train(gpu!), await train('cpu')];
    expectAlike(got, want, 1e-4);
    expect(got.at(-1)!).toBeLessThan(got[0]! * 0.8);
  });

  it('a convolutional network with batch norm and pooling has the losses that it has on the host', async () => {
    const train = (device: string) =>
      losses(device, cnn, images, labels, (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }), 10);
    const [got, want] = [await train(gpu!), await train('cpu')];
    expectAlike(got, want, 1e-3);
    expect(got.at(-1)!).toBeLessThan(got[0]! * 0.5);
  });

  const optimizers: Record<string, (p: Iterable<Tensor>) => optim.Optimizer<any, any>> = {
    SGD: (p) => new optim.SGD(p, { lr: 0.1, weightDecay: 0.1, maximize: true }),
    'SGD with momentum': (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true }),
    Adam: (p) => new optim.Adam(p, { lr: 0.02, weightDecay: 0.1 }),
    'Adam with amsgrad': (p) => new optim.Adam(p, { lr: 0.02, amsgrad: true }),
    AdamW: (p) => new optim.AdamW(p, { lr: 0.02 }),
    RMSprop: (p) => new optim.RMSprop(p, { lr: 0.01 }),
    'RMSprop, centered': (p) => new optim.RMSprop(p, { lr: 0.01, centered: true, eps: 1e-4 }),
    'RMSprop with momentum': (p) => new optim.RMSprop(p, { lr: 0.01, momentum: 0.5 }),
    'RMSprop, centered, with momentum': (p) =>
      new optim.RMSprop(p, { lr: 0.01, momentum: 0.5, centered: true, eps: 1e-4 }),
    ASGD: (p) => new optim.ASGD(p, { lr: 0.05 }),
    Adagrad: (p) => new optim.Adagrad(p, { lr: 0.05 }),
    Adadelta: (p) => new optim.Adadelta(p, { lr: 1 }),
    Rprop: (p) => new optim.Rprop(p, { lr: 0.01 }),
    Adamax: (p) => new optim.Adamax(p, { lr: 0.02 }),
    NAdam: (p) => new optim.NAdam(p, { lr: 0.02 }),
    RAdam: (p) => new optim.RAdam(p, { lr: 0.02 }),
    Lion: (p) => new optim.Lion(p, { lr: 0.01 }),
    Adafactor: (p) => new optim.Adafactor(p, { lr: 0.01 }),
    Muon: (p) => new optim.Muon(p, { lr: 0.01 }),
  };

  it.each(Object.keys(optimizers))('%s takes the steps that it takes on the host', async (name) => {
    // Smooth, so that no rounding takes another path.
    const path = async (device: string) => {
      const w = tensor([
        [0.5, -1.25, 2],
        [0.75, -0.1, -0.6],
      ])
        .to(device)
        .detach()
        .requiresGrad_();
      const opt = optimizers[name]!([w]);
      for (let i = 0; i < 8; i++) {
        opt.zeroGrad();
        w.mul(tensor([1, 2, -0.5]).to(device))
          .sin()
          .add(w.square().mul(0.3))
          .sum()
          .backward();
        opt.step();
      }
      return w.data();
    };
    const [got, want] = [await path(gpu!), await path('cpu')];
    want.forEach((v, i) => {
      expect(Math.abs(got[i]! - v), `element ${i}: ${got[i]}, on the host ${v}`).toBeLessThan(2e-5);
    });
  });

  it('steps under autocast with a scaler of losses as on the host, and leaves out one that overflows', async () => {
    const train = async (device: string) => {
      manualSeed(5);
      const model = new Sequential(new Linear(12, 24), new ReLU(), new Linear(24, 5)).to(device);
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
      const scaler = new optim.GradScaler();
      const all: number[] = [];
      for (let i = 0; i < 6; i++) {
        optimizer.zeroGrad();
        // The third batch is too large for float16.
        const batch = x.mul(i === 2 ? 1e5 : 1).to(device);
        const loss = autocast('float16').run(() => functional.crossEntropy(model(batch), y.to(device)));
        scaler.scale(loss).backward();
        await scaler.stepAsync(optimizer);
        scaler.update();
        if (i !== 2) all.push(await loss.itemAsync());
        all.push(scaler.getScale());
      }
      return all;
    };
    const [got, want] = [await train(gpu!), await train('cpu')];
    expectAlike(got, want, 2e-3);
    expect(want.at(-1)).toBe(32768);
    const w = tensor([1]).to(gpu!).detach().requiresGrad_();
    w.mul(2).sum().backward();
    const [scaler, optimizer] = [new optim.GradScaler(), new optim.SGD([w], { lr: 1 })];
    expect(() => scaler.step(optimizer)).toThrow(
      /^GradScaler.unscale_: .* on webgpu .*await scaler.stepAsync\(optimizer\)/,
    );
  });

  it('all optimizers run there but LBFGS, which reads its losses, and SparseAdam, whose gradients are on the host; both say so', () => {
    const tested = new Set(Object.keys(optimizers).map((name) => name.split(/[ ,]/)[0]!));
    const all = Object.entries(optim).filter(([, value]) => (value as Function).prototype instanceof optim.Optimizer);
    expect(all.map(([name]) => name).filter((name) => !tested.has(name))).toEqual(['LBFGS', 'SparseAdam']);
    const embedding = new Embedding(5, 3, { sparse: true }).to(gpu!);
    expect(() =>
      embedding(tensor([1, 2], { dtype: 'int64' }).to(gpu!))
        .sum()
        .backward(),
    ).toThrow(/embedding: the weight must be on cpu, got webgpu; sparse gradients are there only/);
    const w = tensor([1, 2]).to(gpu!).detach().requiresGrad_();
    const opt = new optim.LBFGS([w]);
    expect(() =>
      opt.step(() => {
        const loss = w.square().sum();
        loss.backward();
        return loss;
      }),
    ).toThrow(DeviceError);
  });
});
