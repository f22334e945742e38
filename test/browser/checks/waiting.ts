import { followsAsync, isGradEnabled, noGrad, setReporter } from '@gradgate/core';
import { ok, same, thrown } from './assert.js';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Nothing can cover code after an await here, so guarding it must throw. */
export async function asyncFunctionsAreRefused(): Promise<void> {
  ok(!followsAsync, 'a browser that follows promises needs other checks');
  class Service {
    @noGrad async score() {
      await wait(0);
    }
    @noGrad async *scores() {
      yield 1;
    }
  }
  const service = new Service();
  for (const call of [() => noGrad.run(async () => wait(0)), () => service.score(), () => service.scores()]) {
    const error = thrown(call);
    same(error.name, 'GradModeError', 'the error');
    for (const word of ['AsyncLocalStorage', 'noGrad.async(function*'])
      ok(error.message.includes(word), `the message has ${word}: ${error.message}`);
    ok(isGradEnabled(), 'the mode is restored');
  }
  // If no gate is in force, there is nothing to cover.
  same(await noGrad(false).run(async () => 1), 1, 'a gate that does not hold');
}

export async function coroutinesAreCoveredAcrossAwaits(): Promise<void> {
  const seen: boolean[] = [];
  const work = noGrad.async(function* (ms: number): Generator<unknown, string, any> {
    seen.push(isGradEnabled());
    const value: number = yield wait(ms).then(() => 7);
    seen.push(isGradEnabled());
    try {
      yield Promise.reject(new Error('refused'));
    } catch (error) {
      seen.push(isGradEnabled());
      return `${value} ${(error as Error).message}`;
    }
    return 'no error';
  });
  const others = [work(1), work(5)];
  ok(isGradEnabled(), 'the caller is in its own mode at once');
  await wait(2);
  ok(isGradEnabled(), 'and in between');
  same(await Promise.all(others), ['7 refused', '7 refused'], 'results');
  same(seen, Array(6).fill(false), 'every step');
  ok(isGradEnabled(), 'and after it');
}

/** A scope that an await would leave open is closed at the end of the turn, and reported. */
export async function scopesEndWithTheirTurn(): Promise<void> {
  const reports: string[] = [];
  setReporter((message) => reports.push(message));
  const held = (async () => {
    using _ = noGrad.enter();
    await wait(1);
  })();
  await wait(0);
  ok(isGradEnabled(), 'the scope does not leak');
  const error = await held.then(
    () => null,
    (e: Error) => e,
  );
  setReporter(null);
  same(error?.name, 'GradModeError', 'the end of the scope');
  same(reports.length, 1, 'reports');
}
