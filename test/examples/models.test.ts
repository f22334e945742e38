import { readFileSync } from 'node:fs';
import { arange, cat, cumprod, linspace, manualSeed, noGrad, randint, type Tensor, tensor } from '@gradgate/core';
import { functional, type Module, optim } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { ActorCritic } from '../../examples/src/models/actorCritic.js';
import { DDPM, UNet } from '../../examples/src/models/ddpm.js';
import { adjacency, GCN } from '../../examples/src/models/gcn.js';
import { GPT } from '../../examples/src/models/gpt.js';
import { ResNet } from '../../examples/src/models/resnet.js';
import { padding, Seq2Seq } from '../../examples/src/models/seq2seq.js';
import { VAE } from '../../examples/src/models/vae.js';

const losses: Record<string, number[]> = JSON.parse(
  readFileSync(new URL('../golden/models.json', import.meta.url), 'utf8'),
);

// Parameters and inputs are filled as in make_models.py.
function wave(shape: readonly number[], phase: number, scale = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: count }, (_, i) => scale * Math.sin(phase + 0.7 * i)),
    { shape },
  );
}

function fill<M extends Module>(model: M): M {
  model.double();
  [...model.namedParameters()].forEach(([name, p], at) => {
    const [first, ...rest] = p.shape;
    const scale = rest.length > 0 ? 1 / Math.sqrt(p.numel / first!) : 0.1;
    const values = wave(p.shape, at, scale);
    noGrad.run(() => p.copy_(p.ndim === 1 && name.endsWith('weight') ? values.add(1) : values));
  });
  return model;
}

const codes = (shape: number[], below: number, stride = 7): Tensor =>
  arange(shape.reduce((a, b) => a * b, 1))
    .mul(stride)
    .remainder(below)
    .reshape(shape);

function expectLosses(name: string, step: () => Tensor, after?: () => Tensor): void {
  const got = Array.from({ length: 5 }, () => step().item());
  if (after) got.push(after().item());
  expect(got).toHaveLength(losses[name]!.length);
  got.forEach((loss, i) => {
    const want = losses[name]![i]!;
    expect(Math.abs(loss - want) / want, `loss ${i}: ${loss}, PyTorch has ${want}`).toBeLessThan(1e-8);
  });
}

function train(optimizer: optim.Optimizer, loss: () => Tensor, between: () => void = () => {}): () => Tensor {
  return () => {
    optimizer.zeroGrad();
    const value = loss();
    value.backward();
    between();
    optimizer.step();
    return value;
  };
}

describe('models written as in PyTorch have its losses over five steps', () => {
  it('a GPT with one weight for embedding and head, AdamW by groups, clipping and a cosine of rates', () => {
    const model = fill(new GPT({ vocabulary: 11, context: 8, width: 12, heads: 3, layers: 2 }));
    const optimizer = model.optimizer(0.01);
    const scheduler = new optim.CosineAnnealingLR(optimizer, { tMax: 5 });
    const [tokens, targets] = [codes([2, 8], 11), codes([2, 8], 11, 5)];
    const clip = () => optim.clipGradNorm_(model.parameters(), 1);
    const step = train(
      optimizer,
      () => model.loss(tokens, targets),
      () => clip(),
    );
    expectLosses('gpt', () => {
      const loss = step();
      scheduler.step();
      return loss;
    });
  });

  it('a ResNet with Nesterov momentum, decay, smoothed labels and milestones, and its evaluation', () => {
    const model = fill(new ResNet([1, 1], 5, 4));
    const options = { lr: 0.05, momentum: 0.9, weightDecay: 1e-4, nesterov: true };
    const optimizer = new optim.SGD(model.parameters(), options);
    const scheduler = new optim.MultiStepLR(optimizer, { milestones: [2, 4] });
    const [x, y] = [wave([4, 3, 16, 16], 0.3), codes([4], 5, 3)];
    const step = train(optimizer, () => functional.crossEntropy(model(x), y, { labelSmoothing: 0.1 }));
    expectLosses(
      'resnet',
      () => {
        const loss = step();
        scheduler.step();
        return loss;
      },
      () => model.eval().forward(x).abs().sum(),
    );
  });

  it('a VAE with Adam', () => {
    const model = fill(new VAE(20, 8, 3));
    const [x, noise] = [wave([6, 4, 5], 0.1).abs(), wave([6, 3], 2)];
    expectLosses(
      'vae',
      train(new optim.Adam(model.parameters(), { lr: 1e-2 }), () => model.loss(x, noise)),
    );
  });

  it("PPO's clipped objective with Adam and clipping", () => {
    const model = fill(new ActorCritic(4, 3, 8));
    const [observations, actions] = [wave([10, 4], 0.5), codes([10], 3)];
    const before = noGrad.run(() =>
      model
        .policy(observations)
        .logProb(actions)
        .sub(wave([10], 3, 0.3)),
    );
    const plain = wave([10], 2);
    const advantages = plain.sub(plain.mean()).div(plain.std().add(1e-8));
    const steps = { observations, actions, before, returns: wave([10], 1), advantages };
    const optimizer = new optim.Adam(model.parameters(), { lr: 3e-3, eps: 1e-5 });
    const clip = () => optim.clipGradNorm_(model.parameters(), 0.5);
    expectLosses(
      'ppo',
      train(
        optimizer,
        () => model.loss(steps),
        () => clip(),
      ),
    );
  });

  it('a diffusion model with a U-Net, attention and AdamW', () => {
    const model = fill(new DDPM(new UNet(1, 4, 8), 50));
    // In float64 from the start, as there.
    model.kept.copy_(cumprod(linspace(1e-4, 0.02, 50, { dtype: 'float64' }).neg().add(1), 0));
    const [image, noise] = [wave([3, 1, 8, 8], 0.4), wave([3, 1, 8, 8], 2.2)];
    const t = tensor([3, 20, 47], { dtype: 'int32' });
    const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-3 });
    expectLosses(
      'ddpm',
      train(optimizer, () => model(image, t, noise)),
    );
  });

  it('a graph convolutional network with a mask of labelled nodes', () => {
    const model = fill(new GCN(5, 6, 3));
    const ints = (values: number[]) => tensor(values, { dtype: 'int32' });
    const graph = adjacency(ints([0, 1, 1, 2, 3, 4, 5, 6, 0, 2]), ints([1, 0, 2, 1, 4, 3, 6, 5, 6, 5]), 7, 'float64');
    const mask = tensor([true, true, false, true, false, true, true]);
    const [x, y] = [wave([7, 5], 0.2), codes([7], 3, 2)];
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.05, weightDecay: 5e-4 });
    expectLosses(
      'gcn',
      train(optimizer, () => functional.nllLoss(model(x, graph).at(mask), y.at(mask))),
    );
  });
});

describe('sequence to sequence', () => {
  const ints = (values: number[][]) => tensor(values, { dtype: 'int32' });
  const tokens = ints([
    [3, 4, 5, 0],
    [2, 8, 1, 6],
    [7, 5, 0, 0],
  ]);
  const lengths = tensor([3, 4, 2], { dtype: 'int32' });

  it("has PyTorch's losses over five steps, with packed sentences, attention and clipped values", () => {
    const model = fill(new Seq2Seq(9, 6));
    noGrad.run(() => {
      for (const { embedding } of [model.encoder, model.decoder]) embedding.weight.select(0, padding).zero_();
    });
    const target = ints([
      [1, 5, 4, 3, 2],
      [1, 6, 8, 2, 0],
      [1, 5, 7, 2, 0],
    ]);
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
    const clip = () => optim.clipGradValue_(model.parameters(), 0.5);
    expectLosses(
      'seq2seq',
      train(optimizer, () => model.loss(tokens, lengths, target), clip),
    );
  });

  it('what stands behind the end of a sentence does not count', () => {
    const model = new Seq2Seq(9, 6);
    const short = model.translate(tokens.narrow(0, 2, 1).narrow(1, 0, 2), tensor([2], { dtype: 'int32' }), 1, 5);
    const padded = model.translate(tokens, lengths, 1, 5).narrow(0, 2, 1);
    expect(padded.toArray()).toEqual(short.toArray());
  });
});

describe('what the models make', () => {
  it('a GPT writes on, in evaluation mode and without a graph, beyond what it sees at once', () => {
    manualSeed(1);
    const model = new GPT({ vocabulary: 11, context: 8, width: 12, heads: 3, layers: 1 });
    const start = randint(0, 11, [2, 3]);
    const written = model.generate(start, 9, 4);
    expect(written.shape).toEqual([2, 12]);
    expect(written.narrow(1, 0, 3).toArray()).toEqual(start.toArray());
    expect(written.requiresGrad).toBe(false);
    expect(model.training).toBe(true);
  });

  it('a VAE and a diffusion model draw samples without a graph', () => {
    manualSeed(2);
    const made = new VAE(20, 8, 3).sample(4);
    const images = new DDPM(new UNet(1, 4, 8), 5).sample([2, 1, 8, 8]);
    expect([made.shape, images.shape]).toEqual([
      [4, 20],
      [2, 1, 8, 8],
    ]);
    expect(cat([made.flatten(), images.flatten()]).isfinite().all().item()).toBe(1);
    expect([made.requiresGrad, images.requiresGrad]).toEqual([false, false]);
  });
});
