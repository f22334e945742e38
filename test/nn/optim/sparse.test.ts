import { readFileSync } from 'node:fs';
import { randn, tensor } from '@gradgate/core';
import { embedding, isSparse, toSparse } from '@gradgate/core/sparse';
import { Embedding, EmbeddingBag, Linear, optim } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { goldenError } from '../../golden/golden.js';

interface Path {
  name: 'SparseAdam' | 'SGD' | 'Adagrad';
  options: object;
  start: number[];
  target: number[];
  batches: number[][];
  norms: number[];
  path: number[][];
}
const paths: Path[] = JSON.parse(readFileSync(new URL('../../golden/sparse_optim.json', import.meta.url), 'utf8'));
const index = (values: number[]) => tensor(values, { dtype: 'int32' });

describe('over sparse gradients the paths are those of PyTorch', () => {
  it.each(paths.map((p) => [`${p.name} ${JSON.stringify(p.options)}`, p] as const))('%s', (_, p) => {
    const w = tensor(p.start, { shape: [6, 3], dtype: 'float64', requiresGrad: true });
    const target = tensor(p.target, { dtype: 'float64' });
    const optimizer = new optim[p.name]([w], p.options as never);
    p.batches.forEach((batch, i) => {
      optimizer.zeroGrad();
      for (const half of [batch, batch.slice(0, 1)]) embedding(index(half), w).sub(target).square().sum().backward();
      expect(isSparse(w.grad)).toBe(true);
      expect(optim.clipGradNorm_([w], 2)).toBeCloseTo(p.norms[i]!, 9);
      optimizer.step();
      expect(goldenError(w, p.path[i]!)).toBeLessThan(1e-9);
    });
  });
});

describe('optimizers and sparse gradients', () => {
  const learn = (options = {}) => {
    const words = new Embedding(50, 4, { sparse: true, ...options });
    return { words, pass: (...at: number[]) => words(index(at)).square().sum().backward() };
  };

  it('only the rows that were read change, with their memory', () => {
    const { words, pass } = learn();
    const before = words.weight.detach().clone();
    const optimizer = new optim.SparseAdam(words.parameters(), { lr: 0.1 });
    pass(3, 7);
    optimizer.step();
    const moved = words.weight.sub(before).abs().sum(1).gt(0).nonzero().flatten();
    expect(moved.toArray()).toEqual([3, 7]);
    const state = optimizer.stateDict();
    const again = new optim.SparseAdam(words.parameters(), { lr: 0.1 });
    again.loadStateDict(state);
    expect(again.stateDict()).toEqual(state);
  });

  it('a weight that lies in no order is stepped too', () => {
    const w = randn([4, 6]).t().requiresGrad_();
    const before = w.detach().clone();
    embedding(index([2]), w)
      .sum()
      .backward();
    new optim.SGD([w], { lr: 1 }).step();
    expect(
      goldenError(
        before.sub(w),
        tensor(Array(6).fill([0, 0, 0, 0]))
          .indexFill(0, index([2]), 1)
          .flatten()
          .toTypedArray(),
      ),
    ).toBeLessThan(1e-6);
  });

  it('LBFGS takes them as if they were dense', () => {
    const { words, pass } = learn();
    const optimizer = new optim.LBFGS(words.parameters(), { lr: 0.1 });
    const loss = () => {
      optimizer.zeroGrad();
      const out = words(index([3, 7]))
        .square()
        .sum();
      out.backward();
      return out;
    };
    pass(3);
    const first = optimizer.step(loss).item();
    expect(loss().item()).toBeLessThan(first);
  });

  it.each([
    'Adam',
    'AdamW',
    'RMSprop',
    'Adamax',
    'NAdam',
    'RAdam',
    'Rprop',
    'ASGD',
    'Adadelta',
    'Adafactor',
    'Lion',
    'Muon',
  ] as const)('%s refuses them by name, and nothing changes', (name) => {
    const { words, pass } = learn();
    const before = words.weight.detach().clone();
    pass(1);
    const optimizer = new optim[name](words.parameters(), { lr: 0.1 });
    expect(() => optimizer.step()).toThrow(
      `${name}.step: takes dense gradients, got a sparse one of shape [50, 4]; use SparseAdam`,
    );
    expect(words.weight.detach()).toEqual(before);
  });

  it('weight decay beside them is refused; SparseAdam refuses dense ones', () => {
    const { words, pass } = learn();
    pass(1);
    for (const name of ['SGD', 'Adagrad'] as const)
      expect(() => new optim[name](words.parameters(), { weightDecay: 0.1 }).step()).toThrow(
        `${name}.step: weightDecay must be 0 for sparse gradients, got 0.1`,
      );
    const layer = new Linear(2, 2);
    layer(randn([1, 2]))
      .sum()
      .backward();
    expect(() => new optim.SparseAdam(layer.parameters()).step()).toThrow(
      'SparseAdam.step: takes sparse gradients, got a dense one of shape [2, 2]',
    );
  });

  it.each(['SparseAdam', 'Adam', 'RAdam'] as const)('%s refuses a step before any parameter has changed', (name) => {
    const words = new Embedding(4, 2, { sparse: true });
    const dense = new Linear(2, 1);
    // The gradients that it takes come first.
    const params = name === 'SparseAdam' ? [words.weight, dense.weight] : [dense.weight, words.weight];
    const optimizer = new optim[name](params);
    dense(words(tensor([1, 2], { dtype: 'int32' })))
      .sum()
      .backward();
    const before = params.map((p) => p.toArray());
    const state = optimizer.stateDict();
    expect(() => optimizer.step()).toThrow(new RegExp(`^${name}.step: takes (sparse|dense) gradients`));
    expect(params.map((p) => p.toArray())).toEqual(before);
    expect(optimizer.stateDict()).toEqual(state);
  });

  it('a gradient to which a dense one was added is dense to them', () => {
    const { words, pass } = learn();
    pass(1);
    words.weight.sum().backward();
    new optim.Adam(words.parameters()).step();
    expect(isSparse(words.weight.grad)).toBe(false);
  });

  it('clipGradValue_ limits their rows', () => {
    const { words, pass } = learn();
    pass(1);
    optim.clipGradValue_(words.parameters(), 0.01);
    expect(isSparse(words.weight.grad)).toBe(true);
    expect(words.weight.grad!.abs().norm(Number.POSITIVE_INFINITY).item()).toBeLessThan(0.0101);
  });

  it('padding gets none, and bags have them too', () => {
    const { words, pass } = learn({ paddingIdx: 2 });
    pass(2, 5);
    expect(toSparse(words.weight.grad!).indices().toArray()).toEqual([[5]]);
    const bag = new EmbeddingBag(9, 2, { sparse: true, paddingIdx: 0, mode: 'sum' });
    bag(
      tensor(
        [
          [1, 0],
          [4, 1],
        ],
        { dtype: 'int32' },
      ),
    )
      .sum()
      .backward();
    expect(toSparse(bag.weight.grad!).indices().toArray()).toEqual([[1, 4]]);
    expect([String(words), String(bag)]).toEqual([
      'Embedding(50, 4, paddingIdx=2, sparse=true)',
      'EmbeddingBag(9, 2, mode=sum, paddingIdx=0, sparse=true)',
    ]);
  });
});
