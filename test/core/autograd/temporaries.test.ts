import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  defineFunction,
  grad,
  memory,
  mul,
  noGrad,
  onesLike,
  randn,
  record,
  registerHook,
  Tensor,
  tensor,
} from '@gradgate/core';
import { checkpoint } from '@gradgate/core/checkpoint';
import { functional as F, Linear, optim, Parameter, ReLU, Sequential } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { residence } from '../../../packages/core/src/backend/wasm/residency.js';
import { poisonFreed } from '../../kernelMemory.js';

poisonFreed(1024);

/** A model whose arrays are large enough to live in kernel memory. */
function setUp() {
  const net = new Sequential(new Linear(40, 60), new ReLU(), new Linear(60, 50));
  const optimizer = new optim.SGD(net.parameters(), { lr: 1e-3, momentum: 0.9 });
  const [x, y] = [randn([64, 40]), randn([64, 50])];
  const backward = () => F.mseLoss(net(x), y).backward();
  const step = () => {
    optimizer.zeroGrad();
    backward();
    optimizer.step();
  };
  return { net, optimizer, x, y, backward, step };
}

const finite = (t: Tensor): boolean => t.isfinite().all().item() === 1;
const weightOf = (net: Sequential): Tensor => net.parameters().next().value!;

describe('kernel memory', () => {
  it('holds no more after many steps than after a few', () => {
    const { step } = setUp();
    for (let i = 0; i < 3; i++) step();
    const { tensors, bytes, peak, scratch, reserved } = memory();
    for (let i = 0; i < 200; i++) step();
    expect(memory()).toEqual({ tensors, bytes, peak, scratch, reserved });
  });

  it('is free of gradients after zeroGrad(), and keeps them where they are filled with zeros', () => {
    const { net, optimizer, backward } = setUp();
    const before = memory();
    backward();
    // The two weights' gradients; those of the biases are small.
    expect(memory().tensors).toBe(before.tensors + 2);
    optimizer.zeroGrad({ setToNull: false });
    expect(memory().tensors).toBe(before.tensors + 2);
    backward();
    expect(memory().tensors).toBe(before.tensors + 2);
    optimizer.zeroGrad();
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
    expect(weightOf(net).grad).toBe(null);
  });

  it('holds the same gradients as the JavaScript heap would', () => {
    const { net, backward } = setUp();
    backward();
    const from = residence.from;
    const first = [...net.parameters()].map((p) => p.grad!.clone());
    net.zeroGrad();
    residence.from = Number.POSITIVE_INFINITY;
    backward();
    residence.from = from;
    [...net.parameters()].forEach((p, i) => {
      expect(p.grad!.equal(first[i]!)).toBe(true);
    });
  });

  it('is not taken for leaves that are no parameters: nobody says when they are done with', () => {
    const x = randn([50, 50], { requiresGrad: true });
    const before = memory();
    x.square().sum().backward();
    x.square().sum().backward();
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
    expect(x.grad!.sub(x.mul(4)).abs().max().item()).toBeLessThan(1e-5);
  });

  it('is given back when a pass fails in a rule or a hook', () => {
    const { net, x, y } = setUp();
    const before = memory();
    const failing = (h: Tensor) =>
      record('failing', [h], h.detach().clone(), () => {
        throw new Error('on purpose');
      });
    const [first, second, third] = [...net] as [Linear, ReLU, Linear];
    const loss = () => F.mseLoss(third(second(failing(first(x)))), y);
    expect(() => loss().backward()).toThrow('on purpose');
    const h = first(x);
    registerHook(h, () => {
      throw new Error('in a hook');
    });
    expect(() => F.mseLoss(third(second(h)), y).backward()).toThrow('in a hook');
    net.zeroGrad();
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });

  it('is given back once a model has been collected and the event loop turns', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const turn = () => new Promise((resolve) => setTimeout(resolve, 10));
    for (let i = 0; i < 5; i++) {
      gc();
      await turn();
    }
    const before = memory().tensors;
    (() => {
      const { step } = setUp();
      for (let i = 0; i < 3; i++) step();
      // Weights, gradients and momenta.
      expect(memory().tensors).toBe(before + 6);
    })();
    for (let i = 0; i < 50 && memory().tensors > before; i++) {
      gc();
      await turn();
    }
    expect(memory().tensors).toBe(before);
  });
});

describe('what user code holds stays as it is', () => {
  it('a gradient that was read, whatever becomes of the parameter', () => {
    const { net, step } = setUp();
    step();
    const held = weightOf(net).grad!;
    const values = held.toTypedArray();
    for (let i = 0; i < 3; i++) step();
    expect(held.toTypedArray()).toEqual(values);
    expect(finite(held)).toBe(true);
  });

  it('a gradient that another leaf was given', () => {
    const { net, step } = setUp();
    step();
    const other = new Parameter(randn([60, 40]));
    other.grad = weightOf(net).grad;
    const values = other.grad!.toTypedArray();
    for (let i = 0; i < 3; i++) step();
    expect(other.grad!.toTypedArray()).toEqual(values);
    other.zeroGrad();
    expect(finite(weightOf(net).grad!)).toBe(true);
  });

  it('gradients that hooks saw: of tensors, nodes and leaves', () => {
    const { net, x, y, step } = setUp();
    const seen: Tensor[] = [];
    const h = net(x);
    registerHook(h, (g) => void seen.push(g));
    h.gradFn!.registerHook((inputs, outputs) => void seen.push(...inputs.filter((g) => g != null), outputs[0]!));
    const handle = registerHook(weightOf(net), (g) => void seen.push(g));
    const other = weightOf(net).registerPostAccumulateGradHook((p) => void seen.push(p.grad!));
    F.mseLoss(h, y).backward();
    handle.remove();
    other.remove();
    expect(seen.length).toBeGreaterThanOrEqual(6);
    const values = seen.map((g) => g.toTypedArray());
    for (let i = 0; i < 3; i++) step();
    seen.forEach((g, i) => {
      expect(finite(g)).toBe(true);
      expect(g.toTypedArray()).toEqual(values[i]);
    });
  });

  it('gradients that rules of users saw and made', () => {
    const { net, x, y, step } = setUp();
    const seen: Tensor[] = [];
    const note = (g: Tensor) => {
      const made = mul(g, 2);
      seen.push(g, made);
      return made;
    };
    const twice = defineFunction<[Tensor], Tensor>({
      name: 'twice',
      forward: (_, t) => mul(t, 2),
      backward: (_, g) => note(g!),
    });
    const recorded = (t: Tensor) => record('twice', [t], mul(t.detach(), 2), (g) => [note(g)]);
    F.mseLoss(twice(recorded(net(x))), y).backward();
    expect(seen).toHaveLength(4);
    const values = seen.map((g) => g.toTypedArray());
    for (let i = 0; i < 3; i++) step();
    seen.forEach((g, i) => {
      expect(finite(g)).toBe(true);
      expect(g.toTypedArray()).toEqual(values[i]);
    });
  });

  it('what grad(), retainGrad() and backward({ inputs }) give', () => {
    const { net, x, y, step } = setUp();
    const h = net(x);
    h.retainGrad();
    const loss = F.mseLoss(h, y);
    const given = grad(loss, [...net.parameters()], { retainGraph: true });
    loss.backward({ inputs: [weightOf(net)], retainGraph: true });
    loss.backward();
    const seen = [...given, h.grad!, weightOf(net).grad!];
    const values = seen.map((g) => g.toTypedArray());
    for (let i = 0; i < 3; i++) step();
    seen.forEach((g, i) => {
      expect(finite(g)).toBe(true);
      expect(g.toTypedArray()).toEqual(values[i]);
    });
  });

  it('gradients of gradients', () => {
    const { net, x, y } = setUp();
    const params = [...net.parameters()];
    const loss = F.mseLoss(net(x), y);
    const first = grad(loss, params, { createGraph: true });
    const penalty = first.map((g) => g.square().sum()).reduce((a, b) => a.add(b));
    penalty.backward();
    for (const p of params) if (p.grad) expect(finite(p.grad)).toBe(true);
    for (const g of first) expect(finite(g)).toBe(true);
  });

  it('what a checkpoint computes again', () => {
    const { net, x, y, backward } = setUp();
    backward();
    const want = [...net.parameters()].map((p) => p.grad!.clone());
    net.zeroGrad();
    const seen: Tensor[] = [];
    const run = (t: Tensor) => {
      const out = net(t);
      seen.push(out);
      return out;
    };
    F.mseLoss(checkpoint(run, x.clone().requiresGrad_()), y).backward();
    expect(seen).toHaveLength(2);
    expect(seen.every(finite)).toBe(true);
    [...net.parameters()].forEach((p, i) => {
      expect(p.grad!.sub(want[i]!).abs().max().item()).toBeLessThan(1e-6);
    });
  });

  it('what an optimizer of one’s own keeps', () => {
    class Keeping extends optim.Optimizer<{ lr: number }> {
      readonly kept: Tensor[] = [];
      protected override update(p: Tensor, g: Tensor): void {
        this.kept.push(g);
        noGrad.run(() => p.sub_(g.mul(0.01)));
      }
    }
    const { net, backward } = setUp();
    const own = new Keeping(net.parameters(), { lr: 1 });
    for (let i = 0; i < 3; i++) {
      own.zeroGrad();
      backward();
      own.step();
    }
    expect(own.kept).toHaveLength(12);
    expect(own.kept.every(finite)).toBe(true);
  });

  it('parameters: their values, views, copies and state', () => {
    const values = randn([40, 50]);
    const p = new Parameter(values);
    expect(p.equal(values)).toBe(true);
    // They share storage, as in PyTorch.
    noGrad.run(() => p.fill_(2));
    expect(values.equal(onesLike(values).mul(2))).toBe(true);
    const view = p.detach().narrow(0, 3, 5);
    noGrad.run(() => p.mul_(3));
    expect(view.sum().item()).toBe(5 * 50 * 6);
    expect(tensor(p).equal(p.detach())).toBe(true);
    expect(p.toTypedArray().buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('parameters that change their dtype', () => {
    const { net, x, y, step } = setUp();
    step();
    net.double();
    expect(weightOf(net).dtype).toBe('float64');
    expect(weightOf(net).grad!.dtype).toBe('float64');
    F.mseLoss(net(x.double()), y.double()).backward();
    net.float();
    expect(finite(weightOf(net).grad!)).toBe(true);
    step();
    expect(weightOf(net)).toBeInstanceOf(Tensor);
    expect(finite(weightOf(net).detach())).toBe(true);
  });
});
