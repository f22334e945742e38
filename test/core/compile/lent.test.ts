import { layerNorm, memory, noGrad, ones, randn, type Tensor, tensor, tidy, zeros } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { functional as F, Linear, optim } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { residence } from '../../../packages/core/src/backend/wasm/residency.js';

const values = (t: Tensor) => Array.from(t.detach().toTypedArray());
const options = { reuseResults: true };
const n = 2000;
const given = /was given back by the next call of f, compiled with reuseResults; keep a clone\(\)/;

describe('results of a function compiled with reuseResults', () => {
  it('are those of the function', () => {
    const plain = (x: Tensor) => ({
      parts: [x.exp(), x.tanh().add(1).narrow(0, 7, 5)],
      sum: x.sum(),
      rows: x.view(20, 100).amax(1),
    });
    const f = compile(noGrad.wrap(plain), options);
    for (let i = 0; i < 4; i++) {
      const x = randn([n]);
      const [now, then] = [f(x), plain(x)];
      expect(now.parts.map(values)).toEqual(then.parts.map(values));
      expect(values(now.sum)).toEqual(values(then.sum));
      expect(values(now.rows)).toEqual(values(then.rows));
    }
    expect(f.explain()).toMatchObject({ replays: 3, breaks: [] });
  });

  it('are given back by the next replay, which any use afterwards says', () => {
    const f = compile(
      noGrad.wrap(function f(x: Tensor) {
        return x.exp();
      }),
      options,
    );
    const x = ones([n]);
    const first = f(x);
    const second = f(x);
    const view = second.view(20, 100);
    const kept = second.clone();
    f(zeros([n]));
    // The first call made a record, with results of its own.
    expect(first.isDisposed).toBe(false);
    expect(second.isDisposed).toBe(true);
    expect(() => second.add(1)).toThrow(given);
    expect(() => view.sum()).toThrow(given);
    expect(() => x.add(second)).toThrow(given);
    expect(() => second.toArray()).toThrow(given);
    expect(() => second.add_(1)).toThrow(given);
    expect(() => f(second)).toThrow(given);
    expect(values(kept)).toEqual(values(x.exp()));
  });

  it('may be arguments of the next call', () => {
    const plain = (h: Tensor, x: Tensor) => [h.mul(0.5).add(x), h.sum()] as const;
    const f = compile(noGrad.wrap(plain), options);
    let [h, other] = [zeros([n]), zeros([n])];
    for (let i = 0; i < 5; i++) {
      const x = randn([n]);
      const [now, then] = [f(h, x), plain(other, x)];
      expect(values(now[1])).toEqual(values(then[1]));
      [h, other] = [now[0], then[0]];
      expect(values(h)).toEqual(values(other));
    }
    expect(f.explain().replays).toBe(4);
  });

  it('may be parts of them, and be written', () => {
    const f = compile(
      noGrad.wrap((x: Tensor) => x.mul(2)),
      options,
    );
    const all = randn([2, n]);
    let [now, then] = [all, all];
    for (let i = 0; i < 4; i++) {
      [now, then] = [f(now.t()).t(), then.t().mul(2).t()];
      now.add_(1);
      then = then.add(1);
      expect(values(now)).toEqual(values(then));
    }
    expect(f.explain().replays).toBeGreaterThan(0);
  });

  it('take no memory of their own', () => {
    const f = compile(
      noGrad.wrap((x: Tensor) => [x.exp(), x.exp().sum(0)]),
      options,
    );
    const x = randn([100, n]);
    for (let i = 0; i < 3; i++) f(x);
    const before = memory();
    for (let i = 0; i < 20; i++) f(x);
    expect(memory()).toEqual(before);
  });

  it('outlive the function, its records and a tidy that it is called in', () => {
    let f = compile(
      noGrad.wrap((x: Tensor) => x.exp()),
      options,
    );
    const x = randn([n]);
    f(x);
    const result = tidy.run(() => {
      f(x);
      return f(x);
    });
    f.reset();
    f = compile(
      noGrad.wrap((x: Tensor) => x.tanh()),
      options,
    );
    for (let i = 0; i < 3; i++) f(x);
    expect(values(result)).toEqual(values(x.exp()));
  });

  it('of other dtypes, or of fewer elements, are their own', () => {
    const f = compile(
      noGrad.wrap((x: Tensor) => [x.gt(0), x.to('float64'), x.to('float16'), x.sum(), x.amax(), x.neg()]),
      options,
    );
    const all = [1, 2, 3].map(() => randn([n]));
    const results = all.map((x) => f(x));
    // Where tests keep everything in kernel memory, nothing is small.
    const sumIsLent = residence.from === 1;
    const second = [false, false, false, sumIsLent, sumIsLent, true];
    expect(results.map((r) => r.map((t) => t.isDisposed))).toEqual([
      second.map(() => false),
      second,
      second.map(() => false),
    ]);
    expect(results.map((r) => r.slice(0, 3).map(values))).toEqual(
      all.map((x) => [x.gt(0), x.to('float64'), x.to('float16')].map(values)),
    );
  });

  it('have a graph until then, over what the call keeps for it', () => {
    const w = randn([64], { requiresGrad: true });
    const plain = (x: Tensor) => layerNorm(x, [64], w, null).tanh();
    const f = compile(function f(x: Tensor) {
      return plain(x);
    }, options);
    for (let i = 0; i < 4; i++) {
      const x = randn([32, 64], { requiresGrad: true });
      const gradients = [f, plain].map((g) => {
        [x.grad, w.grad] = [null, null];
        g(x).square().sum().backward();
        return [values(x.grad!), values(w.grad!)];
      });
      expect(gradients[0]).toEqual(gradients[1]);
    }
    expect(f.explain().replays).toBe(3);
    const x = randn([32, 64]);
    f(x);
    const early = f(x).sum();
    f(x);
    expect(() => early.backward()).toThrow(given);
  });

  it('of a training step are its losses, and gradients stay where they are', () => {
    const [net, other] = [new Linear(64, 32), new Linear(64, 32)];
    other.loadStateDict(net.stateDict());
    const stepOf = (net: Linear) => {
      const optimizer = new optim.Adam(net.parameters());
      return (x: Tensor, y: Tensor) => {
        optimizer.zeroGrad();
        const error = F.mseLoss(net.forward(x), y, { reduction: 'none' });
        error.sum().backward();
        optimizer.step();
        return [error.detach(), net.weight.grad!.detach()];
      };
    };
    const [step, plain] = [compile(stepOf(net), options), stepOf(other)];
    for (let i = 0; i < 4; i++) {
      const [x, y] = [randn([64, 64]), randn([64, 32])];
      expect(step(x, y).map(values)).toEqual(plain(x, y).map(values));
      expect(values(net.weight.grad!)).toEqual(values(other.weight.grad!));
    }
    const gradient = net.weight.grad!;
    const before = values(gradient);
    step(randn([64, 64]), randn([64, 32]));
    expect(values(gradient)).toEqual(before);
    expect(step.explain().replays).toBe(4);
  });

  it('are asked for by a boolean', () => {
    expect(() => compile((x: Tensor) => x, { reuseResults: 1 as never })).toThrow('reuseResults');
    expect(values(compile((x: Tensor) => x, {})(tensor([1])))).toEqual([1]);
  });
});
