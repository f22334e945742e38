import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  backend,
  conv2d,
  convTranspose2d,
  dropout,
  evalMode,
  eye,
  forkRng,
  freezing,
  grad,
  inferenceMode,
  isTraining,
  type Kernels,
  linear,
  manualSeed,
  noGrad,
  ones,
  randn,
  savedTensorsHooks,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { checkpoint, type KeepableOperator, selectiveCheckpoint } from '@gradgate/core/checkpoint';
import { functionalCall, Linear } from '@gradgate/nn';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepableOperators } from '../../../packages/core/src/autograd/keep.js';
import { attentionWeights } from '../../../packages/core/src/ops/softmax.js';

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const leaf = (...shape: number[]) => randn(shape, { dtype: 'float64' }).requiresGrad_();

/** Counts the calls of a kernel: how often products are computed. */
function countCalls(name: keyof Kernels): { readonly calls: number } {
  const spy = vi.spyOn(backend('cpu').kernels, name);
  return {
    get calls() {
      return spy.mock.calls.length;
    },
  };
}
afterEach(() => vi.restoreAllMocks());

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
async function bytesHeld(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await tick();
  }
  return process.memoryUsage().arrayBuffers;
}

const eye3 = eye(3, { dtype: 'float64' });

/** Each operator that can be kept, on one tensor of float64, and the sizes it takes. */
const operators: Record<KeepableOperator, [fn: (x: Tensor) => Tensor, ...shape: number[]]> = {
  matmul: [(x) => x.matmul(x), 3, 3],
  linear: [(x) => linear(x, x), 3, 3],
  conv2d: [(x) => conv2d(x, x), 2, 2, 3, 3],
  convTranspose2d: [(x) => convTranspose2d(x, x), 2, 2, 3, 3],
  softmax: [(x) => x.softmax(1), 3, 4],
  logSoftmax: [(x) => x.logSoftmax(1), 3, 4],
  attentionWeights: [(x) => attentionWeights(x, 0.5, true), 4, 4],
  solve: [(x) => x.add(eye3.mul(4)).solve(x), 3, 3],
  cholesky: [(x) => x.matmul(x.transpose(0, 1)).add(eye3).cholesky(), 3, 3],
};

describe('selectiveCheckpoint', () => {
  it.each(keepableOperators)('does not compute %s again where it is kept, and has the same gradients', (op) => {
    const [fn, ...shape] = operators[op];
    manualSeed(3);
    const x = leaf(...shape);
    const storages: unknown[] = [];
    const block = (t: Tensor) => {
      const y = fn(t);
      storages.push(y.storage);
      return y.double().exp().mul(t.sum());
    };
    /** The gradients, and theirs; how often the block ran, and how many results of the operator were computed. */
    const measure = (y: Tensor) => {
      const g = grad(y.square().mean(), x, { createGraph: true });
      const gradients = [g, grad(g.square().sum(), x)];
      const ran = storages.length;
      const computed = new Set(storages.splice(0)).size;
      return { gradients, ran, computed };
    };
    const plain = measure(block(x));
    const all = measure(checkpoint(block, x));
    const kept = measure(selectiveCheckpoint([op], block, x));
    expect(all.ran).toBeGreaterThan(1);
    expect([all.computed, kept.ran, kept.computed]).toEqual([all.ran, all.ran, 1]);
    kept.gradients.forEach((g, i) => {
      expect(g.equal(all.gradients[i]!)).toBe(true);
      expect(g.allclose(plain.gradients[i]!)).toBe(true);
    });
  });

  it('computes again what a function does not want kept, asked at each call of the first run', () => {
    const products = countCalls('matmul');
    const asked: string[] = [];
    const x = leaf(4, 4);
    const y = selectiveCheckpoint(
      (op) => asked.push(op) % 2 === 1,
      (t: Tensor) => t.matmul(t).tanh().matmul(t).softmax(1).matmul(t).exp(),
      x,
    );
    expect([asked, products.calls]).toEqual([['matmul', 'matmul', 'softmax', 'matmul'], 3]);
    const before = products.calls;
    const again = () => {
      const now = products.calls;
      y.sum().backward({ retainGraph: true });
      return products.calls - now;
    };
    // Six products of the rules, and the two that are not kept; the same where the graph is gone through once more.
    expect([before, again(), again(), asked.length]).toEqual([3, 8, 8, 4]);
  });

  it('holds what is kept, and no more, until the graph has been gone through', async () => {
    const layers = Array.from({ length: 4 }, () => new Linear(256, 256));
    const block = (t: Tensor) => layers.reduce((y, layer) => layer(y).tanh().exp().sin(), t);
    const x = randn([1024, 256]);
    const result = 1024 * 256 * 4;
    const held = async (forward: () => Tensor) => {
      const before = await bytesHeld();
      const loss = forward().sum();
      const after = await bytesHeld();
      loss.backward();
      for (const layer of layers) layer.zeroGrad();
      return [after - before, (await bytesHeld()) - before].map((bytes) => bytes / result);
    };
    const [plain] = await held(() => block(x));
    const [none, noneLater] = await held(() => checkpoint(block, x));
    const [kept, keptLater] = await held(() => selectiveCheckpoint(['linear'], block, x));
    expect(plain).toBeGreaterThan(11);
    expect(none).toBeLessThan(1.5);
    expect(kept! - none!).toBeCloseTo(4, 0);
    expect([noneLater, keptLater].every((n) => n! < 1)).toBe(true);
  });

  it('computes again a result that has been written to since', () => {
    const products = countCalls('matmul');
    const x = leaf(3, 3);
    const block = (t: Tensor) => t.matmul(t).relu_().mul(t).exp();
    const y = selectiveCheckpoint(['matmul'], block, x).sum();
    const plain = grad(block(x).sum(), x);
    const before = products.calls;
    expect(grad(y, x).equal(plain)).toBe(true);
    expect(products.calls - before).toBe(3);
    const z = selectiveCheckpoint(['softmax'], (t: Tensor) => t.softmax(0), x);
    noGrad.run(() => z.detach().fill_(0));
    expect(grad(z.square().sum(), x).isnan().any().item()).toBe(0);
  });

  it('nests: each keeps its own, and an inner one’s inputs are the outer one’s to keep', async () => {
    const products = countCalls('matmul');
    const run = (outer: KeepableOperator[], inner: KeepableOperator[]) => {
      const x = leaf(4, 4);
      const part = (t: Tensor) => selectiveCheckpoint(inner, (u: Tensor) => u.matmul(u).exp().matmul(u).tanh(), t);
      const whole = (t: Tensor) => part(part(t.tanh()).sin());
      const plain = grad(whole(x).sum(), x);
      const before = products.calls;
      const y = selectiveCheckpoint(outer, whole, x).sum();
      const forward = products.calls - before;
      expect(grad(y, x).equal(plain)).toBe(true);
      return products.calls - before - forward;
    };
    const rules = 8;
    // Of four products: all, those of the outer run, those of the two inner ones, none.
    expect(run(['matmul'], ['matmul'])).toBe(rules);
    expect(run([], ['matmul'])).toBe(rules + 4);
    expect(run(['matmul'], [])).toBe(rules + 4);
    expect(run([], [])).toBe(rules + 8);

    const x = randn([1024, 256]).requiresGrad_();
    const before = await bytesHeld();
    const y = checkpoint((t: Tensor) => {
      for (let i = 0; i < 4; i++) t = checkpoint((u: Tensor) => u.exp().sin(), t.tanh());
      return t.sum();
    }, x);
    expect(((await bytesHeld()) - before) / (1024 * 256 * 4)).toBeLessThan(0.5);
    y.backward();
    expect(x.grad!.isfinite().all().item()).toBe(1);
  });

  it('takes inputs from hooks on saved tensors, whatever these make of them', () => {
    const x = leaf(3, 3);
    const block = (t: Tensor) => selectiveCheckpoint(['matmul'], (u: Tensor) => u.matmul(u).tanh(), t.sin()).sum();
    const hooks = { pack: (t: Tensor) => t.toArray(), unpack: (v: number[]) => tensor(v, { dtype: 'float64' }) };
    expect(
      grad(
        savedTensorsHooks(hooks, () => block(x)),
        x,
      ).equal(grad(block(x), x)),
    ).toBe(true);
  });

  it('is each flow’s own, with its modes and random numbers, between awaits', async () => {
    const [w, x] = [leaf(3, 3), leaf(3, 3)];
    const seen: boolean[] = [];
    const block = (t: Tensor) => {
      seen.push(isTraining(true));
      return dropout(t.matmul(w), { p: 0.5 }).tanh().matmul(w);
    };
    const flow = (seed: number, use: boolean) =>
      forkRng(seed).run(async () => {
        let y: Tensor = x;
        for (let i = 0; i < 3; i++) {
          y = use ? selectiveCheckpoint(['matmul'], block, y) : block(y);
          await tick();
        }
        return y.sum();
      });
    const outside = async (use: boolean) => {
      const [a, b, c] = await Promise.all([
        flow(1, use),
        evalMode.run(() => flow(2, use)),
        freezing(w).run(() => flow(3, use)),
      ]);
      await tick();
      return [c, a, b].map((y) => grad(y!, [x, w], { allowUnused: true }).map((g) => g?.toArray()));
    };
    expect(await outside(true)).toEqual(await outside(false));
    expect(seen.filter((training) => !training).length).toBe(3 + 3 + 3);
  });

  it('keeps nothing of what is made for inference only, and computes with other weights as it did', () => {
    const products = countCalls('matmul');
    const [layer, x] = [new Linear(3, 3).double(), leaf(3, 3)];
    const weight = leaf(3, 3);
    const block = (t: Tensor) =>
      functionalCall(layer, { weight }, t)
        .exp()
        .mul(inferenceMode.run(() => layer(t)).clone());
    const expected = grad(block(x).sum(), [x, weight]);
    const before = products.calls;
    const y = selectiveCheckpoint(['linear'], block, x).sum();
    const got = grad(y, [x, weight]);
    expect(got.map((g, i) => g.equal(expected[i]!))).toEqual([true, true]);
    // Two in the first run, one in the second, two of the rules.
    expect(products.calls - before).toBe(5);
  });

  it('just runs where gradients are off', () => {
    let runs = 0;
    noGrad.run(() => selectiveCheckpoint(['matmul'], () => void runs++));
    expect(runs).toBe(1);
  });

  it('refuses what cannot be kept, and a second run that does something else', () => {
    const x = ones([2, 2], { requiresGrad: true });
    expect(() => selectiveCheckpoint(['mul' as never], () => x)).toThrow(
      /selectiveCheckpoint: what to keep must be a list of matmul, linear, .*, or a function that decides, got 'mul'/,
    );
    expect(() => selectiveCheckpoint('matmul' as never, () => x)).toThrow(/got 'matmul'/);
    expect(() => selectiveCheckpoint(['matmul'], 3 as never)).toThrow(/selectiveCheckpoint: fn must/);
    expect(() => selectiveCheckpoint((() => 1) as never, (t: Tensor) => t.matmul(t), x)).toThrow(
      /selectiveCheckpoint\(keep\): what says whether to keep matmul must give true or false, got 1/,
    );
    expect(() => selectiveCheckpoint(['matmul'], async () => x)).toThrow(/gave a promise/);
    let other = false;
    const y = selectiveCheckpoint(['matmul'], (t: Tensor) => (other ? t.softmax(0) : t.matmul(t)).exp(), x).sum();
    other = true;
    expect(() => y.backward()).toThrow(
      /selectiveCheckpoint\(keep\): the second run computed softmax where the first computed matmul/,
    );
    const z = selectiveCheckpoint([], (t: Tensor) => (other ? t : t.softmax(0)).softmax(0).exp(), x).sum();
    other = false;
    expect(() => z.backward()).toThrow(/the second run computed softmax where the first had ended/);
  });
});
