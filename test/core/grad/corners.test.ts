import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { readFile } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { enableGrad, type Gate, gradModeStack, isGradEnabled, noGrad, setGradEnabled } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import { collectReports } from './reports.js';

const reports = collectReports();
const sleep = (ms = 0) => new Promise<void>((r) => setTimeout(r, ms));

describe('beside others that follow the flow', () => {
  it('another AsyncLocalStorage that is entered, left or disabled changes no mode, and the other way round', async () => {
    const other = new AsyncLocalStorage<number>();
    other.run(1, () => {
      noGrad.run(() => {
        other.exit(() => expect([isGradEnabled(), other.getStore()]).toEqual([false, undefined]));
        expect([isGradEnabled(), other.getStore()]).toEqual([false, 1]);
      });
      expect([isGradEnabled(), other.getStore()]).toEqual([true, 1]);
    });
    await noGrad.run(async () => {
      other.enterWith(5);
      await sleep();
      expect([isGradEnabled(), other.getStore()]).toEqual([false, 5]);
    });
    other.disable();
    expect([isGradEnabled(), noGrad.run(isGradEnabled)]).toEqual([true, false]);
  });

  it('what others bind to a flow has its mode', () => {
    const [snapshot, bound, resource] = noGrad.run(() => [
      AsyncLocalStorage.snapshot() as (fn: () => boolean) => boolean,
      AsyncLocalStorage.bind(isGradEnabled),
      new AsyncResource('test'),
    ]);
    expect([snapshot(isGradEnabled), bound(), resource.runInAsyncScope(isGradEnabled)]).toEqual([false, false, false]);
    expect(isGradEnabled()).toBe(true);
  });

  it('streams and files that were started in a mode go on in it', async () => {
    const seen: boolean[] = [];
    await noGrad.run(() =>
      pipeline(
        Readable.from([1, 2, 3]),
        new Transform({
          objectMode: true,
          transform(x, _, done) {
            seen.push(isGradEnabled());
            done(null, x);
          },
        }),
        async (source: AsyncIterable<unknown>) => {
          for await (const _ of source) seen.push(isGradEnabled());
        },
      ),
    );
    seen.push(
      await noGrad.run(() => new Promise<boolean>((r) => readFile(new URL(import.meta.url), () => r(isGradEnabled())))),
    );
    expect(seen).toEqual(Array(7).fill(false));
  });
});

describe('unusual ways out', () => {
  class Odd {
    @noGrad returnsInFinally(): string {
      try {
        throw new Error('lost');
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: what is tested.
        return `gradients ${isGradEnabled()}`;
      }
    }
    @noGrad async returnsInFinallyLater(): Promise<string> {
      try {
        await sleep();
        throw new Error('lost');
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: what is tested.
        return `gradients ${isGradEnabled()}`;
      }
    }
    @noGrad *yieldsInFinally(): Generator<boolean, number> {
      try {
        yield isGradEnabled();
      } finally {
        yield isGradEnabled();
      }
      return 0;
    }
  }

  it('a return or a yield in finally is in the gate’s mode', async () => {
    const odd = new Odd();
    expect([odd.returnsInFinally(), await odd.returnsInFinallyLater()]).toEqual(['gradients false', 'gradients false']);
    const steps = odd.yieldsInFinally();
    expect([steps.next().value, steps.return(5), isGradEnabled()]).toEqual([
      false,
      { value: false, done: false },
      true,
    ]);
    expect(steps.next()).toEqual({ value: 5, done: true });
  });

  it('scopes end with the blocks that labels, switches and errors leave', () => {
    const seen: boolean[] = [];
    outer: for (;;) {
      using _ = noGrad.enter();
      for (;;) {
        using __ = enableGrad.enter();
        seen.push(isGradEnabled());
        break outer;
      }
    }
    switch (1) {
      default: {
        using _ = noGrad.enter();
        seen.push(isGradEnabled());
      }
    }
    for (let i = 0; i < 3; i++) {
      using _ = noGrad.enter();
      if (i === 1) continue;
      seen.push(isGradEnabled());
    }
    expect([seen, isGradEnabled()]).toEqual([[true, false, false, false], true]);
  });

  it('a DisposableStack closes scopes in reverse order', () => {
    if (typeof DisposableStack === 'undefined') return; // Node has it from 24 on.
    const stack = new DisposableStack();
    stack.use(noGrad.enter());
    stack.use(enableGrad.enter());
    expect(isGradEnabled()).toBe(true);
    stack.dispose();
    expect([isGradEnabled(), gradModeStack(), reports]).toEqual([true, [], []]);
  });

  const overflows: Record<string, () => unknown> = {
    run: () => noGrad.run(overflows['run']!),
    'wrap with a condition': noGrad(() => true).wrap((): unknown => overflows['wrap with a condition']!()),
    scope() {
      using _ = noGrad.enter();
      overflows['scope']!();
    },
    generator: () => [
      ...noGrad.run(function* (): Generator<unknown> {
        yield overflows['generator']!();
      }),
    ],
  };
  it.each(Object.keys(overflows))('a stack that overflows leaves no mode behind: %s', (name) => {
    expect(overflows[name]).toThrow(RangeError);
    expect([isGradEnabled(), gradModeStack()]).toEqual([true, []]);
  });

  it('steps of an async generator that callers of several modes asked for are all in its own', async () => {
    const steps = noGrad.run(async function* () {
      for (let i = 0; i < 3; i++) {
        await sleep();
        yield [i, isGradEnabled()];
      }
    });
    const gates: Gate[] = [noGrad, enableGrad, noGrad];
    const answers = await Promise.all(gates.map((gate) => gate.run(() => steps.next())));
    expect(answers.map(({ value }) => value)).toEqual([0, 1, 2].map((i) => [i, false]));
    expect(await Promise.all([steps.next(), steps.return(undefined), steps.next()])).toEqual(
      Array(3).fill({ value: undefined, done: true }),
    );
  });
});

describe('conditions', () => {
  it('may call what they guard, and change the caller’s mode', () => {
    let depth = 0;
    const guarded: () => boolean = noGrad(() => depth++ < 2 && !guarded()).wrap(isGradEnabled);
    expect([guarded(), isGradEnabled()]).toEqual([true, true]);
    const switching = noGrad(() => {
      setGradEnabled(false);
      return false;
    });
    expect(enableGrad.run(() => [switching.run(isGradEnabled), isGradEnabled()])).toEqual([false, false]);
    expect(isGradEnabled()).toBe(true);
  });

  it('that open a scope and forget it are reported, and change nothing for longer than the turn', async () => {
    const forgetful = noGrad(() => Boolean(enableGrad.enter()) && false);
    forgetful.run(() => {});
    await sleep();
    expect(reports).toEqual([expect.stringMatching(/^an? enableGrad scope was left open/)]);
    expect([isGradEnabled(), gradModeStack()]).toEqual([true, []]);
  });
});
