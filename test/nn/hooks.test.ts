import { enableGrad, isGradEnabled, noGrad, ones, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { buffer, Linear, LSTM, Module, Parameter, Sequential } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

class Scale extends Module {
  scale = new Parameter(tensor([3]));
  override forward(x: Tensor, y?: Tensor): Tensor {
    return y ? x.mul(this.scale).add(y) : x.mul(this.scale);
  }
}

describe('backward hooks', () => {
  it('see the gradients of inputs and outputs', () => {
    const m = new Scale();
    const seen: unknown[] = [];
    m.registerFullBackwardHook((module, gradInput, gradOutput) => {
      seen.push(
        module,
        gradInput.map((g) => g?.toArray() ?? null),
        gradOutput.map((g) => g!.toArray()),
      );
    });
    const x = tensor([1, 2], { requiresGrad: true });
    m(x, ones([2]))
      .mul(5)
      .sum()
      .backward();
    expect(seen).toEqual([m, [[15, 15], null], [[5, 5]]]);
    expect([x.grad!.toArray(), m.scale.grad!.toArray()]).toEqual([[15, 15], [15]]);
  });

  it('may replace the gradients of inputs, but not in number', () => {
    const m = new Scale();
    const handle = m.registerFullBackwardHook((_, [g]) => [g!.mul(2)]);
    const x = tensor([1], { requiresGrad: true });
    m(x).backward();
    expect(x.grad!.toArray()).toEqual([6]);
    handle.remove();
    handle.remove();
    m.registerFullBackwardHook(() => []);
    expect(() => m(x).backward()).toThrow(/Scale: a backward hook gives nothing or one gradient for each of 1 arg/);
  });

  it('fire once where no input requires grad, and in nested outputs', () => {
    let fired = 0;
    const m = new LSTM(2, 3);
    m.registerFullBackwardHook((_, gradInput, gradOutput) => {
      fired++;
      expect(gradInput).toEqual([null]);
      expect(gradOutput.map((g) => g?.shape ?? null)).toEqual([[4, 1, 3], null, [1, 1, 3]]);
    });
    const [out, [, c]] = m(randn([4, 1, 2]));
    out.sum().add(c.sum()).backward();
    expect(fired).toBe(1);
    expect([...m.parameters()].every((p) => p.grad !== null)).toBe(true);
  });

  it('do not fire for calls under noGrad, while forward hooks do', () => {
    const m = new Scale();
    const fired: string[] = [];
    m.registerForwardHook(() => void fired.push('forward'));
    m.registerFullBackwardHook(() => void fired.push('backward'));
    const y = noGrad.run(() => m(ones([1])));
    expect([fired, y.requiresGrad]).toEqual([['forward'], false]);
  });

  it('run in backward’s mode, and let gradients of gradients through', () => {
    const m = new Scale();
    const modes: boolean[] = [];
    m.registerFullBackwardHook(() => void modes.push(isGradEnabled()));
    const x = tensor([2], { requiresGrad: true });
    const y = m(x).square().sum();
    y.backward({ createGraph: true });
    expect([modes, x.grad!.toArray(), x.grad!.requiresGrad]).toEqual([[true], [36], true]);
    noGrad.run(() => enableGrad.run(() => m(x).sum()).backward());
    expect(modes).toEqual([true, false]);
  });

  it('refuse what is not a function', () => {
    expect(() => new Scale().registerFullBackwardHook(3 as never)).toThrow(/Scale: a hook must be a function, got 3/);
  });
});

describe('state dict hooks', () => {
  it('change what is saved and what is loaded, with the prefix of their module, and leave the given object alone', () => {
    const net = new Sequential(new Scale());
    net[0]!.registerStateDictPostHook((_, state, prefix) => {
      state[`${prefix}old`] = state[`${prefix}scale`]!;
      delete state[`${prefix}scale`];
    });
    const state = net.stateDict();
    expect(Object.keys(state)).toEqual(['0.old']);
    const other = new Sequential(new Scale());
    const handle = other[0]!.registerLoadStateDictPreHook((_, s, prefix) => {
      s[`${prefix}scale`] = s[`${prefix}old`]!.mul(2);
      delete s[`${prefix}old`];
    });
    other.loadStateDict(state);
    expect([other.stateDict()['0.scale']!.toArray(), Object.keys(state)]).toEqual([[6], ['0.old']]);
    handle.remove();
    expect(() => other.loadStateDict(state)).toThrow(/missing keys: 0.scale\s+unexpected keys: 0.old/);
  });

  it('refuses what is no tensor', () => {
    expect(() => new Scale().loadStateDict({ scale: [1] as never })).toThrow(/scale must be a Tensor, got \[1\]/);
    expect(() => new Scale().loadStateDict(null as never)).toThrow(/takes an object of tensors by name, got null/);
  });
});

describe('a module’s tensors', () => {
  it('take integers of another width where they hold them, and are left alone where they do not', () => {
    class Counter extends Module {
      count = buffer(tensor([1, 2], { dtype: 'int32' }));
    }
    const counter = new Counter();
    counter.loadStateDict({ count: tensor([-5, 7], { dtype: 'int64' }) });
    expect(counter.count.toArray()).toEqual([-5, 7]);
    const wide = tensor([3, 2 ** 33], { dtype: 'int64' });
    expect(() => counter.loadStateDict({ count: wide })).toThrow(
      /count has values that the module's int32 does not hold/,
    );
    expect(counter.count.toArray()).toEqual([-5, 7]);
  });

  it('are converted in place, gradients too', () => {
    class Net extends Module {
      fc = new Linear(2, 2);
      tied = this.fc.weight;
      count = buffer(zeros([], { dtype: 'int32' }));
      mean = buffer(zeros([2]));
    }
    const net = new Net();
    const { weight } = net.fc;
    const before = weight.toArray();
    net
      .fc(ones([1, 2]))
      .sum()
      .backward();
    expect(net.double()).toBe(net);
    expect([net.fc.weight === weight, net.tied === weight, weight.dtype, weight.grad!.dtype]).toEqual([
      true,
      true,
      'float64',
      'float64',
    ]);
    expect([weight.toArray(), net.mean.dtype, net.count.dtype]).toEqual([before, 'float64', 'int32']);
    expect([weight.isLeaf, weight.requiresGrad]).toEqual([true, true]);
    expect(net.fc(ones([1, 2], { dtype: 'float64' })).dtype).toBe('float64');
    expect(net.float().fc.weight.dtype).toBe('float32');
    expect(() => net.to('int32')).toThrow(
      /Net can be float64, float32, float16, bfloat16, complex64, complex128, got 'int32'/,
    );
  });

  it('that a recorded graph saved are not swapped under it', () => {
    const m = new Scale();
    const y = m(tensor([1], { requiresGrad: true }));
    m.double();
    expect(() => y.backward()).toThrow(/modified in place since/);
  });

  it('are found by name, or the error lists what there is', () => {
    const net = new Sequential(new Scale(), new Linear(1, 1, { bias: false }));
    expect(net.getParameter('1.weight')).toBe((net[1] as Linear).weight);
    expect(() => net.getParameter('1.bias')).toThrow(
      /Sequential has no parameter '1.bias'; it has '0.scale', '1.weight'/,
    );
    expect(() => net.getBuffer('x')).toThrow(/has no buffer 'x'; it has none/);
  });
});
