import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { bindGradMode, enableGrad, isGradEnabled, noGrad, setDevelopmentMode } from '@gradgate/core';
import { afterEach, describe, expect, it } from 'vitest';
import { collectReports } from './reports.js';

const reports = collectReports();
afterEach(() => setDevelopmentMode(false));
const sleep = (ms = 0) => new Promise((r) => setTimeout(r, ms));

class A {
  @noGrad async m(ms = 1): Promise<boolean[]> {
    const seen = [isGradEnabled()];
    await null;
    seen.push(isGradEnabled());
    await sleep(ms);
    seen.push(isGradEnabled());
    return seen;
  }
  @noGrad async *stream(): AsyncGenerator<boolean, void, unknown> {
    try {
      for (;;) {
        await sleep();
        yield isGradEnabled();
      }
    } catch {
      yield isGradEnabled();
    } finally {
      await null;
      ended.push(isGradEnabled());
    }
  }
}
const ended: boolean[] = [];
const off = [false, false, false];

describe('G. async methods', () => {
  it('disabled before and after every await; caller and other tasks in their own mode', async () => {
    const other: boolean[] = [];
    const timer = setInterval(() => other.push(isGradEnabled()), 1);
    const p = new A().m(10);
    expect(isGradEnabled()).toBe(true);
    await null;
    expect(isGradEnabled()).toBe(true);
    expect(await p).toEqual(off);
    clearInterval(timer);
    expect(new Set(other)).toEqual(new Set([true]));
  });

  it('overlapping calls that end in any order, of either mode, keep their own', async () => {
    const on = enableGrad.wrap(async (ms: number) => {
      await sleep(ms);
      return isGradEnabled();
    });
    const a = new A();
    expect(await noGrad.run(() => Promise.all([a.m(5), on(1), a.m(1), on(6)]))).toEqual([off, true, off, true]);
    expect(isGradEnabled()).toBe(true);
  });

  it('rejections, promises that never settle and calls nobody waits for leave nothing behind', async () => {
    await expect(
      noGrad.run(async () => {
        await null;
        throw new Error('late');
      }),
    ).rejects.toThrow('late');
    void noGrad.run(() => new Promise(() => {}));
    void new A().m();
    expect(isGradEnabled()).toBe(true);
    await sleep(3);
    expect(isGradEnabled()).toBe(true);
  });

  it('nested calls inherit the flow; enableGrad inside ends back in disabled, in that flow only', async () => {
    const inner = async () => {
      await null;
      return isGradEnabled();
    };
    await noGrad.run(async () => {
      expect(await inner()).toBe(false);
      await sleep();
      expect(await enableGrad.run(inner)).toBe(true);
      expect(isGradEnabled()).toBe(false);
    });
  });

  it('Promise.all of guarded and plain: plain records', async () => {
    const plain = async () => {
      await sleep();
      return isGradEnabled();
    };
    expect(await Promise.all([new A().m(), plain()])).toEqual([off, true]);
  });

  it('a scope held across an await is closed, reported with its place, and its end throws', async () => {
    setDevelopmentMode(true);
    const held = async () => {
      using _ = noGrad.enter();
      await sleep();
      return isGradEnabled();
    };
    const p = held();
    await expect(p).rejects.toThrow(/held across an await.*async\.test\.ts:\d+.*use noGrad\.run\(async/);
    expect(reports).toEqual([expect.stringMatching(/held across an await.*async\.test\.ts:\d+/)]);
  });

  it('a plain function that returns a promise is covered too', async () => {
    const f = noGrad.wrap(() => sleep().then(() => isGradEnabled()));
    expect(await f()).toBe(false);
  });

  it('covers thenables that start their work in then(), and runs callbacks in their own mode', async () => {
    const seen: boolean[] = [];
    class Query {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      then(resolve: (v: boolean) => void) {
        seen.push(isGradEnabled());
        resolve(isGradEnabled());
      }
    }
    const query = noGrad.wrap(() => new Query())();
    expect(query).toBeInstanceOf(Query);
    expect(await (query as unknown as PromiseLike<boolean>)).toBe(false);
    query.then(() => seen.push(isGradEnabled()));
    expect(seen).toEqual([false, false, true]);
  });

  it('the coroutine form covers every step, takes this and arguments, and passes rejections in', async () => {
    const f = noGrad.async(function* (this: { x: number }, y: number): Generator<unknown, unknown[], any> {
      const seen: unknown[] = [this.x, y, isGradEnabled()];
      seen.push(yield sleep().then(() => 7), isGradEnabled());
      try {
        yield Promise.reject(new Error('in'));
      } catch (e) {
        seen.push((e as Error).message, isGradEnabled());
      }
      return seen;
    });
    const p = f.call({ x: 1 }, 2);
    expect(isGradEnabled()).toBe(true);
    expect(await p).toEqual([1, 2, false, 7, false, 'in', false]);
    await expect(noGrad.async((() => 3) as never).call(undefined)).rejects.toThrow(/takes a generator function/);
  });

  it('the caller is back in its mode at once, and the condition is read at the call', async () => {
    let flag = true;
    const f = noGrad(() => flag).wrap(async () => {
      await sleep();
      return isGradEnabled();
    });
    const p = f();
    flag = false;
    expect(isGradEnabled()).toBe(true);
    expect(await p).toBe(false);
    expect(await f()).toBe(true);
  });
});

describe('H. async generators', () => {
  it('disabled through all awaits and yields; the consumer is not; break runs finally disabled', async () => {
    ended.length = 0;
    const values: boolean[] = [];
    for await (const v of new A().stream()) {
      values.push(v, isGradEnabled());
      if (values.length === 6) break;
    }
    expect(values).toEqual([false, true, false, true, false, true]);
    expect(ended).toEqual([false]);
  });

  it('throw is handled inside, disabled', async () => {
    const g = new A().stream();
    await g.next();
    expect(await g.throw(new Error('x'))).toEqual({ value: false, done: false });
    await g.return();
  });

  it('several next() in flight are queued and all covered', async () => {
    const g = new A().stream();
    const values = await Promise.all([g.next(), g.next(), g.next()]);
    expect(values.map((r) => r.value)).toEqual(off);
    await g.return();
  });
});

describe('I. callbacks, timers, promises', () => {
  it('callbacks follow the mode at their call', () => {
    let later = () => true;
    noGrad.run(() => {
      expect([1, 2].map(() => isGradEnabled())).toEqual([false, false]);
      later = () => isGradEnabled();
    });
    expect(later()).toBe(true);
  });

  it('bindGradMode makes a function follow the mode at binding', () => {
    const bound = noGrad.run(() =>
      bindGradMode(function named(_: number) {
        return isGradEnabled();
      }),
    );
    expect([bound(1), bound.name, bound.length]).toEqual([false, 'named', 1]);
    const on = bindGradMode(() => isGradEnabled());
    expect(noGrad.run(on)).toBe(true);
    expect(() => bindGradMode(1 as never)).toThrow(TypeError);
  });

  it('timers and microtasks that start inside are disabled', async () => {
    const seen = await noGrad.run(() =>
      Promise.all([
        new Promise((r) => setTimeout(() => r(isGradEnabled()))),
        new Promise((r) => setImmediate(() => r(isGradEnabled()))),
        new Promise((r) => queueMicrotask(() => r(isGradEnabled()))),
        new Promise((r) => process.nextTick(() => r(isGradEnabled()))),
      ]),
    );
    expect(seen).toEqual([false, false, false, false]);
  });

  it('then() follows its registration, not where the promise was resolved', async () => {
    let resolve = (_: unknown) => {};
    const p = new Promise((r) => {
      resolve = r;
    });
    const inside = noGrad.run(() => p.then(() => isGradEnabled()));
    const outside = p.then(() => isGradEnabled());
    noGrad.run(() => resolve(1));
    expect([await inside, await outside]).toEqual([false, true]);
  });

  it('listeners follow the emitter', () => {
    const emitter = new EventEmitter();
    const seen: boolean[] = [];
    noGrad.run(() => emitter.on('x', () => seen.push(isGradEnabled())));
    emitter.emit('x');
    noGrad.run(() => emitter.emit('x'));
    expect(seen).toEqual([true, false]);
  });

  it('streams that are read inside stay in the mode of the reader', async () => {
    const read = noGrad.wrap(async () => {
      const seen: boolean[] = [];
      for await (const _ of Readable.from(['a', 'b'])) seen.push(isGradEnabled());
      return seen;
    });
    expect(await read()).toEqual([false, false]);
  });
});
