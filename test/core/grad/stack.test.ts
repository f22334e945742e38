import {
  captureGradMode,
  enableGrad,
  type Gate,
  GradModeError,
  gradMode,
  gradModeStack,
  inferenceMode,
  isGradEnabled,
  isInferenceMode,
  noGrad,
  runInGradMode,
  setDevelopmentMode,
  setGradEnabled,
} from '@gradgate/core';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { collectReports } from './reports.js';

const reports = collectReports();
afterEach(() => setDevelopmentMode(false));
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('A. the mode stack', () => {
  it('starts enabled', () => {
    expect(isGradEnabled()).toBe(true);
    expect(isInferenceMode()).toBe(false);
  });

  it('is disabled inside noGrad, and as before right after it', () => {
    expect(noGrad.run(isGradEnabled)).toBe(false);
    expect(isGradEnabled()).toBe(true);
  });

  it('leaving an inner noGrad leaves the outer one in force', () => {
    noGrad.run(() => {
      noGrad.run(() => {});
      expect(isGradEnabled()).toBe(false);
    });
  });

  it('enableGrad inside noGrad is enabled, and disabled again after it', () => {
    noGrad.run(() => {
      expect(enableGrad.run(isGradEnabled)).toBe(true);
      expect(isGradEnabled()).toBe(false);
    });
  });

  it('gradMode restores the mode at entry, not at construction', () => {
    const on = gradMode(true);
    noGrad.run(() => {
      on.run(() => expect(isGradEnabled()).toBe(true));
      expect(isGradEnabled()).toBe(false);
    });
  });

  it('building a guard without entering it changes nothing', () => {
    gradMode(false);
    noGrad(true);
    noGrad(() => true);
    noGrad.wrap(() => {});
    expect(isGradEnabled()).toBe(true);
  });

  it('one guard entered inside itself restores rightly', () => {
    const off = gradMode(false);
    const seen: boolean[] = [];
    off.run(() => {
      off.run(() => seen.push(isGradEnabled()));
      enableGrad.run(() => off.run(() => seen.push(isGradEnabled())));
      seen.push(isGradEnabled());
    });
    expect(seen).toEqual([false, false, false]);
    using _a = off.enter();
    using _b = off.enter();
    expect(gradModeStack()).toHaveLength(2);
  });

  it('closing scopes out of order throws, names the place, and leaves the mode right', () => {
    setDevelopmentMode(true);
    const outer = noGrad.enter();
    const inner = enableGrad.enter();
    expect(() => outer[Symbol.dispose]()).toThrow(
      /noGrad: this scope was closed before one that was opened inside it, opened at .*stack\.test\.ts:\d+/,
    );
    expect(isGradEnabled()).toBe(true);
    inner[Symbol.dispose]();
    expect(isGradEnabled()).toBe(true);
    expect(gradModeStack()).toEqual([]);
  });

  it('closing a scope twice throws', () => {
    const scope = noGrad.enter();
    scope[Symbol.dispose]();
    expect(() => scope[Symbol.dispose]()).toThrow(GradModeError);
    expect(isGradEnabled()).toBe(true);
  });

  it('one guard used from two concurrent flows never cross-restores', async () => {
    const off = gradMode(false);
    const flow = (ms: number) =>
      off.run(async () => {
        await new Promise((r) => setTimeout(r, ms));
        return isGradEnabled();
      });
    const both = Promise.all([flow(4), flow(1)]);
    expect(isGradEnabled()).toBe(true);
    expect(await both).toEqual([false, false]);
    expect(isGradEnabled()).toBe(true);
  });

  it("A11 a decorated function restores the caller's mode even if its body called setGradEnabled", () => {
    const f = noGrad.wrap(() => {
      setGradEnabled(true);
      return isGradEnabled();
    });
    expect(f()).toBe(true);
    noGrad.run(() => {
      f();
      expect(isGradEnabled()).toBe(false);
    });
  });

  it('setGradEnabled returns the previous value, and its effect outlives the call', () => {
    expect(setGradEnabled(false)).toBe(true);
    expect(isGradEnabled()).toBe(false);
    expect(setGradEnabled(true)).toBe(false);
    noGrad.run(() => setGradEnabled(true));
    expect(isGradEnabled()).toBe(true);
  });

  it.each([0, 1, null, 'x', undefined])('setGradEnabled(%j) throws TypeError', (value) => {
    expect(() => setGradEnabled(value as never)).toThrow(TypeError);
  });

  it('a scope that is dropped is reported, with its place in development mode', async () => {
    setDevelopmentMode(true);
    noGrad.enter();
    expect(isGradEnabled()).toBe(false);
    await null;
    await null;
    expect(isGradEnabled()).toBe(true);
    expect(reports).toEqual([expect.stringMatching(/noGrad scope was left open.*opened at .*stack\.test\.ts:\d+/)]);
  });

  it('a place that drops scopes in a loop is told of once, and they do not pile up', async () => {
    setDevelopmentMode(true);
    for (let i = 0; i < 200_000; i++) noGrad.enter();
    expect(gradModeStack().length).toBeLessThan(2 ** 17 + 1);
    expect(isGradEnabled()).toBe(false);
    for (let i = 0; i < 10; i++) inferenceMode.enter();
    expect(isInferenceMode()).toBe(true);
    await turn();
    expect([isGradEnabled(), isInferenceMode(), gradModeStack()]).toEqual([true, false, []]);
    for (let i = 0; i < 10; i++) {
      noGrad.enter();
      await null;
    }
    await turn();
    const places = reports.map((report) => /a (\w+) scope was left open.*(stack\.test\.ts:\d+)/.exec(report)?.slice(1));
    expect(places.map((place) => place?.[0])).toEqual(['noGrad', 'inferenceMode', 'noGrad']);
    expect(new Set(places.map((place) => place?.[1])).size).toBe(3);
  });

  it('where scopes that a loop dropped are closed, gates in between stay on the stack', async () => {
    for (let i = 0; i < 2 ** 16; i++) noGrad.enter();
    enableGrad.run(() => {
      for (let i = 0; i < 2 ** 16 + 1; i++) inferenceMode.enter();
      const kinds = new Set(gradModeStack().map(({ kind }) => kind));
      expect([...kinds]).toEqual(['inferenceMode', 'enableGrad']);
      expect([isGradEnabled(), isInferenceMode()]).toEqual([false, true]);
    });
    expect([isGradEnabled(), gradModeStack()]).toEqual([true, []]);
    await turn();
  });

  it('scopes of a deep recursion all hold until they are closed', () => {
    const modes: boolean[] = [];
    const descend = (depth: number): void => {
      using _ = depth % 2 === 0 ? noGrad.enter() : enableGrad.enter();
      if (depth < 4500) descend(depth + 1);
      modes.push(isGradEnabled());
    };
    descend(0);
    expect(modes).toEqual(modes.map((_, i) => i % 2 !== 0));
    expect([isGradEnabled(), gradModeStack(), reports]).toEqual([true, [], []]);
  });

  it('run returns exactly what the function returns', () => {
    const value = { a: [1] };
    const promise = Promise.resolve(value);
    expect(noGrad.run(() => value)).toBe(value);
    expect(noGrad.run(() => promise)).toBe(promise);
    expect(noGrad.run(() => undefined)).toBeUndefined();
  });

  it('the stack can be inspected: kind, place, depth', () => {
    setDevelopmentMode(true);
    noGrad.run(() => {
      using _ = enableGrad.enter();
      expect(gradModeStack()).toMatchObject([
        { kind: 'enableGrad', enabled: true, depth: 2, opener: expect.stringContaining('stack.test.ts') },
        { kind: 'noGrad', enabled: false, depth: 1, opener: expect.stringContaining('stack.test.ts') },
      ]);
    });
  });

  it('nests in any order as a stack does', () => {
    type Tree = { on: boolean; form: number; children: Tree[] };
    const tree = (depth: number): fc.Arbitrary<Tree> =>
      fc.record({
        on: fc.boolean(),
        form: fc.nat(3),
        children: depth === 0 ? fc.constant([]) : fc.array(tree(depth - 1), { maxLength: 3 }),
      });
    const visit = ({ on, form, children }: Tree): void => {
      const before = isGradEnabled();
      const inside = () => {
        expect(isGradEnabled()).toBe(on);
        for (const child of children) visit(child);
        expect(isGradEnabled()).toBe(on);
      };
      const gate: Gate = on ? enableGrad : noGrad;
      if (form === 0) gate.run(inside);
      else if (form === 1) gate.wrap(inside)();
      else if (form === 2) gradMode(on).run(inside);
      else {
        using _ = gate.enter();
        inside();
      }
      expect(isGradEnabled()).toBe(before);
    };
    fc.assert(fc.property(tree(4), visit));
  });
});

describe('B. exceptions and exits', () => {
  it('a throw restores the mode, and the very same error reaches the caller', () => {
    const error = new Error('x');
    let caught: unknown;
    try {
      noGrad.run(() => {
        throw error;
      });
    } catch (e) {
      caught = e;
    }
    expect(caught).toBe(error);
    expect(isGradEnabled()).toBe(true);
  });

  it('other throws and stack overflow restore too', () => {
    expect(() =>
      noGrad.run(() => {
        throw 'text';
      }),
    ).toThrow('text');
    const forever = (): number => noGrad.run(() => forever() + 1);
    expect(forever).toThrow(RangeError);
    expect(isGradEnabled()).toBe(true);
    expect(gradModeStack()).toEqual([]);
  });

  it('nested mixed guards unwind level by level', () => {
    const seen: boolean[] = [];
    try {
      noGrad.run(() => {
        try {
          enableGrad.run(() => {
            using _ = noGrad.enter();
            throw new Error('deep');
          });
        } finally {
          seen.push(isGradEnabled());
        }
      });
    } catch {
      seen.push(isGradEnabled());
    }
    expect(seen).toEqual([false, true]);
  });

  it('return, break and continue out of a scope restore', () => {
    const leave = () => {
      using _ = noGrad.enter();
      return isGradEnabled();
    };
    expect(leave()).toBe(false);
    for (let i = 0; i < 3; i++) {
      using _ = noGrad.enter();
      if (i === 0) continue;
      break;
    }
    expect(isGradEnabled()).toBe(true);
  });

  it('finally blocks inside the body still run disabled', () => {
    let seen: boolean | undefined;
    expect(() =>
      noGrad.run(() => {
        try {
          throw new Error('x');
        } finally {
          seen = isGradEnabled();
        }
      }),
    ).toThrow();
    expect(seen).toBe(false);
  });

  it('if the condition throws, the body does not run and the mode is untouched', () => {
    let ran = false;
    const f = noGrad(() => {
      throw new Error('condition');
    }).wrap(() => {
      ran = true;
    });
    expect(f).toThrow('condition');
    expect([ran, isGradEnabled()]).toEqual([false, true]);
  });

  it('after an error in one macrotask the next one starts in the default mode', async () => {
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        try {
          noGrad.run(() => {
            throw new Error('in a task');
          });
        } catch {
          setTimeout(() => {
            expect(isGradEnabled()).toBe(true);
            resolve();
          });
        }
      });
    });
  });
});

describe('inferenceMode', () => {
  it('nothing switches recording on inside: enableGrad and setGradEnabled(true) throw before the body runs', () => {
    inferenceMode.run(() => {
      expect([isGradEnabled(), isInferenceMode()]).toEqual([false, true]);
      expect(() => enableGrad.run(() => {})).toThrow(/inferenceMode is in force/);
      expect(() => gradMode(true).run(() => {})).toThrow(GradModeError);
      expect(() => setGradEnabled(true)).toThrow(GradModeError);
      expect(noGrad.run(isInferenceMode)).toBe(true);
    });
  });

  it('a condition that does not hold leaves noGrad in force', () => {
    noGrad.run(() =>
      inferenceMode(false).run(() => expect([isGradEnabled(), isInferenceMode()]).toEqual([false, false])),
    );
  });
});

describe('development mode', () => {
  it('reports a default mode that is off at the end of a macrotask, with its place', async () => {
    setDevelopmentMode(true);
    await null; // what comes before the first await is in the flow of the test's caller
    setGradEnabled(false);
    await turn();
    await turn();
    setGradEnabled(true);
    expect(reports).toEqual([expect.stringMatching(/ended with gradients off.*stack\.test\.ts:\d+/)]);
  });

  it('says nothing of a mode that was put back', async () => {
    setDevelopmentMode(true);
    setGradEnabled(false);
    setGradEnabled(true);
    await turn();
    expect(reports).toEqual([]);
  });
});

describe('carrying a mode', () => {
  it('a captured mode is plain data and runs anywhere', () => {
    const mode = noGrad.run(captureGradMode);
    expect(structuredClone(mode)).toEqual({ enabled: false, inference: false });
    expect(runInGradMode(structuredClone(mode), isGradEnabled)).toBe(false);
    expect(runInGradMode(inferenceMode.run(captureGradMode), isInferenceMode)).toBe(true);
    expect(() => runInGradMode({} as never, () => {})).toThrow(TypeError);
  });
});
