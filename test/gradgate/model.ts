/** A small model for the tests and pictures of the command line tool. */
import { manualSeed, noGrad, randn, type Tensor } from '@gradgate/core';
import { Linear, Module } from '@gradgate/nn';

let frozen = false;

export class Net extends Module {
  readonly hidden = new Linear(4, 8);
  readonly output = new Linear(8, 2);

  @noGrad(() => frozen) features(x: Tensor): Tensor {
    return this.hidden(x).relu();
  }

  override forward(x: Tensor): Tensor {
    return this.output(this.features(x));
  }

  @noGrad mean(x: Tensor): Tensor {
    return this.forward(x).mean();
  }

  @noGrad async serve(x: Tensor): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 4));
    return this.mean(x).item();
  }
}

manualSeed(0);
export const net = new Net();
const x = randn([3, 4]);

/** A loss with three parts: recorded, computed under a gate, and detached. */
export default function loss(): Tensor {
  return net(x).square().mean().sub(net.mean(x)).add(net(x).sum().detach());
}

const served = [net.serve(x), net.serve(x)];
for (let step = 0; step < 6; step++) {
  frozen = step >= 3;
  net(x).sum().backward();
}
frozen = false;
await Promise.all(served);
