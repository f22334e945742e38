import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  enableGrad,
  explainGrad,
  inferenceMode,
  isGradEnabled,
  mul,
  noGrad,
  ones,
  setDevelopmentMode,
  setReporter,
  type Tensor,
  tensor,
  zeros,
  zerosLike,
} from '@gradgate/core';
import { Parameter } from '@gradgate/nn';
import { afterEach, describe, expect, it } from 'vitest';

afterEach(() => {
  setDevelopmentMode(false);
  setReporter(null);
});
const leaf = (...values: number[]) => tensor(values, { requiresGrad: true });

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
async function collected(make: () => object): Promise<boolean> {
  const ref = new WeakRef(make());
  for (let i = 0; i < 10 && ref.deref(); i++) {
    await new Promise((r) => setTimeout(r, 1));
    gc();
  }
  return ref.deref() === undefined;
}

describe('K. tensors under noGrad', () => {
  it('results do not require grad, have no gradFn, are leaves', () => {
    const x = leaf(1, 2);
    const y = noGrad.run(() => x.mul(2));
    expect([y.requiresGrad, y.gradFn, y.isLeaf]).toEqual([false, null, true]);
  });

  it('factories and parameters that ask for it keep requiresGrad', () => {
    noGrad.run(() => {
      expect(zeros([1], { requiresGrad: true }).requiresGrad).toBe(true);
      expect(new Parameter(zeros([1])).requiresGrad).toBe(true);
    });
  });

  it('copies do not inherit it', () => {
    const x = leaf(1);
    noGrad.run(() =>
      expect([x.clone(), zerosLike(x), x.to('float64'), tensor(x)].map((t) => t.requiresGrad)).toEqual([
        false,
        false,
        false,
        false,
      ]),
    );
  });

  it('requiresGrad_ works inside; operations inside stay untracked, those after are tracked', () => {
    const x = tensor([1]);
    noGrad.run(() => {
      x.requiresGrad_();
      expect(x.mul(2).requiresGrad).toBe(false);
    });
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  it('methods and conversions with nothing to do return the same tensor, which still requires grad', () => {
    const x = leaf(1, 2);
    noGrad.run(() => {
      expect(x.contiguous()).toBe(x);
      expect(x.float()).toBe(x);
      expect(x.reshape(2)).toBe(x);
      expect(x.float().requiresGrad).toBe(true);
    });
  });

  it('a result enters later graphs as a constant', () => {
    const x = leaf(3);
    const c = noGrad.run(() => x.mul(x));
    x.mul(c).sum().backward();
    expect(x.grad!.toArray()).toEqual([9]);
  });

  it('intermediates can be collected at once; a graph keeps them until it is gone', async () => {
    const x = ones([8], { requiresGrad: true });
    expect(
      await collected(() => {
        const { hidden, out } = noGrad.run(() => {
          const hidden = x.exp();
          return { hidden, out: hidden.sum() };
        });
        out.item();
        return hidden;
      }),
    ).toBe(true);
    let out: Tensor | null = null;
    expect(
      await collected(() => {
        const hidden = x.exp();
        out = hidden.sum();
        return hidden;
      }),
    ).toBe(false);
    out!.backward();
    out = null;
    expect(x.grad).not.toBeNull();
  });

  it('finalization callbacks run in the default mode', async () => {
    const modes: boolean[] = [];
    const registry = new FinalizationRegistry(() => modes.push(isGradEnabled()));
    noGrad.run(() => registry.register({}, 'gone'));
    for (let i = 0; i < 20 && modes.length === 0; i++) {
      gc();
      await new Promise((r) => setTimeout(r, 1));
    }
    expect(modes).toEqual([true]);
  });

  it('backward works inside, with createGraph too', () => {
    const x = leaf(3);
    const y = x.mul(x).mul(x).sum();
    noGrad.run(() => {
      y.backward({ createGraph: true });
      expect(x.grad!.requiresGrad).toBe(true);
    });
    expect(x.grad!.toArray()).toEqual([27]);
  });

  it('backward of an untracked result says where tracking was off', () => {
    const x = leaf(1);
    setDevelopmentMode(true);
    class Net {
      @noGrad forward() {
        return x.mul(2);
      }
    }
    const y = new Net().forward().add(1).sum();
    expect(() => y.backward()).toThrow(
      /does not require grad.*recording was off.*noGrad on forward at .*recording\.test\.ts:\d+/,
    );
    expect(() => x.detach().sum().backward()).toThrow(/came from detach\(\)/);
    expect(() => tensor([1]).sum().backward()).toThrow(/nothing it was computed from requires grad/);
    expect(() => tensor([1], { dtype: 'int32' }).backward()).toThrow(/int32 tensors never require grad/);
  });

  it('explainGrad answers why a tensor is tracked or not', () => {
    const x = leaf(1);
    expect(explainGrad(x)).toBe('tracked: a leaf that requires grad');
    expect(explainGrad(x.exp())).toBe('tracked: computed by exp');
    expect(explainGrad(noGrad.run(() => x.exp()))).toMatch(/^untracked: .*switched off by noGrad/);
    expect(explainGrad(x.detach())).toMatch(/detach\(\)/);
    expect(explainGrad(inferenceMode.run(() => x.exp()))).toMatch(/inferenceMode/);
  });

  it('only leaves of floating point can be told', () => {
    expect(() => leaf(1).mul(2).requiresGrad_(false)).toThrow(/detach\(\)/);
    expect(() => tensor([1], { dtype: 'bool' }).requiresGrad_()).toThrow(/bool/);
  });

  it('a leaf frozen between forward and backward gets no gradient, others do', () => {
    const [a, b] = [leaf(2), leaf(3)];
    const y = a.mul(b).sum();
    a.requiresGrad_(false);
    y.backward();
    expect([a.grad, b.grad!.toArray()]).toEqual([null, [2]]);
  });

  it('detach shares storage; made to require grad it is an independent leaf', () => {
    const x = leaf(1);
    const d = x.detach().requiresGrad_();
    d.mul(5).sum().backward();
    expect([d.grad!.toArray(), x.grad, d.storage === x.storage]).toEqual([[5], null, true]);
  });
});

describe('L. views, in-place, versions', () => {
  it('in-place on a leaf that requires grad throws, data unchanged', () => {
    const x = leaf(1, 2);
    expect(() => x.add_(1)).toThrow(/add_: a leaf that requires grad cannot be written to.*noGrad\.run/);
    expect(() => x.select(0, 0).fill_(9)).toThrow(/view of a leaf that requires grad/);
    expect([x.toArray(), x.version]).toEqual([[1, 2], 0]);
  });

  it('under noGrad it works, the tensor stays a leaf, the version grows', () => {
    const x = leaf(1, 2);
    noGrad.run(() => x.add_(1));
    expect([x.toArray(), x.isLeaf, x.requiresGrad, x.version]).toEqual([[2, 3], true, true, 1]);
  });

  it('a saved value that was written to since makes backward throw', () => {
    const [x, w] = [leaf(1), leaf(2)];
    const y = x.mul(w).sum();
    noGrad.run(() => w.add_(1));
    expect(() => y.backward()).toThrow(/mul saved was modified in place since: it is at version 1, expected version 0/);
    expect(x.grad).toBeNull();
    const z = x.add(w).sum();
    noGrad.run(() => w.add_(1));
    z.backward();
    expect(w.grad!.toArray()).toEqual([1]);
  });

  it('a product keeps only what the gradients that are wanted read: the rest may be written to', () => {
    for (const scaled of [
      (x: Tensor) => x.mul(2),
      (x: Tensor) => mul(2, x),
      (x: Tensor) => x.mul(tensor([2, 2])),
      (x: Tensor) => x.div(0.5),
      (x: Tensor) => x.rad2deg().deg2rad().mul(2),
    ]) {
      const leaf = tensor([1, 3], { requiresGrad: true });
      const x = leaf.clone();
      const y = scaled(x);
      x.add_(5);
      y.sum().backward();
      expect(leaf.grad!.toArray()).toEqual([expect.closeTo(2, 5), expect.closeTo(2, 5)]);
    }
    const [data, w] = [tensor([1, 3]), tensor([2, 4], { requiresGrad: true })];
    const y = data.mul(w);
    noGrad.run(() => w.add_(1));
    y.sum().backward();
    expect(w.grad!.toArray()).toEqual([1, 3]);
    const z = data.div(w);
    noGrad.run(() => w.add_(1));
    expect(() => z.sum().backward()).toThrow(/that div saved was modified in place/);
    const both = w.mul(w.exp());
    noGrad.run(() => w.add_(1));
    expect(() => both.sum().backward()).toThrow(/that mul saved was modified in place/);
  });

  it('a non-leaf written to under noGrad whose value was not saved is flagged', () => {
    const x = leaf(1);
    const h = x.add(1);
    const y = h.sum();
    noGrad.run(() => h.mul_(10));
    expect(() => y.backward()).toThrow(/result of add was modified by mul_ while recording was off/);
  });

  it('a view taken under noGrad does not require grad', () => {
    const x = leaf(1, 2);
    expect(noGrad.run(() => x.view(2, 1)).requiresGrad).toBe(false);
    expect(noGrad.run(() => x.mul(1).t()).requiresGrad).toBe(false);
  });

  it('such a view never drops gradients silently', () => {
    const w = leaf(3);
    const base = zeros([2]);
    const view = noGrad.run(() => base.narrow(0, 0, 1));
    base.add_(w);
    expect(base.requiresGrad).toBe(true);
    expect(() => view.mul(2)).toThrow(/mul: an input is a view that was taken under noGrad/);
    expect(noGrad.run(() => view.mul(2)).toArray()).toEqual([6]);
    expect(view.detach().mul(2).toArray()).toEqual([6]);
  });

  it('development mode says where such a view is a constant of a graph', () => {
    const [w, x] = [leaf(1, 2, 3), leaf(4, 5)];
    const take = (): Tensor => w.narrow(0, 0, 2);
    const reports: string[] = [];
    setReporter((message) => reports.push(message));
    noGrad.run(take).mul(x);
    expect(reports).toEqual([]);
    setDevelopmentMode(true);
    const out = noGrad.run(take).mul(x);
    expect(reports).toEqual([
      expect.stringMatching(
        /^mul records with a view that was taken while recording was off, by noGrad at .*recording\.test\.ts:\d+:\d+: no gradient goes to/,
      ),
    ]);
    out.sum().backward();
    expect([w.grad, x.grad!.toArray()]).toEqual([null, [1, 2]]);
    // What is meant, takes part in no graph, or has nothing to lose is not reported.
    noGrad.run(take).detach().mul(x);
    noGrad.run(() => take().detach()).mul(x);
    noGrad.run(() => take().mul(1)).mul(x);
    noGrad.run(take).mul(2);
    noGrad.run(() => noGrad.run(take).mul(x));
    noGrad.run(() => zeros([2]).view(2)).mul(x);
    expect(reports).toHaveLength(1);
    // A training loop is told of it once.
    for (let i = 0; i < 3; i++) noGrad.run(take).mul(x);
    expect(reports).toHaveLength(2);
  });

  it('in-place in grad mode through such a view throws; view and write in one mode work', () => {
    const w = leaf(3);
    const base = zeros([2]);
    const view = noGrad.run(() => base.narrow(0, 0, 1));
    expect(() => view.mul_(w)).toThrow(/view was taken while recording was off/);
    expect(view.toArray()).toEqual([0]);
    view.add_(1);
    base.narrow(0, 0, 1).mul_(w);
    base.sum().backward();
    expect([base.toArray(), w.grad!.toArray()]).toEqual([[3, 0], [1]]);
  });

  it('in-place through a tracked view updates the gradient of the base', () => {
    const x = leaf(1, 2, 3, 4);
    const base = x.mul(2);
    const view = base.view(2, 2).t().select(0, 1);
    view.mul_(10);
    expect(base.toArray()).toEqual([2, 40, 6, 80]);
    expect(view.requiresGrad).toBe(true);
    base
      .mul(tensor([1, 2, 3, 4]))
      .sum()
      .backward();
    expect(x.grad!.toArray()).toEqual([2, 40, 6, 80]);
    const other = leaf(5, 6);
    const b2 = other.mul(1);
    const v2 = b2.narrow(0, 1, 1);
    b2.mul_(3);
    v2.sum().backward();
    expect(other.grad!.toArray()).toEqual([0, 3]);
  });

  it('detach shares the version counter', () => {
    const x = leaf(1);
    const y = x.exp().sum();
    noGrad.run(() => x.detach().add_(1));
    expect(x.version).toBe(1);
    y.backward();
    const z = x.square().sum();
    x.detach().add_(1);
    expect(() => z.backward()).toThrow(/modified in place since/);
  });

  it('a plain tensor written from a tracked one becomes tracked in grad mode, not under noGrad', () => {
    const x = leaf(1, 2);
    const [a, b] = [zeros([2]), zeros([2])];
    a.copy_(x);
    noGrad.run(() => b.copy_(x));
    expect([a.requiresGrad, a.isLeaf, b.requiresGrad]).toEqual([true, false, false]);
    a.mul(3).sum().backward();
    expect(x.grad!.toArray()).toEqual([3, 3]);
  });

  it('assigning into a parameter outside of noGrad throws', () => {
    const p = new Parameter(zeros([2]));
    expect(() => p.set(0, 5)).toThrow(/requires grad cannot be written to/);
    expect(() => p.copy_(ones([2]))).toThrow(/requires grad cannot be written to/);
    expect(p.toArray()).toEqual([0, 0]);
    noGrad.run(() => p.set(0, 5));
    expect(p.toArray()).toEqual([5, 0]);
  });

  it('refuses what does not fit before it writes', () => {
    const x = zeros([2]);
    expect(() => x.add_(ones([3, 2]))).toThrow(
      /add_: the result has shape \[3, 2\] and does not fit in place into \[2\]/,
    );
    expect(() => zeros([2], { dtype: 'int32' }).add_(0.5)).toThrow(
      /result is float32 and cannot be written into a int32 tensor/,
    );
    expect(() => zeros([1]).expand(3).add_(1)).toThrow(/share one place in memory/);
    // No elements share none.
    expect(zeros([0]).expand(3, 0).add_(1).shape).toEqual([3, 0]);
    expect([x.toArray(), x.version]).toEqual([[0, 0], 0]);
  });
});

describe('M. inference mode', () => {
  const make = () => {
    const x = leaf(1, 2);
    return { x, y: inferenceMode.run(() => x.mul(2)) };
  };

  it('results are marked, have no version, cannot be saved for backward', () => {
    const { x, y } = make();
    expect([y.inference, y.requiresGrad]).toEqual([true, false]);
    expect(() => y.version).toThrow(/do not track versions/);
    expect(() => x.mul(y)).toThrow(/made under inferenceMode cannot be saved for backward; use clone\(\)/);
    expect(x.add(y).requiresGrad).toBe(true);
  });

  it('outside, reading and untracked use give normal tensors', () => {
    const { y } = make();
    const z = y.add(1);
    expect([z.inference, z.toArray(), z.version]).toEqual([false, [3, 5], 0]);
  });

  it('outside, in-place throws before changing data', () => {
    const { y } = make();
    expect(() => y.add_(1)).toThrow(/made under inferenceMode cannot be written to outside of it; use clone\(\)/);
    expect(y.toArray()).toEqual([2, 4]);
    inferenceMode.run(() => y.add_(1));
    expect(y.toArray()).toEqual([3, 5]);
  });

  it('outside, requiresGrad_ throws; clone gives a normal tensor', () => {
    const { y } = make();
    expect(() => y.requiresGrad_()).toThrow(/inferenceMode cannot require grad outside; use clone\(\)/);
    expect(y.clone().requiresGrad_().mul(2).requiresGrad).toBe(true);
  });

  it('parameters made inside throw at their first tracked use', () => {
    const p = inferenceMode.run(() => new Parameter(ones([1])));
    expect(() => p.add(1)).toThrow(/requires grad but was made under inferenceMode/);
    expect(noGrad.run(() => p.add(1)).toArray()).toEqual([2]);
  });

  it('errors on an inference tensor name where it was made', () => {
    setDevelopmentMode(true);
    const { x, y } = make();
    const place = /inferenceMode at .*recording\.test\.ts:\d+/;
    expect(() => x.mul(y)).toThrow(place);
    expect(() => y.add_(1)).toThrow(place);
    expect(() => y.requiresGrad_()).toThrow(place);
    expect(() => y.sum().backward()).toThrow(/nothing it was computed from|recording was off/);
    expect(() => inferenceMode.run(() => zeros([1])).backward()).toThrow(place);
  });

  it('backward of a graph from outside gives normal gradients inside', () => {
    const x = leaf(3);
    const y = x.mul(x).sum();
    inferenceMode.run(() => y.backward());
    expect([x.grad!.toArray(), x.grad!.inference]).toEqual([[6], false]);
    enableGrad.run(() => x.grad!.add_(1));
  });
});
