import {
  crossEntropy,
  grad,
  manualSeed,
  mseLoss,
  noGrad,
  ones,
  onesLike,
  randn,
  type Tensor,
  tensor,
  zeros,
  zerosLike,
} from '@gradgate/core';
import {
  BatchNorm1d,
  functionalCall,
  Linear,
  LSTM,
  Module,
  MultiheadAttention,
  Parameter,
  Sequential,
  TransformerEncoderLayer,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

class Tied extends Module {
  firstLayer = new Linear(2, 2);
  lastLayer = this.firstLayer;
  override forward(x: Tensor): Tensor {
    return this.lastLayer(x);
  }
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('functionalCall', () => {
  it('computes with what is given, and leaves the module as it is', () => {
    const net = new Sequential(new Linear(2, 3), new Linear(3, 1));
    const x = randn([4, 2]);
    const before = net(x).toArray();
    const y = functionalCall(net, { '0.weight': zeros([3, 2]), '0.bias': zeros([3]), '1.bias': ones([1]) }, x);
    expect(y.toArray()).toEqual([[1], [1], [1], [1]]);
    expect(net(x).toArray()).toEqual(before);
    expect(Object.keys(net.stateDict())).toEqual(['0.weight', '0.bias', '1.weight', '1.bias']);
  });

  it.each<[string, Module, Tensor[]]>([
    ['LSTM', new LSTM(2, 3, { numLayers: 2, bidirectional: true }), [ones([3, 1, 2])]],
    ['MultiheadAttention', new MultiheadAttention(4, 2), [ones([2, 1, 4]), ones([2, 1, 4]), ones([2, 1, 4])]],
    ['TransformerEncoderLayer', new TransformerEncoderLayer(4, 2).eval(), [ones([2, 1, 4])]],
    ['BatchNorm1d', new BatchNorm1d(2).eval(), [ones([3, 2])]],
    ['a shared layer under its second name', new Tied(), [ones([1, 2])]],
  ])('takes the names of the state dict, as PyTorch spells them: %s', (_, module, inputs) => {
    const state = Object.entries(module.stateDict()).filter(([key]) => !key.startsWith('first_layer'));
    const zeroed = Object.fromEntries(
      state.map(([key, t]) => [key, key === 'running_var' ? onesLike(t) : zerosLike(t)]),
    );
    const before = module(...inputs);
    const sum = (result: Tensor | Tensor[]): number => (Array.isArray(result) ? result[0]! : result).abs().sum().item();
    expect(sum(before)).toBeGreaterThan(0.01);
    expect(sum(functionalCall(module, zeroed, ...inputs))).toBe(0);
    expect(sum(module(...inputs))).toBe(sum(before));
  });

  it('gives gradients to what is given, and none to what it stands for', () => {
    const net = new Linear(2, 1);
    const weight = randn([1, 2]).requiresGrad_();
    functionalCall(net, { weight }, ones([1, 2]))
      .sum()
      .backward();
    expect(weight.grad!.toArray()).toEqual([[1, 1]]);
    expect(net.weight.grad).toBeNull();
    expect(net.bias!.grad!.toArray()).toEqual([1]);
  });

  it('goes through second-order gradients, as finite differences do', () => {
    manualSeed(2);
    const net = new Linear(3, 1).double();
    const [x, y] = [randn([5, 3], { dtype: 'float64' }), randn([5, 1], { dtype: 'float64' })];
    const afterStep = (): Tensor => {
      const [w, b] = [net.weight, net.bias!] as const;
      const [gw, gb] = grad(mseLoss(net(x), y), [w, b], { createGraph: true }) as [Tensor, Tensor];
      return mseLoss(functionalCall(net, { weight: w.sub(gw.mul(0.1)), bias: b.sub(gb.mul(0.1)) }, x), y);
    };
    const exact = grad(afterStep(), net.weight).toTypedArray();
    for (let i = 0; i < 3; i++) {
      const moved = (by: number) => {
        noGrad.run(() => net.weight.set(0, i, net.weight.at(0, i).add(by)));
        return afterStep().item();
      };
      const [above, below] = [moved(1e-5), moved(-2e-5)];
      moved(1e-5);
      expect(exact[i]!).toBeCloseTo((above - below) / 2e-5, 6);
    }
  });

  it('is this call’s alone, across awaits', async () => {
    class Slow extends Module {
      scale = new Parameter(ones([1]));
      override async forward(): Promise<number[]> {
        const seen = [];
        for (let i = 0; i < 4; i++) {
          seen.push(this.scale.item());
          await tick();
        }
        return seen;
      }
    }
    const net = new Slow();
    const all = await Promise.all([
      functionalCall(net, { scale: tensor([2]) }),
      net(),
      functionalCall(net, { scale: tensor([3]) }),
    ]);
    expect(all).toEqual([
      [2, 2, 2, 2],
      [1, 1, 1, 1],
      [3, 3, 3, 3],
    ]);
  });

  it('nests, and reaches shared parameters and those in arrays', () => {
    class Tied extends Module {
      a = new Linear(2, 2, { bias: false });
      b = new Linear(2, 2, { bias: false });
      list = [new Parameter(ones([1])), new Parameter(ones([1]))];
      constructor() {
        super();
        this.b.weight = this.a.weight;
      }
      override forward(x: Tensor): Tensor {
        return this.b(this.a(x)).add(this.list[1]!);
      }
    }
    const net = new Tied();
    const eye = tensor([
      [2, 0],
      [0, 2],
    ]);
    const x = ones([1, 2]);
    expect(functionalCall(net, { 'b.weight': eye }, x).toArray()).toEqual([[5, 5]]);
    expect(functionalCall(net, { 'a.weight': eye, 'list.1': zeros([1]) }, x).toArray()).toEqual([[4, 4]]);
    class Outer extends Module {
      net = net;
      override forward(x: Tensor): Tensor {
        return functionalCall(this.net, { 'list.1': tensor([7]) }, x);
      }
    }
    expect(functionalCall(new Outer(), { 'net.a.weight': eye }, x).toArray()).toEqual([[11, 11]]);
  });

  it('takes buffers, whose statistics are written in the module’s stead', () => {
    const norm = new BatchNorm1d(2);
    const runningMean = zeros([2]);
    functionalCall(norm, { runningMean }, ones([4, 2]));
    expect(runningMean.at(0).item()).toBeCloseTo(0.1);
    expect(norm.runningMean!.toArray()).toEqual([0, 0]);
  });

  it('works in recurrent layers, as loading the same values does', () => {
    const [lstm, other] = [new LSTM(3, 4), new LSTM(3, 4)];
    const x = randn([5, 2, 3]);
    const given = Object.fromEntries(other.namedParameters());
    const [got] = functionalCall(lstm, given, x) as unknown as [Tensor];
    const [want] = other(x) as unknown as [Tensor];
    expect(got.toArray()).toEqual(want.toArray());
  });

  it('refuses what does not fit', () => {
    const net = new Linear(2, 2);
    const x = ones([1, 2]);
    expect(() => functionalCall(net, { wieght: ones([2, 2]) }, x)).toThrow(
      /Linear has no parameter or buffer 'wieght'; it has weight, bias/,
    );
    expect(() => functionalCall(new Linear(1, 1), { ['x'.repeat(1e6)]: x }, x)).toThrow(/^.{0,300}$/);
    expect(() => functionalCall(net, { weight: ones([3, 2]) }, x)).toThrow(
      /'weight' has shape \[2, 2\], its substitute \[3, 2\]/,
    );
    expect(() => functionalCall(net, { weight: 3 } as never, x)).toThrow(/'weight' must be a Tensor, got 3/);
    expect(() => functionalCall({} as Linear, {}, x)).toThrow(/expected a Module/);
    expect(() => functionalCall(net, null as never, x)).toThrow(/expected tensors by name/);
    expect(() => crossEntropy(functionalCall(net, {}, ones([1, 3])), tensor([0], { dtype: 'int32' }))).toThrow(
      /Linear/,
    );
  });
});
