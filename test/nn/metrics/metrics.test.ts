import { readFileSync } from 'node:fs';
import { noGrad, type Tensor, tensor } from '@gradgate/core';
import { evaluating, metrics } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

interface Case {
  metric: string;
  options: object;
  shape: number[];
  predictions: number[];
  float: boolean;
  target_shape: number[];
  target: number[];
  target_float: boolean;
  expected: number | number[][];
}
type Any = metrics.Metric<unknown> & { update(a: Tensor, b: Tensor): unknown };

const cases: Case[] = JSON.parse(readFileSync(new URL('../../golden/metrics.json', import.meta.url), 'utf8'));
const make = (c: Case): Any => new (metrics as never as Record<string, new (o: object) => Any>)[c.metric]!(c.options);
const of = (c: Case): [Tensor, Tensor] => [
  tensor(c.predictions, { shape: c.shape, dtype: c.float ? 'float64' : 'int32', requiresGrad: c.float }),
  tensor(c.target, { shape: c.target_shape, dtype: c.target_float ? 'float64' : 'int32' }),
];
const part = (t: Tensor, from: number, to: number) => t.narrow(0, from, to - from);

function expectFigure(metric: Any, { expected }: Case): void {
  const figure = metric.compute();
  if (typeof expected !== 'number') expect((figure as Tensor).toArray()).toEqual(expected);
  else expect(Math.abs((figure as number) - expected) / Math.max(1, Math.abs(expected))).toBeLessThan(1e-10);
}

describe("figures are scikit-learn's, however samples are dealt into batches, resumed runs and ranks", () => {
  it.each(cases.map((c, i) => [i, c.metric, JSON.stringify(c.options), c] as const))('%i %s %s', (_, __, ___, c) => {
    const [p, y] = of(c);
    const n = c.shape[0]!;
    const whole = make(c);
    expect(whole.update(p, y)).toBe(whole);
    expectFigure(whole, c);
    const parts = make(c);
    const ranks = [make(c), make(c), make(c)];
    for (let at = 0, i = 0; at < n; at += 7, i++) {
      const batch = [part(p, at, Math.min(n, at + 7)), part(y, at, Math.min(n, at + 7))] as const;
      parts.update(...batch);
      ranks[i % 2]!.update(...batch); // the third rank sees nothing
    }
    const resumed = make(c);
    resumed.loadStateDict(JSON.parse(JSON.stringify(parts.stateDict())));
    expectFigure(parts, c);
    expectFigure(resumed, c);
    expectFigure(synced(ranks), c);
    parts.reset();
    expect(() => parts.compute()).toThrow(/call update\(\) first/);
  });
});

/**
 * What `ranks[0].sync` gives; the collectives are those that others call at the same time, tried until the sums are
 * known.
 */
function synced(ranks: readonly Any[]): Any {
  const given: number[][][] = [];
  for (;;) {
    let result: Any | null = null;
    const round: number[][] = [];
    for (let rank = 0; rank < ranks.length; rank++) {
      let call = 0;
      try {
        const all = ranks[rank]!.sync({
          rank: () => rank,
          worldSize: () => ranks.length,
          allReduce(t: Tensor) {
            const sums = given[call++];
            if (!sums) {
              round[rank] = Array.from(t.toTypedArray());
              throw new Error('waits');
            }
            const total = sums[0]!.map((_, i) => sums.reduce((s, own) => s + own[i]!, 0));
            t.copy_(tensor(total, { dtype: 'float64' }));
          },
        });
        result ??= all;
      } catch (error) {
        if ((error as Error).message !== 'waits') throw error;
      }
    }
    if (result) return result;
    given.push(round);
  }
}

it('updates record nothing and hold no graph, and interleaved flows have their own figures', async () => {
  const flow = async (right: number) => {
    const accuracy = new metrics.Accuracy();
    await evaluating.run(async () => {
      for (let i = 0; i < 4; i++) {
        accuracy.update(tensor([[0, 1]], { requiresGrad: true }), tensor([i < right ? 1 : 0], { dtype: 'int32' }));
        await null;
      }
    });
    return accuracy.compute();
  };
  expect(await Promise.all([flow(1), flow(3)])).toEqual([0.25, 0.75]);
  const w = tensor([2], { requiresGrad: true });
  const loss = w.mul(3);
  const mean = new metrics.Mean();
  mean.update(loss, 2);
  noGrad.run(() => mean.update(3, 1));
  expect(mean.compute()).toBe(5);
  loss.sum().backward();
  expect(w.grad!.item()).toBe(3);
});

it('what is wrong is refused by name, and counts nothing', () => {
  const accuracy = new metrics.Accuracy({ topK: 2 });
  expect(() => accuracy.update(tensor([1, 2]), tensor([1]))).toThrow(/Accuracy.update: takes labels/);
  expect(() => accuracy.update(tensor([1]), tensor([1]))).toThrow(/topK needs scores/);
  expect(() => accuracy.update([1] as never, tensor([1]))).toThrow(/predictions must be a Tensor, got \[1\]/);
  const scores = new metrics.Accuracy();
  expect(() => scores.update(tensor([[0.1, 0.9]]), tensor([2]))).toThrow(
    /labels must be whole numbers from 0 to 1, got 2/,
  );
  expect([accuracy.isEmpty, scores.isEmpty]).toEqual([true, true]);
  const f1 = new metrics.F1Score({ average: 'binary' });
  f1.update(tensor([2], { dtype: 'int32' }), tensor([0], { dtype: 'int32' }));
  expect(() => f1.compute()).toThrow(/'binary' is for 2 classes, there are 3/);
  expect(() => f1.update(tensor([-1], { dtype: 'int32' }), tensor([0]))).toThrow(
    /labels must be whole numbers from 0 to .*, got -1/,
  );
  expect(() => new metrics.Recall({ avrage: 'micro' } as never)).toThrow(/did you mean 'average'/);
  expect(() => new metrics.AUROC().update(tensor([Number.NaN]), tensor([1]))).toThrow(/a score is NaN/);
  expect(() => new metrics.R2Score().loadStateDict({} as never)).toThrow(/takes a state from stateDict\(\)/);
});

it('metrics of classes count at most 10,000 of them', () => {
  for (const type of [metrics.ConfusionMatrix, metrics.Precision, metrics.Recall, metrics.F1Score])
    expect(() => new type({ numClasses: 2 ** 35 })).toThrow(/: numClasses must be a whole number from 1 to 10000, got/);
});
