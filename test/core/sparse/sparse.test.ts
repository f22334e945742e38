import { grad, onesLike, randn, type Tensor, tensor, tidy, zeros } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import * as sparse from '@gradgate/core/sparse';
import {
  embedding,
  isSparse,
  matmul,
  SparseTensor,
  sparseCooTensor,
  sparseCsrTensor,
  toDense,
  toSparse,
} from '@gradgate/core/sparse';
import { encodeSafetensors } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

// Values and gradients are compared with PyTorch's by test/core/more.test.ts.

const f64 = { dtype: 'float64', requiresGrad: true } as const;
const index = (...values: number[]) => tensor(values, { dtype: 'int32' });
const places = tensor(
  [
    [0, 2, 1, 2],
    [3, 0, 1, 0],
  ],
  { dtype: 'int32' },
);

describe('gradients of values and of dense operands, and their own', () => {
  const cases: Record<string, (v: Tensor, x: Tensor) => Tensor> = {
    matmul: (v, x) => sparseCooTensor(places, v, [3, 4]).matmul(x),
    'dense times sparse': (v, x) => matmul(x.t(), sparseCooTensor(places, v, [3, 4]).t()),
    'by rows': (v, x) => sparseCooTensor(places, v, [3, 4]).toSparseCsr().matmul(x),
    toDense: (v, x) => sparseCooTensor(places, v, [3, 4]).toDense().mul(x.sum()),
    coalesce: (v, x) => sparseCooTensor(places, v, [3, 4]).coalesce().values().square().mul(x.mean()),
    'add, mul and sum': (v, x) => {
      const a = sparseCooTensor(places, v, [3, 4]);
      return a.add(a.mul(3)).sum(0).mul(x.select(1, 0));
    },
    'sparse times sparse': (v, x) => {
      const a = sparseCooTensor(places, v, [3, 4]);
      return a.matmul(a.t()).matmul(a).matmul(x);
    },
    addmm: (v, x) => sparse.addmm(x.narrow(0, 0, 3), sparseCooTensor(places, v, [3, 4]), x, { beta: 2, alpha: -0.5 }),
    sampledAddmm: (v, x) => {
      const a = sparseCooTensor(places, v, [4, 4]).coalesce();
      return sparse.sampledAddmm(a, x, x.t(), { beta: 0.5, alpha: 3 }).values().sin();
    },
    'softmax along rows': (v, x) => sparse.softmax(sparseCooTensor(places, v, [3, 4]), 1).matmul(x),
    'softmax along columns': (v, x) => sparse.softmax(sparseCooTensor(places, v.mul(x.sum()), [3, 4]), 0).values(),
    'logSoftmax of rows of values': (v, x) => {
      const values = v.unsqueeze(1).mul(x.select(1, 0));
      const a = sparseCooTensor(places.narrow(0, 0, 1), values, [3, 4]);
      return sparse.logSoftmax(a, 0).toDense().add(sparse.logSoftmax(a, 1).toDense()).sin();
    },
    'element by element': (v, x) => {
      const a = sparseCooTensor(places, v, [3, 4]);
      return a
        .mul(a.add(a).coalesce())
        .sub(a.mul(x.t().matmul(x).sum(0).mul(v.sum()).repeat(3, 2)))
        .sum(0);
    },
    mask: (v, x) =>
      sparseCooTensor(places, v, [3, 4])
        .mask(x.matmul(x.t()).narrow(0, 0, 3))
        .sum(1)
        .sin()
        .mul(v.sum()),
    spdiags: (v, x) => sparse.spdiags(x.t(), [0, -1], [4, 4]).matmul(v),
    'by entries that are not 0': (v, x) => toSparse(v).mul(x.max()).sum().square(),
  };
  it.each(Object.entries(cases))('%s', (_, f) => {
    const inputs = [randn([4], f64), randn([4, 2], f64)] as const;
    expect(gradcheck(f, inputs)).toBe(true);
    expect(gradgradcheck(f, inputs)).toBe(true);
  });

  it('a gradient of a sparse gradient: it is dense where it is recorded', () => {
    const f = (w: Tensor) => embedding(index(1, 3, 1), w, { paddingIdx: 3 }).square();
    expect(gradgradcheck(f, [randn([4, 2], f64)])).toBe(true);
    const w = randn([4, 2], f64);
    const [g] = grad(f(w).sum(), [w], { createGraph: true }) as [Tensor];
    expect([isSparse(g), g.requiresGrad]).toEqual([false, true]);
  });
});

describe('sparse tensors', () => {
  it('show what they are', () => {
    const a = sparseCooTensor([[1], [0]], [2], [2, 2]);
    expect([
      a.layout,
      a.nnz,
      a.sparseDim,
      a.denseDim,
      a.ndim,
      a.dtype,
      a.device,
      a.isCoalesced,
      a.requiresGrad,
    ]).toEqual(['coo', 1, 2, 0, 2, 'float32', 'cpu', false, false]);
    expect(String(a)).toBe(
      'sparseTensor(indices: tensor([[1],\n        [0]], dtype: int32),\nvalues: tensor([2.]), shape: [2, 2], layout: coo)',
    );
    expect(() => (a as never as number) + 1).toThrow(/^SparseTensor: is no number for the operators of JavaScript/);
    expect(() => (a as never as number) > 1).toThrow(/^SparseTensor: is no number/);
    expect(String(a.toSparseCsr())).toContain('crowIndices: tensor([0, 0, 1], dtype: int32), colIndices: tensor([0]');
    const { indices, values, shape } = JSON.parse(JSON.stringify(a));
    expect(sparseCooTensor(indices, values, shape).toDense()).toEqual(a.toDense());
    expect([SparseTensor.is(a), SparseTensor.is(a.toDense()), isSparse(a)]).toEqual([true, false, true]);
  });

  it('products of sparse matrices are sparse, each entry once; by rows if both are', () => {
    const a = sparseCooTensor(places, [1, 2, 3, 4], [3, 4]);
    const product = a.matmul(a.t());
    expect([product.layout, product.isCoalesced, product.shape]).toEqual(['coo', true, [3, 3]]);
    expect(product.indices().toArray()).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(product.values().toArray()).toEqual([1, 9, 36]);
    const rows = a.toSparseCsr();
    expect([rows.matmul(a.t().toSparseCsr()).layout, rows.matmul(a.t()).layout]).toEqual(['csr', 'coo']);
    expect(rows.mul(rows).layout).toBe('csr');
    expect(rows.mul(rows).values().toArray()).toEqual([1, 9, 36]);
  });

  it('a softmax of infinite or NaN entries is that of a dense row', () => {
    const of = (values: number[]) =>
      sparse
        .softmax(sparseCooTensor([[0, 1, 3]], values, [4]), 0)
        .values()
        .toArray();
    expect(of([1, Number.NEGATIVE_INFINITY, 1])).toEqual([0.5, 0, 0.5]);
    expect(of([1, Number.NaN, 1])).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(of([1, 1e38, 0])).toEqual([0, 1, 0]);
  });

  it('an input times beta 0 does not count, even if it is NaN', () => {
    const a = sparseCooTensor([[0], [0]], [2], [1, 1]);
    const none = zeros([1, 1]).fill_(Number.NaN);
    expect(sparse.addmm(none, a, onesLike(none), { beta: 0 }).item()).toBe(2);
    expect(sparse.sampledAddmm(a.mul(Number.NaN), onesLike(none), onesLike(none), { beta: 0 }).values().item()).toBe(1);
  });

  it('of no entries, and of sizes of 0', () => {
    const empty = sparseCooTensor(zeros([2, 0], { dtype: 'int32' }), zeros([0]), [2, 3]);
    expect(empty.matmul(empty.t()).toDense()).toEqual(zeros([2, 2]));
    expect(sparse.softmax(empty, 1).toDense()).toEqual(zeros([2, 3]));
    expect(empty.mul(empty).nnz).toBe(0);
    expect(empty.mask(zeros([2, 3])).nnz).toBe(0);
    expect(sparse.spdiags(zeros([1, 0]), [0], [0, 3]).toDense()).toEqual(zeros([0, 3]));
    expect(sparse.sampledAddmm(empty, zeros([2, 0]), zeros([0, 3])).toDense()).toEqual(zeros([2, 3]));
    const none = sparseCooTensor(zeros([2, 0], { dtype: 'int32' }), zeros([0]), [2, 3]);
    expect(none.coalesce().toDense()).toEqual(zeros([2, 3]));
    expect(none.toSparseCsr().matmul(zeros([3, 2]))).toEqual(zeros([2, 2]));
    expect(toSparse(zeros([0, 3])).toDense()).toEqual(zeros([0, 3]));
  });

  it('coordinates of any integer dtype stay of it; shapes of more places than an int32 counts are coalesced', () => {
    const wide = sparseCooTensor(
      tensor([
        [70_000, 70_000, 5],
        [80_000, 80_000, 2],
      ]).long(),
      [1, 2, 4],
      [100_000, 100_000],
    ).coalesce();
    expect(wide.indices().dtype).toBe('int64');
    expect(wide.indices().toArray()).toEqual([
      [5, 70_000],
      [2, 80_000],
    ]);
    expect(wide.values().toArray()).toEqual([4, 3]);
  });

  it('to() converts values, detach() drops the graph', () => {
    const a = sparseCooTensor([[0]], tensor([2], { requiresGrad: true }), [2]);
    expect([a.to('float64').dtype, a.to('float64').requiresGrad, a.detach().requiresGrad]).toEqual([
      'float64',
      true,
      false,
    ]);
  });

  it('are refused by what takes tensors, by structuredClone and by files', () => {
    const a = sparseCooTensor([[0]], [2], [2]);
    expect(() => structuredClone(a)).toThrow('tensorsAreSentByPackTensorAndUnpackTensor');
    expect(() => encodeSafetensors({ a: a as never })).toThrow(
      "encodeSafetensors: 'a' must be a Tensor, got a sparse float32 tensor of shape [2]",
    );
    expect(() => zeros([2]).add(a as never)).toThrow('add: expected a Tensor or a number, got a sparse float32 tensor');
  });

  it.each<[string, () => unknown, string]>([
    ['indices', () => sparseCooTensor([0, 1], [1, 2]), 'sparseCooTensor: takes indices [sparseDim, nnz] and values'],
    ['counts', () => sparseCooTensor([[0, 1]], [1], [2]), 'sparseCooTensor: takes indices [sparseDim, nnz] and values'],
    ['shape', () => sparseCooTensor([[0]], [1], [2, 2]), 'sparseCooTensor: indices [1, 1] and values [1] do not fit'],
    [
      'too large',
      () => sparseCooTensor([[3]], [1], [3]),
      'sparseCooTensor: index 3 is out of range for dimension 0 of',
    ],
    ['negative', () => sparseCooTensor([[-1]], [1], [3]), 'sparseCooTensor: index -1 is out of range'],
    ['float index', () => sparseCooTensor(zeros([1, 1]), [1], [3]), 'sparseCooTensor: indices must be integers'],
    ['dtype', () => sparseCooTensor([[0]], [1], [3], { dtype: 'f' as never }), 'sparseCooTensor: unknown dtype'],
    ['junk', () => sparseCooTensor({} as never, [1], [3]), 'sparseCooTensor: '],
    [
      'start',
      () => sparseCsrTensor([1, 1], [0], [1], [1, 2]),
      'sparseCsrTensor: crowIndices must go from 0 to the 1 entries',
    ],
    [
      'falling',
      () => sparseCsrTensor([0, 3, 2], [0, 1], [1, 2], [2, 2]),
      'sparseCsrTensor: crowIndices must not decrease, got 0 and 3',
    ],
    [
      'columns',
      () => sparseCsrTensor([0, 2], [1, 1], [1, 2], [1, 2]),
      'sparseCsrTensor: the columns of a row must ascend, got 1',
    ],
    ['rows', () => sparseCsrTensor([0, 1], [1], [1], [2, 2]), 'sparseCsrTensor: crowIndices of 1 rows do not fit'],
    ['columns', () => sparseCsrTensor([0, 1], [2], [1], [1, 2]), 'sparseCsrTensor: index 2 is out of range'],
    ['repeating', () => sparseCooTensor([[0, 0]], [1, 2]).indices(), 'indices: entries may repeat; use coalesce()'],
    ['layout', () => sparseCooTensor([[0]], [1]).crowIndices(), "crowIndices: the layout must be 'csr', got 'coo'"],
    ['no matrix', () => sparseCooTensor([[0]], [1]).toSparseCsr(), 'toSparseCsr: takes a matrix of numbers, got [1]'],
    ['mixed', () => sparseCooTensor([[0]], [[1]]).t(), 'transpose: dimensions 0 and 1 must both have coordinates'],
    ['factor', () => sparseCooTensor([[0], [0]], [1]).matmul(zeros([2, 2])), 'matmul: takes [m, n] of numbers and [n]'],
    [
      'dtypes',
      () => sparseCooTensor([[0], [0]], [1]).matmul(zeros([1]).double()),
      'matmul: the factors are float32 and',
    ],
    [
      'sparse factor',
      () => sparseCooTensor([[0], [0]], [1]).matmul(sparseCooTensor([[0]], [1])),
      'matmul: takes [m, n] of numbers and [n] or [n, k], got [1, 1] and [1]',
    ],
    [
      'factor',
      () => sparseCooTensor([[0], [0]], [1]).matmul([1] as never),
      'matmul: the other factor must be a tensor',
    ],
    [
      'sparse dtypes',
      () => matmul(sparseCooTensor([[0], [0]], [1]), sparseCooTensor([[0], [0]], [1]).to('float64')),
      'matmul: the factors are float32 and float64',
    ],
    ['vector', () => sparse.mm(sparseCooTensor([[0], [0]], [1]), zeros([1])), 'mm: takes two matrices, got [1, 1]'],
    ['mm', () => sparse.mm(3 as never, zeros([1, 1])), 'mm: a must be a tensor, sparse or dense, got 3'],
    [
      'mm of shapes',
      () => sparse.mm(sparseCooTensor([[0], [0]], [1]), zeros([2, 2])),
      'mm: takes [m, n] of numbers and [n] or [n, k], got [1, 1] and [2, 2]',
    ],
    [
      'addmm',
      () => sparse.addmm(zeros([2, 2]), sparseCooTensor([[0], [0]], [1]), zeros([1, 2])),
      'addmm: the input [2, 2] does not broadcast to [1, 2]',
    ],
    [
      'addmm of dense',
      () => sparse.addmm(zeros([2, 2]), zeros([2, 2]) as never, zeros([2, 2])),
      'addmm: a must be a sparse tensor, got a dense one; use toSparse()',
    ],
    [
      'addmm of sparse',
      () => sparse.addmm(sparseCooTensor([[0], [0]], [1]) as never, sparseCooTensor([[0], [0]], [1]), zeros([1, 1])),
      'addmm: input must be dense, got a sparse tensor; use toDense()',
    ],
    [
      'an option',
      () => sparse.addmm(zeros([1, 1]), sparseCooTensor([[0], [0]], [1]), zeros([1, 1]), { gamma: 1 } as never),
      "addmm: there is no option 'gamma'",
    ],
    [
      'sampled shapes',
      () => sparse.sampledAddmm(sparseCooTensor([[0], [0]], [1]), zeros([1, 2]), zeros([1, 1])),
      'sampledAddmm: takes [m, k], [m, n] and [n, k], got [1, 1], [1, 2], [1, 1]',
    ],
    [
      'sampled dtypes',
      () => sparse.sampledAddmm(sparseCooTensor([[0], [0]], [1]), zeros([1, 1]).double(), zeros([1, 1])),
      'sampledAddmm: the tensors are float32, float64 and float32',
    ],
    ['softmax', () => sparse.softmax(zeros([2]) as never, 0), 'softmax: x must be a sparse tensor, got a dense one'],
    ['softmax of a dim', () => sparse.softmax(sparseCooTensor([[0]], [1]), 1), 'softmax: dim 1 is out of range'],
    [
      'softmax of integers',
      () => sparse.logSoftmax(sparseCooTensor([[0]], zeros([1]).int()), 0),
      'logSoftmax: takes floating point tensors, got int32',
    ],
    ['mask', () => sparseCooTensor([[0]], [1]).mask(zeros([2])), 'mask: [1] with 1 dimensions of coordinates and [2]'],
    [
      'mask of sparse',
      () => sparseCooTensor([[0]], [1]).mask(sparseCooTensor([[0]], [1]) as never),
      'mask: expected a dense',
    ],
    [
      'difference',
      () => sparseCooTensor([[0]], [1]).sub(3 as never),
      'sub: expected a SparseTensor or a Tensor, got 3',
    ],
    ['dense sum', () => sparse.sum(zeros([2]) as never), 'sum: x must be a sparse tensor'],
    [
      'diagonals',
      () => sparse.spdiags(zeros([2, 2]), [0], [2, 2]),
      'spdiags: takes diagonals [count, length] with an offset',
    ],
    ['equal offsets', () => sparse.spdiags(zeros([2, 2]), [1, 1], [2, 2]), 'spdiags: offsets must differ, got 1, 1'],
    [
      'half offsets',
      () => sparse.spdiags(zeros([1, 2]), [0.5], [2, 2]),
      'spdiags: offsets must be a Tensor, or an array',
    ],
    [
      'too many places',
      () =>
        sparseCooTensor(
          [
            [0, 1],
            [0, 1],
            [0, 1],
          ],
          [1, 2],
          [1e6, 1e6, 1e6],
        ).coalesce(),
      'coalesce: the shape [1000000, 1000000, 1000000] has more places than can be told apart',
    ],
    ['sum', () => sparseCooTensor([[0]], [1]).add(3 as never), 'add: expected a SparseTensor or a Tensor, got 3'],
    ['shapes', () => sparseCooTensor([[0]], [1]).add(sparseCooTensor([[1]], [1])), 'add: [1] with 1 dimensions'],
    [
      'scale',
      () => sparseCooTensor([[0]], [1]).mul(zeros([3])),
      'mul: [1] with 1 dimensions of coordinates and [3] with 1 differ',
    ],
    ['dimension', () => sparseCooTensor([[0]], [1]).sum(1), 'sum: '],
    ['to', () => sparseCooTensor([[0]], [1]).to('moon'), 'to: unknown dtype'],
    ['sparseDim', () => toSparse(zeros([2]), 2), 'toSparse: takes from 1 to 1 dimensions of coordinates of [2], got 2'],
    ['no tensor', () => toSparse(3 as never), 'toSparse: expected a Tensor or a SparseTensor, got 3'],
    ['no tensor', () => toDense([1] as never), 'toDense: expected a Tensor or a SparseTensor, got [1]'],
    ['no tensor', () => matmul(3 as never, zeros([2])), 'matmul: a must be a tensor, sparse or dense, got 3'],
    [
      'half',
      () => embedding(index(0), zeros([2, 2]).half().requiresGrad_()),
      'embedding: the weight must be float32 or',
    ],
  ])('what is wrong is refused: %s', (_, f, message) => {
    expect(f).toThrow(message);
  });
});

describe('sparse gradients', () => {
  const table = () => zeros([6, 2]).requiresGrad_();
  const loss = (w: Tensor, ...of: number[]) => embedding(index(...of), w).sum();

  it('have the rows that were named, each once; more passes add rows', () => {
    const w = table();
    loss(w, 4, 1, 4).backward();
    expect(isSparse(w.grad)).toBe(true);
    expect(toSparse(w.grad!).indices().toArray()).toEqual([[1, 4]]);
    expect(toSparse(w.grad!).values().toArray()).toEqual([
      [1, 1],
      [2, 2],
    ]);
    loss(w, 1, 0).backward();
    expect(toSparse(w.grad!).indices().toArray()).toEqual([[0, 1, 4]]);
    expect(toDense(w.grad!).select(1, 0).toArray()).toEqual([1, 2, 0, 0, 2, 0]);
  });

  it('in one pass two uses add up; beside a dense use the gradient is dense', () => {
    const w = table();
    loss(w, 1).add(loss(w, 2).mul(3)).backward();
    expect(toSparse(w.grad!).indices().toArray()).toEqual([[1, 2]]);
    for (const first of [true, false]) {
      const v = table();
      const [a, b] = [loss(v, 1), v.sum().mul(2)];
      (first ? a.add(b) : b.add(a)).backward();
      expect(isSparse(v.grad)).toBe(false);
      expect(v.grad!.select(1, 0).toArray()).toEqual([2, 3, 2, 2, 2, 2]);
    }
  });

  it('reading gives all elements, also in another dtype and of views', () => {
    const w = table();
    loss(w, 5).backward();
    expect(w.grad!.select(0, -1).toArray()).toEqual([1, 1]);
    expect(String(w.grad!.double())).toContain('1., 1.');
    expect([w.grad!.select(0, 5).toArray(), w.grad!.t().select(0, 1).toArray()]).toEqual([
      [1, 1],
      [0, 0, 0, 0, 0, 1],
    ]);
    expect(zeros([6, 2]).copy_(w.grad!).sum().item()).toBe(2);
  });

  it('what keeps 0 goes over the rows; norms and sums over all are there; the rest refuses by name', () => {
    const w = table();
    loss(w, 5, 5, 0).backward();
    const g = w.grad!;
    for (const t of [g.mul(2), g.neg(), g.square(), g.clone(), g.div(3), g.add(g), g.sub(g), g.clamp(-1, 1)])
      expect(isSparse(t)).toBe(true);
    expect(g.clamp(-1, 1).sum().item()).toBe(4);
    expect(g.norm().item()).toBeCloseTo(Math.sqrt(10), 6);
    expect(g.norm(Number.POSITIVE_INFINITY).item()).toBe(2);
    expect(isSparse(g.add(onesLike(w)))).toBe(false);
    expect(onesLike(w).sub(g).select(1, 0).toArray()).toEqual([0, 1, 1, 1, 1, -1]);
    const refused: [string, () => unknown][] = [
      ['exp', () => g.exp()],
      ['add', () => g.add(1)],
      ['mul', () => g.mul(g)],
      ['sum', () => g.sum(0)],
      ['mean', () => g.mean()],
      ['softmax', () => g.softmax(0)],
      ['matmul', () => g.matmul(zeros([2, 2]))],
      ['indexSelect', () => g.indexSelect(0, index(0))],
    ];
    for (const [name, f] of refused)
      expect(f, name).toThrow(`${name}: takes dense tensors, got a sparse gradient of shape [6, 2]; toDense() of`);
  });

  it('grad(), hooks and zeroGrad see them', () => {
    const w = table();
    expect(
      toSparse(grad(loss(w, 2), w))
        .indices()
        .toArray(),
    ).toEqual([[2]]);
    w.registerHook((g) => g.mul(5));
    loss(w, 2).backward();
    expect(toSparse(w.grad!).values().toArray()).toEqual([[5, 5]]);
    w.zeroGrad({ setToNull: false });
    expect([toSparse(w.grad!).nnz, w.grad!.select(0, 2).toArray()]).toEqual([0, [0, 0]]);
  });

  it('outlive tidy; dispose() gives them back', () => {
    const w = table();
    tidy.run(() => loss(w, 3).backward());
    expect(w.grad!.sum().item()).toBe(2);
    const g = w.grad!.clone();
    g.dispose();
    expect(() => g.mul(2)).toThrow('was given back');
  });

  it('where gradients are off there is none; padding gets none', () => {
    const w = randn([6, 2]);
    expect(embedding(index(1, 2), w).toArray()).toEqual(w.narrow(0, 1, 2).toArray());
    const v = table();
    embedding(index(1, 2), v, { paddingIdx: 1 }).sum().backward();
    expect(toSparse(v.grad!).indices().toArray()).toEqual([[2]]);
  });

  it('a compiled function makes them as it does without compile', () => {
    const w = table();
    const step = compile((at: Tensor) => {
      w.grad = null;
      embedding(at, w).sum().backward();
    });
    for (const at of [1, 2, 3]) step(index(at));
    expect(toSparse(w.grad!).indices().toArray()).toEqual([[3]]);
  });
});
