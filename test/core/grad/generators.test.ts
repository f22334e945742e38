import { enableGrad, isGradEnabled, noGrad, setDevelopmentMode, setGradEnabled } from '@gradgate/core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { collectReports } from './reports.js';

const reports = collectReports();

const seen: boolean[] = [];
class A {
  @noGrad *steps(): Generator<boolean, string, unknown> {
    try {
      const got = yield isGradEnabled();
      seen.push(isGradEnabled());
      yield got === 'go' && isGradEnabled();
      return 'done';
    } catch (error) {
      seen.push(isGradEnabled());
      yield isGradEnabled();
      throw error;
    } finally {
      seen.push(isGradEnabled());
    }
  }
}
beforeEach(() => {
  seen.length = 0;
});

/** A generator as TypeScript's ES5 output makes it: a plain object, no generator function in sight. */
function compiledToES5(body: (step: number) => unknown, count: number): IterableIterator<unknown> {
  let step = 0;
  const iterator: any = {
    next: () => (step < count ? { value: body(step++), done: false } : { value: undefined, done: true }),
    throw: (e: unknown) => {
      throw e;
    },
    return: (value: unknown) => ({ value, done: true }),
    [Symbol.iterator]: () => iterator,
  };
  return iterator;
}

describe('F. generators', () => {
  it('calling runs nothing and changes nothing', () => {
    new A().steps();
    expect(seen).toEqual([]);
    expect(isGradEnabled()).toBe(true);
  });

  it('the body is disabled at each step, the consumer never; values pass both ways', () => {
    const g = new A().steps();
    expect(g.next()).toEqual({ value: false, done: false });
    expect(isGradEnabled()).toBe(true);
    expect(enableGrad.run(() => g.next('go'))).toEqual({ value: false, done: false });
    expect(isGradEnabled()).toBe(true);
    expect(g.next()).toEqual({ value: 'done', done: true });
    expect(seen).toEqual([false, false]);
  });

  it('a mode the caller set between steps is not undone by a later step', () => {
    const g = new A().steps();
    g.next();
    setGradEnabled(false);
    g.next();
    expect(isGradEnabled()).toBe(false);
    setGradEnabled(true);
    g.next();
    expect(isGradEnabled()).toBe(true);
  });

  it('throw is handled inside, disabled; a body error finds the caller in its own mode', () => {
    const g = new A().steps();
    g.next();
    expect(g.throw(new Error('in'))).toEqual({ value: false, done: false });
    expect(() => g.next()).toThrow('in');
    expect(isGradEnabled()).toBe(true);
    expect(seen).toEqual([false, false]);
  });

  it('return, break and destructuring run finally disabled', () => {
    for (const _ of new A().steps()) break;
    const [_first] = new A().steps();
    const g = new A().steps();
    g.next();
    g.return('early');
    expect(seen).toEqual([false, false, false]);
  });

  it('return on a generator that never started does not run the body', () => {
    expect(new A().steps().return('x')).toEqual({ value: 'x', done: true });
    expect(seen).toEqual([]);
  });

  it('suspended generators leave nothing behind; opposite ones each keep their own', () => {
    const make = (): Generator<boolean> =>
      (function* () {
        for (;;) yield isGradEnabled();
      })();
    const off = noGrad.wrap(make)();
    const on = enableGrad.wrap(make)();
    noGrad.run(() => {
      for (let i = 0; i < 3; i++) expect([off.next().value, on.next().value]).toEqual([false, true]);
    });
    expect(isGradEnabled()).toBe(true);
  });

  it('yield* into another generator is covered', () => {
    const inner = function* () {
      yield isGradEnabled();
    };
    const outer = noGrad.wrap(function* () {
      yield* inner();
    });
    expect([...outer()]).toEqual([false]);
  });

  it('a scope opened, and a mode set, before a yield are in force after it, and end with the body', () => {
    const f = noGrad.wrap(function* () {
      {
        using _ = enableGrad.enter();
        yield isGradEnabled();
        yield isGradEnabled();
      }
      yield isGradEnabled();
      setGradEnabled(true);
      yield isGradEnabled();
      yield isGradEnabled();
    });
    const values: boolean[] = [];
    for (const v of f()) {
      values.push(v);
      expect(isGradEnabled()).toBe(true);
    }
    expect(values).toEqual([true, true, false, true, true]);
    noGrad.run(() => {
      for (const _ of f()) expect(isGradEnabled()).toBe(false);
    });
  });

  it('a scope that an undecorated generator holds at a yield is closed and reported when the turn is over', async () => {
    const raw = function* () {
      using _ = noGrad.enter();
      yield 1;
    };
    const g = raw();
    g.next();
    await null;
    await null;
    expect(isGradEnabled()).toBe(true);
    expect(reports).toEqual([expect.stringContaining('noGrad scope was left open')]);
    expect(() => g.next()).toThrow(/held across an await or beyond its gate/);
    expect(isGradEnabled()).toBe(true);
  });

  it.each([
    [
      'a generator',
      function* () {
        using _ = noGrad.enter();
        yield isGradEnabled();
        yield isGradEnabled();
      },
    ],
    [
      'an async generator',
      async function* () {
        using _ = noGrad.enter();
        yield isGradEnabled();
        yield isGradEnabled();
      },
    ],
  ] as const)(
    'in development mode a scope that %s without a gate holds is closed and reported at the yield',
    async (_, raw) => {
      const { next } = Object.getPrototypeOf(Object.getPrototypeOf(raw()));
      setDevelopmentMode(true);
      try {
        const g = raw();
        const first = g.next();
        expect(isGradEnabled()).toBe(true);
        expect(reports).toEqual([expect.stringMatching(/held across an await or a yield.*generators\.test\.ts:\d+/)]);
        expect((await first).value).toBe(false);
        const guarded = noGrad.wrap(function* () {
          using _ = enableGrad.enter();
          yield isGradEnabled();
          yield isGradEnabled();
        })();
        expect([...guarded]).toEqual([true, true]);
        expect(reports).toHaveLength(1);
      } finally {
        setDevelopmentMode(false);
      }
      expect(Object.getPrototypeOf(Object.getPrototypeOf(raw())).next).toBe(next);
    },
  );

  it('two raw generators closed in opposite order leave the mode as before', () => {
    const raw = function* () {
      using _ = noGrad.enter();
      yield 1;
    };
    const [a, b] = [raw(), raw()];
    a.next();
    b.next();
    expect(() => a.next()).toThrow(/closed before one that was opened inside it/);
    b.next();
    expect(isGradEnabled()).toBe(true);
  });

  it('an iterator that an ordinary method returns is covered, whatever made it', () => {
    const f = noGrad.wrap(() => compiledToES5(() => isGradEnabled(), 2));
    expect([...f()]).toEqual([false, false]);
    const lazy = noGrad.wrap(() => {
      const it = {
        n: 0,
        next() {
          return { done: this.n++ > 1, value: isGradEnabled() };
        },
        [Symbol.iterator]() {
          return this;
        },
      };
      return it;
    });
    expect([...lazy()]).toEqual([false, false]);
    expect(isGradEnabled()).toBe(true);
  });

  it('the condition is asked once a generator', () => {
    let asked = 0;
    const f = noGrad(() => {
      asked++;
      return true;
    }).wrap(function* () {
      yield 1;
      yield 2;
    });
    expect([...f()]).toEqual([1, 2]);
    expect(asked).toBe(1);
  });

  it('a re-entrant next throws TypeError and leaves the mode right', () => {
    const g: Generator<unknown> = noGrad.wrap(function* (): Generator<unknown> {
      yield (() => {
        try {
          return g.next();
        } catch (e) {
          return e;
        }
      })();
    })();
    expect(g.next().value).toBeInstanceOf(TypeError);
    expect(isGradEnabled()).toBe(true);
  });

  it.each([false, true])(
    'a flow that the body started, and that steps it with a scope open: each has its own (body holds a scope: %s)',
    async (holds) => {
      const steps: Generator<boolean> = noGrad.run(function* () {
        setTimeout(() => {
          using _ = enableGrad.enter();
          seen.push(isGradEnabled(), steps.next().value, isGradEnabled());
        });
        const scope = holds ? noGrad.enter() : null;
        yield isGradEnabled();
        yield isGradEnabled();
        scope?.[Symbol.dispose]();
        yield isGradEnabled();
      });
      seen.push(steps.next().value);
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(steps.next().value, isGradEnabled());
      expect(seen).toEqual([false, true, false, true, false, true]);
      expect(reports).toEqual([]);
    },
  );

  it('a flow that the body started may forget a scope, and step the body: the scope is closed and reported', async () => {
    const steps: Generator<boolean> = noGrad.run(function* () {
      setTimeout(() => {
        enableGrad.enter();
        seen.push(steps.next().value, isGradEnabled());
        setTimeout(() => seen.push(isGradEnabled()));
      });
      yield isGradEnabled();
      yield isGradEnabled();
    });
    steps.next();
    await vi.waitFor(() => expect(seen).toEqual([false, true, false]));
    expect(reports).toEqual([expect.stringMatching(/enableGrad scope was left open/)]);
  });

  it('the guarded generator still has its methods, and iterator helpers work on it', () => {
    const g = new A().steps();
    for (const name of ['next', 'return', 'throw'] as const) expect(typeof g[name]).toBe('function');
    expect(g[Symbol.iterator]()).toBe(g);
    expect(Object.prototype.toString.call(g)).toBe('[object Generator]');
  });
});
