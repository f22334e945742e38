import { median } from './median.mjs';

/**
 * The least warm-up: milliseconds, and calls if they are short. Engines optimize by calls, the last time after some 10,000 of
 * them.
 */
const warmUp = { least: 200, calls: 40_000, most: Number(process.env.GRADGATE_BENCH_WARM_UP ?? 1500) };
const [shortest, slices] = [60, 15];

/** Runs a case until the engine has optimized it; promises are awaited. */
export async function prepare(make) {
  const run = make();
  const first = run();
  const waits = typeof first?.then === 'function';
  await first;
  const start = performance.now();
  for (let calls = 1; ; calls++) {
    const result = run();
    if (waits) await result;
    const spent = performance.now() - start;
    if (spent > warmUp.least && (calls >= warmUp.calls || spent > warmUp.most)) return { run, waits };
  }
}

async function timeOf({ run, waits }, calls) {
  const start = performance.now();
  if (waits) for (let i = 0; i < calls; i++) await run();
  else for (let i = 0; i < calls; i++) run();
  return performance.now() - start;
}

/**
 * Milliseconds a call. The number of calls is doubled until they take long enough; for large arrays there are several rounds,
 * since collections run in between. Short calls are timed in slices, of which the median counts: interruptions affect few of
 * them.
 */
export async function measure(one) {
  let [done, spent, fastest] = [0, 0, Number.POSITIVE_INFINITY];
  while (done === 0 || fastest * done <= shortest || (done < 4 && spent <= 5 * shortest)) {
    const more = Math.max(1, done);
    const ms = await timeOf(one, more);
    fastest = Math.min(fastest, ms / more);
    spent += ms;
    done += more;
  }
  const each = Math.floor(done / slices);
  if (each < 4) return spent / done;
  const times = [];
  for (let i = 0; i < slices; i++) times.push(await timeOf(one, each));
  return median(times) / each;
}
