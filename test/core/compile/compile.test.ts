import {
  dropout,
  equal,
  evalMode,
  forkRng,
  freezing,
  fromTypedArray,
  inferenceMode,
  isGradEnabled,
  manualSeed,
  memory,
  noGrad,
  ones,
  rand,
  randn,
  randperm,
  registerHook,
  setReporter,
  Tensor,
  tensor,
  tidy,
  zeros,
} from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { describe, expect, it } from 'vitest';
import { cases } from '../operators.js';

const values = (t: Tensor | null) => t && Array.from(t.detach().toTypedArray());

describe('a compiled function gives what it gives without, to the last bit', () => {
  it.each(Object.keys(cases))('%s, forward and backward, with other inputs at each call', (name) => {
    const [fn, ...makers] = cases[name]!;
    const step = (...inputs: Tensor[]) => {
      for (const x of inputs) x.grad = null;
      const outs = [fn(...inputs)].flat();
      for (const out of outs)
        if (out.requiresGrad) out.backward({ gradient: ones(out.shape, { dtype: out.dtype }), retainGraph: true });
      return outs.map((out) => out.detach());
    };
    const compiled = compile(step);
    for (let i = 0; i < 3; i++) {
      const inputs = makers.map((make) => make());
      const same = inputs.map((t) => t.detach().clone().requiresGrad_(t.requiresGrad));
      manualSeed(i);
      const expected = step(...inputs);
      manualSeed(i);
      const outs = compiled(...same);
      expect(outs.map(values)).toEqual(expected.map(values));
      expect(same.map((t) => values(t.grad))).toEqual(inputs.map((t) => values(t.grad)));
    }
    const { replays, breaks } = compiled.explain();
    expect(replays + breaks.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(1);
  });

  it('all operators are replayed but those whose values JavaScript reads, and these say why', () => {
    const why: Record<string, string> = {};
    for (const [name, [fn, ...makers]] of Object.entries(cases)) {
      const forward = compile(noGrad.wrap((...inputs: Tensor[]) => [fn(...inputs)].flat()));
      for (let i = 0; i < 2; i++) forward(...makers.map((make) => make()));
      const { replays, breaks, again } = forward.explain();
      if (replays === 0) why[name] = breaks[0]?.why ?? again[0] ?? 'not replayed';
    }
    for (const reason of Object.values(why)) expect(reason).not.toBe('not replayed');
    expect(Object.keys(why).sort()).toEqual([
      'crossEntropy',
      'cumprod',
      'dropout',
      'embedding',
      'gather',
      'indexAdd',
      'indexCopy',
      'indexFill',
      'indexSelect',
      'linalg.eig',
      'linalg.eigvals',
      'maskedScatter',
      'maskedSelect',
      'nllLoss',
      'repeatInterleave',
      'scatter',
      'scatterAdd',
      'scatterReduce',
      'take',
      'takeAlongDim',
    ]);
  });

  it('draws take the same random numbers, also those of forkRng around the call', () => {
    const draw = (x: Tensor) =>
      dropout(x, { p: 0.3 })
        .add(rand([8]))
        .add(randn([8]))
        .add(randperm(8));
    const compiled = compile(draw);
    const run = (f: typeof draw) => {
      manualSeed(5);
      const all = Array.from({ length: 4 }, (_, i) => values(f(ones([8]).mul(i))));
      return [...all, values(forkRng(3).run(() => f(ones([8])))), values(forkRng(4).run(() => f(ones([8]))))];
    };
    expect(run(compiled)).toEqual(run(draw));
    expect(compiled.explain().replays).toBe(5);
  });
});

describe('what a record is for', () => {
  it('shapes, dtypes, strides, plain values and requiresGrad', () => {
    const f = compile(
      noGrad.wrap((x: Tensor, by: number, options: { twice: boolean }) =>
        options.twice ? x.mul(by).mul(by) : x.mul(by),
      ),
    );
    const twice = { twice: true };
    expect(values(f(tensor([1, 2]), 2, twice))).toEqual([4, 8]);
    expect(values(f(tensor([3, 4]), 2, twice))).toEqual([12, 16]);
    expect(values(f(tensor([3, 4]), 3, twice))).toEqual([27, 36]);
    expect(values(f(tensor([3, 4]), 2, { twice: false }))).toEqual([6, 8]);
    expect(values(f(tensor([3, 4, 5]), 2, twice))).toEqual([12, 16, 20]);
    expect(f(tensor([3, 4], { dtype: 'int32' }), 2, twice).dtype).toBe('int32');
    expect(
      f(
        tensor([
          [1, 2],
          [3, 4],
        ]).t(),
        2,
        twice,
      ).toArray(),
    ).toEqual([
      [4, 12],
      [8, 16],
    ]);
    expect(values(f(ones([4]).narrow(0, 2, 2), 2, twice))).toEqual([4, 4]);
    expect(f.explain()).toMatchObject({ calls: 8, replays: 2, breaks: [] });
  });

  it('parts of larger tensors, wherever they begin', () => {
    const f = compile(noGrad.wrap((x: Tensor) => x.select(0, 1).add(x.sum())));
    const data = tensor([0, 1, 2, 3, 4, 5, 6, 7]);
    for (let i = 0; i < 4; i++) expect(f(data.narrow(0, 2 * i, 2)).item()).toBe(6 * i + 2);
    expect(f.explain().replays).toBe(3);
  });

  it('the grad mode and every other mode', () => {
    const w = ones([4], { requiresGrad: true });
    const f = compile((x: Tensor) => {
      const y = dropout(w.mul(x), { p: 0.5, training: true });
      return [y.detach(), isGradEnabled()];
    });
    const x = ones([4]);
    for (let i = 0; i < 2; i++) {
      expect(f(x)[1]).toBe(true);
      expect(noGrad.run(() => f(x))[1]).toBe(false);
      expect((inferenceMode.run(() => f(x))[0] as Tensor).inference).toBe(true);
      expect(values(evalMode.run(() => compiledEval(x)))).toEqual([1, 1, 1, 1]);
      freezing(w).run(() => f(x));
    }
    function compiledEval(x: Tensor) {
      return g(x);
    }
    expect(f.explain().records.length).toBe(4);
  });
  const g = compile((x: Tensor) => dropout(x, { p: 0.5, training: evalMode.run(() => false) }));

  it('no condition of a gate is lost: each is asked once a call, with this and the arguments of that call', () => {
    const asked: unknown[] = [];
    class Net {
      frozen = false;
      w = ones([2], { requiresGrad: true });
      @noGrad(function (this: Net, x: Tensor) {
        asked.push([this.constructor.name, x]);
        return flags.shift()!;
      })
      embed(x: Tensor): Tensor {
        return this.w.mul(x);
      }
      step = compile((x: Tensor) => {
        this.w.grad = null;
        const y = this.embed(x).add(this.w);
        y.sum().backward();
        return y;
      });
    }
    const pattern = [false, true, true, false, false, true, false];
    const flags = [...pattern];
    const net = new Net();
    for (const [i, held] of pattern.entries()) {
      const x = tensor([i, 2]);
      const y = net.step(x);
      expect(values(y)).toEqual([i + 1, 3]);
      expect(values(net.w.grad)).toEqual(held ? [1, 1] : [i + 1, 3]);
      expect(asked).toHaveLength(i + 1);
      expect((asked[i] as unknown[])[1]).toBe(x);
    }
    expect(net.step.explain()).toMatchObject({
      calls: 7,
      replays: 5,
      again: ['a condition of a gate said something else'],
    });
  });

  it('memory and requiresGrad of tensors from outside, and whether leaves have gradients', () => {
    const w = ones([2], { requiresGrad: true });
    const f = compile((x: Tensor) => {
      const y = w.mul(x).sum();
      if (y.requiresGrad) y.backward();
      return y.detach();
    });
    f(ones([2]));
    f(ones([2]));
    f(ones([2]));
    expect(values(w.grad)).toEqual([3, 3]);
    w.grad = null;
    f(ones([2]));
    expect(values(w.grad)).toEqual([1, 1]);
    w.requiresGrad = false;
    expect(f(ones([2])).item()).toBe(2);
    expect(values(w.grad)).toEqual([1, 1]);
    noGrad.run(() => w.mul_(5));
    expect(f(ones([2])).item()).toBe(10);
    expect(f.explain().again.join()).toContain('requiresGrad of a parameter changed');
  });

  it('at most so many are made; then calls run as they are, with a report', () => {
    const told: string[] = [];
    const before = setReporter((message) => told.push(message));
    try {
      const f = compile(
        noGrad.wrap((x: Tensor) => x.add(1)),
        { maxRecords: 2 },
      );
      for (let n = 1; n < 6; n++) expect(values(f(zeros([n])))).toEqual(Array(n).fill(1));
      expect(f.explain().records).toHaveLength(2);
      expect(told).toHaveLength(1);
      f.reset();
      expect(f.explain().records).toHaveLength(0);
    } finally {
      setReporter(before);
    }
  });
});

describe('what a call leaves', () => {
  it('results and gradients that somebody holds are never written again', () => {
    const w = ones([64, 64], { requiresGrad: true });
    const f = compile((x: Tensor) => {
      w.grad = null;
      const y = w.mul(x);
      y.sum().backward();
      return { y, sum: [y.sum()] };
    });
    const held = [1, 2, 3, 4].map((n) => {
      const { y, sum } = f(ones([64, 64]).mul(n));
      return { y, sum: sum[0]!, grad: w.grad! };
    });
    held.forEach(({ y, sum, grad }, i) => {
      expect(sum.item()).toBe(4096 * (i + 1));
      expect(y.sum().item()).toBe(4096 * (i + 1));
      expect(grad.sum().item()).toBe(4096 * (i + 1));
    });
  });

  it('results that one kernel writes without a copy: whole, as views, twice, under tidy and in chains', () => {
    const f = compile(
      noGrad.wrap((x: Tensor) => {
        const [y, z] = [x.softmax(1), x.exp().add(1).mul(x)];
        return { y, same: y, flat: y.view(-1), half: z.narrow(0, 1, 2), z };
      }),
    );
    const held = [1, 2, 3, 4].map((n) => {
      // On the JavaScript heap, also with native kernels.
      const x = fromTypedArray(Float32Array.from({ length: 4096 }, (_, i) => (i * n) / 1000)).reshape(4, 1024);
      const run = () => f(x);
      return { x, ...(n % 2 === 0 ? tidy.run(run) : run()) };
    });
    for (const { x, y, same, flat, half, z } of held) {
      const [softmax, other] = [x.softmax(1), x.exp().add(1).mul(x)];
      for (const [got, expected] of [
        [y, softmax],
        [same, softmax],
        [flat, softmax.flatten()],
        [z, other],
        [half, other.narrow(0, 1, 2)],
      ] as const)
        expect(got.equal(expected)).toBe(true);
    }
    // A copy of x, which two kernels read, and the number.
    expect(f.explain()).toMatchObject({ replays: 3, records: [{ bytes: 4096 * 4 + 4 }] });
  });

  it('writes in place to arguments and to tensors from outside, and counts them', () => {
    const total = zeros([2]);
    const f = compile((x: Tensor) => {
      total.add_(x);
      x.mul_(2);
      return x;
    });
    for (let i = 0; i < 3; i++) {
      const x = ones([2]);
      expect(f(x)).toBe(x);
      expect([values(x), x.version, total.version]).toEqual([[2, 2], 1, i + 1]);
    }
    expect(values(total)).toEqual([3, 3]);
  });

  it('its memory in bytes, by dtype', () => {
    const bytes = (fn: (x: Tensor) => Tensor) => {
      // What is read again is not a result of its own.
      const f = compile(
        noGrad.wrap((x: Tensor) => {
          const y = fn(x);
          return [y, y.clone()];
        }),
      );
      f(ones([100]));
      return f.explain().records[0]!.unshared;
    };
    expect(bytes((x) => x.to('bool'))).toBe(100);
    expect(bytes((x) => x.to('int32'))).toBe(400);
    expect(bytes((x) => x.to('bfloat16'))).toBe(200);
    expect(bytes((x) => x.to('float64'))).toBe(800);
    expect(bytes((x) => x.neg())).toBe(400);
  });

  it('memory that is used twice by the last that uses it is given to one only', () => {
    const f = (x: Tensor) => {
      const y = x.mul(2);
      y.matmul(y);
      const [p, q] = [x.mul(3), x.mul(5)];
      const [u, v] = [p.matmul(p), q.matmul(q)];
      const [r, s] = [x.add(7), x.add(9)];
      return u.matmul(r).add(v.matmul(s));
    };
    const compiled = compile(noGrad.wrap(f));
    for (const x of [ones([4, 4]), ones([4, 4]).mul(2), ones([4, 4]).mul(3)])
      expect(compiled(x).toArray()).toEqual(f(x).toArray());
    expect(compiled.explain().replays).toBe(2);
  });

  it('errors of kernels, as without', () => {
    const f = compile(noGrad.wrap((x: Tensor, i: Tensor) => x.indexSelect(0, i)));
    const x = tensor([5, 6, 7]);
    f(x, tensor([0], { dtype: 'int32' }));
    expect(values(f(x, tensor([2], { dtype: 'int32' })))).toEqual([7]);
    expect(() => f(x, tensor([9], { dtype: 'int32' }))).toThrow(/indexSelect/);
    expect(values(f(x, tensor([1], { dtype: 'int32' })))).toEqual([6]);
  });

  it('the same memory after many calls, under tidy too', () => {
    const w = randn([64, 64], { requiresGrad: true });
    const f = compile((x: Tensor) => {
      w.grad = null;
      const loss = x.matmul(w).tanh().square().mean();
      loss.backward();
      return loss;
    });
    const x = randn([64, 64]);
    for (let i = 0; i < 3; i++) tidy.run(() => f(x).item());
    const { bytes, reserved } = memory();
    for (let i = 0; i < 100; i++) tidy.run(() => f(x).item());
    expect(memory()).toMatchObject({ bytes, reserved });
    const [record] = f.explain().records;
    expect(record!.bytes).toBeLessThan(record!.unshared);
  });
});

describe('what cannot be replayed runs as it is, and explain() says where', () => {
  const w = ones([2], { requiresGrad: true });
  it.each<[string, (x: Tensor) => unknown, RegExp]>([
    ['item()', (x) => x.mul(x.sum().item()), /item reads the values/],
    ['toArray()', (x) => x.mul((x.toArray() as number[])[0]!), /reads the values/],
    ['values of JavaScript', (x) => x.add(tensor([1, 2])), /tensor\(\) takes values of JavaScript/],
    ['a number that is returned', () => 3, /returns a number/],
    ['a promise', async (x) => x, /such as a promise/],
    [
      'a hook',
      (x) => {
        const y = w.mul(x);
        registerHook(y, (g) => g.mul(2));
        y.sum().backward();
      },
      /a hook on a gradient runs/,
    ],
    [
      'a seed',
      (x) => {
        manualSeed(1);
        return x.add(rand([2]));
      },
      /a generator is seeded/,
    ],
    ['forkRng inside', (x) => forkRng(1).run(() => x.add(rand([2]))), /a random generator is made inside/],
  ])('%s', async (_, fn, why) => {
    const f = compile(fn);
    for (const x of [tensor([1, 2]), tensor([3, 4])]) {
      const [mine, plain] = [await f(x), await fn(x)];
      expect(mine instanceof Tensor ? values(mine) : mine).toEqual(plain instanceof Tensor ? values(plain) : plain);
    }
    const { breaks, replays } = f.explain();
    expect(replays).toBe(0);
    expect(breaks).toHaveLength(1);
    expect(breaks[0]!.why).toMatch(why);
    expect(breaks[0]!.calls).toBe(2);
  });

  it('a proxy of a tensor that is returned; one that is passed is an object as any other', () => {
    const proxied = (x: Tensor) => new Proxy(x.detach(), {});
    const f = compile(proxied);
    expect([1, 2].map((n) => f(tensor([n])).shape)).toEqual([[1], [1]]);
    expect(f.explain().breaks[0]!.why).toMatch(/something else than tensors/);
    const other = compile((_: object) => true);
    const one = proxied(tensor([1]));
    expect([other(one), other(one)]).toEqual([true, true]);
    expect(other.explain().replays).toBe(1);
  });

  it('names the place', () => {
    const f = compile((x: Tensor) => x.item());
    f(tensor([1]));
    expect(f.explain().breaks[0]!.at).toMatch(/compile\.test\.ts:\d+:\d+$/);
  });

  it('{ check: true } finds what no signature holds', () => {
    let rate = 1;
    const f = compile(
      noGrad.wrap((x: Tensor) => x.mul(rate)),
      { check: true },
    );
    f(ones([2]));
    f(ones([2]));
    rate = 2;
    expect(() => f(ones([2]))).toThrow(/a replay would have done something else/);
  });
});

describe('methods', () => {
  class Scale {
    by = 2;
    calls = 0;
    @compile times(x: Tensor): Tensor {
      return x.mul(this.by);
    }
    @compile counted(x: Tensor): Tensor {
      this.calls++;
      return x.add(1);
    }
  }

  it('plain fields of `this` are part of the signature; a method that changes them runs as it is', () => {
    const [a, b] = [new Scale(), new Scale()];
    b.by = 5;
    for (let i = 0; i < 2; i++) {
      expect(values(a.times(ones([1])))).toEqual([2]);
      expect(values(b.times(ones([1])))).toEqual([5]);
    }
    a.by = 7;
    expect(values(a.times(ones([1])))).toEqual([7]);
    for (let i = 0; i < 3; i++) a.counted(ones([1]));
    expect(a.calls).toBe(3);
    const { times, counted } = a as unknown as Record<string, { explain(): any }>;
    expect(times!.explain()).toMatchObject({ calls: 5, replays: 2, again: ['the field by of a Scale changed'] });
    expect(counted!.explain().breaks[0].why).toBe('it changes the field calls of a Scale');
  });

  it('decorates methods in the dialect of experimentalDecorators too', () => {
    const of = {
      factor: 3,
      times(this: { factor: number }, x: Tensor): Tensor {
        return x.mul(this.factor);
      },
    };
    const descriptor = Object.getOwnPropertyDescriptor(of, 'times')!;
    compile(of, 'times', descriptor);
    Object.defineProperty(of, 'times', descriptor);
    expect([1, 2, 3].map((n) => noGrad.run(() => of.times(tensor([n])).item()))).toEqual([3, 6, 9]);
    expect((of.times as unknown as { explain(): { replays: number } }).explain().replays).toBe(2);
  });

  it('explain() tells why a record was made where there was one, and of no call that none was made for', () => {
    const before = setReporter(() => {});
    try {
      const times = compile(
        function (this: Scale, x: Tensor) {
          return x.mul(this.by);
        },
        { maxRecords: 2 },
      );
      const scale = new Scale();
      for (scale.by = 1; scale.by < 6; scale.by++) expect(values(times.call(scale, ones([1])))).toEqual([scale.by]);
      expect(times.explain()).toMatchObject({ calls: 5, replays: 0, again: ['the field by of a Scale changed'] });
    } finally {
      setReporter(before);
    }
  });

  it('gives results that contain themselves as they are', () => {
    const loop: unknown[] = [];
    loop[0] = loop;
    const f = compile((x: unknown) => x);
    expect([f(loop), f(loop), f(loop)].every((y) => y === loop)).toBe(true);
  });

  it('refuses what is no method', () => {
    expect(() => compile(3 as never)).toThrow(/^compile: takes a function/);
    expect(() => compile(() => {}, { chek: true } as never)).toThrow(/compile: .*chek/);
    expect(() => compile({}, 'size', null as never)).toThrow(/^compile: decorates methods, and 'size' is none/);
    expect(() => compile({}, 'size', { get: () => 3 })).toThrow(/^compile: decorates methods, and 'size' is none/);
  });

  it('flows that call it at once get what is theirs', async () => {
    const f = compile(noGrad.wrap((x: Tensor) => x.mul(2)));
    const flow = async (n: number) => {
      const seen: boolean[] = [];
      for (let i = 0; i < 20; i++) {
        const y = f(ones([8]).mul(n + i));
        await Promise.resolve();
        seen.push(equal(y, ones([8]).mul(2 * (n + i))));
      }
      return seen.every(Boolean);
    };
    expect(await Promise.all([flow(0), flow(100), flow(200)])).toEqual([true, true, true]);
  });
});
