import { Generator, ones, rand, type Tensor } from '@gradgate/core';
import { Linear, optim, Parameter } from '@gradgate/nn';
// @ts-expect-error: it has no types of its own
import memoize from 'lodash.memoize';
import { autorun, makeAutoObservable, observable } from 'mobx';
import { describe, expect, it, vi } from 'vitest';
import { reactive, ref, watchEffect } from 'vue';

// Tensors, modules and optimizers in the hands of libraries that wrap what they are given.

describe('Vue', () => {
  it('reactive() and ref() leave tensors, modules and optimizers as they are', () => {
    const net = new Linear(2, 1);
    const state = reactive({ x: ones([2]), net, optimizer: new optim.Adam(net.parameters(), { lr: 0.1 }) });
    expect(state.x.add(1).toArray()).toEqual([2, 2]);
    expect([...state.net.parameters()]).toHaveLength(2);
    state
      .net(state.x as Tensor)
      .sum()
      .backward();
    state.optimizer.step();
    expect(net.weight.grad!.toArray()).toEqual([[1, 1]]);
    expect(
      ref(ones([2]))
        .value.mul(3)
        .toArray(),
    ).toEqual([3, 3]);
  });

  it('a new tensor in a field is seen', () => {
    const state = reactive({ loss: ones([]) });
    const seen: number[] = [];
    watchEffect(() => seen.push(state.loss.item()), { flush: 'sync' });
    state.loss = ones([]).mul(2);
    expect(seen).toEqual([1, 2]);
  });
});

describe('MobX', () => {
  it('observable objects hold tensors, and modules that can be called', () => {
    const state = observable({ x: ones([2]), net: new Linear(2, 1) });
    expect(state.x.add(1).toArray()).toEqual([2, 2]);
    expect(state.net(state.x).shape).toEqual([1]);
  });

  it('a class with a module and a loss', () => {
    class Store {
      net = new Linear(2, 1);
      loss = ones([]);
      constructor() {
        makeAutoObservable(this, { net: false });
      }
      train() {
        this.loss = this.net(ones([2]))
          .sum()
          .square();
      }
    }
    const store = new Store();
    const seen: unknown[] = [];
    autorun(() => seen.push(store.loss.shape.length));
    store.train();
    expect(seen).toEqual([0, 0]);
    expect([...store.net.parameters()]).toHaveLength(2);
  });
});

describe('wrappers of functions', () => {
  const net = new Linear(2, 3);
  it.each([
    ['vi.fn', (f: Linear) => vi.fn(f as (x: Tensor) => Tensor)],
    ['lodash memoize', (f: Linear) => memoize(f as (x: Tensor) => Tensor)],
    ['its call', (f: Linear) => (x: Tensor) => (f as unknown as (x: Tensor) => Tensor).call(null, x)],
    ['its bind', (f: Linear) => (f as unknown as (x: Tensor) => Tensor).bind(null)],
    ['Reflect.apply', (f: Linear) => (x: Tensor) => Reflect.apply(f, null, [x]) as Tensor],
    ['Function.prototype.call', (f: Linear) => (x: Tensor) => Function.prototype.call.call(f, null, x) as Tensor],
    ['Function.prototype.bind', (f: Linear) => Function.prototype.bind.call(f, null) as (x: Tensor) => Tensor],
  ])('%s of a module calls it', (_, wrap) => {
    expect(wrap(net)(ones([2])).shape).toEqual([3]);
  });
});

describe('proxies of any library', () => {
  const parameters = () => [new Parameter(ones([2]))];
  /** Optimizers and schedulers in the hands of a proxy, and the values behind three steps. */
  const path = (wrap: <T extends object>(value: T) => T, make: (o: optim.Optimizer) => { step(): unknown }) => {
    const params = parameters();
    const optimizer = wrap(new optim.Adam(params, { lr: 0.1 }));
    const scheduler = wrap(make(optimizer));
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      params[0]!.mul(3).square().sum().backward();
      optimizer.step();
      scheduler.step();
    }
    return params[0]!.toArray();
  };
  it.each<[string, (o: optim.Optimizer) => { step(): unknown }]>([
    ['StepLR', (o) => new optim.StepLR(o, { stepSize: 1 })],
    ['OneCycleLR', (o) => new optim.OneCycleLR(o, { maxLr: 1, totalSteps: 5 })],
    ['CyclicLR', (o) => new optim.CyclicLR(o, { baseLr: 0.1, maxLr: 1, cycleMomentum: false })],
  ])('leave optimizers and %s as they are', (_, make) => {
    expect(path((value) => new Proxy(value, {}), make)).toEqual(path((value) => value, make));
  });

  it('leave a scaler of gradients as it is', () => {
    const w = new Parameter(ones([2]));
    const optimizer = new optim.SGD([w], { lr: 0.1 });
    const scaler = new Proxy(new optim.GradScaler({ initScale: 8 }), {});
    scaler.scale(w.square().sum()).backward();
    scaler.unscale_(optimizer);
    scaler.step(optimizer);
    scaler.update();
    expect(w.toArray()).toEqual([0.8, 0.8].map(Math.fround));
    const other = new Proxy(new optim.GradScaler(), {});
    other.loadStateDict(scaler.stateDict());
    expect(other.getScale()).toBe(8);
  });

  it('leave generators as they are', () => {
    const generator = new Proxy(new Generator(1), {});
    expect(rand([3], { generator }).toArray()).toEqual(rand([3], { generator: new Generator(1) }).toArray());
  });
});

it('generators are equal where their states are', () => {
  expect(new Generator(1)).toEqual(new Generator(1));
  expect(new Generator(1)).not.toEqual(new Generator(2));
});

it('modules and optimizers are refused by JSON, with stateDict as the way', () => {
  const net = new Linear(1, 1);
  expect(() => JSON.stringify({ net })).toThrow(/Linear: a module is not JSON.*stateDict/);
  expect(() => JSON.stringify(new optim.SGD(net.parameters(), { lr: 1 }))).toThrow(/SGD: an optimizer is not JSON/);
  expect(JSON.parse(JSON.stringify(net.stateDict()))).toEqual({
    weight: net.weight.toArray(),
    bias: net.bias!.toArray(),
  });
});

it('a field refuses what another copy of the package made', () => {
  const other = Object.assign(() => {}, { [Symbol.for('gradgate')]: {} });
  const net = new Linear(1, 1) as Linear & { other?: unknown };
  expect(() => {
    net.other = other;
  }).toThrow(/another copy of gradgate/);
});
