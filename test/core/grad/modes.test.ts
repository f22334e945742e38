import {
  combineGates,
  defineMode,
  enableGrad,
  gradModeStack,
  gradPolicies,
  isGradEnabled,
  noGrad,
  type ObservedCall,
  observeGradModes,
  original,
  setDevelopmentMode,
  setReporter,
} from '@gradgate/core';
import { afterEach, describe, expect, it } from 'vitest';

const training = defineMode<boolean | null>('test.training', null);
const evalMode = training.gate('evalMode', false);
const trainMode = training.gate('trainMode', true);
const frozen = defineMode<readonly string[]>('test.frozen', []);
const freezing = frozen.gateWith(
  'freezing',
  ({ outer, self, args }, what: string | ((self: any, ...args: any[]) => string)) => [
    ...outer,
    typeof what === 'function' ? what(self, ...args) : what,
  ],
);
const evaluating = combineGates('evaluating', noGrad, evalMode, freezing('all'));

afterEach(() => {
  setDevelopmentMode(false);
  observeGradModes(null);
  expect([training.get(), frozen.get(), isGradEnabled(), gradModeStack()]).toEqual([null, [], true, []]);
});
const sleep = (ms = 0) => new Promise<void>((r) => setTimeout(r, ms));

describe('a mode that a user defines', () => {
  it('has the value of the innermost gate in all forms, and leaves the grad mode as it is', () => {
    expect(evalMode.run(training.get)).toBe(false);
    expect(evalMode.run(() => trainMode.wrap(training.get)())).toBe(true);
    expect(evalMode.run(isGradEnabled)).toBe(true);
    noGrad.run(() => {
      using _ = trainMode.enter();
      expect([training.get(), isGradEnabled()]).toEqual([true, false]);
      enableGrad.run(() => expect([training.get(), isGradEnabled()]).toEqual([true, true]));
    });
    expect(evalMode(false).run(training.get)).toBe(null);
    expect(evalMode(true).run(training.get)).toBe(false);
  });

  it('follows promises, timers and generators, and nobody else sees it', async () => {
    const looks = async () => {
      const seen = [training.get()];
      await null;
      seen.push(training.get());
      await sleep(1);
      seen.push(training.get());
      return seen;
    };
    const all = Promise.all([
      evalMode.run(looks),
      looks(),
      trainMode.run(looks),
      trainMode.run(() => evalMode.run(looks)),
    ]);
    expect(training.get()).toBe(null);
    const [off, none, on] = [false, null, true].map((v) => [v, v, v]);
    expect(await all).toEqual([off, none, on, off]);

    const g = evalMode.wrap(function* () {
      yield training.get();
      using _ = trainMode.enter();
      yield training.get();
      yield training.get();
    })();
    for (const expected of [false, true, true]) {
      expect(g.next().value).toBe(expected);
      expect(training.get()).toBe(null);
    }
    const stream = evalMode.wrap(async function* () {
      await null;
      yield training.get();
    });
    for await (const v of stream()) expect([v, training.get()]).toEqual([false, null]);
    expect(
      await evalMode.async(function* () {
        yield sleep();
        return training.get();
      })(),
    ).toBe(false);
  });

  it('decorates members, asks conditions in the caller’s mode, and is listed by policies', () => {
    const asked: unknown[] = [];
    const unheld = freezing('a')(() => false);
    class Net {
      on = true;
      name = 'net';
      @evalMode score() {
        return [training.get(), isGradEnabled()];
      }
      @evalMode(function (this: Net, ...args: unknown[]) {
        asked.push(training.get(), args);
        return this.on;
      })
      maybe(_x: number) {
        return training.get();
      }
      @freezing((self: Net, x: number) => `${self.name}${x}`) step(_x: number) {
        return frozen.get();
      }
      @unheld never() {
        return frozen.get();
      }
      @evaluating static accessor all = 1;
      @evaluating get state() {
        return [training.get(), isGradEnabled(), frozen.get()];
      }
      @evalMode *steps() {
        yield training.get();
      }
    }
    const net = new Net();
    expect(net.score()).toEqual([false, true]);
    expect(trainMode.run(() => net.maybe(3))).toBe(false);
    net.on = false;
    expect(trainMode.run(() => net.maybe(3))).toBe(true);
    expect(asked).toEqual([true, [3], true, [3]]);
    expect(freezing('out').run(() => net.step(7))).toEqual(['out', 'net7']);
    expect(net.never()).toEqual([]);
    expect(net.state).toEqual([false, false, ['all']]);
    expect([...net.steps()]).toEqual([false]);
    expect(original(Net.prototype.score).call(net)).toEqual([null, true]);
    expect(gradPolicies(Net).map(({ member, gate }) => [member, gate])).toEqual(
      expect.arrayContaining([
        ['score', 'evalMode'],
        ['step', 'freezing'],
        ['state', 'evaluating'],
      ]),
    );
  });

  it('computes a value once a call, after the condition, in the caller’s mode', () => {
    const calls: unknown[] = [];
    const counting = frozen.gateWith('counting', ({ outer }) => {
      calls.push([isGradEnabled(), outer]);
      return [...outer, 'x'];
    })();
    const both = combineGates('both', noGrad, counting, counting);
    expect(both.run(frozen.get)).toEqual(['x', 'x']);
    expect(calls).toEqual([
      [true, []],
      [true, ['x']],
    ]);
    const g = counting(() => true).wrap(function* () {
      yield frozen.get();
      yield frozen.get();
    })();
    expect([...g]).toEqual([['x'], ['x']]);
    counting(() => false).run(() => {});
    expect(calls).toHaveLength(3);
    expect(() =>
      frozen
        .gateWith('failing', () => {
          throw new Error('no value');
        })()
        .run(() => calls.push('ran')),
    ).toThrow('no value');
    expect(calls).toHaveLength(3);
  });

  it('set changes its own flow, until the gate around it ends', async () => {
    expect(evalMode.run(() => [training.set(true), training.get()])).toEqual([false, true]);
    const flow = async (value: boolean | null) => {
      await null;
      training.set(value);
      await sleep(1);
      return training.get();
    };
    expect(await Promise.all([flow(true), flow(false), flow(null)])).toEqual([true, false, null]);
    expect(await noGrad.run(() => Promise.all([flow(true), flow(false)]))).toEqual([true, false]);
    noGrad(() => false).run(() => training.set(true));
  });

  it('tells its value and who set it, in the stack, to observers, and in words', () => {
    expect(training.explain()).toBe('test.training is null: no gate sets it here');
    setDevelopmentMode(true);
    const calls: ObservedCall[] = [];
    observeGradModes((call) => {
      calls.push(call);
      return () => {};
    });
    class Net {
      @evalMode score() {
        return noGrad.run(() => [training.explain(), gradModeStack()] as const);
      }
    }
    const [text, stack] = new Net().score();
    expect(text).toMatch(/^test\.training is false, set by evalMode on score at .*modes\.test\.ts:\d+:\d+$/);
    expect(stack).toMatchObject([
      { kind: 'noGrad', enabled: false, modes: { 'test.training': false } },
      { kind: 'evalMode', member: 'score', enabled: true, modes: { 'test.training': false } },
    ]);
    expect(calls).toMatchObject([
      { gate: 'evalMode', member: 'score', held: true, enabled: true, modes: { 'test.training': false } },
      { gate: 'noGrad', enabled: false, modes: { 'test.training': false } },
    ]);
    training.set(true);
    expect(training.explain()).toMatch(/^test\.training is true, set by test\.training\.set at .*modes\.test\.ts/);
    training.set(null);
  });

  it('is shared by modes of the same name, so by two copies of a package', () => {
    const again = defineMode<boolean | null>('test.training', null);
    expect(evalMode.run(again.get)).toBe(false);
  });

  it('refuses what is no name, no computation and no gate', () => {
    expect(() => defineMode('', 1)).toThrow(/defineMode: the name must be a string/);
    expect(() => defineMode(3 as never, 1)).toThrow(TypeError);
    expect(() => training.gate('', true)).toThrow(/test\.training\.gate: the name/);
    expect(() => frozen.gateWith('x', [] as never)).toThrow(/computes the value, a function; got object/);
    expect(() => combineGates('x', noGrad, noGrad(() => true) as never)).toThrow(
      /combineGates: argument 2 of \w+ is not a gate without condition/,
    );
    expect(() => evalMode.run(3 as never)).toThrow(/evalMode\.run: takes a function/);
    expect(() => evalMode('x' as never)).toThrow(/evalMode: takes a condition/);
  });
});

const notCallable: readonly unknown[] = [undefined, 42, 'x', {}, [], true, Object.create(null), class {}];

describe('what tells about modes', () => {
  it.each(notCallable)('takes functions only, or null: %#', (given) => {
    expect(() => observeGradModes(given as never)).toThrow(
      /observeGradModes: expected a function, or null for none, got/,
    );
    expect(() => setReporter(given as never)).toThrow(/setReporter: expected a function, or null for none, got/);
    expect(noGrad.run(isGradEnabled)).toBe(false);
  });

  it('refuses flags that are none', () => {
    for (const given of [undefined, null, 1, 'on', Object.create(null)])
      expect(() => setDevelopmentMode(given as never)).toThrow(/setDevelopmentMode: expected true or false, got/);
  });

  it('says what an observer returns that cannot be called, before the guarded function runs', () => {
    let ran = false;
    observeGradModes((() => 'end') as never);
    expect(() => noGrad.run(() => (ran = true))).toThrow(
      /^observeGradModes: what the observer returns: expected a function, or null for none, got string$/,
    );
    expect([ran, isGradEnabled()]).toEqual([false, true]);
    observeGradModes((() => class {}) as never);
    expect(() => noGrad.run(() => (ran = true))).toThrow(
      /what the observer returns: expected a function, or null for none, got a class/,
    );
    expect(ran).toBe(false);
    observeGradModes((() => {}) as never);
    expect(noGrad.run(() => 5)).toBe(5);
  });

  it('shows a value that has no text of its own', () => {
    const strange = defineMode('test.strange', Object.create(null) as object);
    expect(strange.explain()).toBe('test.strange is [object Object]: no gate sets it here');
    expect(strange.gate('strangely', [Symbol('x')]).run(() => strange.explain())).toMatch(
      /is \[object Array\], set by strangely/,
    );
  });
});
