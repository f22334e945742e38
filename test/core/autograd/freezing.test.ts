import {
  evalMode,
  explainGrad,
  freezing,
  grad,
  gradPolicies,
  isGradEnabled,
  noGrad,
  ones,
  packTensor,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { checkpoint } from '@gradgate/core/checkpoint';
import { functionalCall, Linear, Module, optim } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
const leaf = (...values: number[]) => tensor(values, { requiresGrad: true });

describe('freezing', () => {
  it('keeps gradients from what it names, and lets them through to the inputs', () => {
    const [w, x] = [leaf(2, 3), leaf(1, 1)];
    freezing(w).run(() => w.mul(x).sum().backward());
    expect(w.grad).toBeNull();
    expect(x.grad!.toArray()).toEqual([2, 3]);
    w.mul(x).sum().backward();
    expect(w.grad!.toArray()).toEqual([1, 1]);
  });

  it('is what requiresGrad says inside, and leaves no trace outside', () => {
    const w = leaf(1);
    freezing(w).run(() => {
      expect([w.requiresGrad, w.mul(2).requiresGrad, isGradEnabled()]).toEqual([false, false, true]);
    });
    expect([w.requiresGrad, w.mul(2).requiresGrad]).toEqual([true, true]);
    expect(() =>
      freezing(w).run(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(w.requiresGrad).toBe(true);
  });

  it('adds nothing to gradients of what was recorded before, while it is in force', () => {
    const w = leaf(2);
    const y = w.square().sum();
    freezing(w).run(() => y.backward());
    expect(w.grad).toBeNull();
  });

  it('takes modules, lists of both, and nests', () => {
    const [a, b] = [new Linear(2, 2), new Linear(2, 2)];
    freezing([a, b.weight]).run(() => {
      b(a(ones([1, 2])))
        .sum()
        .backward();
      freezing(b).run(() => expect([a.weight.requiresGrad, b.bias!.requiresGrad]).toEqual([false, false]));
      expect(b.bias!.requiresGrad).toBe(true);
    });
    expect([a.weight.grad, b.weight.grad]).toEqual([null, null]);
    expect(b.bias!.grad).not.toBeNull();
  });

  it('is this flow’s alone, across awaits: others train the same parameters', async () => {
    const w = leaf(1, 2);
    const frozen = freezing(w).run(async () => {
      for (let i = 0; i < 5; i++) {
        await tick();
        expect(w.requiresGrad).toBe(false);
      }
    });
    for (let i = 0; i < 4; i++) {
      expect(w.requiresGrad).toBe(true);
      w.sum().backward();
      await tick();
    }
    await frozen;
    expect(w.grad!.toArray()).toEqual([4, 4]);
  });

  it('decorates methods by a function of the instance and the arguments, with conditions, and is listed', () => {
    const judging = (self: Gan) => self.discriminator;
    const whenAsked = freezing(judging)(function (this: Gan, on: boolean) {
      return on;
    });
    class Gan extends Module {
      generator = new Linear(2, 2);
      discriminator = new Linear(2, 1);
      @freezing(judging) generatorStep(x: Tensor) {
        this.discriminator(this.generator(x)).sum().backward();
      }
      @whenAsked requires(_on: boolean) {
        return this.discriminator.weight.requiresGrad;
      }
    }
    const gan = new Gan();
    gan.generatorStep(ones([3, 2]));
    expect(gan.discriminator.weight.grad).toBeNull();
    expect(gan.generator.weight.grad).not.toBeNull();
    expect([gan.requires(true), gan.requires(false)]).toEqual([false, true]);
    expect(gradPolicies(Gan).map(({ gate, member }) => [gate, member])).toEqual([
      ['freezing', 'generatorStep'],
      ['freezing', 'requires'],
    ]);
  });

  it('has a scope, and covers the steps of a generator', () => {
    const w = leaf(1);
    {
      using _ = freezing(w).enter();
      expect(w.requiresGrad).toBe(false);
    }
    const steps = freezing(w).wrap(function* () {
      yield w.requiresGrad;
      yield w.requiresGrad;
    })();
    expect([steps.next().value, w.requiresGrad, steps.next().value]).toEqual([false, true, false]);
  });

  it('is not carried on by copies, nor lets recorded writes make a result of what it names', () => {
    const [w, net] = [leaf(1), new Linear(2, 2)];
    freezing([w, net]).run(() => {
      expect(packTensor(w).requiresGrad).toBe(true);
      expect(() => w.add_(leaf(1))).toThrow(/add_: a leaf that requires grad/);
    });
    const copy = freezing(net).run(() => net.clone());
    expect(copy.weight.requiresGrad).toBe(true);
    expect(w.isLeaf).toBe(true);
  });

  it('is named where a result has no graph', () => {
    const w = leaf(1);
    const y = freezing(w).run(() => w.mul(2).sum());
    expect(explainGrad(y)).toContain('freezing');
    expect(() => y.backward()).toThrow(/freezing/);
    expect(noGrad.run(() => freezing(w).run(() => w.requiresGrad))).toBe(false);
  });

  it('is named also within other gates, and where the leaf itself is asked for', () => {
    const w = leaf(1);
    freezing(w).run(() =>
      evalMode.run(() => {
        expect(() => w.mul(2).sum().backward()).toThrow(/what it was computed from was frozen there, by freezing/);
        expect(explainGrad(w)).toMatch(/does not require grad and has no gradFn here: it is frozen by freezing/);
        expect(() => grad(leaf(2).mul(w).sum(), w)).toThrow(/grad: .* it is frozen by freezing/);
      }),
    );
  });

  it('lets hooks be registered, which stay', () => {
    const w = leaf(3);
    const seen: number[] = [];
    freezing(w).run(() => {
      w.registerHook((g) => void seen.push(g.item()));
      w.registerPostAccumulateGradHook((leaf) => void seen.push(leaf.grad!.item()));
      w.mul(leaf(1)).sum().backward();
    });
    expect(seen).toEqual([]);
    w.square().sum().backward();
    expect(seen).toEqual([6, 6]);
  });

  it('goes together with functionalCall, checkpoints and optimizers', () => {
    const net = new Linear(2, 1);
    const weight = ones([1, 2]).requiresGrad_();
    const x = ones([1, 2], { requiresGrad: true });
    freezing(net).run(() => functionalCall(net, { weight }, x).sum().backward());
    expect([weight.grad!.toArray(), net.weight.grad, net.bias!.grad, x.grad!.toArray()]).toEqual([
      [[1, 1]],
      null,
      null,
      [[1, 1]],
    ]);
    // What stands in for a parameter is frozen by its own name alone.
    freezing(weight).run(() => expect(functionalCall(net, { weight }, ones([1, 2])).gradFn!.edges[1]).toBeNull());

    const loss = freezing(net.weight).run(() => checkpoint((t: Tensor) => net(t).square().sum(), x));
    loss.backward();
    expect([net.weight.grad, net.bias!.grad === null]).toEqual([null, false]);

    const before = net.weight.toArray();
    freezing(net.weight).run(() => {
      const optimizer = new optim.Adam(net.parameters(), { lr: 0.1, weightDecay: 0.1 });
      optimizer.zeroGrad();
      net(ones([3, 2]))
        .sum()
        .backward();
      optimizer.step();
      expect(net.weight.toArray()).toEqual(before);
      expect(net.bias!.grad).not.toBeNull();
      // The parameters are the optimizer's in other flows too.
      expect(optimizer.paramGroups.flatMap(({ params }) => [...params])).toContain(net.weight);
    });
    expect(net.weight.requiresGrad).toBe(true);
  });

  it.each([[undefined], [null], [3], ['fc'], [[3]], [{}]])('refuses %j', (what) => {
    expect(() => freezing(what as never)).toThrow(/freezing: takes parameters, modules/);
  });

  it('refuses what is no leaf, and what a function gives', () => {
    expect(() => freezing(leaf(1).mul(2))).toThrow(/freezing: takes leaves, this tensor was computed by mul/);
    expect(() => freezing((() => 7) as never).run(() => 1)).toThrow(/freezing: takes parameters/);
  });

  it('refuses an iterator without an end', () => {
    const same = leaf(1);
    const forever = function* () {
      for (;;) yield same;
    };
    const message = /freezing: a list has over 100000 parts; is it an iterator without an end\?/;
    expect(() => freezing(forever())).toThrow(message);
    expect(() => freezing((() => [forever()]) as never).run(() => 1)).toThrow(message);
  });
});
