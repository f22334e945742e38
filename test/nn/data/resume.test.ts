import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Generator, manualSeed, rand, type Tensor } from '@gradgate/core';
import { data, decodeCheckpoint, encodeCheckpoint } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
// Threads run built files: the sources are not JavaScript.
import {
  data as built,
  decodeCheckpoint as builtDecode,
  encodeCheckpoint as builtEncode,
} from '../../../packages/nn/dist/index.js';

const { DataLoader } = data;
const n = 11;
const numbers: data.Dataset<number> = { length: n, get: (i) => i };

type Loader = data.DataLoader<number, Tensor>;
/** Batches of some epochs; after each, and after each epoch, `at` may stop it. */
async function* batchesOf(loader: Loader, sync: boolean): AsyncGenerator<string> {
  for (;;) {
    if (sync) for (const batch of loader) yield batch.toArray().toString();
    else for await (const batch of loader) yield batch.toArray().toString();
    yield 'end';
  }
}
async function take(loader: Loader, sync: boolean, count: number): Promise<string[]> {
  const out: string[] = [];
  for await (const batch of batchesOf(loader, sync)) if (out.push(batch) === count) break;
  return out;
}

const orders: [string, (g: Generator) => data.DataLoaderOptions<number, Tensor>][] = [
  ['in order', () => ({ batchSize: 3 })],
  ['shuffled', (generator) => ({ batchSize: 3, shuffle: true, generator })],
  ['shuffled, full batches only', (generator) => ({ batchSize: 3, shuffle: true, generator, dropLast: true })],
  [
    'draws',
    (generator) => ({
      batchSize: 2,
      generator,
      sampler: new data.RandomSampler(n, { replacement: true, numSamples: 7, generator }),
    }),
  ],
  [
    'weighted draws',
    (generator) => ({ batchSize: 2, sampler: new data.WeightedRandomSampler(Array(n).fill(1), 8, { generator }) }),
  ],
  ['a part', (generator) => ({ batchSize: 2, sampler: new data.SubsetRandomSampler([1, 3, 5, 7, 9], { generator }) })],
  ['a sampler without a state', () => ({ batchSize: 2, sampler: [4, 2, 7, 1, 0] as never })],
  ['batches', (generator) => ({ batchSampler: new data.BatchSampler(new data.RandomSampler(n, { generator }), 4) })],
  ['batches without a state', () => ({ batchSampler: [[1, 2], [3], [4, 5, 6]] })],
];

describe.each(orders)('a loader taken up after any batch goes on exactly there: %s', (_, options) => {
  it.each([
    ['for', true, 0],
    ['for await', false, 0],
    ['for await, 5 ahead', false, 5],
  ])('%s', async (__, sync, prefetch) => {
    const make = (seed: number): Loader => new DataLoader(numbers, { ...options(new Generator(seed)), prefetch });
    const total = 14;
    const whole = await take(make(1), sync, total);
    for (let stop = 1; stop < total; stop++) {
      const loader = make(1);
      expect(await take(loader, sync, stop)).toEqual(whole.slice(0, stop));
      const bytes = encodeCheckpoint({ loader });
      // Other random numbers, and somewhere else.
      const other = make(99);
      await take(other, sync, 2);
      decodeCheckpoint(bytes, { loader: other });
      expect(other.stateDict()).toEqual(loader.stateDict());
      expect(await take(other, sync, total - stop)).toEqual(whole.slice(stop));
    }
  });
});

describe('the state of a loader', () => {
  it('is saved inside the loop, with other draws from the same generator, and in a checkpoint', () => {
    const start = (seed: number, own = false) => {
      const generator = new Generator(seed);
      const order = own ? { sampler: new data.RandomSampler(n, { generator }) } : { shuffle: true, generator };
      return { generator, loader: new DataLoader<number, Tensor>(numbers, { batchSize: 2, ...order }) };
    };
    const run = ({ generator, loader }: ReturnType<typeof start>, count: number, saveAt = -1) => {
      const log: string[] = [];
      let saved: Uint8Array | undefined;
      while (log.length < count)
        for (const batch of loader) {
          log.push(`${batch.toArray()} ${rand([1], { generator }).item()}`);
          if (log.length === saveAt) saved = encodeCheckpoint({ generator, loader });
          if (log.length === count) break;
        }
      return { log, saved: saved! };
    };
    for (const own of [false, true]) {
      const { log } = run(start(1, own), 15);
      for (let at = 1; at < 15; at++) {
        const { saved } = run(start(1, own), 15, at);
        const other = start(5, own);
        decodeCheckpoint(saved, other);
        expect(run(other, 15 - at).log).toEqual(log.slice(at));
      }
    }
  });

  it('does not touch the default generator', () => {
    const loader = new DataLoader<number, Tensor>(numbers, { shuffle: true });
    const it = loader[Symbol.iterator]();
    it.next();
    const state = loader.stateDict();
    const rest = [...it].map((b) => b.item());
    const other = new DataLoader<number, Tensor>(numbers, { shuffle: true });
    manualSeed(3);
    const next = rand([1]).item();
    manualSeed(3);
    other.loadStateDict(state);
    expect([...other].map((b) => b.item())).toEqual(rest);
    expect(rand([1]).item()).toBe(next);
  });

  it('a loop that is left and started again without loading starts anew', () => {
    const loader = new DataLoader<number, Tensor>(numbers, { batchSize: 4 });
    for (const _ of loader) break;
    expect(loader.stateDict().batches).toBe(1);
    expect([...loader].length).toBe(3);
    expect(loader.stateDict().batches).toBe(0);
  });

  it('streams are gone through as far as they were, or have a state of their own', async () => {
    const stream = {
      *[Symbol.iterator]() {
        for (let i = 0; i < 10; i++) yield i;
      },
    };
    class Counter {
      i = 0;
      *[Symbol.iterator]() {
        while (this.i < 10) yield this.i++;
        this.i = 0;
      }
      stateDict() {
        return { i: this.i };
      }
      loadStateDict({ i }: { i: number }) {
        this.i = i;
      }
    }
    for (const [of, first] of [
      [() => stream, 0],
      [() => new Counter(), 1],
    ] as const)
      for (const sync of [true, false]) {
        const make = (): Loader => new DataLoader<number, Tensor>(of(), { batchSize: 3 });
        const whole = await take(make(), sync, 9);
        expect(whole.slice(0, 5)).toEqual(['0,1,2', '3,4,5', '6,7,8', '9', 'end']);
        for (let stop = 1; stop < 5; stop++) {
          const loader = make();
          await take(loader, sync, stop);
          const other = make();
          other.loadStateDict(loader.stateDict());
          expect((await take(other, sync, 5 - stop)).slice(0, 5 - stop)).toEqual(whole.slice(stop, 5));
        }
        expect(first).toBeLessThan(2);
      }
  });

  it('is refused as a whole where it is none', () => {
    const loader = new DataLoader(numbers, { shuffle: true, batchSize: 2 });
    for (const bad of [
      null,
      undefined,
      5,
      {},
      { batches: -1, order: null, dataset: null, generator: null },
      { ...loader.stateDict(), order: { batches: 1 } },
    ])
      expect(() => loader.loadStateDict(bad as never)).toThrow(/loadStateDict: /);
    for (const bad of [null, {}, { epoch: { size: 'x' }, taken: 0 }, { epoch: null, taken: 0.5 }])
      expect(() => new data.RandomSampler(3).loadStateDict(bad as never)).toThrow(/takes a state from stateDict/);
  });

  it('samplers have one too', () => {
    const sampler = new data.RandomSampler(8, { generator: new Generator(1) });
    const epoch = sampler[Symbol.iterator]();
    const first = [epoch.next().value, epoch.next().value, epoch.next().value];
    const state = sampler.stateDict();
    const rest = [...epoch];
    const later = [...sampler];
    const other = new data.RandomSampler(8, { generator: new Generator(2) });
    other.loadStateDict(state);
    expect([[...other], [...other]]).toEqual([rest, later]);
    expect([...first, ...rest].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

const workerModule = (source: string) => {
  const file = join(mkdtempSync(join(tmpdir(), 'gradgate-worker-')), 'dataset.mjs');
  writeFileSync(file, source);
  return pathToFileURL(file);
};

describe('datasets in workers', () => {
  it('with a state of their own go on exactly there, with shuffling and prefetching', async () => {
    // Each sample is its number and how many this thread has made: augmentation by a thread's own generator, say.
    const module = workerModule(`export default () => ({
      length: 11, made: 0, get(i) { return i * 1000 + this.made++; },
      stateDict() { return { made: this.made }; }, loadStateDict(s) { this.made = s.made; } });`);
    const make = async (seed: number) => {
      const dataset = await built.workerDataset<number>(module, { workers: 2 });
      const loader = new built.DataLoader(dataset, {
        batchSize: 2,
        shuffle: true,
        generator: new Generator(seed) as never,
        prefetch: 3,
      });
      return { dataset, loader: loader as never as Loader };
    };
    const whole = await make(1);
    const log = await take(whole.loader, false, 12);
    await whole.dataset.close();
    for (const stop of [1, 4, 6, 7, 8]) {
      const some = await make(1);
      expect(await take(some.loader, false, stop)).toEqual(log.slice(0, stop));
      const bytes = builtEncode({ loader: some.loader });
      const other = await make(9);
      builtDecode(bytes, { loader: other.loader });
      expect(await take(other.loader, false, 4)).toEqual(log.slice(stop, stop + 4));
      await some.dataset.close();
      await other.dataset.close();
    }
  });

  it('tell whatever goes wrong in them', async () => {
    const module = workerModule(`
      import { parentPort, threadId } from 'node:worker_threads';
      export default ({ mode, length = 5, then }) => {
        if (mode === 'undefined') return undefined;
        if (mode === 'start') throw new Error('');
        if (mode === 'null') { parentPort.postMessage(null); parentPort.postMessage(7); parentPort.postMessage({ id: 0, error: 'x' }); }
        return { length: mode === 'lengths' ? threadId : length, get(i) {
          if (mode === 'empty') throw new Error('');
          if (mode === 'type') throw new TypeError('');
          if (mode === 'thrown') throw null;
          if (mode === 'text') throw 'a text';
          if (mode === 'function') return () => 1;
          if (mode === 'cycle') { const a = {}; a.a = a; return a; }
          if (mode === 'later') return new Promise(() => setTimeout(() => { throw null; }));
          if (mode === 'keys') return JSON.parse('{"__proto__": 1, "gradgateTensor": 2, "tensor": 3}');
          return i;
        } }; };`);
    const open = (mode: string, more: object = {}) =>
      built.workerDataset<any>(module, { workers: 2, data: { mode, ...more } });
    const cases: [string, RegExp][] = [
      ['empty', /in a worker: Error without a message/],
      ['type', /in a worker: TypeError without a message/],
      ['thrown', /in a worker: null was thrown/],
      ['text', /in a worker: 'a text' was thrown/],
      ['function', /in a worker: .*could not be cloned/],
      ['cycle', /in a worker: a sample is nested deeper than 64 levels, or contains itself/],
      ['later', /in a worker: null was thrown/],
    ];
    for (const [mode, message] of cases) {
      const dataset = await open(mode);
      await expect(dataset.get(1)).rejects.toThrow(message);
      if (mode === 'later') await expect(dataset.get(2).then(() => dataset.get(3))).rejects.toThrow(message);
      await dataset.close();
    }
    const noisy = await open('null');
    expect(await noisy.get(3)).toBe(3);
    await noisy.close();
    const keys = await open('keys');
    const sample = await keys.get(0);
    expect([Object.keys(sample), Object.getPrototypeOf(sample) === Object.prototype]).toEqual([
      ['__proto__', 'gradgateTensor', 'tensor'],
      true,
    ]);
    await keys.close();
    const plain = await open('');
    for (const index of [5, -1, 1.5, Number.NaN, '1', null])
      await expect(plain.get(index as number)).rejects.toThrow(/workerDataset: sample .* is out of range; there are 5/);
    await plain.close();
    await expect(open('lengths')).rejects.toThrow(/the dataset has \d+ samples in one thread and \d+ in another/);
    await expect(open('', { length: -1 })).rejects.toThrow(/length must be a whole number from 0 up, got -1/);
    await expect(open('', { length: 'x' })).rejects.toThrow(/length/);
    await expect(open('undefined')).rejects.toThrow(/takes a dataset with length and get\(\).*got undefined/);
    await expect(open('start')).rejects.toThrow(/in a worker: Error without a message/);
    await expect(open('', { f: () => 1 })).rejects.toThrow(/data cannot be sent to a thread/);
    await expect(built.workerDataset('http://[')).rejects.toThrow(/module must be a URL or a path, got 'http:\/\/\['/);
    await expect(built.workerDataset(null as never)).rejects.toThrow(/module must be a URL, got null/);
    await expect(built.workerDataset(module, { worker: 3 } as never)).rejects.toThrow(/did you mean 'workers'/);
  });
});
