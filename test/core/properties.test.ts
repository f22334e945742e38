import * as core from '@gradgate/core';
import { randn, slice, type Tensor, tensor } from '@gradgate/core';
import { gradcheck } from '@gradgate/core/gradcheck';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const size = fc.integer({ min: 0, max: 4 });
const shape = fc.array(size, { maxLength: 4 });
const filled = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });
const f64 = (dims: readonly number[]) => randn(dims, { dtype: 'float64' });
const runs = { numRuns: 60 };

/** Two shapes that broadcast, and the shape they broadcast to. */
const broadcastable = (of: fc.Arbitrary<number[]>) =>
  fc.record({ out: of, seed: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })) }).map(({ out, seed }) => {
    const thin = () => {
      const kept = out.slice(Math.floor(seed.next().value * (out.length + 1)));
      return kept.map((n) => (seed.next().value < 0.4 ? 1 : n));
    };
    const [a, b] = [thin(), thin()];
    const at = (s: number[], i: number) => s[s.length - 1 - i] ?? 1;
    const rank = Math.max(a.length, b.length);
    const result = Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i))).reverse();
    return { a, b, result };
  });

/** The element at `index` of nested arrays, where a size of 1 stands for any index. */
const reach = (x: Tensor, index: readonly number[]): number => {
  const own = index.slice(index.length - x.ndim).map((v, i) => (x.shape[i] === 1 ? 0 : v));
  return own.reduce<Tensor>((t, i) => t.select(0, i), x).item();
};

function* indices(dims: readonly number[]): Generator<number[]> {
  const [n, ...rest] = dims;
  if (n === undefined) yield [];
  else for (let i = 0; i < n; i++) for (const tail of indices(rest)) yield [i, ...tail];
}

describe('broadcasting agrees with taking each element by its index', () => {
  const operators: Record<string, (a: number, b: number) => number> = {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    div: (a, b) => a / b,
    maximum: Math.max,
    minimum: Math.min,
    atan2: Math.atan2,
    gt: (a, b) => Number(a > b),
    le: (a, b) => Number(a <= b),
  };
  it.each(Object.entries(operators))('%s', (name, reference) => {
    fc.assert(
      fc.property(broadcastable(shape), ({ a, b, result }) => {
        const [x, y] = [f64(a), f64(b)];
        const out = (core as any)[name](x, y) as Tensor;
        expect(out.shape).toEqual(result);
        for (const index of indices(result))
          expect(reach(out, index)).toBe(reference(reach(x, index), reach(y, index)));
      }),
      runs,
    );
  });

  it('shapes that do not broadcast are refused by every one of them', () => {
    for (const name of Object.keys(operators))
      expect(() => (core as any)[name](f64([2, 3]), f64([2, 2]))).toThrow(
        /shapes \[2, 3\] and \[2, 2\] do not broadcast/,
      );
  });
});

describe('reductions agree with going through the elements', () => {
  const reductions: Record<string, (values: number[]) => number> = {
    sum: (v) => v.reduce((a, b) => a + b, 0),
    prod: (v) => v.reduce((a, b) => a * b, 1),
    mean: (v) => v.reduce((a, b) => a + b, 0) / v.length,
    any: (v) => Number(v.some((x) => x !== 0)),
    all: (v) => Number(v.every((x) => x !== 0)),
    var: (v) => {
      const m = v.reduce((a, b) => a + b, 0) / v.length;
      return v.reduce((a, b) => a + (b - m) ** 2, 0) / Math.max(0, v.length - 1);
    },
  };
  it.each(Object.entries(reductions))('%s', (name, reference) => {
    fc.assert(
      fc.property(
        shape,
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        fc.boolean(),
        (dims, pick, keepdim) => {
          const x = f64(dims);
          const over = dims.map((_, i) => i).filter((i) => pick[i]);
          const out = (core as any)[name](x, over, { keepdim }) as Tensor;
          const kept = dims.map((n, i) => (pick[i] ? 1 : n));
          expect(out.shape).toEqual(keepdim ? kept : kept.filter((_, i) => !pick[i]));
          const flat = out.reshape(kept);
          for (const index of indices(kept)) {
            const values = [...indices(over.map((d) => dims[d]!))].map((part) => {
              const whole = [...index];
              over.forEach((d, i) => {
                whole[d] = part[i]!;
              });
              return reach(x, whole);
            });
            const [want, got] = [reference(values), reach(flat, index)];
            expect(Number.isNaN(want) ? Number.isNaN(got) : Math.abs(want - got) < 1e-9 || want === got).toBe(true);
          }
        },
      ),
      runs,
    );
  });
});

type ViewStep = (x: Tensor, pick: () => number) => Tensor;
const views: Record<string, ViewStep> = {
  permute: (x, pick) => x.permute([...x.shape.keys()].sort(() => pick() - 0.5)),
  unsqueeze: (x, pick) => (x.ndim < 5 ? x.unsqueeze(Math.floor(pick() * (x.ndim + 1))) : x),
  squeeze: (x) => x.squeeze(),
  narrow: (x, pick) => {
    if (x.ndim === 0) return x;
    const d = Math.floor(pick() * x.ndim);
    const start = Math.floor(pick() * (x.shape[d]! + 1));
    return x.narrow(d, start, Math.floor(pick() * (x.shape[d]! - start + 1)));
  },
  step: (x, pick) => (x.ndim === 0 ? x : x.at(slice(Math.floor(pick() * 2), null, 2))),
  diagonal: (x, pick) => (x.ndim < 2 ? x : x.diagonal(Math.floor(pick() * 3) - 1, 0, 1)),
  unfold: (x, pick) => (x.ndim === 0 || x.ndim > 4 || x.shape[0]! < 2 ? x : x.unfold(0, 2, 1 + Math.floor(pick() * 2))),
  expand: (x) => x.expand([2, ...x.shape]),
};

const chain = fc.record({
  dims: shape,
  steps: fc.array(fc.constantFrom(...Object.keys(views)), { maxLength: 5 }),
  picks: fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
});
const view = (x: Tensor, steps: string[], picks: Iterator<number>): Tensor =>
  steps.reduce((t, s) => (t.numel > 2000 ? t : views[s]!(t, () => picks.next().value)), x);

describe('views', () => {
  const uses: Record<string, (x: Tensor) => Tensor> = {
    'an elementwise operator': (x) => x.exp(),
    'a binary operator': (x) => x.mul(x),
    'a sum': (x) => x.sum(),
    'a softmax': (x) => (x.ndim ? x.softmax(-1) : x),
    'a reshape': (x) => x.reshape(-1),
    'a sort': (x) => (x.ndim ? x.sort(0).values : x),
    'a product': (x) => (x.ndim > 1 ? x.matmul(x.transpose(-1, -2)) : x),
  };
  it.each(Object.entries(uses))('give %s what a copy would give', (_, use) => {
    fc.assert(
      fc.property(chain, ({ dims, steps, picks }) => {
        const v = view(f64(dims), steps, picks);
        expect(v.storage.version).toBe(0);
        const [of, copy] = [use(v), use(v.clone().contiguous())];
        expect(of.shape).toEqual(copy.shape);
        expect(of.toArray()).toEqual(copy.toArray());
      }),
      runs,
    );
  });

  it('give gradients that finite differences give', () => {
    fc.assert(
      fc.property(chain, ({ dims, steps, picks }) => {
        const drawn: number[] = [];
        const x = f64(dims.map((n) => Math.min(n, 3))).requiresGrad_();
        // gradcheck calls the function again and again: it must take the same turns each time.
        const replay = (): Iterator<number> => {
          let i = 0;
          return {
            next: () => {
              drawn[i] ??= picks.next().value;
              return { done: false, value: drawn[i++]! };
            },
          };
        };
        expect(gradcheck((t: Tensor) => view(t, steps, replay()).square(), [x])).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('hand writes through to their base, as at the places a copy of positions names', () => {
    fc.assert(
      fc.property(chain, ({ dims, steps, picks }) => {
        const safe = steps.filter((s) => s !== 'expand' && s !== 'unfold');
        const n = dims.reduce((a, b) => a * b, 1);
        const x = tensor(
          Float64Array.from({ length: n }, (_, i) => i),
          { shape: dims },
        );
        const v = view(x, safe, picks);
        const places = new Set(v.flatten().toTypedArray());
        v.fill_(-1);
        expect([...x.flatten().toTypedArray()]).toEqual(Array.from({ length: n }, (_, i) => (places.has(i) ? -1 : i)));
      }),
      runs,
    );
  });
});

describe('gradcheck on random shapes', () => {
  const away = (dims: readonly number[]) => f64(dims).sign().add(f64(dims).tanh().mul(0.3)).requiresGrad_();
  const same = [
    'exp',
    'tanh',
    'sigmoid',
    'sin',
    'cos',
    'square',
    'abs',
    'relu',
    'silu',
    'gelu',
    'erf',
    'softplus',
    'reciprocal',
    'sinh',
    'atan',
    'logSigmoid',
    'mish',
    'elu',
    'leakyRelu',
    'expm1',
    'hardswish',
  ];
  it.each(same)('%s', (name) => {
    fc.assert(
      fc.property(filled, (dims) => gradcheck((core as any)[name], [away(dims)])),
      { numRuns: 8 },
    );
  });

  it.each(['add', 'sub', 'mul', 'div', 'maximum', 'atan2', 'hypot', 'logaddexp'])('%s, broadcasting', (name) => {
    fc.assert(
      fc.property(broadcastable(filled), ({ a, b }) => gradcheck((core as any)[name], [away(a), away(b)])),
      { numRuns: 10 },
    );
  });

  const along = [
    'softmax',
    'logSoftmax',
    'logsumexp',
    'cumsum',
    'cumprod',
    'logcumsumexp',
    'sum',
    'mean',
    'prod',
    'amax',
    'var',
    'flip',
  ];
  it.each(along)('%s, along any dimension', (name) => {
    fc.assert(
      fc.property(
        filled.filter((s) => s.length > 0),
        fc.nat(),
        (dims, d) => {
          const dim = d % dims.length;
          if (name === 'var' && dims[dim] === 1) return;
          gradcheck((x: Tensor) => (core as any)[name](x, dim), [away(dims)]);
        },
      ),
      { numRuns: 12 },
    );
  });

  const small = fc.integer({ min: 1, max: 3 });
  const products: Record<string, fc.Arbitrary<[(...t: Tensor[]) => Tensor, number[][]]>> = {
    matmul: fc
      .tuple(small, small, small, small, fc.boolean())
      .map(([b, m, k, n, both]) => [(x, y) => x.matmul(y!), [[b, m, k], both ? [b, k, n] : [k, n]]]),
    linear: fc
      .tuple(filled, small, small)
      .map(([lead, i, o]) => [(x, w, c) => core.linear(x, w!, c), [[...lead, i], [o, i], [o]]]),
    conv2d: fc
      .tuple(small, small, small, small, small, fc.nat(1), fc.integer({ min: 1, max: 2 }))
      .map(([n, c, o, kh, kw, padding, stride]) => [
        (x, w, b) => core.conv2d(x, w!, b, { padding, stride }),
        [[n, c, kh + 2, kw + 1], [o, c, kh, kw], [o]],
      ]),
    convTranspose2d: fc
      .tuple(small, small, small, small, fc.integer({ min: 1, max: 2 }))
      .map(([n, c, o, k, stride]) => [
        (x, w, b) => core.convTranspose2d(x, w!, b, { stride }),
        [[n, c, 2, 3], [c, o, k, k], [o]],
      ]),
    avgPool2d: fc.tuple(small, small, small).map(([n, c, k]) => [(x) => core.avgPool2d(x, k), [[n, c, k + 2, k + 1]]]),
    layerNorm: fc
      .tuple(filled, small)
      .map(([lead, n]) => [(x, w, b) => core.layerNorm(x, [n + 1], w, b), [[...lead, n + 1], [n + 1], [n + 1]]]),
    attention: fc.tuple(small, small, small, small).map(([b, l, s, e]) => [
      (q, k, v) => core.scaledDotProductAttention(q, k!, v!),
      [
        [b, l, e],
        [b, s, e],
        [b, s, e + 1],
      ],
    ]),
    cdist: fc.tuple(small, small, small).map(([n, m, k]) => [
      (a, b) => core.cdist(a, b!),
      [
        [n, k],
        [m, k],
      ],
    ]),
    einsum: fc.tuple(small, small, small).map(([i, j, k]) => [
      (a, b) => core.einsum('ij,jk->ki', a, b!),
      [
        [i, j],
        [j, k],
      ],
    ]),
    solve: fc.tuple(small, small).map(([n, k]) => [
      (a, b) => core.solve(a.add(core.eye(n, { dtype: 'float64' }).mul(5)), b!),
      [
        [n, n],
        [n, k],
      ],
    ]),
    crossEntropy: fc
      .tuple(small, small)
      .map(([n, c]) => [(x) => core.crossEntropy(x, core.zeros([n], { dtype: 'int32' })), [[n, c]]]),
  };
  it.each(Object.entries(products))('%s', (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, ([fn, shapes]) =>
        gradcheck(
          fn as any,
          shapes.map((s) => f64(s).requiresGrad_()),
        ),
      ),
      { numRuns: 10 },
    );
  });
});

describe('indexing', () => {
  it('at with int32 tensors takes the elements that the indices name one by one', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { maxLength: 6 }),
        ([a, b, c], picks) => {
          const x = f64([a, b, c]);
          const rows = picks.map(([i, , negative]) => (i % a) - (negative ? a : 0));
          const columns = picks.map(([, j]) => j % c);
          const out = x.at(rows, '...', columns);
          expect(out.shape).toEqual([picks.length, b]);
          picks.forEach((_, p) => {
            expect(out.select(0, p).toArray()).toEqual(x.at(rows[p]!, slice(), columns[p]!).toArray());
          });
        },
      ),
      runs,
    );
  });

  it('a mask selects what where keeps, and set writes nothing else', () => {
    fc.assert(
      fc.property(shape, (dims) => {
        const x = f64(dims);
        const mask = x.gt(0);
        expect([...x.at(mask).toTypedArray()]).toEqual([...x.flatten().toTypedArray()].filter((v) => v > 0));
        expect(x.clone().set(mask, 0).toArray()).toEqual(core.where(mask, 0, x).toArray());
      }),
      runs,
    );
  });
});
