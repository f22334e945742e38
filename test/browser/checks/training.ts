import { crossEntropy, manualSeed, noGrad, randn, type Tensor } from '@gradgate/core';
import { Dropout, Linear, Module, optim } from '@gradgate/nn';
import { ok, same } from './assert.js';

let frozen = false;

class Net extends Module {
  hidden = new Linear(20, 32);
  dropout = new Dropout(0.1);
  output = new Linear(32, 2);

  @noGrad(() => frozen) features(x: Tensor): Tensor {
    return this.dropout(this.hidden(x).relu());
  }
  override forward(x: Tensor): Tensor {
    return this.output(this.features(x));
  }
  @noGrad accuracy(x: Tensor, y: Tensor): number {
    return this.forward(x).argmax(1).eq(y).float().mean().item();
  }
}

export function modelTrainsWithAdam(): void {
  manualSeed(3);
  const net = new Net();
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.02 });
  const x = randn([128, 20]);
  const y = x.narrow(1, 0, 1).squeeze(1).gt(0).to('int32');
  const step = (): number => {
    optimizer.zeroGrad();
    const loss = crossEntropy(net(x), y);
    loss.backward();
    optimizer.step();
    return loss.item();
  };
  const first = step();
  for (let i = 0; i < 30; i++) step();
  const last = step();
  ok(last < first / 2, `the loss went from ${first} to ${last}`);
  net.eval();
  ok(net.accuracy(x, y) > 0.9, `accuracy ${net.accuracy(x, y)}`);

  frozen = true;
  const before = [...net.hidden.weight.toTypedArray()];
  step();
  frozen = false;
  same(net.hidden.weight.grad, null, 'the gradient of a frozen layer');
  same([...net.hidden.weight.toTypedArray()], before, 'a frozen layer');
  ok(net.output.weight.grad !== null, 'the gradient of the other layer');
}
