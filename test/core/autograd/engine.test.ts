import {
  backward,
  detectAnomaly,
  enableGrad,
  grad,
  isGradEnabled,
  noGrad,
  ones,
  savedTensorsHooks,
  type Tensor,
  tensor,
  zeros,
} from '@gradgate/core';
import { describe, expect, it } from 'vitest';

const leaf = (...values: number[]) => tensor(values, { requiresGrad: true });

describe('backward', () => {
  it('accumulates into the leaves, through shared parts of the graph', () => {
    const x = leaf(2, 3);
    const h = x.mul(x);
    h.add(h.mul(x)).sum().backward();
    expect(x.grad!.toArray()).toEqual([16, 33]);
    x.mul(1).sum().backward();
    expect(x.grad!.toArray()).toEqual([17, 34]);
  });

  it('gives leaves gradients of their own, also where a rule hands one on to both', () => {
    const [a, b] = [leaf(1), leaf(2)];
    a.add(b).sum().backward();
    a.grad!.mul_(10);
    expect([a.grad!.toArray(), b.grad!.toArray()]).toEqual([[10], [1]]);
    const g = ones([1]);
    const c = leaf(1);
    c.add(0).backward({ gradient: g });
    g.fill_(7);
    expect(c.grad!.toArray()).toEqual([1]);
  });

  it('takes a gradient for more than one element, and checks it', () => {
    const x = leaf(1, 2);
    const y = x.mul(3);
    expect(() => y.backward()).toThrow(/gradient of a tensor of shape \[2\] must be given/);
    // As PyTorch has it: nothing of it is passed over.
    const positional = y as unknown as { backward(...args: unknown[]): void };
    expect(() => positional.backward(ones([2]), { retainGraph: true })).toThrow(
      /backward: takes a gradient or options/,
    );
    expect(() => positional.backward(undefined, true)).toThrow(/backward: takes a gradient or options, and got more/);
    expect(() => y.backward({ gradient: ones([3]) })).toThrow(/gradient has shape \[3\], the tensor \[2\]/);
    expect(() => y.backward({ gradient: ones([2], { dtype: 'int32' }) })).toThrow(/floating point/);
    y.backward(tensor([1, 10]));
    expect(x.grad!.toArray()).toEqual([3, 30]);
  });

  it('with inputs accumulates into these only', () => {
    const [a, b] = [leaf(2), leaf(3)];
    const h = a.mul(b);
    h.sum().backward({ inputs: [a] });
    expect([a.grad!.toArray(), b.grad]).toEqual([[3], null]);
  });

  it('goes through graphs of 100,000 nodes', () => {
    const x = leaf(1);
    let y: Tensor = x;
    for (let i = 0; i < 100_000; i++) y = y.add(1);
    y.sum().backward();
    expect(x.grad!.toArray()).toEqual([1]);
  });

  it('gives gradients of gradients', () => {
    const x = leaf(2);
    const [g] = grad(x.pow(4).sum(), [x], { createGraph: true });
    const [gg] = grad(g!.sum(), [x], { createGraph: true });
    expect([g!.item(), gg!.item(), grad(gg!.sum(), x).item()]).toEqual([32, 48, 48]);
  });

  it('retainGrad keeps the gradient of what is no leaf', () => {
    const x = leaf(1);
    const h = x.mul(2);
    h.retainGrad();
    h.mul(3).sum().backward();
    expect([h.grad!.toArray(), x.grad!.toArray()]).toEqual([[3], [6]]);
  });
});

describe('grad', () => {
  it('changes no .grad, and takes several outputs, inputs and non-leaves', () => {
    const [a, b] = [leaf(2), leaf(3)];
    const h = a.mul(b);
    const [ga, gh] = grad([h.mul(2).sum(), a.sum()], [a, h]);
    expect([ga!.toArray(), gh!.toArray(), a.grad]).toEqual([[7], [2], null]);
  });

  it('throws for inputs that were not used, or gives null or zeros for them', () => {
    const [a, b] = [leaf(2), leaf(3, 4)];
    const y = () => a.mul(2).sum();
    expect(() => grad(y(), [a, b])).toThrow(/input 1 of shape \[2\] was not used.*allowUnused/);
    expect(grad(y(), [a, b], { allowUnused: true })[1]).toBeNull();
    expect(grad(y(), [a, b], { materializeGrads: true })[1]!.toArray()).toEqual([0, 0]);
  });
});

describe('N. the engine', () => {
  it('rules and hooks run disabled, enabled with createGraph, whatever the caller’s mode', () => {
    const seen: boolean[] = [];
    const x = leaf(2);
    const run = (createGraph: boolean) => {
      const y = x.mul(x);
      y.registerHook(() => void seen.push(isGradEnabled()));
      y.sum().backward({ createGraph });
    };
    run(false);
    run(true);
    const y = x.mul(x);
    y.registerHook(() => void seen.push(isGradEnabled()));
    const total = y.sum();
    noGrad.run(() => total.backward({ createGraph: true }));
    expect(seen).toEqual([false, true, true]);
  });

  it('hooks registered under noGrad follow the mode of the backward pass', () => {
    const x = leaf(1);
    const seen: boolean[] = [];
    noGrad.run(() => x.registerHook(() => void seen.push(isGradEnabled())));
    x.mul(2).sum().backward({ createGraph: true });
    expect(seen).toEqual([true]);
  });

  it('a throw in backward restores the mode, and a later pass works', () => {
    const x = leaf(1);
    const handle = x.registerHook(() => {
      throw new Error('hook');
    });
    enableGrad.run(() => {
      expect(() => x.mul(2).sum().backward()).toThrow('hook');
      expect(isGradEnabled()).toBe(true);
    });
    handle.remove();
    x.mul(2).sum().backward();
    expect(x.grad!.toArray()).toEqual([2]);
  });

  it('hooks replace gradients; on an untracked tensor they throw; remove is idempotent', () => {
    const x = leaf(1);
    const handle = x.registerHook((g) => g.mul(10));
    x.mul(2).sum().backward();
    handle.remove();
    handle.remove();
    x.mul(2).sum().backward();
    expect(x.grad!.toArray()).toEqual([22]);
    expect(() => tensor([1]).registerHook(() => {})).toThrow(/does not require grad/);
    x.registerHook(() => zeros([3]));
    expect(() => x.mul(2).sum().backward()).toThrow(/hook must return a tensor of the gradient's shape \[1\]/);
    const calls: Tensor[] = [];
    const y = leaf(1);
    y.registerPostAccumulateGradHook((t) => void calls.push(t));
    y.mul(4).sum().backward();
    expect(calls[0]).toBe(y);
    expect(y.grad!.toArray()).toEqual([4]);
  });

  it('node hooks see and replace the gradients of the inputs', () => {
    const x = leaf(1);
    const y = x.mul(2);
    const handle = y.gradFn!.registerHook(([g]) => [g!.mul(5)]);
    y.sum().backward();
    handle.remove();
    expect(x.grad!.toArray()).toEqual([10]);
  });

  it('a second backward throws unless the graph is retained or saved nothing', () => {
    const x = leaf(2);
    const y = x.mul(x).sum();
    y.backward({ retainGraph: true });
    y.backward();
    expect(() => y.backward()).toThrow(/freed by an earlier backward\(\); pass retainGraph: true/);
    const z = x.add(1).sum();
    z.backward();
    z.backward();
    expect(x.grad!.toArray()).toEqual([10]);
  });

  it('saved-tensor hooks pack and unpack, and are not called under noGrad', () => {
    const packed: unknown[] = [];
    const hooks = {
      pack: (t: Tensor) => packed.push(t.toArray()) - 1,
      unpack: (i: number) => tensor(packed[i] as number[]),
    };
    const x = leaf(3);
    const y = savedTensorsHooks(hooks, () => x.mul(x).sum());
    expect(packed).toEqual([[3], [3]]);
    savedTensorsHooks(hooks, () => noGrad.run(() => x.mul(x)));
    expect(packed).toHaveLength(2);
    y.backward();
    expect(x.grad!.toArray()).toEqual([6]);
  });

  it('anomaly mode is scoped, and names the forward line of a NaN', () => {
    const x = leaf(-1);
    const y = detectAnomaly(() => {
      const z = x.sqrt();
      expect(() => z.sum().backward()).toThrow(
        /sqrt returned NaN in the gradient of its input 0; the forward call was[\s\S]*engine\.test\.ts/,
      );
      return x.sqrt().sum();
    });
    backward(y);
    expect(Number.isNaN(x.grad!.item())).toBe(true);
  });

  it('backward inside a hook goes through another graph and leaves the first pass whole', () => {
    const [x, w] = [leaf(2), leaf(5)];
    const y = x.mul(3);
    y.registerHook(() => enableGrad.run(() => w.mul(w).sum().backward()));
    y.mul(x).sum().backward();
    expect([x.grad!.toArray(), w.grad!.toArray()]).toEqual([[12], [10]]);
  });

  it('what a check refuses has changed nothing', () => {
    const x = leaf(1, 2);
    expect(() => x.backward({ gradient: ones([5]) })).toThrow();
    expect(x.grad).toBeNull();
    const y = x.mul(2);
    expect(() => y.sum().backward({ inputs: [] })).toThrow(/inputs is empty/);
  });
});
