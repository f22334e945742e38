/** Gradients of small batches added up: the same step as one large batch would make, with the memory of a small one. */
import { manualSeed, mseLoss, randn } from '@gradgate/core';
import { Linear, optim, Sequential, Tanh } from '@gradgate/nn';

manualSeed(2);
const x = randn([64, 6]);
const y = randn([64, 1]);
const whole = new Sequential(new Linear(6, 12), new Tanh(), new Linear(12, 1));
const parts = new Sequential(new Linear(6, 12), new Tanh(), new Linear(12, 1));
parts.loadStateDict(whole.stateDict());

function step(net: typeof whole, size: number): void {
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
  for (let start = 0; start < 64; start += size) {
    const loss = mseLoss(net(x.narrow(0, start, size)), y.narrow(0, start, size));
    // Each part counts with its share; backward() adds to what is there.
    loss.mul(size / 64).backward();
  }
  optimizer.step();
}

step(whole, 64);
step(parts, 8);
const others = new Map(parts.namedParameters());
const worst = Math.max(...[...whole.namedParameters()].map(([name, p]) => p.sub(others.get(name)!).abs().max().item()));
console.log(`one batch of 64 and eight of 8: weights differ by at most ${worst.toExponential(0)}`);
console.log(`same step: ${worst < 1e-6}`);
