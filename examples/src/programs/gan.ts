// A generator learns to draw points on a ring, against a discriminator: node examples/dist/programs/gan.js
import {
  binaryCrossEntropyWithLogits,
  cat,
  evaluating,
  manualSeed,
  ones,
  rand,
  randn,
  type Tensor,
  zeros,
} from '@gradgate/core';
import { freezing, LeakyReLU, Linear, Module, optim, Sequential } from '@gradgate/nn';
import { fit } from '@gradgate/train';

const network = (inputs: number, outputs: number) =>
  new Sequential(
    new Linear(inputs, 32),
    new LeakyReLU(0.2),
    new Linear(32, 32),
    new LeakyReLU(0.2),
    new Linear(32, outputs),
  );
const ring = (count: number): Tensor => {
  const angle = rand([count, 1]).mul(2 * Math.PI);
  return cat([angle.cos(), angle.sin()], 1).add(randn([count, 2]).mul(0.05));
};

class Gan extends Module {
  generator = network(4, 2);
  discriminator = network(2, 1);
  optimizers = [this.generator, this.discriminator].map(
    (part) => new optim.Adam(part.parameters(), { lr: 0.002, betas: [0.5, 0.99] }),
  );
  judge(points: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(this.discriminator(points) as Tensor, target);
  }
  trainingStep(real: Tensor) {
    const count = real.shape[0]!;
    const [forGenerator, forDiscriminator] = this.optimizers;
    const fake = this.generator(randn([count, 4])) as Tensor;
    const judged = this.judge(cat([real, fake.detach()]), cat([ones([count, 1]), zeros([count, 1])]));
    forDiscriminator!.zeroGrad();
    judged.backward();
    forDiscriminator!.step();
    // Gradients go through the discriminator, and none are its own.
    const fooled = freezing(this.discriminator).run(() => this.judge(fake, ones([count, 1])));
    forGenerator!.zeroGrad();
    fooled.backward();
    forGenerator!.step();
    return { judged, fooled };
  }
  @evaluating radius(): number {
    return (this.generator(randn([500, 4])) as Tensor).norm(2, 1).mean().item();
  }
}

manualSeed(3);
const gan = new Gan();
const before = gan.radius();
const train = Array.from({ length: 100 }, () => ring(64));
const { history } = await fit(gan, { train, epochs: Number(process.argv[2] ?? 6) });
console.log(
  `discriminator ${history['judged']!.at(-1)!.toFixed(2)}, mean radius ${before.toFixed(2)} before, ${gan.radius().toFixed(2)} after; the ring has 1`,
);
