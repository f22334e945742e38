import { MessageChannel } from 'node:worker_threads';
import {
  bindGradMode,
  enableGrad,
  gradModeStack,
  inferenceMode,
  isGradEnabled,
  isInferenceMode,
  noGrad,
  setGradEnabled,
} from '@gradgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { collectReports } from './reports.js';

const reports = collectReports();
const sleep = (ms = 0) => new Promise<void>((r) => setTimeout(r, ms));

describe('a scope puts back what was in force before it', () => {
  const openAndClose = (gate = noGrad) => {
    using _ = gate.enter();
  };

  it.each([
    ['noGrad', noGrad, false],
    ['enableGrad', enableGrad, true],
    ['inferenceMode', inferenceMode, false],
  ] as const)(
    'also one of the same kind as the gate around it, whose call has returned: %s',
    async (_, gate, enabled) => {
      const around = gate === enableGrad ? noGrad : enableGrad;
      const inside = gate.wrap(async () => {
        const seen: unknown[] = [];
        for (let i = 0; i < 3; i++) {
          await null;
          openAndClose(gate);
          seen.push(isGradEnabled(), isInferenceMode());
        }
        await sleep();
        openAndClose(gate);
        seen.push(isGradEnabled(), isInferenceMode());
        return seen;
      });
      expect(await around.run(inside)).toEqual(
        Array(4)
          .fill([enabled, gate === inferenceMode])
          .flat(),
      );
    },
  );

  it('in timers, generators and async generators, and after scopes that were swept', async () => {
    const seen: boolean[] = [];
    const look = () => {
      openAndClose();
      seen.push(isGradEnabled());
    };
    await noGrad.run(() => new Promise<void>((r) => setTimeout(() => r(look()))));
    for (const _ of noGrad.wrap(function* () {
      yield look();
      yield look();
    })()) {
      // each step looks
    }
    for await (const _ of noGrad.wrap(async function* () {
      await null;
      yield look();
      await null;
      yield look();
    })()) {
      // each step looks
    }
    await noGrad.run(async () => {
      await null;
      enableGrad.enter();
      noGrad.enter();
      await sleep();
      look();
    });
    expect(seen).toEqual(Array(6).fill(false));
    expect(reports).toHaveLength(2);
  });

  it('whatever scopes of both kinds are nested in an async gate', async () => {
    await noGrad.run(async () => {
      await null;
      {
        using _a = noGrad.enter();
        {
          using _b = enableGrad.enter();
          {
            using _c = noGrad.enter();
          }
          expect(isGradEnabled()).toBe(true);
        }
        expect(isGradEnabled()).toBe(false);
      }
      expect([isGradEnabled(), gradModeStack().length]).toEqual([false, 1]);
    });
  });
});

describe('a scope that a guarded body holds over a yield is not seen by flows that the body started', () => {
  const started: Promise<boolean>[] = [];
  const start = (ms: number) => started.push(sleep(ms).then(() => isGradEnabled()));
  beforeEach(() => {
    started.length = 0;
  });

  it('generators', async () => {
    const g = noGrad.wrap(function* () {
      start(1);
      using _ = enableGrad.enter();
      start(1);
      yield isGradEnabled();
      start(1);
      yield isGradEnabled();
    })();
    expect(g.next().value).toBe(true);
    expect(await Promise.all(started)).toEqual([false, false]);
    expect(g.next().value).toBe(true);
    expect(await Promise.all(started)).toEqual([false, false, false]);
    expect(g.next().done).toBe(true);
    expect(reports).toEqual([]);
  });

  it('async generators, also while a later step waits', async () => {
    const g = noGrad.wrap(async function* () {
      start(3);
      using _ = enableGrad.enter();
      yield isGradEnabled();
      await sleep(8);
      yield isGradEnabled();
      start(1);
      yield isGradEnabled();
    })();
    expect((await g.next()).value).toBe(true);
    expect((await g.next()).value).toBe(true);
    expect((await g.next()).value).toBe(true);
    expect(await Promise.all(started)).toEqual([false, false]);
    await g.return();
    expect(reports).toEqual([]);
  });

  it('async generators that hold it over an await: what was started before it', async () => {
    const g = noGrad.wrap(async function* () {
      start(1);
      {
        using _ = enableGrad.enter();
        await sleep(5);
        yield isGradEnabled();
      }
      yield isGradEnabled();
    })();
    expect([(await g.next()).value, (await g.next()).value]).toEqual([true, false]);
    expect(await Promise.all(started)).toEqual([false]);
  });

  it('coroutines', async () => {
    const f = noGrad.async(function* () {
      start(1);
      using _ = enableGrad.enter();
      start(1);
      yield sleep(5);
      return isGradEnabled();
    });
    expect(await f()).toBe(true);
    expect(await Promise.all(started)).toEqual([false, false]);
    expect(reports).toEqual([]);
  });

  it('and a scope that such a flow leaves open is swept, and is not the body’s', async () => {
    const g = noGrad.wrap(function* () {
      void sleep().then(() => void enableGrad.enter());
      yield isGradEnabled();
      yield isGradEnabled();
    })();
    g.next();
    await sleep(5);
    expect(reports).toHaveLength(1);
    expect(g.next().value).toBe(false);
  });
});

describe('setGradEnabled changes its own flow', () => {
  const flow = (enabled: boolean) => async () => {
    await null;
    setGradEnabled(enabled);
    await sleep(2);
    return isGradEnabled();
  };
  const look = async () => {
    const seen = [isGradEnabled()];
    for (let i = 0; i < 4; i++) {
      await sleep(1);
      seen.push(isGradEnabled());
    }
    return [...new Set(seen)];
  };

  it('not those beside it, in a gate', async () => {
    expect(await noGrad.run(() => Promise.all([flow(true)(), look(), flow(false)()]))).toEqual([true, [false], false]);
  });

  it('nor beside it outside of all gates', async () => {
    expect(await Promise.all([flow(false)(), look(), flow(true)()])).toEqual([false, [true], true]);
  });

  it('what was started before keeps its mode, what is started after has the new one', async () => {
    await noGrad.run(async () => {
      await null;
      const before = look();
      setGradEnabled(true);
      const after = look();
      setGradEnabled(false);
      expect([await before, await after, isGradEnabled()]).toEqual([[false], [true], false]);
    });
  });

  it('not the next event of the same port or interval', async () => {
    const { port1, port2 } = new MessageChannel();
    const jobs: boolean[] = [];
    const done = new Promise<void>((resolve) => {
      port2.on('message', (last) => {
        jobs.push(isGradEnabled());
        setGradEnabled(false);
        jobs.push(isGradEnabled());
        if (last) resolve();
      });
    });
    for (const last of [false, false, true]) port1.postMessage(last);
    await done;
    port1.close();
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        jobs.push(isGradEnabled());
        setGradEnabled(false);
        jobs.push(isGradEnabled());
        if (++ticks < 3) return;
        clearInterval(timer);
        resolve();
      });
    });
    expect(jobs).toEqual(Array(6).fill([true, false]).flat());
  });

  it('ends with its gate where the condition was false, in a scope, a generator and an async function too', async () => {
    const unheld = noGrad(() => false);
    const f = unheld.wrap((enabled: boolean) => setGradEnabled(enabled));
    f(false);
    expect(isGradEnabled()).toBe(true);
    {
      using _ = noGrad.enter();
      f(true);
      expect(isGradEnabled()).toBe(false);
    }
    const g = unheld.wrap(function* () {
      yield isGradEnabled();
      setGradEnabled(false);
      yield isGradEnabled();
      yield isGradEnabled();
    })();
    expect([g.next().value, noGrad.run(() => g.next().value), isGradEnabled(), g.next().value]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    const later = unheld.wrap(async () => {
      setGradEnabled(false);
      await null;
      return isGradEnabled();
    })();
    expect([isGradEnabled(), await later]).toEqual([true, false]);
  });

  it('survives the yields of a guarded body, async ones included', async () => {
    const g = noGrad.wrap(async function* () {
      yield isGradEnabled();
      setGradEnabled(true);
      yield isGradEnabled();
      await null;
      yield isGradEnabled();
    })();
    const seen: boolean[] = [];
    for await (const v of g) seen.push(v, isGradEnabled());
    expect(seen).toEqual([false, true, true, true, true, true]);
  });
});

describe('the chain of frames', () => {
  it('stays short where timers pass gates in any order, with scopes and setGradEnabled', async () => {
    let longest = 0;
    const gates = [noGrad, enableGrad, enableGrad, noGrad, noGrad];
    await new Promise<void>((resolve) => {
      let left = 5000;
      const next = () => {
        longest = Math.max(longest, gradModeStack().length);
        if (left-- === 0) return resolve();
        gates[left % gates.length]!.run(() => {
          if (left % 7 === 0) setGradEnabled(left % 2 === 0);
          using _ = gates[left % 3]!.enter();
          setImmediate(() => noGrad.run(() => process.nextTick(next)));
        });
      };
      next();
    });
    expect(longest).toBeLessThan(100);
  });

  const gate = (i: number) => (i % 2 === 0 ? noGrad : enableGrad);
  const turns: [what: string, turn: (i: number, next: () => void) => void][] = [
    ['callbacks that are bound in a gate', (i, next) => gate(i).run(() => setImmediate(bindGradMode(next)))],
    [
      'callbacks that are bound in a scope',
      (i, next) => {
        using _ = gate(i).enter();
        setImmediate(bindGradMode(next));
      },
    ],
    [
      'generators that are left with an open scope',
      (i, next) => {
        const steps = gate(i).run(function* () {
          using _ = gate(i + 1).enter();
          yield gate(i).run(() => setImmediate(next));
          yield;
        });
        steps.next();
      },
    ],
  ];
  it.each(turns)('stays short with %s', async (_, turn) => {
    let longest = 0;
    await new Promise<void>((resolve) => {
      let i = 0;
      const next = () => {
        longest = Math.max(longest, gradModeStack().length);
        if (i++ === 500) resolve();
        else turn(i, next);
      };
      next();
    });
    expect(longest).toBeLessThan(100);
  });

  it('is whole for async functions that call each other', async () => {
    const stack = await noGrad.run(async () => {
      await null;
      return enableGrad.run(async () => {
        await null;
        return noGrad.run(async () => {
          await null;
          return gradModeStack().map(({ kind }) => kind);
        });
      });
    });
    expect(stack).toEqual(['noGrad', 'enableGrad', 'noGrad']);
  });
});
