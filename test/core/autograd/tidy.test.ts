import {
  anomalyMode,
  combineGates,
  defineFunction,
  evaluating,
  gradModeStack,
  keep,
  manualSeed,
  memory,
  noGrad,
  ones,
  randn,
  savedTensorsHooks,
  setDevelopmentMode,
  type Tensor,
  TensorError,
  tensor,
  tidy,
  zeros,
} from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { poisonFreed } from '../../kernelMemory.js';
import { cases } from '../operators.js';

poisonFreed(64);

const large = () => randn([16, 16]);
const gone = (op: string) => new RegExp(`^${op}: a \\w+ tensor( of shape \\[.*\\])? was given back at the end of tidy`);

describe('what is made under tidy and does not leave', () => {
  it.each<[string, () => Tensor]>([
    ['large', large],
    ['small', () => tensor([1, 2, 3])],
    ['int64', () => tensor([1, 2, 3], { dtype: 'int64' })],
    ['bfloat16', () => tensor([1, 2, 3], { dtype: 'bfloat16' })],
    ['zeros', () => zeros([100])],
  ])('is given back at the end, and its use is an error: %s', (_, make) => {
    let t: Tensor = null!;
    let sum: Tensor = null!;
    let view: Tensor = null!;
    tidy.run(() => {
      t = make();
      sum = t.add(1);
      view = t.view([-1]);
      expect(t.isDisposed).toBe(false);
    });
    expect([t.isDisposed, sum.isDisposed, view.isDisposed]).toEqual([true, true, true]);
    for (const use of [t, sum, view]) {
      expect(() => use.add(1)).toThrow(gone('add'));
      expect(() => tensor([1]).mul(use)).toThrow(gone('mul'));
      expect(() => use.neg()).toThrow(gone('neg'));
      expect(() => use.sum()).toThrow(gone('sum'));
      expect(() => use.reshape([1, -1])).toThrow(gone('reshape'));
      expect(() => use.clone()).toThrow(gone('clone'));
      expect(() => use.toArray()).toThrow(gone('toArray'));
      expect(() => use.detach().neg()).toThrow(gone('neg'));
      expect(() => use.add_(1)).toThrow(gone('add_'));
      expect(() => zeros(use.shape).to(use.dtype).copy_(use)).toThrow(gone('copy_'));
      expect(String(use)).toContain('its memory was given back at the end of tidy');
    }
  });

  it('names the method, and in development mode the place', () => {
    class Net {
      held: Tensor | null = null;
      @tidy step(x: Tensor): number {
        this.held = x.mul(2);
        return this.held.sum().item();
      }
    }
    const net = new Net();
    expect(net.step(tensor([1, 2]))).toBe(6);
    expect(() => net.held!.add(1)).toThrow(
      /was given back at the end of tidy on (Net\.)?step \(setDevelopmentMode\(true\)/,
    );
    const development = setDevelopmentMode(true);
    try {
      net.step(tensor([1, 2]));
      expect(() => net.held!.add(1)).toThrow(
        /tidy on (Net\.)?step at .*tidy\.test\.ts:\d+:\d+; return it, keep\(\) it/,
      );
    } finally {
      setDevelopmentMode(development);
    }
  });

  it.each(Object.keys(cases))('%s refuses each input that was given back, by a TensorError', (name) => {
    const [fn, ...makers] = cases[name]!;
    for (let i = 0; i < makers.length; i++) {
      const inputs = makers.map((make) => make());
      tidy.run(() => {
        inputs[i] = makers[i]!();
      });
      expect(() => fn(...inputs)).toThrow(TensorError);
      expect(() => fn(...inputs)).toThrow(/^\w+: .* was given back at the end of tidy/);
    }
  });

  it('is given back where the call throws', () => {
    let t: Tensor = null!;
    expect(() =>
      tidy.run(() => {
        t = large();
        throw new RangeError('no');
      }),
    ).toThrow(RangeError);
    expect(t.isDisposed).toBe(true);
  });

  it('leaves kernel memory as it was', () => {
    const w = randn([32, 32], { requiresGrad: true });
    const step = () =>
      tidy.run(() => {
        w.matmul(w).tanh().softmax(1).sum().backward();
        const norm = w.grad!.norm().item();
        w.grad = null;
        return norm;
      });
    step();
    const held = memory();
    for (let i = 0; i < 50; i++) step();
    expect(memory().bytes).toBe(held.bytes);
    expect(memory().tensors).toBe(held.tensors);
    expect(memory().reserved).toBe(held.reserved);
    expect(memory().peak).toBe(held.peak);
  });
});

describe('what leaves tidy', () => {
  it('is what is returned, in any collection or object, and views of it with their base', () => {
    class Output {
      constructor(readonly logits: Tensor) {}
    }
    const inside = tidy.run(() => {
      const x = ones([16, 16]);
      return {
        list: [x.add(1), [x.add(2)]],
        map: new Map<unknown, unknown>([
          ['a', x.add(3)],
          [x.add(4), 1],
        ]),
        set: new Set([x.add(5)]),
        output: new Output(x.add(6)),
        view: x.add(7).narrow(0, 1, 2).transpose(0, 1),
        detached: x.add(8).detach(),
        [Symbol('not walked')]: x.add(9),
        n: 3,
      };
    });
    const first = (t: unknown) => (t as Tensor).sum().item() / (t as Tensor).numel;
    expect(first(inside.list[0])).toBe(2);
    expect(first((inside.list[1] as Tensor[])[0])).toBe(3);
    expect(first(inside.map.get('a'))).toBe(4);
    expect(first([...inside.map.keys()][1])).toBe(5);
    expect(first([...inside.set][0])).toBe(6);
    expect(first(inside.output.logits)).toBe(7);
    expect(first(inside.view)).toBe(8);
    expect(inside.view.shape).toEqual([16, 2]);
    expect(first(inside.detached)).toBe(9);
    expect(memory().bytes).toBe(0);
  });

  it('is all that a backward pass through what is returned needs, and nothing else', () => {
    const w = randn([16, 16], { requiresGrad: true });
    const expected = plain(w);
    let other: Tensor = null!;
    let between: Tensor = null!;
    const loss = tidy.run(() => {
      other = w.exp().mul(3);
      between = w.mul(w).tanh();
      return between.mul(2).sum();
    });
    expect(other.isDisposed).toBe(true);
    expect(between.isDisposed).toBe(false);
    loss.backward();
    expect(w.grad!.allclose(expected)).toBe(true);
    function plain(w: Tensor): Tensor {
      w.mul(w).tanh().mul(2).sum().backward();
      const { grad } = w;
      w.grad = null;
      return grad!;
    }
  });

  it('is nothing of a graph that backward has gone through', () => {
    const w = randn([16, 16], { requiresGrad: true });
    let between: Tensor = null!;
    const loss = tidy.run(() => {
      between = w.mul(w).tanh();
      const loss = between.sum();
      loss.backward();
      return loss;
    });
    expect(between.isDisposed).toBe(true);
    expect(Number.isFinite(loss.item())).toBe(true);
    expect(w.grad!.isDisposed).toBe(false);
    expect(Number.isFinite(w.grad!.sum().item())).toBe(true);
  });

  it.each(Object.keys(cases))('gives the same values and gradients as without it: %s', (name) => {
    const [fn, ...makers] = cases[name]!;
    const run = (call: (f: () => Tensor[]) => Tensor[]) => {
      manualSeed(3);
      const inputs = makers.map((make) => make());
      const outs = call(() => [fn(...inputs)].flat());
      for (const out of outs)
        if (out.requiresGrad) out.backward({ gradient: ones(out.shape, { dtype: out.dtype }), retainGraph: true });
      return [...outs, ...inputs.map((t) => t.grad)].map((t) => t && Array.from(t.detach().toTypedArray()));
    };
    expect(run((f) => tidy.run(f))).toEqual(run((f) => f()));
  });

  it.each<[string, (t: Tensor) => unknown]>([
    ['a proxy', (t) => new Proxy(t, {})],
    ['an object that inherits from it', (t) => Object.create(t)],
  ])('is no tensor that is returned as %s', (_, make) => {
    let t: Tensor = null!;
    const other = tidy.run(() => {
      t = large();
      return make(t);
    });
    expect([t.isDisposed, typeof other]).toEqual([true, 'object']);
    tidy.run(() => keep(make(large())));
  });

  it('is what keep() was given, out of all scopes, with its graph', () => {
    const w = ones([16, 16], { requiresGrad: true });
    let kept: Tensor = null!;
    tidy.run(() => {
      tidy.run(() => {
        kept = keep([w.mul(w)])[0]!;
      });
      expect(kept.isDisposed).toBe(false);
    });
    kept.sum().backward();
    expect(w.grad!.sum().item()).toBe(512);
    expect(keep(3)).toBe(3);
  });

  it('is the gradient of a tensor from outside, also in an outer scope', () => {
    const w = ones([16, 16], { requiresGrad: true });
    tidy.run(() => {
      tidy.run(() => w.mul(3).sum().backward());
      expect(w.grad!.sum().item()).toBe(768);
      tidy.run(() => w.mul(3).sum().backward());
    });
    expect(w.grad!.sum().item()).toBe(1536);
  });

  it('is what a tensor from outside needs that was written to inside', () => {
    const w = randn([16, 16], { requiresGrad: true });
    const run = (call: (f: () => void) => void) => {
      const state = zeros([16, 16]);
      const rows = zeros([16, 16]);
      call(() => {
        state.add_(w.mul(w).tanh());
        rows.select(0, 1).copy_(w.select(0, 2).exp());
      });
      state.mul(2).sum().add(rows.sum()).backward();
      const grad = w.grad!.toArray();
      w.grad = null;
      return grad;
    };
    expect(run((f) => tidy.run(f))).toEqual(run((f) => f()));
  });

  const scaled = (x: Tensor, by: Tensor) =>
    defineFunction({ name: 'scaled', forward: (_, x: Tensor) => x.mul(by), backward: (_, g) => g!.mul(by) })(x);

  it('is all that was made before a rule of a user of which nobody knows what it holds', () => {
    const w = randn([16, 16], { requiresGrad: true });
    const y = tidy.run(() => {
      const by = ones([16, 16]).mul(3);
      return scaled(w, by).sum();
    });
    y.backward();
    expect(w.grad!.sum().item()).toBe(768);
  });

  it('is all of the scopes around too where keep() was given what such a rule is in', () => {
    const w = randn([16, 16], { requiresGrad: true });
    let kept: Tensor = null!;
    tidy.run(() => {
      const by = ones([16, 16]).mul(3);
      tidy.run(() => {
        kept = keep(scaled(w, by).sum());
      });
    });
    kept.backward();
    expect(w.grad!.sum().item()).toBe(768);
  });

  it('is what hooks on saved tensors keep', () => {
    const w = randn([16, 16], { requiresGrad: true });
    const half = savedTensorsHooks({
      pack: (t: Tensor) => ({ t: t.to('float64') }),
      unpack: ({ t }) => t.to('float32'),
    });
    const y = tidy.run(() => half.run(() => w.mul(2).square().sum()));
    y.backward();
    expect(w.grad!.allclose(w.mul(8))).toBe(true);
  });

  it('belongs to the scope around it', () => {
    let inner: Tensor = null!;
    const outer = tidy.run(() => {
      inner = tidy.run(() => large());
      expect(inner.isDisposed).toBe(false);
      return inner.add(1);
    });
    expect(inner.isDisposed).toBe(true);
    expect(outer.isDisposed).toBe(false);
  });
});

describe('forms of tidy', () => {
  it('wrap and condition: what the condition does not hold for stays', () => {
    const held: Tensor[] = [];
    const fn = tidy((on: boolean) => on).wrap((_on: boolean) => {
      held.push(large());
    });
    fn(true);
    fn(false);
    expect(held.map((t) => t.isDisposed)).toEqual([true, false]);
  });

  it('a scope gives back all that is not kept', () => {
    const held: Tensor[] = [];
    {
      using _ = tidy.enter();
      held.push(large(), keep(large()));
    }
    expect(held.map((t) => t.isDisposed)).toEqual([true, false]);
  });

  it('async: what is made after each await, in this flow only', async () => {
    const held: Tensor[] = [];
    const tick = () => new Promise((resolve) => setTimeout(resolve, 1));
    const train = tidy.wrap(async () => {
      held.push(large());
      await tick();
      held.push(large());
      return [large()];
    });
    const serve = async () => {
      await Promise.resolve();
      const t = large();
      await tick();
      return t;
    };
    const [[result], other] = await Promise.all([train(), serve()]);
    expect(held.map((t) => t.isDisposed)).toEqual([true, true]);
    expect([result!.isDisposed, other.isDisposed]).toEqual([false, false]);
    await expect(
      tidy.run(async () => {
        await tick();
        held.push(large());
        throw new RangeError('no');
      }),
    ).rejects.toThrow(RangeError);
    expect(held.at(-1)!.isDisposed).toBe(true);
  });

  it('async without the runtime: a generator that yields what it waits for', async () => {
    const held: Tensor[] = [];
    const run = tidy.async(function* () {
      held.push(large());
      yield Promise.resolve();
      held.push(large());
      return large();
    });
    const out = await run();
    expect([...held.map((t) => t.isDisposed), out.isDisposed]).toEqual([true, true, false]);
  });

  it('what a flow makes that goes on after the end belongs to nobody', async () => {
    let late: Promise<Tensor> = null!;
    tidy.run(() => {
      late = Promise.resolve().then(() => large());
    });
    expect((await late).isDisposed).toBe(false);
  });

  it('generators: what is yielded leaves, the rest goes at the end', () => {
    const held: Tensor[] = [];
    class Data {
      @tidy *rows(): Generator<Tensor> {
        held.push(large());
        yield large();
        held.push(large());
        yield large();
      }
    }
    const rows = new Data().rows();
    const first = rows.next().value!;
    expect([first.isDisposed, held[0]!.isDisposed]).toEqual([false, false]);
    const rest = [...rows];
    expect(held.map((t) => t.isDisposed)).toEqual([true, true]);
    expect([first, ...rest].map((t) => t.isDisposed)).toEqual([false, false]);
    for (const row of new Data().rows()) {
      expect(row.isDisposed).toBe(false);
      break;
    }
    expect(held.map((t) => t.isDisposed)).toEqual([true, true, true]);
  });

  it('async generators too', async () => {
    const held: Tensor[] = [];
    const rows = tidy.wrap(async function* () {
      held.push(large());
      yield large();
      await Promise.resolve();
      held.push(large());
      yield large();
    });
    const out: Tensor[] = [];
    for await (const row of rows()) out.push(row);
    expect(held.map((t) => t.isDisposed)).toEqual([true, true]);
    expect(out.map((t) => t.isDisposed)).toEqual([false, false]);
  });

  it('combines with other gates, and is shown as they are', () => {
    const serving = combineGates('serving', evaluating, tidy);
    let held: Tensor = null!;
    const w = ones([16, 16], { requiresGrad: true });
    const out = serving.run(() => {
      held = w.mul(2);
      expect(gradModeStack()[0]!.kind).toBe('serving');
      return held.add(1);
    });
    expect([held.isDisposed, out.isDisposed, out.requiresGrad]).toEqual([true, false, false]);
    expect(() => held.add(1)).toThrow(/at the end of serving/);
    noGrad.run(() => anomalyMode.run(() => tidy.run(() => w.add(1))));
  });

  it('a gate that has it twice gives back what is made inside, and keeps no kernel memory', () => {
    const twice = combineGates('twice', tidy, combineGates('inner', noGrad, tidy));
    let held: Tensor = null!;
    const before = memory();
    const out = twice.run(() => {
      held = large();
      return held.add(1);
    });
    expect([held.isDisposed, out.isDisposed]).toEqual([true, false]);
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  });
});

describe('dispose', () => {
  it('gives the memory back with all that shares it; twice is once; on a view it does nothing', () => {
    const t = large();
    const [view, detached] = [t.view([-1]), t.detach()];
    view.dispose();
    expect(t.isDisposed).toBe(false);
    t.dispose();
    t.dispose();
    expect([t, view, detached].map((x) => x.isDisposed)).toEqual([true, true, true]);
    expect(() => view.add(1)).toThrow(/^add: a float32 tensor of shape \[256\] was given back by dispose\(\)/);
  });

  it('is what `using` does', () => {
    let held: Tensor = null!;
    {
      using t = large();
      held = t;
    }
    expect(held.isDisposed).toBe(true);
  });

  it('names its place in development mode', () => {
    const development = setDevelopmentMode(true);
    try {
      const t = large();
      t.dispose();
      expect(() => t.add(1)).toThrow(/by dispose\(\) at .*tidy\.test\.ts:\d+:\d+/);
    } finally {
      setDevelopmentMode(development);
    }
  });

  it('of what backward needs makes that refuse', () => {
    const w = randn([16, 16], { requiresGrad: true });
    const y = w.mul(2);
    const loss = y.mul(y).sum();
    y.dispose();
    expect(() => loss.backward()).toThrow(/^mul: a float32 tensor of shape \[16, 16\] was given back by dispose\(\)/);
    expect(w.grad).toBe(null);
  });

  it('frees kernel memory under tidy at once', () => {
    tidy.run(() => {
      const x = ones([16, 16]);
      const { bytes } = memory();
      const t = x.add(1);
      expect(memory().bytes).toBe(bytes + 1024);
      t.dispose();
      expect(memory().bytes).toBe(bytes);
    });
  });
});
