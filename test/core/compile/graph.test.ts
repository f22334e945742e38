import {
  dropout,
  grad,
  inferenceMode,
  manualSeed,
  noGrad,
  ones,
  rand,
  randn,
  registerHook,
  retainGrad,
  type Tensor,
  tensor,
  tidy,
} from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import * as nn from '@gradgate/nn';
import { beforeEach, describe, expect, it } from 'vitest';
import { cases } from '../operators.js';

const values = (t: Tensor | null) => t && Array.from(t.detach().toTypedArray());
const { functional: F, optim } = nn;

/** The results of `fn` for each of `inputs`, and the gradients of all that gets one from a backward pass outside of it. */
function trained(fn: (x: Tensor) => Tensor, inputs: readonly Tensor[], leaves: readonly Tensor[]): unknown[] {
  manualSeed(7);
  return inputs.map((x) => {
    for (const t of [x, ...leaves]) if (t.isLeaf) t.grad = null;
    const y = fn(x);
    y.mul(y).sum().backward();
    return [y, ...[x, ...leaves].map((t) => t.grad)].map(values);
  });
}

/** That compiling changes nothing, and that all calls but one are replays. */
function expectSame(fn: (x: Tensor) => Tensor, makeInputs: () => readonly Tensor[], leaves: readonly Tensor[]): void {
  const compiled = compile(fn);
  const inputs = makeInputs();
  const expected = trained(fn, inputs, leaves);
  expect(trained(compiled, inputs, leaves)).toEqual(expected);
  expect(compiled.explain()).toMatchObject({ replays: inputs.length - 1, breaks: [], again: [] });
}

const batches =
  (shape: number[], requiresGrad = false) =>
  () =>
    [1, 2, 3].map((n) => randn(shape).mul(n).detach().requiresGrad_(requiresGrad));

beforeEach(() => manualSeed(3));

describe('a result with a graph, whose backward pass is outside of the compiled function', () => {
  it.each([[3], [4096]])('has the gradients of the plain function: %i elements', (n) => {
    const w = randn([n], { requiresGrad: true });
    const b = randn([n], { requiresGrad: true });
    for (const requiresGrad of [false, true]) {
      expectSame((x) => x.mul(w).add(b), batches([n], requiresGrad), [w, b]);
      // Saves its own result.
      expectSame((x) => x.mul(w).tanh(), batches([n], requiresGrad), [w]);
      // Constants and zeros of the call.
      expectSame(
        (x) =>
          x
            .mul(ones([n]).mul(3))
            .add(w)
            .relu(),
        batches([n], requiresGrad),
        [w],
      );
      // Gradients that are what the pass began with, and views of it.
      expectSame((x) => x.add(w).view(1, n), batches([n], requiresGrad), [w]);
      // A gradient that is read again and again.
      expectSame((x) => x.mul(w).sum(), batches([n], requiresGrad), [w]);
      // Random numbers, which both passes use.
      expectSame((x) => dropout(x.mul(w), { p: 0.5 }), batches([n], requiresGrad), [w]);
      expectSame((x) => x.mul(w).add(rand([n])), batches([n], requiresGrad), [w]);
    }
  });

  it.each(Object.keys(cases))('of %s, with other inputs at each call', (name) => {
    const [fn, ...makers] = cases[name]!;
    const forward = (...inputs: Tensor[]) => [fn(...inputs)].flat();
    const compiled = compile(forward);
    const run = (f: typeof forward, inputs: Tensor[]) => {
      const outs = f(...inputs);
      for (const [i, out] of outs.entries())
        if (out.requiresGrad)
          out.backward({ gradient: ones(out.shape, { dtype: out.dtype }).mul(i + 1), retainGraph: true });
      return [...outs, ...inputs.map((t) => t.grad)].map(values);
    };
    for (let i = 0; i < 3; i++) {
      const inputs = makers.map((make) => make());
      const same = inputs.map((t) => t.detach().clone().requiresGrad_(t.requiresGrad));
      manualSeed(i);
      const expected = run(forward, inputs);
      manualSeed(i);
      expect(run(compiled, same)).toEqual(expected);
    }
    const { replays, breaks } = compiled.explain();
    expect(replays + breaks.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(1);
    // Backward passes read no values.
    for (const { why } of breaks) expect(why).not.toMatch(/backward pass/);
  });

  it('is there after a backward pass inside that kept the graph', () => {
    const w = randn([3], { requiresGrad: true });
    expectSame(
      (x) => {
        const y = x.mul(w);
        const [g] = grad(y.square().sum(), [w], { retainGraph: true });
        w.grad = w.grad === null ? g! : w.grad.add(g!);
        return y;
      },
      batches([3]),
      [w],
    );
  });

  it('gives no gradient to what only results depend on that have none', () => {
    const [u, w] = [randn([3], { requiresGrad: true }), randn([3], { requiresGrad: true })];
    const f = compile((x: Tensor, y: Tensor) => [x.mul(u), y.mul(w).exp(), x.add(y)] as const);
    for (let i = 0; i < 6; i++) {
      const [x, y] = [ones([3], { requiresGrad: true }), ones([3], { requiresGrad: true })];
      u.grad = w.grad = null;
      const outs = f(x, y);
      outs[i % 3]!.sum().backward();
      expect([u, w, x, y].map(({ grad }) => grad !== null)).toEqual(
        [
          [true, false, true, false],
          [false, true, false, true],
          [false, false, true, true],
        ][i % 3],
      );
    }
    expect(f.explain().replays).toBe(5);
  });

  it('is one tensor where the function returns one twice', () => {
    const w = randn([3], { requiresGrad: true });
    const f = compile((x: Tensor) => {
      const y = x.mul(w);
      return { y, all: [y, y.sum()] } as const;
    });
    for (let i = 0; i < 3; i++) {
      const { y, all } = f(ones([3]));
      expect(all[0]).toBe(y);
      w.grad = null;
      y.sum().add(all[0].mul(2).sum()).backward();
      expect(w.grad!.toArray()).toEqual([3, 3, 3]);
    }
    expect(f.explain().replays).toBe(2);
  });

  it('is that of layers, with what they keep', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 4, 3, { padding: 1 }),
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(4 * 16, 8),
      new nn.LayerNorm(8),
      new nn.GELU(),
    );
    const before = model.stateDict();
    const copies = Object.fromEntries(Object.entries(before).map(([k, t]) => [k, (t as Tensor).clone()]));
    const inputs = batches([2, 1, 8, 8])();
    const leaves = [...model.parameters()];
    const expected = trained((x) => model.forward(x), inputs, leaves);
    const mean = values(model.stateDict()['1.runningMean'] as Tensor);
    model.loadStateDict(copies);
    const compiled = compile((x: Tensor) => model.forward(x));
    expect(trained(compiled, inputs, leaves)).toEqual(expected);
    expect(values(model.stateDict()['1.runningMean'] as Tensor)).toEqual(mean);
    expect(compiled.explain()).toMatchObject({ replays: 2, breaks: [] });
    expect(compiled.explain().records[0]!.kernels).toHaveProperty('maxPoolGradient');
  });

  it('trains by an optimizer outside as without compiling', () => {
    const run = (wrap: <G extends (x: Tensor) => Tensor>(fn: G) => G) => {
      manualSeed(1);
      const model = new nn.Sequential(new nn.Linear(8, 16), new nn.Tanh(), new nn.Linear(16, 3));
      const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
      const forward = wrap((x: Tensor) => model.forward(x));
      const losses: number[] = [];
      for (let i = 0; i < 6; i++) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(forward(randn([4, 8])), tensor([0, 1, 2, 1], { dtype: 'int32' }));
        loss.backward();
        optimizer.step();
        losses.push(loss.item());
      }
      return losses;
    };
    expect(run((fn) => compile(fn))).toEqual(run((fn) => fn));
  });

  it('is several results, alone, together, twice and in objects', () => {
    const w = randn([2048], { requiresGrad: true });
    const fn = (x: Tensor) => {
      const y = x.mul(w);
      return { y, all: [y.exp(), y, x.sin()], flag: true };
    };
    const f = compile(fn);
    for (let i = 0; i < 3; i++) {
      const x = randn([2048]);
      const gradOf = (g: typeof fn, pick: (r: ReturnType<typeof fn>) => Tensor) => values(grad(pick(g(x)).sum(), w));
      for (const pick of [
        (r: ReturnType<typeof fn>) => r.y,
        (r: ReturnType<typeof fn>) => r.all[0]!,
        (r: ReturnType<typeof fn>) => r.y.add(r.all[0]!).mul(r.all[1]!),
      ])
        expect(gradOf(f, pick)).toEqual(gradOf(fn, pick));
      expect(f(x).all[2]!.requiresGrad).toBe(false);
      expect(f(x).flag).toBe(true);
    }
    expect(f.explain()).toMatchObject({ calls: 15, replays: 14, breaks: [] });
  });

  it('is of each call: backward passes in another order than calls, and two through one graph', () => {
    const w = randn([1500], { requiresGrad: true });
    const fn = (x: Tensor) => x.mul(w).exp();
    const f = compile(fn);
    f(ones([1500]));
    const xs = [1, 2, 3].map((n) => randn([1500]).mul(n));
    const [mine, plain] = [xs.map(f), xs.map(fn)];
    for (const i of [1, 2, 0]) {
      expect(values(grad(mine[i]!.sum(), w, { retainGraph: true }))).toEqual(
        values(grad(plain[i]!.sum(), w, { retainGraph: true })),
      );
      expect(values(grad(mine[i]!.sin().sum(), w))).toEqual(values(grad(plain[i]!.sin().sum(), w)));
    }
    expect(() => grad(mine[0]!.sum(), w)).toThrow(/were freed by an earlier backward/);
  });

  it('is between the graphs of other functions', () => {
    const [v, w] = [randn([6], { requiresGrad: true }), randn([6], { requiresGrad: true })];
    const inner = (x: Tensor, y: Tensor) => x.mul(w).tanh().mul(y);
    const compiled = compile(inner);
    const outer = (fn: typeof inner, x: Tensor) => {
      // One argument is computed from the other.
      const h = x.mul(v).exp();
      return fn(h, h.sin()).mul(v).sum();
    };
    for (let i = 0; i < 3; i++) {
      const x = randn([6]);
      expect(grad(outer(compiled, x), [v, w]).map(values)).toEqual(grad(outer(inner, x), [v, w]).map(values));
    }
    expect(compiled.explain()).toMatchObject({ replays: 2, breaks: [] });
  });

  it('runs hooks of leaves and of results once for each backward pass', () => {
    const w = ones([3], { requiresGrad: true });
    const f = compile((x: Tensor) => x.mul(w));
    let [ofLeaf, ofResult] = [0, 0];
    const handle = registerHook(w, () => void ofLeaf++);
    for (let i = 1; i <= 3; i++) {
      const y = f(ones([3]));
      registerHook(y, (g) => {
        ofResult++;
        return g.mul(2);
      });
      y.sum().backward();
      expect([ofLeaf, ofResult]).toEqual([i, i]);
    }
    expect(values(w.grad)).toEqual([6, 6, 6]);
    handle.remove();
  });

  it('is freed by tidy, unless it leaves', () => {
    const w = randn([2048], { requiresGrad: true });
    const fn = (x: Tensor) => x.mul(w).exp().sum();
    const f = compile(fn);
    for (let i = 0; i < 3; i++) {
      const x = randn([2048]);
      const loss = tidy.run(() => f(x));
      expect(values(grad(loss, w))).toEqual(values(grad(fn(x), w)));
    }
  });
});

describe('what a compiled function with a graph refuses', () => {
  it('writes between the passes to what the backward pass reads', () => {
    const w = randn([2000], { requiresGrad: true });
    const f = compile((x: Tensor) => x.mul(w));
    for (let i = 0; i < 3; i++) {
      const x = randn([2000]);
      const y = f(x);
      x.add_(1);
      expect(() => y.sum().backward()).toThrow(/was modified in place since/);
      const z = f(x);
      noGrad.run(() => void w.mul_(2));
      // The gradient of w is x alone.
      z.sum().backward();
    }
    const g = compile((x: Tensor) => x.mul(w).mul(w));
    for (let i = 0; i < 2; i++) {
      const y = g(randn([2000]));
      noGrad.run(() => void w.mul_(2));
      expect(() => y.sum().backward()).toThrow(/was modified in place since/);
    }
  });

  it('gradients of gradients', () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const f = compile(function cubed(x: Tensor) {
      return x.mul(w).pow(3).sum();
    });
    f(ones([2]));
    const first = grad(f(ones([2])), w, { createGraph: true });
    expect(values(first)).toEqual([12, 27]);
    expect(() => first.sum().backward()).toThrow(/cubed: .*no gradient of its gradient/);
  });

  it.each<[string, (x: Tensor, w: Tensor) => Tensor, RegExp]>([
    [
      'a hook inside',
      (x, w) => {
        const y = x.mul(w);
        registerHook(y, (g) => g.mul(2));
        return y.exp();
      },
      /a hook or retainGrad on its graph/,
    ],
    [
      'a gradient that is kept',
      (x, w) => {
        const y = x.mul(w);
        retainGrad(y);
        return y.exp();
      },
      /retainGrad/,
    ],
    ['a view of a parameter', (_, w) => w.view(1, 2), /a view of memory from elsewhere/],
    ['a leaf made inside', (x) => ones([2], { requiresGrad: true }).mul(x), /a leaf made inside/],
  ])('%s: it runs as it is', (_, fn, why) => {
    const w = ones([2], { requiresGrad: true });
    const f = compile((x: Tensor) => fn(x, w));
    for (let i = 1; i <= 3; i++) {
      const x = ones([2]).mul(i);
      const [mine, plain] = [f(x), fn(x, w)];
      expect(values(mine)).toEqual(values(plain));
      const gradOf = (t: Tensor) => grad(t.sum(), w, { allowUnused: true } as const);
      expect(values(gradOf(mine))).toEqual(values(gradOf(plain)));
    }
    expect(f.explain()).toMatchObject({ replays: 0, breaks: [{ calls: 3 }] });
    expect(f.explain().breaks[0]!.why).toMatch(why);
  });

  it('a graph from elsewhere, of a tensor that is no argument', () => {
    const w = ones([2], { requiresGrad: true });
    const outside = w.mul(2);
    const f = compile((x: Tensor) => x.mul(outside));
    for (let i = 0; i < 2; i++) expect(values(grad(f(ones([2])).sum(), w, { retainGraph: true }))).toEqual([2, 2]);
    expect(f.explain().breaks[0]!.why).toMatch(/a tensor from elsewhere/);
    // A backward pass of the function's own that would leave it through an argument.
    const g = compile((x: Tensor) => {
      w.grad = null;
      x.mul(3).sum().backward();
    });
    for (let i = 0; i < 2; i++) {
      g(w.mul(2));
      expect(values(w.grad)).toEqual([6, 6]);
    }
    expect(g.explain().breaks[0]!.why).toMatch(/goes on through the graph/);
  });
});

it('modes and requiresGrad have records of their own: with a graph, and without', () => {
  const w = randn([4], { requiresGrad: true });
  const f = compile((x: Tensor) => x.mul(w));
  for (let i = 0; i < 3; i++) {
    expect(f(ones([4])).requiresGrad).toBe(true);
    expect(noGrad.run(() => f(ones([4]))).requiresGrad).toBe(false);
    expect(inferenceMode.run(() => f(ones([4]))).requiresGrad).toBe(false);
    expect(values(grad(f(ones([4], { requiresGrad: true })).sum(), w))).toEqual([1, 1, 1, 1]);
    // An argument with a graph, in a mode that records nothing.
    const h = w.mul(1);
    expect(noGrad.run(() => f(h)).requiresGrad).toBe(false);
  }
  expect(f.explain()).toMatchObject({ breaks: [], replays: 10 });
  w.requiresGrad_(false);
  expect(f(ones([4])).requiresGrad).toBe(false);
  w.requiresGrad_(true);
  expect(values(grad(f(ones([4])).sum(), w))).toEqual([1, 1, 1, 1]);
});
