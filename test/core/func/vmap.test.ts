import * as core from '@gradgate/core';
import {
  allclose,
  evalMode,
  grad as gradientsOf,
  noGrad,
  ones,
  rand,
  randn,
  stack,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '@gradgate/core';
import { checkpoint } from '@gradgate/core/checkpoint';
import { compile } from '@gradgate/core/compile';
import { grad, hessian, jacrev, vmap } from '@gradgate/core/func';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import { describe, expect, it } from 'vitest';

const f64 = { dtype: 'float64' } as const;
const x = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

describe('dimensions and structures', () => {
  it('the batch may be any dimension of each argument, and of the result', () => {
    const t = randn([2, 3, 4, 5]);
    for (let dim = -4; dim < 4; dim++)
      for (const out of [0, 1, -1])
        expect(
          allclose(vmap((p: Tensor) => p.mul(2), { inDims: dim, outDims: out })(t), t.mul(2).movedim(dim, out)),
        ).toBe(true);
  });

  it('arguments and results are tensors in arrays and objects, and other arguments are given as they are', () => {
    const f = vmap(
      (p: { a: Tensor; b: [Tensor, Tensor] }, word: string) => ({ [word]: p.a.add(p.b[0]), rest: [p.b[1]] }),
      {
        inDims: [{ a: 0, b: [1, null] }, null],
        outDims: { sum: 1, rest: [0] },
      },
    );
    const shared = tensor([7]);
    const got = f({ a: x, b: [x.t(), shared] }, 'sum') as { sum: Tensor; rest: Tensor[] };
    expect(got.sum.toArray()).toEqual(x.mul(2).t().toArray());
    expect(got.rest[0]!.toArray()).toEqual([[7], [7]]);
  });

  it('in chunks gives the same, in calls of the function with so many examples', () => {
    const t = randn([7, 3]);
    let calls = 0;
    const f = (p: Tensor) => {
      calls++;
      return [p.sum(), p.outer(p)] as const;
    };
    const [sums, products] = vmap(f, { chunkSize: 3, outDims: [0, 1] })(t);
    expect(calls).toBe(3);
    expect(sums.shape).toEqual([7]);
    expect(allclose(products, vmap(f, { outDims: [0, 1] })(t)[1])).toBe(true);
  });

  it('one example is as good as many', () => {
    expect(vmap((p: Tensor) => p.sum())(ones([1, 3])).toArray()).toEqual([3]);
    expect(vmap((p: Tensor) => p.sum())(ones([4, 0])).toArray()).toEqual([0, 0, 0, 0]);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'sizes that differ',
      () => vmap((a: Tensor, b: Tensor) => a.add(b))(ones([2]), ones([3])),
      /^vmap: the batches differ in size: \[2\] has 2 along dimension 0, \[3\] has 3/,
    ],
    ['no batch', () => vmap((a: Tensor) => a, { inDims: null })(ones([2])), /^vmap: no argument has a batch/],
    ['no example', () => vmap((a: Tensor) => a)(ones([0, 2])), /^vmap: the batch is empty/],
    ['a number', () => vmap((a: Tensor) => a)(ones([])), /^vmap: a tensor without dimensions has no batch/],
    [
      'a dimension that is not there',
      () => vmap((a: Tensor) => a, { inDims: 1 })(ones([2])),
      /^vmap: dim 1 is out of range/,
    ],
    [
      'a result dimension that is not there',
      () => vmap((a: Tensor) => a, { outDims: 2 })(ones([2])),
      /^vmap: dim 2 is out of range/,
    ],
    [
      'dims of another structure',
      () => vmap((a: Tensor) => a, { inDims: [0, 0] })(ones([2])),
      /^vmap: inDims has 2 items where there are 1 items/,
    ],
    [
      'dims of other names',
      () => vmap((a: { p: Tensor }) => a.p, { inDims: [{ q: 0 }] })({ p: ones([2]) }),
      /^vmap: inDims has the names q where there are the names p/,
    ],
    [
      'dims that are no numbers',
      () => vmap((a: Tensor) => a, { inDims: ['0' as never] })(ones([2])),
      /^vmap: inDims must be numbers and null/,
    ],
    [
      'result dims of null',
      () => vmap((a: Tensor) => a, { outDims: null })(ones([2])),
      /^vmap: outDims must be numbers/,
    ],
    [
      'a map',
      () => vmap((a: any) => a.get(0))(new Map([[0, ones([2])]])),
      /^vmap: an argument with a batch must be a Tensor, or Tensors in arrays and plain objects, got an instance of Map/,
    ],
    [
      'a result that is no tensor',
      () => vmap((a: Tensor) => a.shape.length)(ones([2])),
      /^vmap: the result of the function must consist of Tensors, got 0/,
    ],
    ['no function', () => vmap(3 as never), /^vmap: fn must be a function, got 3/],
    [
      'an option that is not there',
      () => vmap((a: Tensor) => a, { indims: 0 } as never),
      /^vmap: there is no option 'indims'; did you mean 'inDims'/,
    ],
    [
      'a word for randomness',
      () => vmap((a: Tensor) => a, { randomness: 'any' as never }),
      /^vmap: randomness must be 'error' or 'different' or 'same'/,
    ],
    [
      'a chunk of nothing',
      () => vmap((a: Tensor) => a, { chunkSize: 0 }),
      /^vmap: chunkSize must be a whole number above 0/,
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('what an example sees', () => {
  it('tensors have the shapes of an example, are on the device, and print without values', () => {
    vmap((p: Tensor) => {
      expect([p.shape, p.device, p.dtype]).toEqual([[3], 'cpu', 'float32']);
      expect(String(p)).toBe('tensor(shape: [3], device: cpu; it has values for each example of a vmap)');
      return p;
    })(x);
  });

  it('what all examples share may be read, and decides as it does outside', () => {
    const w = tensor([2]);
    expect(vmap((p: Tensor) => (w.item() > 1 ? p.sum() : p.prod()))(x).toArray()).toEqual([6, 15]);
    expect(vmap((p: Tensor) => p.mul(w.mul(2).item()))(x).toArray()).toEqual(x.mul(4).toArray());
  });

  const reads: [string, (p: Tensor) => unknown][] = [
    ['item', (p) => p.sum().item()],
    ['toTypedArray', (p) => p.toTypedArray()],
    ['toArray', (p) => p.toArray()],
    ['nonzero', (p) => core.nonzero(p)],
    ['maskedSelect', (p) => core.maskedSelect(p, p.gt(1))],
    ['unique', (p) => core.unique(p)],
    ['equal', (p) => core.equal(p, p)],
    ['bincount', (p) => core.bincount(p.int())],
    ['repeatInterleave', (p) => core.repeatInterleave(x, p.select(0, 0).int().reshape(1), 0)],
  ];
  it.each(reads)('%s, which reads values that differ, is refused by its name', (name, read) => {
    expect(() => vmap((p: Tensor) => [p, read(p)][0] as Tensor)(x)).toThrow(
      new RegExp(`^(${name}|toTypedArray|item): inside of vmap a tensor has a value for each example`),
    );
  });

  it('data() says so too', async () => {
    let reading: Promise<unknown> = Promise.resolve();
    vmap((p: Tensor) => {
      reading = p.data();
      reading.catch(() => {});
      return p;
    })(x);
    await expect(reading).rejects.toThrow(/^data: inside of vmap/);
  });

  it('backward() is refused, and gradients of a single example are asked for by grad', () => {
    const w = ones([3], { requiresGrad: true });
    expect(() =>
      vmap((p: Tensor) => {
        const loss = p.mul(w).sum();
        loss.backward();
        return loss;
      })(x),
    ).toThrow(/^backward: inside of vmap it would add gradients of single examples.*use grad\(\)/);
    expect(w.grad).toBeNull();
    const perExample = vmap((p: Tensor) => gradientsOf(p.mul(w).square().sum(), w));
    expect(perExample(x).toArray()).toEqual(x.square().mul(2).toArray());
  });

  it('complex tensors are refused by name', async () => {
    const { complex } = await import('@gradgate/core/complex');
    const { rfft } = await import('@gradgate/core/fft');
    const z = complex(x, x);
    expect(() => vmap((p: Tensor) => p)(z)).toThrow(/^vmap: takes real tensors, got complex64/);
    expect(() => vmap((p: Tensor) => rfft(p))(x)).toThrow(/^rfft: takes real tensors, got complex64, inside of vmap/);
    // What all examples share may be complex.
    expect(vmap((p: Tensor) => p.mul(z.abs().sum()))(x).shape).toEqual([2, 3]);
  });
});

describe('writing in place', () => {
  it('changes what was made inside, for each example, and no tensor from outside', () => {
    const t = x.clone();
    const out = vmap((p: Tensor) => {
      const made = zeros([3]);
      const literal = tensor([1, 1, 1]);
      made.add_(p);
      literal.mul_(p).sub_(1);
      p.add_(100);
      made.set(0, p.select(0, 0));
      return [made, literal, p] as const;
    })(t);
    expect(out.map((o) => o.toArray())).toEqual([
      [
        [101, 2, 3],
        [104, 5, 6],
      ],
      x.sub(1).toArray(),
      x.add(100).toArray(),
    ]);
    expect(t.toArray()).toEqual(x.toArray());
  });

  it('is refused by name where the target is shared by the examples', () => {
    const total = zeros([3]);
    for (const [op, write] of [
      ['add_', (p: Tensor) => total.add_(p)],
      ['copy_', (p: Tensor) => total.copy_(p)],
      ['set', (p: Tensor) => total.set(0, p.sum())],
    ] as const)
      expect(() => vmap((p: Tensor) => write(p) as Tensor)(x)).toThrow(
        new RegExp(
          `^${op}: inside of vmap, values that differ between the examples are written to a tensor of shape \\[`,
        ),
      );
    expect(total.toArray()).toEqual([0, 0, 0]);
  });

  it('through views and with gradients gives what a loop gives', () => {
    const f = (p: Tensor) => {
      const y = p.mul(2);
      y.narrow(0, 0, 2).mul_(p.narrow(0, 1, 2));
      y.relu_();
      return y.square().sum();
    };
    const t = randn([4, 3], { ...f64, requiresGrad: true });
    const g = gradientsOf(vmap(f)(t).sum(), t);
    const loop = gradientsOf(stack([...t].map(f)).sum(), t);
    expect(allclose(g, loop)).toBe(true);
  });

  it('results are their own: writing to one changes neither an argument nor another result', () => {
    const t = x.clone();
    const [a, b] = vmap((p: Tensor) => [p, p] as const)(t);
    a.add_(1);
    expect([t.toArray(), b.toArray()]).toEqual([x.toArray(), x.toArray()]);
    const shared = vmap((_: Tensor) => x)(t);
    shared.select(0, 0).add_(1);
    expect(shared.select(0, 1).toArray()).toEqual(x.toArray());
  });
});

describe('gradients through a call', () => {
  const w = randn([3, 2], { ...f64, requiresGrad: true });
  const t = randn([4, 3], { ...f64, requiresGrad: true });
  const f = (p: Tensor) => p.matmul(w).tanh().mul(p.sum()).square();

  it('go to arguments and to tensors from outside, and have gradients', () => {
    const fn = (t: Tensor, w: Tensor) => vmap((p: Tensor) => p.matmul(w).tanh().mul(p.sum()).square())(t);
    expect(gradcheck(fn, [t, w])).toBe(true);
    expect(gradgradcheck(fn, [t, w])).toBe(true);
  });

  it('a third derivative is that of a loop', () => {
    const thrice = (out: Tensor) => {
      const g = gradientsOf(out.sum(), t, { createGraph: true });
      const h = gradientsOf(g.square().sum(), t, { createGraph: true });
      return gradientsOf(h.sin().sum(), w);
    };
    expect(allclose(thrice(vmap(f)(t)), thrice(stack([...t].map(f))))).toBe(true);
  });

  it('hooks on tensors from outside see one gradient, of all examples', () => {
    const hidden = w.mul(2);
    const seen: number[][] = [];
    const hook = core.registerHook(hidden, (g) => {
      seen.push([...g.shape]);
    });
    vmap((p: Tensor) => p.matmul(hidden).sum())(t)
      .sum()
      .backward();
    hook.remove();
    w.grad = t.grad = null;
    expect(seen).toEqual([[3, 2]]);
  });

  it('a tensor that was computed from another one outside, and both used inside, are counted once', () => {
    const h = w.square();
    const out = vmap((p: Tensor) => p.matmul(h.add(w)).sum())(t);
    expect(allclose(gradientsOf(out.sum(), w), gradientsOf(t.matmul(w.square().add(w)).sum(), w))).toBe(true);
  });

  it('a second backward pass needs retainGraph, and what was written to since is refused', () => {
    const out = vmap(f)(t).sum();
    out.backward({ retainGraph: true });
    out.backward();
    expect(() => out.backward()).toThrow(/^backward: the values that (vmap|sum) saved were freed/);
    w.grad = t.grad = null;
    const u = randn([2, 3], { requiresGrad: true });
    const v = u.mul(1);
    const late = vmap((p: Tensor) => p.square().sum())(v).sum();
    v.mul_(2);
    expect(() => late.backward()).toThrow(
      /^backward: a float32 tensor of shape \[2, 3\] that vmap saved was modified in place/,
    );
  });

  it('noGrad inside or around gives no graph, and enableGrad inside does', () => {
    expect(noGrad.run(() => vmap(f)(t)).requiresGrad).toBe(false);
    expect(vmap((p: Tensor) => noGrad.run(() => f(p)))(t).requiresGrad).toBe(false);
    expect(noGrad.run(() => vmap((p: Tensor) => core.enableGrad.run(() => f(p)))(t)).requiresGrad).toBe(true);
    expect(core.inferenceMode.run(() => vmap(f)(t)).inference).toBe(true);
    expect(vmap((p: Tensor) => p.detach().mul(w.detach().sum()))(t).requiresGrad).toBe(false);
  });

  it('goes through checkpoint, tidy and compile', () => {
    const plain = gradientsOf(vmap(f)(t).sum(), [t, w]);
    const kept = vmap((p: Tensor) => checkpoint(() => f(p)));
    for (const [i, g] of gradientsOf(kept(t).sum(), [t, w]).entries()) expect(allclose(g, plain[i]!)).toBe(true);
    const tidied = tidy.run(() => vmap((p: Tensor) => tidy.run(() => f(p)))(t));
    for (const [i, g] of gradientsOf(tidied.sum(), [t, w]).entries()) expect(allclose(g, plain[i]!)).toBe(true);
    const step = compile((t: Tensor) => {
      w.grad = null;
      const loss = vmap(f)(t).sum();
      loss.backward();
      return loss.detach();
    });
    for (let i = 0; i < 3; i++) {
      const fresh = randn([4, 3], f64);
      step(fresh);
      expect(allclose(w.grad!, gradientsOf(vmap(f)(fresh).sum(), w))).toBe(true);
    }
    w.grad = null;
    expect(step.explain().breaks).toEqual([]);
    expect(step.explain().replays).toBe(2);
  });

  it('a compiled function runs as it is inside', () => {
    const doubled = compile((p: Tensor) => noGrad.run(() => p.mul(2)));
    const first = vmap((p: Tensor) => doubled(p));
    expect([first(x), first(x.add(1)), doubled(x)].map((r) => r.toArray())).toEqual(
      [x.mul(2), x.add(1).mul(2), x.mul(2)].map((r) => r.toArray()),
    );
    expect(doubled.explain().breaks).toMatchObject([{ why: 'it is called inside of vmap', calls: 2 }]);
    doubled(x);
    expect(doubled.explain().replays).toBe(1);
  });
});

describe('nesting', () => {
  it('goes three deep, each with a dimension of its own', () => {
    const [a, b, c] = [randn([2]), randn([3]), randn([4])];
    const all = vmap((p: Tensor) => vmap((q: Tensor) => vmap((r: Tensor) => p.mul(q).add(r).sin())(c))(b))(a);
    expect(allclose(all, a.view(2, 1, 1).mul(b.view(3, 1)).add(c).sin())).toBe(true);
  });

  it('goes with gradients in any order', () => {
    const t = randn([3, 2], f64);
    const f = (p: Tensor) => p.pow(3).sum();
    expect(allclose(vmap(hessian(f))(t), t.mul(6).unsqueeze(-1).mul(core.eye(2, f64)))).toBe(true);
    const rows = jacrev((t: Tensor) => vmap(grad(f))(t))(t);
    expect(allclose(rows.reshape(6, 6), core.diag(t.mul(6).flatten()))).toBe(true);
    const inner = vmap((p: Tensor) => vmap((q: Tensor) => grad((r: Tensor) => r.mul(p).sum().square())(q))(t))(t);
    const loop = stack([...t].map((p) => stack([...t].map((q) => p.mul(q.dot(p)).mul(2)))));
    expect(allclose(inner, loop)).toBe(true);
  });

  it('writes of an inner call to what the outer one made are kept apart', () => {
    expect(
      vmap((p: Tensor) => {
        const total = zeros([3]).add_(p);
        expect(() => vmap((q: Tensor) => total.add_(q))(x)).toThrow(/^add_: inside of vmap/);
        return vmap((q: Tensor) => zeros([3]).add_(total).add_(q))(x);
      })(x).toArray(),
    ).toEqual(x.unsqueeze(1).add(x).toArray());
  });
});

describe('random numbers', () => {
  const draws: [string, (p: Tensor) => Tensor][] = [
    ['rand', () => rand([3])],
    ['randn', () => randn([3])],
    ['randint', () => core.randint(0, 1000, [3])],
    ['randperm', () => core.randperm(30)],
    ['dropout', (p) => core.dropout(p)],
    ['bernoulli', () => core.bernoulli(ones([30]).mul(0.5))],
    ['normal_', () => zeros([3]).normal_()],
    ['multinomial', () => core.multinomial(ones([1000]), 5)],
    ['randLike', (p) => core.randLike(p)],
  ];
  it.each(draws)('%s is refused by name unless it is said how', (name, draw) => {
    const t = ones([4, 30]);
    expect(() => vmap(draw)(t)).toThrow(new RegExp(`^${name}: draws random numbers inside of vmap; pass randomness`));
    const same = vmap(draw, { randomness: 'same' })(t);
    for (const row of same) expect(row.toArray()).toEqual(same.select(0, 0).toArray());
    const different = vmap(draw, { randomness: 'different' })(t);
    expect(new Set([...different].map(String)).size).toBe(4);
    expect(different.shape).toEqual(same.shape);
    expect(different.dtype).toBe(same.dtype);
  });

  it('draws by values that differ: different ones, or by the same numbers', () => {
    const p = tensor([[0.5], [0.5], [0.5]])
      .expand([3, 40])
      .clone();
    const same = vmap((p: Tensor) => core.bernoulli(p), { randomness: 'same' })(p);
    for (const row of same) expect(row.toArray()).toEqual(same.select(0, 0).toArray());
    const different = vmap((p: Tensor) => core.bernoulli(p), { randomness: 'different' })(p);
    expect(new Set([...different].map(String)).size).toBe(3);
  });

  it('nothing is drawn in evaluation', () => {
    expect(evalMode.run(() => vmap((p: Tensor) => core.dropout(p))(x)).toArray()).toEqual(x.toArray());
  });

  it('a call inside of another draws as both say', () => {
    const draw = () => vmap((_: Tensor) => randn([2]), { randomness: 'different' })(ones([3]));
    const outer = (randomness: 'same' | 'different') => vmap((_: Tensor) => draw(), { randomness })(ones([4]));
    const all = outer('same');
    expect(all.shape).toEqual([4, 3, 2]);
    expect(new Set([...all].map(String)).size).toBe(1);
    expect(new Set([...outer('different')].map(String)).size).toBe(4);
  });
});

describe('when a call ends', () => {
  it('what was not returned is gone, and says so', () => {
    let kept: Tensor | null = null;
    vmap((p: Tensor) => {
      kept = p.mul(2);
      return p;
    })(x);
    const t = kept as unknown as Tensor;
    for (const use of [() => t.add(1), () => t.matmul(x.t()), () => x.mul(t), () => t.toArray(), () => t.clone()])
      expect(use).toThrow(
        /was given back when the function of its vmap returned; what is used later has to be returned/,
      );
    expect(String(t)).toMatch(/given back when the function of its vmap returned/);
  });

  it('an error inside leaves everything as it was', () => {
    expect(() =>
      vmap((_: Tensor) => {
        throw new Error('stop');
      })(x),
    ).toThrow('stop');
    expect(x.mul(2).sum().item()).toBe(42);
    expect(x.device).toBe('cpu');
  });

  it('functions that are asynchronous or generators are refused, and what they go on with as well', async () => {
    let later: Promise<unknown> = Promise.resolve();
    expect(() =>
      vmap((p: Tensor) => {
        later = (async () => {
          await null;
          return p.add(1);
        })();
        later.catch(() => {});
        return later as never;
      })(x),
    ).toThrow(
      /^vmap: the result of the function must consist of Tensors, got a promise; the function has to be synchronous/,
    );
    await expect(later).rejects.toThrow(/given back when the function of its vmap returned/);
    expect(() =>
      vmap(function* (p: Tensor) {
        yield p;
      } as never)(x),
    ).toThrow(/^vmap: the result of the function must consist of Tensors, got/);
  });

  it('calls of flows that interleave are apart', async () => {
    const flow = async (scale: number) => {
      const results: number[][] = [];
      for (let i = 0; i < 3; i++) {
        results.push(vmap((p: Tensor) => p.sum().mul(scale))(x).toArray() as number[]);
        await null;
      }
      return results;
    };
    const [a, b] = await Promise.all([flow(1), flow(10)]);
    expect([a[2], b[2]]).toEqual([
      [6, 15],
      [60, 150],
    ]);
  });
});

describe('dtypes and sizes at which faster kernels run', () => {
  it.each(['float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64'] as const)('%s', (dtype) => {
    const t = core.randint(-5, 6, [3, 4], { dtype: 'int32' }).to(dtype);
    const f = (p: Tensor) => p.mul(p).add(1).sum();
    expect(vmap(f)(t).dtype).toBe(f(t.select(0, 0)).dtype);
    expect(vmap(f)(t).toArray()).toEqual(stack([...t].map(f)).toArray());
  });

  it('a network of float32 layers, forward and backward', () => {
    const [w1, w2, c, s] = [randn([64, 128]), randn([8, 64]), randn([4, 1, 3, 3]), ones([128])];
    const f = (p: Tensor) => {
      const image = core.maxPool2d(core.conv2d(p.view(1, 1, 8, 16), c, null, { padding: 1 }).relu(), 2);
      const h = core.linear(core.layerNorm(p, [128], s), w1).gelu();
      const weights = core.linear(h.add(image.flatten().narrow(0, 0, 64)), w2).softmax(0);
      return core
        .crossEntropy(weights.unsqueeze(0), tensor([3], { dtype: 'int32' }))
        .add(core.mseLoss(h, image.sum().expand([64])));
    };
    const t = randn([32, 128], { requiresGrad: true });
    for (const leaf of [w1, w2, c, s]) leaf.requiresGrad_();
    const all = gradientsOf(vmap(f)(t).sum(), [t, w1, w2, c, s]);
    const loop = gradientsOf(stack([...t].map(f)).sum(), [t, w1, w2, c, s]);
    for (const [i, g] of all.entries())
      expect(allclose(g, loop[i]!, { rtol: 1e-3, atol: 1e-3 * loop[i]!.abs().max().item() })).toBe(true);
    const perExample = vmap((p: Tensor) => gradientsOf(f(p), [w1, w2, c, s]))(t.detach());
    for (const [i, g] of perExample.entries())
      expect(allclose(g.sum(0), loop[i + 1]!, { rtol: 1e-3, atol: 1e-3 * loop[i + 1]!.abs().max().item() })).toBe(true);
  });
});
