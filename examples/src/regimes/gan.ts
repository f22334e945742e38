/**
 * A generator and a discriminator play against each other over points on a ring. `detach()` keeps the discriminator's
 * step out of the generator; `freezing` keeps the generator's step from recording gradients of the discriminator.
 */
import {
  binaryCrossEntropyWithLogits,
  cat,
  manualSeed,
  noGrad,
  ones,
  rand,
  randn,
  type Tensor,
  zeros,
} from '@gradgate/core';
import { freezing, LeakyReLU, Linear, optim, Sequential } from '@gradgate/nn';

manualSeed(3);
const real = (n: number): Tensor => {
  const angle = rand([n]).mul(2 * Math.PI);
  return cat([angle.cos().unsqueeze(1), angle.sin().unsqueeze(1)], 1).add(randn([n, 2]).mul(0.05));
};
const generator = new Sequential(
  new Linear(4, 32),
  new LeakyReLU(0.2),
  new Linear(32, 32),
  new LeakyReLU(0.2),
  new Linear(32, 2),
);
const discriminator = new Sequential(
  new Linear(2, 32),
  new LeakyReLU(0.2),
  new Linear(32, 32),
  new LeakyReLU(0.2),
  new Linear(32, 1),
);
const steps = 600;
const n = 64;
const options = { lr: 0.002, betas: [0.5, 0.99] as const };
const optimizerG = new optim.Adam(generator.parameters(), options);
const optimizerD = new optim.Adam(discriminator.parameters(), options);
const radiusOf = (points: Tensor): number => points.norm(2, 1).mean().item();
const sample = noGrad.wrap((count: number) => generator(randn([count, 4])));

const before = radiusOf(sample(500));
let leaked = 0;
for (let step = 0; step < steps; step++) {
  const fake = generator(randn([n, 4]));

  optimizerD.zeroGrad();
  const judged = discriminator(cat([real(n), fake.detach()]));
  binaryCrossEntropyWithLogits(judged, cat([ones([n, 1]), zeros([n, 1])])).backward();
  optimizerD.step();
  if ([...generator.parameters()].some((p) => p.grad !== null && step === 0)) leaked++;

  optimizerG.zeroGrad();
  optimizerD.zeroGrad();
  freezing(discriminator).run(() => binaryCrossEntropyWithLogits(discriminator(fake), ones([n, 1])).backward());
  if ([...discriminator.parameters()].some((p) => p.grad !== null)) leaked++;
  optimizerG.step();
}
console.log(`a step reached the other network ${leaked} times`);
console.log(
  `mean radius of generated points ${before.toFixed(2)} before, ${radiusOf(sample(500)).toFixed(2)} after ${steps} steps; the ring has 1`,
);
