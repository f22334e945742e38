import * as core from '@gradgate/core';
import { enableGrad, gradPolicies, isGradEnabled, noGrad, ones, randn, Tensor, tensor, zeros } from '@gradgate/core';
import { Buffer, buffer, Dropout, init, Linear, Module, optim, Parameter, ReLU, Sequential } from '@gradgate/nn';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

class Block extends Module {
  fc = new Linear(3, 2);
  scale = new Parameter(ones([2]));
  mean = buffer(zeros([2]));
  scratch = buffer(zeros([1]), { persistent: false });
  plain = ones([1]);
  override forward(x: Tensor): Tensor {
    return this.fc(x).mul(this.scale).sub(this.mean);
  }
}
class Net extends Module {
  frozen = false;
  a = new Block();
  b = new Sequential(new Linear(2, 2, { bias: false }), new ReLU());
  override forward(x: Tensor): Tensor {
    return this.b(this.a(x));
  }
  @noGrad evaluate(x: Tensor): Tensor {
    return this.forward(x);
  }
  @noGrad(function (this: Net) {
    return this.frozen;
  })
  embed(x: Tensor): Tensor {
    return this.a(x);
  }
}

describe('a module', () => {
  it('registers parameters, buffers and submodules by plain assignment of fields', () => {
    const net = new Net();
    expect([...net.namedParameters()].map(([name]) => name)).toEqual([
      'a.scale',
      'a.fc.weight',
      'a.fc.bias',
      'b.0.weight',
    ]);
    expect([...net.namedBuffers()].map(([name]) => name)).toEqual(['a.mean', 'a.scratch']);
    expect([...net.namedModules()].map(([name]) => name)).toEqual(['', 'a', 'a.fc', 'b', 'b.0', 'b.1']);
    expect([...net.modules()].every((m) => m instanceof Module)).toBe(true);
    expect(net.a.mean).toBeInstanceOf(Buffer);
  });

  it('counts shared parameters and modules once', () => {
    class Shared extends Module {
      a = new Linear(2, 2);
      b = this.a;
      tied = this.a.weight;
    }
    expect([...new Shared().parameters()]).toHaveLength(2);
    expect([...new Shared().modules()]).toHaveLength(2);
  });

  it('is called like a function, an instance of its class, and keeps private fields', () => {
    class Private extends Module {
      #w = 3;
      override name = 'mine';
      override forward(x: number): number {
        return x * this.#w;
      }
    }
    const m = new Private();
    const y: number = m(2);
    expect([y, m instanceof Private, m instanceof Module, m.name, m.constructor]).toEqual([
      6,
      true,
      true,
      'mine',
      Private,
    ]);
    // @ts-expect-error forward takes a number
    m('x');
    expect(() => new Module().forward()).toThrow(/Module: has no forward\(\)/);
  });

  it('prints as a tree', () => {
    expect(`${new Net()}`).toBe(
      'Net(\n  (a): Block(\n    (fc): Linear(inFeatures=3, outFeatures=2, bias=true)\n  )\n  (b): Sequential(\n    (0): Linear(inFeatures=2, outFeatures=2, bias=false)\n    (1): ReLU()\n  )\n)',
    );
  });

  it('print() prints it on the console', () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    onTestFinished(() => log.mockRestore());
    const layer = new Linear(2, 1);
    layer.print();
    expect(log.mock.calls).toEqual([[`${layer}`]]);
  });

  it('runs forward hooks around forward when it is called, and not when forward is', () => {
    const fc = new Linear(2, 2);
    const calls: string[] = [];
    const pre = fc.registerForwardPreHook((_, [x]) => {
      calls.push('pre');
      return [(x as Tensor).mul(0)];
    });
    const post = fc.registerForwardHook((_, __, out: Tensor) => {
      calls.push('post');
      return out.sub(fc.bias!);
    });
    expect(fc(ones([1, 2])).toArray()).toEqual([[0, 0]]);
    fc.forward(ones([1, 2]));
    pre.remove();
    post.remove();
    fc(ones([1, 2]));
    expect(calls).toEqual(['pre', 'post']);
    expect([...fc.namedParameters()]).toHaveLength(2);
  });

  it('runs hooks in the caller’s mode, and a decorated forward in its own', () => {
    const seen: boolean[] = [];
    class Frozen extends Module {
      @noGrad override forward(x: Tensor): Tensor {
        seen.push(isGradEnabled());
        return x;
      }
    }
    const m = new Frozen();
    m.registerForwardPreHook(() => void seen.push(isGradEnabled()));
    m.registerForwardHook(() => void seen.push(isGradEnabled()));
    m(ones([1]));
    expect(seen).toEqual([true, false, true]);
  });

  it('keeps decorated methods through several levels of inheritance', () => {
    class Mid extends Net {
      override evaluate(x: Tensor): Tensor {
        expect(isGradEnabled()).toBe(true);
        return super.evaluate(x);
      }
    }
    class Leaf extends Mid {
      @enableGrad override embed(x: Tensor): Tensor {
        return super.embed(x);
      }
    }
    const x = randn([1, 3]);
    const net = new Leaf();
    expect([net.evaluate(x).requiresGrad, net.embed(x).requiresGrad, net(x).requiresGrad]).toEqual([false, true, true]);
    net.frozen = true;
    expect([net.embed(x).requiresGrad, new Net().embed(x).requiresGrad]).toEqual([false, true]);
    expect(gradPolicies(Leaf).map((p) => `${p.declaredIn}.${String(p.member)}`)).toEqual(['Leaf.embed']);
  });

  it('finds submodules by path, or tells which there are', () => {
    const net = new Net();
    expect(net.getSubmodule('a.fc')).toBe(net.a.fc);
    expect(() => net.getSubmodule('c')).toThrow(/has no module 'c'; it has '', 'a', 'a.fc'/);
  });
});

describe('O. modules and optimizers', () => {
  it('eval and train do not touch grad modes', () => {
    const net = new Net();
    expect(net.eval().training).toBe(false);
    expect([...net.modules()].some((m) => m.training)).toBe(false);
    expect(isGradEnabled()).toBe(true);
    expect(net(randn([1, 3])).requiresGrad).toBe(true);
    expect(net.train().b.training).toBe(true);
    expect(() => net.train('yes' as never)).toThrow(TypeError);
  });

  it('requiresGrad_(false) freezes current parameters, and gradients still flow through', () => {
    const net = new Net();
    expect(net.requiresGrad_(false)).toBe(net);
    expect([...net.parameters()].some((p) => p.requiresGrad)).toBe(false);
    (net as unknown as Record<string, unknown>)['late'] = new Linear(1, 1);
    expect([...net.parameters()].filter((p) => p.requiresGrad)).toHaveLength(2);
    const x = randn([1, 3], { requiresGrad: true });
    net.a(x).sum().backward();
    expect([x.grad!.shape, net.a.fc.weight.grad]).toEqual([[1, 3], null]);
  });

  it('a module made under noGrad trains', () => {
    const net = noGrad.run(() => new Net());
    net(ones([1, 3]))
      .sum()
      .backward();
    expect(net.a.fc.weight.grad).not.toBeNull();
  });

  it('step updates under noGrad; its closure records even if the caller does not', () => {
    const p = new Parameter(tensor([2]));
    const sgd = new optim.SGD([p], { lr: 0.5 });
    const loss = noGrad.run(() =>
      sgd.step(() => {
        sgd.zeroGrad();
        const l = p.mul(p).sum();
        l.backward();
        return l;
      }),
    );
    expect([loss.item(), p.toArray(), p.isLeaf, p.requiresGrad, p.version]).toEqual([4, [0], true, true, 1]);
  });

  it('zeroGrad drops gradients, or keeps the tensor and zeroes it', () => {
    const net = new Net();
    net(ones([1, 3]))
      .sum()
      .backward();
    const { grad } = net.a.scale;
    net.zeroGrad({ setToNull: false });
    expect(net.a.scale.grad!.storage).toBe(grad!.storage);
    expect(net.a.scale.grad!.toArray()).toEqual([0, 0]);
    net.zeroGrad();
    expect(net.a.scale.grad).toBeNull();
  });

  it('initializers and loadStateDict do not record; leaves stay leaves', () => {
    const fc = new Linear(3, 3);
    for (const fill of [
      init.xavierUniform_,
      init.xavierNormal_,
      init.kaimingUniform_,
      init.kaimingNormal_,
      init.orthogonal_,
      init.truncNormal_,
    ])
      fill(fc.weight);
    fc.loadStateDict(fc.stateDict());
    expect([fc.weight.isLeaf, fc.weight.gradFn, fc.weight.requiresGrad]).toEqual([true, null, true]);
  });

  it('forward hooks fire under noGrad', () => {
    const fc = new Linear(1, 1);
    let fired = 0;
    fc.registerForwardHook(() => void fired++);
    noGrad.run(() => fc(ones([1, 1])));
    expect(fired).toBe(1);
  });
});

describe('state', () => {
  it('goes from one module to another: parameters and persistent buffers', () => {
    const [from, to] = [new Net(), new Net()];
    from.a.mean.fill_(3);
    const state = from.stateDict();
    expect(Object.keys(state)).toEqual(['a.scale', 'a.mean', 'a.fc.weight', 'a.fc.bias', 'b.0.weight']);
    expect(to.loadStateDict(state)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    const x = randn([2, 3]);
    expect(to(x).toArray()).toEqual(from(x).toArray());
    noGrad.run(() => from.a.scale.fill_(9));
    expect(to.a.scale.toArray()).toEqual([1, 1]);
  });

  it('refuses unknown, missing and unfit keys, all named, and writes nothing', () => {
    const net = new Net();
    const before = net.a.scale.toArray();
    const { 'b.0.weight': _, ...state } = new Net().stateDict();
    const bad = { ...state, 'a.scale': zeros([3]), 'a.mean': zeros([2], { dtype: 'int32' }), extra: zeros([1]) };
    expect(() => net.loadStateDict(bad)).toThrow(
      /Net was left as it is:\s+missing keys: b\.0\.weight\s+unexpected keys: extra\s+a\.scale has shape \[3\], the module's is \[2\]\s+a\.mean is int32, the module's is float32/,
    );
    expect(net.a.scale.toArray()).toEqual(before);
    expect(net.loadStateDict({ ...state, extra: zeros([1]) }, { strict: false })).toEqual({
      missingKeys: ['b.0.weight'],
      unexpectedKeys: ['extra'],
    });
  });
});

describe('layers', () => {
  it('Linear starts as PyTorch does: within 1/√in', () => {
    core.manualSeed(1);
    const fc = new Linear(100, 50);
    expect([fc.weight.shape, fc.bias!.shape]).toEqual([[50, 100], [50]]);
    expect(fc.weight.abs().max().item()).toBeLessThanOrEqual(0.1);
    expect(fc.weight.abs().max().item()).toBeGreaterThan(0.09);
    expect(fc.weight.std().item()).toBeCloseTo(0.1 / Math.sqrt(3), 2);
    expect(() => fc(ones([2, 99]))).toThrow(
      /linear: input \[2, 99\] and weight \[50, 100\]: expected \[\.\.\., in\] and \[out, in\]/,
    );
    expect(() => fc(ones([2, 100], { dtype: 'int32' }))).toThrow(/int32 and float32/);
  });

  it('Dropout drops and scales in training, and passes through in eval', () => {
    core.manualSeed(1);
    const d = new Dropout(0.25);
    const y = d(ones([10_000]));
    expect(y.eq(0).float().mean().item()).toBeCloseTo(0.25, 1);
    expect(y.mean().item()).toBeCloseTo(1, 1);
    const x = ones([4]);
    expect(d.eval()(x)).toBe(x);
    expect(() => new Dropout(1.5)).toThrow(/Dropout: p must be a number from 0 to 1, got 1.5/);
    expect(() => new Sequential(3 as never)).toThrow(/Sequential: 0 must be a Module/);
  });

  it('optimizers refuse what they cannot optimize', () => {
    const p = new Parameter(ones([1]));
    expect(() => new optim.SGD([])).toThrow(/SGD: got no parameters/);
    expect(() => new optim.SGD([p, p])).toThrow(/given twice/);
    expect(() => new optim.SGD([p.mul(2)])).toThrow(/only leaves can be optimized, this tensor was computed by mul/);
    expect(() => new optim.Adam([p], { lr: -1 })).toThrow(/lr must be a number from 0 up, got -1/);
    expect(() => new optim.SGD([p], { nesterov: true })).toThrow(/nesterov needs a momentum/);
    expect(new optim.SGD([{ params: [p], lr: 7 }], { lr: 1 }).paramGroups[0]!.lr).toBe(7);
  });

  it('Tensor is what parameters are', () => {
    expect(new Parameter(ones([1]))).toBeInstanceOf(Tensor);
  });
});
