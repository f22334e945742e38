/** What must hold in a program whose async functions were lowered, where nothing else follows promises. */
import {
  enableGrad,
  followsAsync,
  gradMode,
  isGradEnabled,
  noGrad,
  ones,
  setGradEnabled,
  type Tensor,
} from '@gradgate/core';
import { randomPrograms } from './random.js';

const wait = (ms = 0) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The result of `fn` after a wait. */
async function later<T>(fn: () => T | Promise<T>): Promise<T> {
  await wait();
  return fn();
}

export function same(actual: unknown, expected: unknown, what: string): void {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== e) throw new Error(`${what}: expected ${e}, got ${a}`);
}

const off = (what: string) => same(isGradEnabled(), false, `gradients ${what}`);
const on = (what: string) => same(isGradEnabled(), true, `gradients ${what}`);

/** Awaits outside of functions stay as they are. */
const first = await wait().then(() => 'ready');
const all: number[] = [];
for await (const n of [Promise.resolve(1), 2]) all.push(n + (await 0));

let frozen = false;

class Service {
  w = ones([2], { requiresGrad: true });
  @noGrad async score(x: Tensor, factor = 2): Promise<Tensor> {
    off('at first');
    await wait(1);
    off('after a timer');
    const y = x.mul(this.w).mul(factor);
    await null;
    off('after null');
    return y;
  }
  @noGrad(() => frozen) async embed(x: Tensor): Promise<Tensor> {
    await wait();
    return x.mul(this.w);
  }
  @noGrad async *scores(n: number): AsyncGenerator<Tensor, string> {
    try {
      for (let i = 0; i < n; i++) {
        await wait();
        off('in a generator');
        yield ones([1]).mul(this.w);
        off('after a yield');
      }
    } finally {
      off('in a finally');
      await wait();
      off('after an await in a finally');
      finished++;
    }
    return 'end';
  }
  @noGrad both(x: Tensor): Promise<Tensor[]> {
    return Promise.all([x, x].map((t) => later(() => t.mul(this.w))));
  }
  @noGrad chained(x: Tensor): Promise<boolean> {
    return this.embed(x).then(() => isGradEnabled());
  }
  @noGrad async #hidden(): Promise<boolean> {
    await wait();
    return isGradEnabled();
  }
  hidden(): Promise<boolean> {
    return this.#hidden();
  }
  @noGrad static async ofClass(): Promise<boolean> {
    await wait();
    return isGradEnabled();
  }
  @noGrad get recording(): boolean {
    return isGradEnabled();
  }
  @noGrad accessor scale = 1;
}
let finished = 0;
const service = new Service();
const x = ones([2]);

export const checks: Record<string, () => Promise<void>> = {
  async thisRuntimeFollowsNothing() {
    same(followsAsync, false, 'followsAsync');
  },

  async awaitsOutsideOfFunctions() {
    same([first, all], ['ready', [1, 2]], 'results');
  },

  async everyKindOfMember() {
    same(await service.hidden(), false, 'a private method');
    same(await Service.ofClass(), false, 'a static method');
    same([service.recording, service.scale], [false, 1], 'a getter and an accessor');
    same([service.score.name, service.score.length], ['score', 1], 'name and length');
  },

  async asyncMethods() {
    const pending = service.score(x);
    on('in the caller at once');
    await wait();
    on('in the caller in between');
    same((await pending).requiresGrad, false, 'the result');
    on('in the caller after it');
    same((await service.embed(x)).requiresGrad, true, 'where the condition does not hold');
    frozen = true;
    same((await service.embed(x)).requiresGrad, false, 'where the condition holds');
    frozen = false;
  },

  async interleavedFlows() {
    const work = async (expected: boolean) => {
      for (let i = 0; i < 20; i++) {
        same(isGradEnabled(), expected, `turn ${i}`);
        await (i % 3 ? null : wait());
        same(await enableGrad.run(() => later(isGradEnabled)), true, 'enableGrad inside');
        same(await noGrad.run(() => later(isGradEnabled)), false, 'noGrad inside');
        same(isGradEnabled(), expected, `the end of turn ${i}`);
      }
    };
    await Promise.all([
      noGrad.run(() => work(false)),
      work(true),
      gradMode(false).run(() => work(false)),
      enableGrad.run(() => work(true)),
    ]);
    on('after all');
  },

  async nestedCallsInherit() {
    const inner = async () => {
      await wait();
      return isGradEnabled();
    };
    const outer = async () => [await inner(), await inner()];
    same(await noGrad.run(outer), [false, false], 'inside');
    same(
      await Promise.all([noGrad.run(outer), outer()]),
      [
        [false, false],
        [true, true],
      ],
      'beside each other',
    );
  },

  async rejections() {
    const failure = new Error('inside');
    const fails = noGrad.wrap(async () => {
      try {
        await Promise.reject(failure);
      } catch (error) {
        off('in a catch');
        await wait();
        off('after an await in a catch');
        throw error;
      } finally {
        off('in a finally');
      }
    });
    let caught: unknown;
    await fails().catch((error) => {
      caught = error;
    });
    same(caught === failure, true, 'the same error');
    on('after a rejection');
    const early = noGrad.wrap(
      async (
        n = ((): number => {
          throw failure;
        })(),
      ) => n,
    );
    same(
      await early().then(
        () => 'none',
        (e) => e === failure,
      ),
      true,
      'an error before the body rejects',
    );
    on('after it');
  },

  async timersAndCallbacks() {
    const seen: string[] = [];
    const note = (what: string) => seen.push(`${what} ${isGradEnabled()}`);
    await noGrad.run(async () => {
      setTimeout(() => note('timer'));
      queueMicrotask(() => note('microtask'));
      Promise.resolve().then(() => note('then'));
      Promise.reject(0).catch(() => note('catch'));
      Promise.resolve().finally(() => note('finally'));
      const interval = setInterval(() => {
        note('interval');
        clearInterval(interval);
      });
      await wait(20);
    });
    setTimeout(() => note('timer'));
    Promise.resolve().then(() => note('then'));
    await wait(20);
    const inside = ['catch', 'finally', 'interval', 'microtask', 'then', 'timer'].map((what) => `${what} false`);
    same(seen.toSorted(), [...inside, 'then true', 'timer true'].toSorted(), 'callbacks');
  },

  async asyncGenerators() {
    finished = 0;
    const steps = service.scores(3);
    on('after the call');
    let n = 0;
    for await (const y of steps) {
      on('in the consumer');
      same(y.requiresGrad, false, 'what it yields');
      if (++n === 2) break;
    }
    same([n, finished], [2, 1], 'steps, and whether its finally was run to the end');
    const queued = service.scores(2);
    const results = await Promise.all([queued.next(), queued.next(), queued.next(), queued.next()]);
    same(
      results.map((r) => r.done),
      [false, false, true, true],
      'several steps in flight',
    );
    same(results[2]!.value, 'end', 'its result');
    const thrown = service.scores(2);
    await thrown.next();
    same(
      await thrown.throw(new Error('in')).then(
        () => '',
        (e: Error) => e.message,
      ),
      'in',
      'throw()',
    );
    const delegating = noGrad.wrap(async function* () {
      const end: string = yield* service.scores(1);
      off('after yield*');
      yield* [1, Promise.resolve(2)];
      return end;
    });
    const got: unknown[] = [];
    for await (const y of delegating()) got.push(typeof y === 'number' ? y : y.requiresGrad);
    same(got, [false, 1, 2], 'yield*');
    const closed = delegating();
    await closed.next();
    same(await closed.return('early'), { value: 'early', done: true }, 'return() through yield*');
    same(finished, 5, 'finally blocks');
    const unguarded = (async function* () {
      yield isGradEnabled();
      await null;
      yield isGradEnabled();
    })();
    same(
      [(await unguarded.next()).value, await noGrad.run(async () => (await unguarded.next()).value)],
      [true, false],
      'an unguarded one runs in the mode of who asks',
    );
  },

  async whatIsReturned() {
    same(
      (await service.both(x)).map((t) => t.requiresGrad),
      [false, false],
      'Promise.all of covered promises',
    );
    same(await service.chained(x), false, 'then of a covered promise');
    // biome-ignore lint/suspicious/noThenProperty: a thenable that starts its work in `then`
    const lazy = { then: (resolve: (on: boolean) => void) => resolve(isGradEnabled()) } as PromiseLike<boolean>;
    same(await noGrad.run(async () => [await lazy, await Promise.all([lazy])]).then((r) => r[0]), false, 'a thenable');
    same(await noGrad.run(async () => lazy), false, 'a thenable that is returned');
  },

  async setGradEnabledIsItsFlowsOwn() {
    await Promise.all([
      noGrad.run(async () => {
        setGradEnabled(true);
        await wait();
        on('after setGradEnabled(true)');
      }),
      noGrad.run(async () => {
        await wait();
        off('beside it');
      }),
    ]);
    on('after it');
  },

  async coroutines() {
    const work = noGrad(() => false).async(function* (): Generator<unknown, boolean[], any> {
      const before = isGradEnabled();
      yield wait();
      return [before, isGradEnabled()];
    });
    same(await noGrad.run(() => later(work)), [false, false], 'one without a mode, in a gate');
    same(await noGrad.run(() => work()), [false, false], 'one that a gate returns');
  },

  /** Nothing can cover these, so guarding them must throw. */
  async whatIsNotLoweredIsRefused() {
    const native = new Function('wait', 'return async () => { await wait(); }')(wait) as () => Promise<void>;
    const generator = new Function('return (async function* () { yield 1; })')() as () => AsyncGenerator<number>;
    for (const work of [native, generator, () => wait(), () => Promise.all([native()])]) {
      let message = '';
      try {
        noGrad.run(work as () => unknown);
      } catch (error) {
        message = (error as Error).message;
      }
      same(/AsyncLocalStorage.*@gradgate\/unplugin/s.test(message), true, `advice in «${message}»`);
      on('after a refusal');
    }
  },

  async randomPrograms() {
    same(await randomPrograms('process' in globalThis ? 400 : 60), [], 'wrong modes');
  },
};

/** Runs all checks; returns the names and errors of those that failed. */
export async function run(): Promise<Record<string, string>> {
  const failed: Record<string, string> = {};
  for (const [name, check] of Object.entries(checks))
    await check().catch((error: Error) => {
      failed[name] = error.message;
    });
  return failed;
}
