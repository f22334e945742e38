import { crossEntropy, Generator, randn, tensor, zeros } from '@gradgate/core';
import { data, decodeCheckpoint, encodeCheckpoint } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

describe('StandardScaler', () => {
  const x = tensor([
    [1, 10, 5],
    [2, 20, 5],
    [3, 60, 5],
  ]);

  it('gives columns of mean 0 and deviation 1, and 0 where a column never changes', () => {
    const scaler = new data.StandardScaler().fit(x);
    const y = scaler.transform(x);
    // (1 - 2) / sqrt(2 / 3), as scikit-learn's StandardScaler gives.
    expect(y.at(0, 0).item()).toBeCloseTo(-1.224745, 5);
    expect(y.mean(0).abs().max().item()).toBeLessThan(1e-6);
    expect(y.square().mean(0).toArray()).toEqual([expect.closeTo(1, 5), expect.closeTo(1, 5), 0]);
    expect(scaler.inverse(y).sub(x).abs().max().item()).toBeLessThan(1e-5);
    const large = randn([100, 1], { generator: new Generator(1) }).add(1e5);
    expect(new data.StandardScaler().fit(large).transform(large).square().mean().item()).toBeCloseTo(1, 1);
  });

  it('leaves NaN out of the statistics, as scikit-learn, and keeps it', () => {
    const gaps = tensor([
      [1, Number.NaN],
      [Number.NaN, 7],
      [3, 7],
    ]);
    const scaler = new data.StandardScaler().fit(gaps);
    expect([scaler.mean!.toArray(), scaler.std!.toArray()]).toEqual([
      [2, 7],
      [1, 1],
    ]);
    expect(scaler.transform(gaps).toArray()).toEqual([
      [-1, Number.NaN],
      [Number.NaN, 0],
      [1, 0],
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses a column that has no mean: %s', (value) => {
    const scaler = new data.StandardScaler();
    expect(() => scaler.fit(tensor([[1, value]]))).toThrow('column 1 has infinities, or nothing but NaN');
    expect(scaler.mean).toBeNull();
  });

  it('goes through checkpoints', () => {
    const scaler = new data.StandardScaler().fit(x);
    const other = new data.StandardScaler();
    decodeCheckpoint(encodeCheckpoint({ scaler }), { scaler: other });
    expect(other.transform(x).equal(scaler.transform(x))).toBe(true);
    decodeCheckpoint(encodeCheckpoint({ scaler: new data.StandardScaler() }), { scaler: other });
    expect(() => other.transform(x)).toThrow(/call fit\(x\) first/);
  });

  it('refuses what does not fit', () => {
    expect(() => new data.StandardScaler().fit(zeros([3]))).toThrow(/takes \[rows, columns\]/);
    expect(() => new data.StandardScaler().fit(zeros([0, 3]))).toThrow(/at least one row/);
    expect(() => new data.StandardScaler().fit(x.int())).toThrow(/convert with float/);
    expect(() => new data.StandardScaler().fit(null as never)).toThrow(/expected a Tensor/);
    expect(() => new data.StandardScaler().fit(x).transform(zeros([2, 2]))).toThrow(/takes \[\.\.\., 3\], the columns/);
  });
});

describe('trainTestSplit', () => {
  const labels = [...Array(30).fill('a'), ...Array(10).fill('b')];
  const samples = labels.map((label, i) => ({ label, i }));

  it('gives disjoint parts that are all', () => {
    for (const [testSize, count] of [
      [undefined, 10],
      [0.1, 4],
      [7, 7],
      [0.999, 0],
    ] as const) {
      if (count === 0) {
        expect(() => data.trainTestSplit(samples, { testSize })).toThrow(
          /testSize must be a fraction below 1 or a count/,
        );
        continue;
      }
      const [train, test] = data.trainTestSplit(samples, { testSize, generator: new Generator(1) });
      expect(test.length).toBe(count);
      expect([...train.indices, ...test.indices].sort((a, b) => a - b)).toEqual(samples.map((s) => s.i));
    }
  });

  it('gives each part its share of the classes', () => {
    for (let seed = 0; seed < 5; seed++) {
      const [, test] = data.trainTestSplit(samples, { testSize: 8, labels, generator: new Generator(seed) });
      expect(test.indices.filter((i) => labels[i] === 'b').length).toBe(2);
    }
    const numbers = tensor(labels.map((label) => (label === 'b' ? 1 : 0)));
    const [byName, byNumber] = [labels, numbers].map(
      (each) => data.trainTestSplit(samples, { testSize: 8, labels: each, generator: new Generator(1) })[1],
    );
    expect(byNumber!.indices).toEqual(byName!.indices);
    expect(() => data.trainTestSplit(samples, { labels: ['a'] })).toThrow(/1 labels for 40 samples/);
    expect(() => data.trainTestSplit(samples, { test_size: 8 } as never)).toThrow(/did you mean 'testSize'/);
    expect(() => data.trainTestSplit(new Set([1]) as never)).toThrow(/needs access by index/);
  });
});

describe('classWeights', () => {
  it('makes the classes count alike, as scikit-learn balances them', () => {
    const y = tensor([0, 0, 0, 1], { dtype: 'int32' });
    const weight = data.classWeights(y);
    expect(weight.toArray()).toEqual([Math.fround(4 / 6), 2]);
    expect(data.classWeights([0, 0, 0, 1]).equal(weight)).toBe(true);
    expect(crossEntropy(zeros([4, 2]), y, { weight }).item()).toBeCloseTo(Math.log(2), 5);
    expect(() => data.classWeights([0, 2])).toThrow(/class 1 has no sample/);
    expect(() => data.classWeights([0, 1], { numClasses: 1 })).toThrow(/label 1 is not one of 1 classes/);
    for (const bad of [[0.5], [-1], ['a'], [], null, 5])
      expect(() => data.classWeights(bad as never)).toThrow(/classWeights: /);
  });
});

describe('fromPixels', () => {
  it('takes ImageData, with opacity or without', () => {
    const image = { data: Uint8ClampedArray.of(255, 0, 51, 255, 0, 102, 0, 0), width: 2, height: 1 };
    const { fromPixels } = data.transforms;
    expect(fromPixels(image).toArray()).toEqual([[[1, 0]], [[0, Math.fround(0.4)]], [[Math.fround(0.2), 0]]]);
    expect(fromPixels(image, { channels: 4 }).shape).toEqual([4, 1, 2]);
    for (const bad of [null, {}, 5, { ...image, width: 'x' }])
      expect(() => fromPixels(bad as never)).toThrow(/takes an ImageData/);
    expect(() => fromPixels({ ...image, width: 3 })).toThrow(/^fromPixels: 8 bytes are no image of 1 x 3 x 4/);
    expect(() => fromPixels(image, { channels: 1 as never })).toThrow(/channels must be 3 or 4/);
  });
});
