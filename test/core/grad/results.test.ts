import { runInNewContext } from 'node:vm';
import { enableGrad, isGradEnabled, noGrad, observeGradModes } from '@gradgate/core';
import { describe, expect, it } from 'vitest';

describe('what a guarded function returns is the same object', () => {
  class Counter {
    #left = 2;
    get left() {
      return this.#left;
    }
    next() {
      return this.#left-- > 0 ? { done: false, value: isGradEnabled() } : { done: true as const, value: undefined };
    }
    [Symbol.iterator]() {
      return this;
    }
  }
  class Query {
    #runs = 0;
    where() {
      return this;
    }
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    then(resolve: (v: unknown) => void): any {
      resolve([isGradEnabled(), ++this.#runs]);
    }
  }

  it('an iterator of a class with private members', () => {
    const counter = new Counter();
    expect(noGrad.wrap(() => counter)()).toBe(counter);
    expect([[...counter], counter.left, Object.keys(counter)]).toEqual([[false, false], -1, []]);
  });

  it('a thenable of a class with private members', async () => {
    const query = new Query();
    expect(
      noGrad
        .wrap(() => query)()
        .where(),
    ).toBe(query);
    expect(await query).toEqual([false, 1]);
    expect(await query).toEqual([false, 2]);
  });

  it('a generator, an async generator, and one that several gates return', async () => {
    const g = (function* () {
      yield isGradEnabled();
      yield isGradEnabled();
    })();
    expect(enableGrad.run(() => noGrad.run(() => g))).toBe(g);
    for (let i = 0; i < 20_000; i++) enableGrad.run(() => g);
    expect([...g]).toEqual([false, false]);
    const a = (async function* () {
      await null;
      yield isGradEnabled();
    })();
    expect(noGrad.run(() => a)).toBe(a);
    expect((await a.next()).value).toBe(false);
  });

  it('a frozen one is stood in for, private members and all', async () => {
    const counter = Object.freeze(new Counter());
    const covered = noGrad.run(() => counter);
    expect([covered instanceof Counter, [...covered], covered.left]).toEqual([true, [false, false], -1]);
    expect(await (noGrad.run(() => Object.freeze(new Query())) as PromiseLike<unknown>)).toEqual([false, 1]);
  });
});

describe('promises', () => {
  it('of another realm are promises', async () => {
    const foreign = runInNewContext('Promise.resolve(7)') as Promise<number>;
    expect(noGrad.run(() => foreign)).toBe(foreign);
    expect(Object.getOwnPropertyNames(foreign)).toEqual([]);
    let ended = 0;
    observeGradModes(() => () => void ended++);
    try {
      const pending = runInNewContext('new Promise((r) => setTimeout(r, 5))', { setTimeout }) as Promise<void>;
      noGrad.run(() => pending);
      expect(ended).toBe(0);
      await pending;
      await null;
      expect(ended).toBe(1);
    } finally {
      observeGradModes(null);
    }
  });

  it('of a class whose then starts the work are covered', async () => {
    class Lazy extends Promise<boolean> {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      override then(resolve: any, reject?: any): any {
        return Promise.resolve(isGradEnabled()).then(resolve, reject);
      }
    }
    const lazy = new Lazy(() => {}) as Promise<boolean>;
    expect(noGrad.run(() => lazy)).toBe(lazy);
    expect(await lazy).toBe(false);
  });
});

describe('async generators with several steps in flight', () => {
  it('run one after another, in their gate, and an error ends them as the engine has it', async () => {
    const seen: unknown[] = [];
    const g = noGrad.wrap(async function* () {
      for (let i = 0; i < 3; i++) {
        await null;
        seen.push(i, isGradEnabled());
        yield i;
      }
      throw new Error('end');
    })();
    const results = await Promise.allSettled([
      g.next(),
      g.next(),
      g.next(),
      g.next(),
      g.next(),
      g.return(undefined as never),
    ]);
    expect(seen).toEqual([0, false, 1, false, 2, false]);
    expect(results.map((r) => (r.status === 'fulfilled' ? r.value : r.reason.message))).toEqual([
      { value: 0, done: false },
      { value: 1, done: false },
      { value: 2, done: false },
      'end',
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
  });
});
