import { runInNewContext } from 'node:vm';
import { ones, type Tensor, tensor, zeros } from '@gradgate/core';
import { data } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const { defaultCollate } = data;
const collate = defaultCollate as (samples: readonly unknown[]) => any;

describe('defaultCollate', () => {
  it('gives numbers one dtype, whatever a batch holds', () => {
    for (const batch of [
      [0, 1],
      [0.5, 1],
      [1e10, 3],
      [Number.NaN, 0],
      [-0, 2 ** 31],
    ])
      expect(collate(batch).dtype).toBe('float32');
    expect(
      collate([2n ** 53n + 1n, -1n] as never)
        .eq(tensor([2n ** 53n + 1n, -1n]))
        .toArray(),
    ).toEqual([true, true]);
    expect(() => collate([1n, 2] as never)).toThrow(/sample is bigint in sample 0 and number in sample 1/);
    const loader = new data.DataLoader([{ y: 1 }, { y: 2 }, { y: 2.5 }, { y: 3 }], { batchSize: 2 });
    expect([...loader].map(({ y }) => y.dtype)).toEqual(['float32', 'float32']);
    expect(() => collate([zeros([2]), zeros([2], { dtype: 'int32' })])).toThrow(
      /sample is float32 in sample 0 and int32 in sample 1/,
    );
  });

  it('stacks typed arrays, also of another realm', () => {
    const of = (a: ArrayLike<number>, b: ArrayLike<number>): Tensor => collate([a, b]);
    for (const [Type, dtype] of [
      [Float32Array, 'float32'],
      [Float64Array, 'float64'],
      [Int32Array, 'int32'],
    ] as const) {
      const t = of(Type.of(1, 2, 3), Type.of(4, 5, 6));
      expect([t.shape, t.dtype, t.toArray()]).toEqual([
        [2, 3],
        dtype,
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ]);
      const foreign = runInNewContext(`[new ${Type.name}([1, 2]), new ${Type.name}([3, 4])]`);
      expect(collate(foreign).dtype).toBe(dtype);
    }
    expect(collate([{ x: new Float32Array(4) }, { x: new Float32Array(4) }]).x.shape).toEqual([2, 4]);
    expect(() => of(new Float32Array(2), new Float32Array(3))).toThrow(/shape \[2\] in sample 0 and \[3\] in sample 1/);
    expect(() => of(new Float32Array(2), new Float64Array(2))).toThrow(/float32 in sample 0 and float64 in sample 1/);
  });

  it('collates objects of all kinds by their fields', () => {
    class Sample {
      label = 'a';
      constructor(readonly x: number) {}
      method() {
        return this.x;
      }
    }
    const bare = (x: number) => Object.assign(Object.create(null), { x });
    const foreign = (x: number) => runInNewContext(`({ x: ${x}, list: [${x}] })`);
    expect(collate([new Sample(1), new Sample(2)])).toEqual({ label: ['a', 'a'], x: expect.anything() });
    for (const of of [bare, foreign, (x: number) => ({ x }), (x: number) => new Sample(x)]) {
      expect(collate([of(1), of(2)]).x.toArray()).toEqual([1, 2]);
      // Of whatever kind each is.
      expect(collate([{ x: of(1) }, { x: of(2) }]).x.x.toArray()).toEqual([1, 2]);
    }
    expect(collate([foreign(1), foreign(2)]).list[0].toArray()).toEqual([1, 2]);
    expect(collate([bare(1), { x: 2 }]).x.toArray()).toEqual([1, 2]);
  });

  it('leaves what has no fields as it is', () => {
    const values = [
      new Date(0),
      new Map([[1, 2]]),
      new Set([1]),
      /x/,
      new URL('file:///a'),
      new DataView(new ArrayBuffer(1)),
      () => 1,
      Symbol('s'),
      null,
    ];
    for (const value of values) expect(collate([value, value])).toEqual([value, value]);
  });

  it('keeps keys such as __proto__', () => {
    const sample = (x: number) => JSON.parse(`{"__proto__": ${x}, "constructor": ${x}}`);
    const batch = collate([sample(1), sample(2)]);
    expect(Object.keys(batch)).toEqual(['__proto__', 'constructor']);
    expect(Object.getOwnPropertyDescriptor(batch, '__proto__')!.value.toArray()).toEqual([1, 2]);
    expect(Object.getPrototypeOf(batch)).toBe(Object.prototype);
  });

  it('refuses by name what does not fit', () => {
    expect(() => collate([{ a: 1, b: 2 }, { a: 1 }])).toThrow(/sample has a, b in sample 0 and a in sample 1/);
    expect(() => collate([{ a: 1 }, { a: 1, b: 2 }])).toThrow(/sample has a in sample 0 and a, b in sample 1/);
    expect(() => collate([{ a: 1 }, JSON.parse('{"__proto__": 1}')])).toThrow(/in sample 1/);
    expect(() => collate([{ toString: 1 }, { x: 1 }])).toThrow(/in sample 1/);
    expect(() => collate([ones([1]), 1])).toThrow(/sample is a Tensor in sample 0 and number in sample 1/);
    expect(() => collate([{ a: [null] }, { a: [1] }])).toThrow(
      /sample.a\[0\] is null in sample 0 and number in sample 1/,
    );
    expect(() => collate([{ a: undefined }])).toThrow(/sample.a is undefined/);
    expect(() => collate([{ a: Promise.resolve(1) }])).toThrow(
      /sample.a is a promise; await it in the dataset's get\(\)/,
    );
    expect(() => collate([])).toThrow(/there is no sample/);
    for (const bad of [null, undefined, 5, {}])
      expect(() => collate(bad as never)).toThrow(/takes an array of samples/);
    expect(() => collate(Object.assign(new Array(2), { 1: 1 }))).toThrow(/sample is undefined/);
  });

  it('refuses samples that contain themselves or are nested without end', () => {
    const list: unknown[] = [];
    list[0] = list;
    const object: Record<string, unknown> = {};
    object['self'] = { object };
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    for (const bad of [list, object, deep])
      expect(() => collate([bad, bad])).toThrow(/nested deeper than 64 levels, or contains itself/);
    let fits: unknown = 1;
    for (let i = 0; i < 64; i++) fits = { fits };
    expect(() => collate([fits, fits])).not.toThrow();
  });
});

describe('what is a dataset', () => {
  const { DataLoader } = data;
  const lists = (loader: Iterable<Tensor>) => [...loader].map((b) => b.toArray());

  it('grows: each epoch has the samples that are there when it starts', () => {
    const buffer = [0, 1, 2];
    const growing: data.Dataset<number> = {
      get length() {
        return buffer.length;
      },
      get: (i) => buffer[i]!,
    };
    for (const dataset of [growing, buffer])
      for (const shuffle of [false, true]) {
        buffer.splice(3);
        const loader = new DataLoader<number, Tensor>(dataset, { batchSize: 2, shuffle });
        expect([loader.length, lists(loader).flat().length]).toEqual([2, 3]);
        buffer.push(3, 4);
        expect([loader.length, lists(loader).flat().sort()]).toEqual([3, [0, 1, 2, 3, 4]]);
        let seen = 0;
        for (const batch of loader) {
          seen += batch.numel;
          if (seen < 4) buffer.push(9);
        }
        expect(seen).toBe(5);
      }
    expect(new data.RandomSampler(buffer).length).toBe(buffer.length);
    expect(() => [...new DataLoader({ length: Number.NaN, get: () => 1 })]).toThrow(
      /the dataset's length must be a whole number from 0 up, got NaN/,
    );
  });

  it('arrays, typed arrays and tensors are datasets, everywhere', () => {
    expect(lists(new DataLoader([1, 2, 3], { batchSize: 2, sampler: [2, 0, 1] as never }))).toEqual([[3, 1], [2]]);
    expect(lists(new DataLoader<number, Tensor>(Float64Array.of(5, 6), { batchSize: 2 }))).toEqual([[5, 6]]);
    expect(
      lists(
        new DataLoader<Tensor, Tensor>(
          tensor([
            [1, 2],
            [3, 4],
          ]) as never,
          { batchSize: 2 },
        ),
      ),
    ).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(
      data
        .randomSplit(['a', 'b', 'c'], [2, 1])
        .flatMap((p) => [...Array(p.length).keys()].map((i) => p.get(i)))
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect(data.kFold([1, 2, 3, 4], 2).map((f) => f.train.length)).toEqual([2, 2]);
    expect(new data.Subset([7, 8, 9], [2]).get(0)).toBe(9);
    expect(new data.ConcatDataset([1], [2, 3]).get(2)).toBe(3);
    expect(new data.MapDataset([1, 2], (v) => v * 2).get(1)).toBe(4);
    expect(() => new data.MapDataset([1], (v) => v).get(1)).toThrow(/sample 1 is out of range; there are 1/);
    for (const bad of [null, undefined, 5, 'text', {}, { length: 2 }, () => 1])
      expect(() => new DataLoader(bad as never)).toThrow(
        /takes a dataset with length and get\(\), an array or a stream, got/,
      );
    expect(() => new data.Subset(new Set([1]) as never, [])).toThrow(/needs access by index/);
  });

  it('samples may be promises of any kind', async () => {
    // biome-ignore lint/suspicious/noThenProperty: that is what it is about
    const thenable = (v: number) => ({ then: (use: (v: number) => void) => use(v) });
    const dataset = { length: 3, get: thenable as never } as data.Dataset<number>;
    const got: unknown[] = [];
    for await (const batch of new DataLoader(dataset, { batchSize: 3 })) got.push(batch.toArray());
    for await (const batch of new DataLoader(new data.MapDataset(dataset, (v) => v + 1), { batchSize: 3 }))
      got.push((batch as Tensor).toArray());
    for await (const batch of new DataLoader([thenable(5), Promise.resolve(6)] as never as number[], { batchSize: 2 }))
      got.push(batch.toArray());
    for await (const batch of new DataLoader(
      { length: 2, get: (i) => i, getMany: (n) => thenable(n as never) as never },
      { batchSize: 2 },
    ))
      got.push(batch.toArray());
    expect(got).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [5, 6],
      [0, 1],
    ]);
    expect(() => [...new DataLoader(dataset)]).toThrow(/use for await/);
    expect(() => [...new DataLoader(new Set([thenable(1)]))]).toThrow(/use for await/);
    const short = { length: 2, get: (i: number) => i, getMany: async () => [1] };
    await expect(
      (async () => {
        for await (const _ of new DataLoader(short, { batchSize: 2 }));
      })(),
    ).rejects.toThrow(/getMany\(\) returned \[1\] for 2 samples/);
  });

  it('options that do not exist are refused', () => {
    expect(() => new DataLoader([1], { batch_size: 2 } as never)).toThrow(/did you mean 'batchSize'/);
    expect(() => new DataLoader([1], { collate: 5 } as never)).toThrow(/collate must be a function/);
    expect(() => new data.RandomSampler(3, { num_samples: 2 } as never)).toThrow(/did you mean 'numSamples'/);
    expect(() => new data.SequentialSampler(-1)).toThrow(/number of samples must be a whole number/);
  });
});

describe('toTensor', () => {
  const { toTensor } = data.transforms;
  it('scales bytes only, and keeps the other dtypes', () => {
    expect(toTensor(new Uint8ClampedArray([255, 0]), [1, 2, 1]).toArray()).toEqual([[[1, 0]]]);
    for (const [Type, dtype] of [
      [Float32Array, 'float32'],
      [Float64Array, 'float64'],
      [Int32Array, 'int32'],
    ] as const) {
      const t = toTensor(Type.of(300, 2, 3, 4), [1, 2, 2]);
      expect([t.dtype, t.shape, t.toArray()]).toEqual([dtype, [2, 1, 2], [[[300, 3]], [[2, 4]]]]);
    }
    expect(() => toTensor(new Float32Array(3), [1, 2, 2])).toThrow(/3 values are no image/);
    expect(() => toTensor([1] as never, [1, 1, 1])).toThrow(/takes a typed array/);
    expect(() => toTensor(new Uint8Array(1), [1, 1] as never)).toThrow(/the size must be/);
  });
});
