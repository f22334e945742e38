import { equal, forkRng, keep, memory, randint, randn, type Tensor, tidy } from '@gradgate/core';
import { BatchNorm1d, buffer, Dropout, functional as F, Linear, Module, optim, ReLU, Sequential } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { poisonFreed } from '../kernelMemory.js';

poisonFreed(64);

const model = () =>
  forkRng(1).run(
    () => new Sequential(new Linear(16, 32), new BatchNorm1d(32), new ReLU(), new Dropout(0.2), new Linear(32, 4)),
  );

const optimizers: [string, (params: Iterable<Tensor>) => { step(): void; zeroGrad(): void }][] = [
  ['SGD with momentum', (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 })],
  ['Adam', (p) => new optim.Adam(p)],
  ['AdamW, amsgrad', (p) => new optim.AdamW(p, { amsgrad: true })],
  ['Adagrad', (p) => new optim.Adagrad(p)],
  ['RMSprop', (p) => new optim.RMSprop(p, { centered: true, momentum: 0.9 })],
  ['Rprop', (p) => new optim.Rprop(p)],
  ['Adafactor', (p) => new optim.Adafactor(p)],
  ['Lion', (p) => new optim.Lion(p)],
];

describe('training under tidy', () => {
  it.each(optimizers)('gives the same weights, buffers and gradients to the bit as without: %s', (_, make) => {
    const train = (guard: (step: () => number) => () => number) => {
      const net = model();
      const optimizer = make(net.parameters());
      const step = guard(() => {
        const x = randn([8, 16]);
        optimizer.zeroGrad();
        const loss = F.crossEntropy(net(x), randint(0, 4, [8]));
        loss.backward();
        optim.clipGradNorm_(net.parameters(), 1);
        optimizer.step();
        return loss.item();
      });
      const losses = forkRng(2).run(() => Array.from({ length: 6 }, step));
      const grads = [...net.parameters()].map((p) => p.grad!);
      return { losses, tensors: [...Object.values(net.stateDict()), ...grads] };
    };
    const plain = train((step) => step);
    const tidied = train((step) => tidy.wrap(step));
    expect(tidied.losses).toEqual(plain.losses);
    tidied.tensors.forEach((t, i) => {
      expect(equal(t, plain.tensors[i]!)).toBe(true);
    });
  });

  it('holds no more memory after many steps than after a few', () => {
    const net = new Sequential(new Linear(64, 64), new ReLU(), new Linear(64, 64));
    const optimizer = new optim.Adam(net.parameters());
    const [x, y] = [randn([32, 64]), randn([32, 64])];
    const step = tidy.wrap(() => {
      optimizer.zeroGrad();
      const loss = F.mseLoss(net(x), y);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    for (let i = 0; i < 5; i++) step();
    const { bytes, tensors, peak, reserved } = memory();
    for (let i = 0; i < 300; i++) step();
    expect(memory()).toMatchObject({ bytes, tensors, peak, reserved });
  });

  it('leaves a model, its buffers and an optimizer that are made inside', () => {
    class Net extends Module {
      fc = new Linear(16, 16);
      scale = buffer(randn([16, 16]).mul(2));
      override forward(x: Tensor) {
        return this.fc(x).mul(this.scale);
      }
    }
    let net: Net = null!;
    let optimizer: optim.Adam = null!;
    tidy.run(() => {
      net = new Net();
      optimizer = new optim.Adam(net.parameters());
      net(randn([16, 16]))
        .sum()
        .backward();
      optimizer.step();
    });
    const loss = net(randn([16, 16])).sum();
    loss.backward();
    optimizer.step();
    expect(Number.isFinite(loss.item())).toBe(true);
    expect(net.clone()(randn([16, 16])).shape).toEqual([16, 16]);
  });

  it('refuses what a plain field kept from an earlier call, and says to keep() it', () => {
    class Recurrent extends Module {
      fc = new Linear(16, 16);
      hidden: Tensor = randn([1, 16]);
      @tidy override forward(x: Tensor): Tensor {
        this.hidden = this.fc(this.hidden.add(x)).tanh().detach();
        return this.hidden.sum();
      }
      @tidy keeping(x: Tensor): Tensor {
        this.hidden = keep(this.fc(this.hidden.add(x)).tanh().detach());
        return this.hidden.sum();
      }
    }
    const net = new Recurrent();
    net.keeping(randn([1, 16]));
    net.keeping(randn([1, 16]));
    net(randn([1, 16]));
    expect(() => net(randn([1, 16]))).toThrow(/add: .* was given back at the end of tidy on .*keep\(\) it/);
  });
});
