import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { arange, Generator, manualSeed, ones, rand, type Tensor, tensor, zeros } from '@gradgate/core';
import { data } from '@gradgate/nn';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// Threads run built files: the sources are not JavaScript.
import { data as built } from '../../../packages/nn/dist/index.js';

const { DataLoader, TensorDataset, transforms } = data;
const numbers = (n: number): data.Dataset<number> => ({ length: n, get: (i) => i });
const lists = (loader: Iterable<Tensor>) => [...loader].map((b) => b.toArray());

describe('DataLoader', () => {
  it('goes through all samples in batches, the last one short or left out', () => {
    expect(lists(new DataLoader(numbers(5), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    expect(lists(new DataLoader(numbers(5), { batchSize: 2, dropLast: true }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect([
      new DataLoader(numbers(5), { batchSize: 2 }).length,
      new DataLoader(numbers(5), { batchSize: 2, dropLast: true }).length,
    ]).toEqual([3, 2]);
    expect(lists(new DataLoader(numbers(0)))).toEqual([]);
  });

  it('each sample comes once an epoch, in an order that its generator repeats', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.integer({ min: 1, max: 7 }), fc.nat(1000), (n, batchSize, seed) => {
        const epochs = () => {
          const loader = new DataLoader(numbers(n), { batchSize, shuffle: true, generator: new Generator(seed) });
          return [lists(loader), lists(loader)];
        };
        const [first, second] = epochs();
        expect(epochs()).toEqual([first, second]);
        expect(first!.flat().sort((a, b) => (a as number) - (b as number))).toEqual([...Array(n).keys()]);
        if (n > 12) expect(first).not.toEqual(second);
      }),
      { numRuns: 40 },
    );
  });

  it('makes batches of tensors, numbers, booleans, strings, arrays and objects', () => {
    const samples = [0, 1].map((i) => ({
      x: ones([2]).mul(i),
      pair: [i, i + 0.5] as const,
      on: i === 0,
      name: `n${i}`,
    }));
    const loader = new DataLoader({ length: 2, get: (i: number) => samples[i]! }, { batchSize: 2 });
    const [batch] = [...loader];
    expect(batch!.x.toArray()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect([batch!.pair[0].dtype, batch!.pair[1].dtype, batch!.on.dtype]).toEqual(['float32', 'float32', 'bool']);
    expect(batch!.name).toEqual(['n0', 'n1']);
  });

  it('says which sample does not fit the others', () => {
    const of =
      (...values: unknown[]) =>
      () => [...new DataLoader({ length: values.length, get: (i: number) => values[i] }, { batchSize: 9 })];
    expect(of(zeros([2]), zeros([3]))).toThrow(
      /sample has shape \[2\] in sample 0 and \[3\] in sample 1; pass a collate function/,
    );
    expect(of({ a: 1 }, { a: 'x' })).toThrow(/sample\.a is number in sample 0 and string in sample 1/);
    expect(of([1], [1, 2])).toThrow(/sample has 1 elements in sample 0 and 2 in sample 1/);
  });

  it('for await asks ahead, keeps the order, and hands on an error in its turn', async () => {
    let asked = 0;
    const slow = {
      length: 6,
      async get(i: number) {
        asked++;
        await new Promise((r) => setTimeout(r, 6 - i));
        if (i === 4) throw new Error('sample 4 is broken');
        return i;
      },
    };
    const seen: unknown[] = [];
    await expect(
      (async () => {
        for await (const batch of new DataLoader(slow, { prefetch: 2 })) {
          seen.push(batch.item());
          if (seen.length === 1) expect(asked).toBe(4);
        }
      })(),
    ).rejects.toThrow('sample 4 is broken');
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(() => [...new DataLoader(slow)]).toThrow(/use for await/);
  });

  it('takes streams, sync and async, and leaves them where the loop is left', async () => {
    let closed = 0;
    async function* stream() {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed++;
      }
    }
    const got: unknown[] = [];
    for await (const batch of new DataLoader(stream(), { batchSize: 3 })) {
      got.push(batch.toArray());
      if (got.length === 2) break;
    }
    expect([got, closed]).toEqual([
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      1,
    ]);
    expect(lists(new DataLoader([1, 2, 3], { batchSize: 2 }))).toEqual([[1, 2], [3]]);
    const endless = new DataLoader(stream());
    expect(() => [...endless]).toThrow(/asynchronous/);
    expect(() => endless.length).toThrow(/not known/);
  });

  it('refuses options that do not go together', () => {
    const of = (options: object) => () => new DataLoader(numbers(4), options);
    expect(of({ batchSize: 0 })).toThrow(/batchSize must be a whole number above 0, got 0/);
    expect(of({ shuffle: true, sampler: new data.SequentialSampler(4) })).toThrow(/sampler or shuffle, not both/);
    expect(of({ batchSampler: [[0]], shuffle: true })).toThrow(/takes the place of/);
    expect(of({ prefetch: -1 })).toThrow(/prefetch/);
    expect(() => new DataLoader(new Set([1, 2]), { shuffle: true })).toThrow(/a stream has its own order/);
    expect(lists(new DataLoader(numbers(4), { batchSampler: [[3, 0], [1]] }))).toEqual([[3, 0], [1]]);
  });

  it('batches of a TensorDataset are what indexing its tensors gives', () => {
    const x = rand([7, 3]);
    const y = arange(7);
    const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 4 });
    const parts = [...loader];
    expect(parts.map(([a]) => a.shape)).toEqual([
      [4, 3],
      [3, 3],
    ]);
    expect(parts[1]![0].toArray()).toEqual(x.narrow(0, 4, 3).toArray());
    expect(parts[1]![1].toArray()).toEqual([4, 5, 6]);
    expect(() => new TensorDataset(x, zeros([3]))).toThrow(/the same first dimension, got \[7, 3\]/);
    expect(() => new TensorDataset(x).get(7)).toThrow(/sample 7 is out of range; there are 7/);
  });
});

describe('workers', () => {
  const source = `
    export default ({ n, broken }) => ({ length: n, get(i) {
      if (i === broken) throw new Error('no sample ' + i);
      if (i === 99) process.exit(3);
      return { i, square: i * i };
    } });`;
  const module = (name = 'dataset.mjs', text = source) => {
    const file = join(mkdtempSync(join(tmpdir(), 'gradgate-worker-')), name);
    writeFileSync(file, text);
    return pathToFileURL(file);
  };

  it('samples made in threads come in order', async () => {
    const dataset = await built.workerDataset<{ i: number; square: number }>(module(), { workers: 2, data: { n: 10 } });
    const seen: unknown[] = [];
    for await (const batch of new built.DataLoader(dataset, { batchSize: 4 })) seen.push(batch.square.toArray());
    expect(seen).toEqual([
      [0, 1, 4, 9],
      [16, 25, 36, 49],
      [64, 81],
    ]);
    await dataset.close();
    await expect(dataset.get(0)).rejects.toThrow(/closed/);
  });

  it('the path of their module is taken from the current directory', async () => {
    const dataset = await built.workerDataset(relative(process.cwd(), fileURLToPath(module())), { data: { n: 3 } });
    expect(await dataset.get(2)).toEqual({ i: 2, square: 4 });
    await dataset.close();
    await expect(built.workerDataset('nowhere.mjs')).rejects.toThrow(
      /^workerDataset: Cannot find module file:.*nowhere.mjs; .*current directory, and new URL/,
    );
  });

  it.each(['a b.mjs', '100%41.mjs', 'ü#1?.mjs'])(
    'the path may have signs that URLs give a meaning: %s',
    async (name) => {
      const dataset = await built.workerDataset(fileURLToPath(module(name)), { data: { n: 3 } });
      expect(await dataset.get(2)).toEqual({ i: 2, square: 4 });
      await dataset.close();
    },
  );

  it('tensors come out of maps, sets and lists', async () => {
    const core = JSON.stringify(import.meta.resolve('@gradgate/core'));
    const text = `import { ones } from ${core};
      export default () => [new Map([['a', [ones([2])]], ['b', new Set([ones([]), 1n])]])];`;
    const dataset = await built.workerDataset<Map<string, any>>(module('tensors.mjs', text));
    const sample = await dataset.get(0);
    expect(sample.get('a')[0].toArray()).toEqual([1, 1]);
    expect([...sample.get('b')].map(String)).toEqual(['tensor(1.)', '1']);
    await dataset.close();
  });

  it('errors and ends of threads are told, and nobody waits for ever', async () => {
    const dataset = await built.workerDataset(module(), { data: { n: 100, broken: 3 } });
    await expect(dataset.get(3)).rejects.toThrow('in a worker: no sample 3');
    expect(await dataset.get(2)).toEqual({ i: 2, square: 4 });
    await expect(dataset.get(99)).rejects.toThrow(/a worker ended with code 3/);
    await dataset.close();
    await expect(built.workerDataset('file:///nowhere.mjs')).rejects.toThrow(
      /Cannot find module file:\/\/\/nowhere.mjs; .*current directory/,
    );
    await expect(built.workerDataset(module(), { workers: 0 })).rejects.toThrow(/above 0/);
  });
});

describe('splits', () => {
  it('randomSplit gives disjoint parts of the sizes asked for', () => {
    const parts = data.randomSplit(numbers(10), [7, 3], { generator: new Generator(1) });
    expect(parts.map((p) => p.length)).toEqual([7, 3]);
    expect(parts.flatMap((p) => [...p.indices]).sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect(data.randomSplit(numbers(10), [0.5, 0.25, 0.25]).map((p) => p.length)).toEqual([6, 2, 2]);
    expect(() => data.randomSplit(numbers(10), [7, 4])).toThrow(
      /fractions that add up to 1 or counts that add up to 10, got/,
    );
  });

  it('kFold tests each sample once; with labels each fold has its share of classes', () => {
    const labels = [0, 0, 0, 0, 0, 0, 1, 1, 1];
    const folds = data.kFold(numbers(9), 3, { labels, generator: new Generator(2) });
    expect(folds.flatMap((f) => [...f.test.indices]).sort((a, b) => a - b)).toEqual([...Array(9).keys()]);
    for (const { train, test } of folds) {
      expect(test.indices.map((i) => labels[i]!).sort()).toEqual([0, 0, 1]);
      expect(train.indices.some((i) => test.indices.includes(i))).toBe(false);
    }
    const names = labels.map((label) => (label === 0 ? 'a' : 'b'));
    for (const same of [names, tensor(labels), tensor(labels, { dtype: 'int64' })]) {
      const again = data.kFold(numbers(9), 3, { labels: same, generator: new Generator(2) });
      expect(again.map((f) => f.test.indices)).toEqual(folds.map((f) => f.test.indices));
    }
    expect(() => data.kFold(numbers(9), 3, { labels: [1] })).toThrow(/kFold: 1 labels for 9 samples/);
    expect(() => data.kFold(numbers(3), 4)).toThrow(
      /k must be a whole number from 2 to the number of samples, 3; got 4/,
    );
  });

  it('Subset, ConcatDataset and MapDataset look through to their sources', () => {
    const both = new data.ConcatDataset(numbers(3), new data.Subset(numbers(9), [8, 4]));
    expect(lists(new DataLoader(new data.MapDataset(both, (v) => v * 10), { batchSize: 9 }))).toEqual([
      [0, 10, 20, 80, 40],
    ]);
    expect(() => new data.Subset(numbers(2), [2])).toThrow(/out of range/);
  });

  it('MapDataset takes an async function, whose samples have their types in the loader', async () => {
    const halves = new data.MapDataset(numbers(3), async (v): Promise<[Tensor, number]> => [tensor([v]), v / 2]);
    const seen: number[][] = [];
    for await (const [x, y] of new DataLoader(halves, { batchSize: 3 }))
      seen.push([...x.flatten().toTypedArray(), ...y.toTypedArray()] as number[]);
    expect(seen).toEqual([[0, 1, 2, 0, 0.5, 1]]);
  });
});

describe('samplers', () => {
  it('draw with and without replacement', () => {
    expect(new Set(new data.RandomSampler(5)).size).toBe(5);
    expect([...new data.RandomSampler(3, { replacement: true, numSamples: 50 })].every((i) => i >= 0 && i < 3)).toBe(
      true,
    );
    expect(() => new data.RandomSampler(3, { numSamples: 4 })).toThrow(
      /cannot draw 4 of 3 samples without replacement/,
    );
    expect(new Set(new data.SubsetRandomSampler([4, 7]))).toEqual(new Set([4, 7]));
  });

  it('WeightedRandomSampler draws as often as the weights say', () => {
    const drawn = [...new data.WeightedRandomSampler([1, 0, 3], 4000, { generator: new Generator(4) })];
    const share = drawn.filter((i) => i === 2).length / drawn.length;
    expect(drawn.includes(1)).toBe(false);
    expect(Math.abs(share - 0.75)).toBeLessThan(0.03);
    expect(() => new data.WeightedRandomSampler([0, 0], 1)).toThrow(/at least one weight must be above 0/);
    for (const weights of [new BigInt64Array(2), Array(2), ['1'], { length: 2 ** 40 }, [1n]])
      expect(() => new data.WeightedRandomSampler(weights as never, 1)).toThrow(
        /^WeightedRandomSampler: weights must be an/,
      );
    expect(() => new data.WeightedRandomSampler([1, Number.NaN], 1)).toThrow(/from 0 up/);
  });
});

describe('transforms', () => {
  const image = arange(24).float().reshape(2, 3, 4);

  it('bytes become channels first, from 0 to 1', () => {
    const t = transforms.toTensor(Uint8Array.of(0, 255, 51, 102), [1, 2, 2]);
    expect([t.shape, t.select(0, 1).toArray()]).toEqual([[2, 1, 2], [[1, Math.fround(0.4)]]]);
    expect(() => transforms.toTensor(new Uint8Array(3), [1, 2, 2])).toThrow(/3 bytes are no image/);
  });

  it('crop, flip, pad and scale as their names say', () => {
    expect(transforms.centerCrop([1, 2])(image).toArray()).toEqual([[[5, 6]], [[17, 18]]]);
    const flip = transforms.randomHorizontalFlip({ p: 1 });
    expect(flip(flip(image)).toArray()).toEqual(image.toArray());
    expect(transforms.randomVerticalFlip({ p: 0 })(image) === image).toBe(true);
    expect(transforms.pad([1, 0, 0, 2])(image).shape).toEqual([2, 5, 5]);
    expect(transforms.resize(6)(image).shape).toEqual([2, 6, 6]);
    expect(transforms.resize([6, 8], { mode: 'nearest' })(image).at(0, 0).toArray()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    expect(transforms.grayscale()(ones([3, 2, 2])).shape).toEqual([1, 2, 2]);
    expect(transforms.randomCrop(3, { padding: 1, generator: new Generator(1) })(image).shape).toEqual([2, 3, 3]);
    expect(() => transforms.randomCrop(9)(image)).toThrow(/a window of 9 x 9 does not fit/);
    expect(() => transforms.centerCrop(2)(zeros([3]))).toThrow(/takes images/);
  });

  it('normalize centers each channel, and compose goes one after another', () => {
    const f = transforms.compose(transforms.normalize([5.5, 17.5], [2, 4]), (x) => x.mul(2));
    expect(f(image).mean([1, 2]).toArray()).toEqual([0, 0]);
    expect(() => transforms.normalize([1], [1])(image)).toThrow(
      /takes images of 1 channels, as many as it has means, got \[2, 3, 4\]/,
    );
  });

  it('randomErasing writes to a copy', () => {
    manualSeed(1);
    const before = image.toArray();
    const erased = transforms.randomErasing({ p: 1, value: -1, scale: [0.3, 0.4], ratio: [1, 1] })(image);
    expect(image.toArray()).toEqual(before);
    expect(erased.eq(-1).sum().item()).toBeGreaterThan(1);
  });
});

describe('readIdx', () => {
  const header = (type: number, ...sizes: number[]) => [
    0,
    0,
    type,
    sizes.length,
    ...sizes.flatMap((n) => [0, 0, n >> 8, n & 255]),
  ];
  it('reads all types, highest byte first', () => {
    expect(data.readIdx(Uint8Array.of(...header(8, 2, 2), 1, 2, 3, 255)).toArray()).toEqual([
      [1, 2],
      [3, 255],
    ]);
    expect(data.readIdx(Uint8Array.of(...header(11, 1), 255, 254)).toArray()).toEqual([-2]);
    const dtypes = [8, 9, 11, 12, 13, 14].map((type) => data.readIdx(Uint8Array.of(...header(type, 0))).dtype);
    expect(dtypes).toEqual(['uint8', 'int8', 'int16', 'int32', 'float32', 'float64']);
    expect(data.readIdx(Uint8Array.of(...header(13, 1), 63, 128, 0, 0)).toArray()).toEqual([1]);
  });
  it('refuses what is damaged', () => {
    expect(() => data.readIdx(Uint8Array.of(1, 2))).toThrow(/not an IDX file/);
    expect(() => data.readIdx(Uint8Array.of(0, 0, 8, 3, 0))).toThrow(/truncated/);
    expect(() => data.readIdx(Uint8Array.of(...header(8, 3), 1, 2))).toThrow(/2 bytes do not hold shape \[3\]/);
    expect(tensor([1]).dtype).toBe('float32');
  });
});

it('a random order that no memory holds is refused before it is made', () => {
  const sampler = new data.RandomSampler({ length: 2 ** 40 });
  expect(() => sampler[Symbol.iterator]().next()).toThrow(/a random order of 1099511627776 samples cannot be held/);
});
