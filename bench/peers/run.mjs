/**
 * Runs one peer's cases: reads a case's name a line, answers with its milliseconds a call.
 * A case may give a promise, which is then awaited each time; cases that give none are timed without an await.
 */
import { createInterface } from 'node:readline';
import { median } from './figures.mjs';

const answer = (line) => process.stdout.write(`${line}\n`);
// Standard output is for answers; what a library has to say goes elsewhere.
console.log = console.error;

/** Milliseconds, and calls where they are short: engines optimise by calls, the last time after some 10,000 of them. */
const warmUp = { least: 200, calls: 40_000, most: 1500 };
const [shortest, slices] = [60, 15];
const made = new Map();

async function prepare(make) {
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
 * Twice as many calls each time, until they have taken long enough; of large arrays a few, as collections come between. Short calls
 * are timed in slices, of which the middle one counts: where the machine does something else for a while, that is in few of them.
 */
async function measure(one) {
  let [done, spent] = [0, 0];
  while (spent <= shortest || (done < 4 && spent <= 5 * shortest)) {
    const more = Math.max(1, done);
    spent += await timeOf(one, more);
    done += more;
  }
  const each = Math.floor(done / slices);
  if (each < 50) return spent / done;
  const times = [];
  for (let i = 0; i < slices; i++) times.push(await timeOf(one, each));
  return median(times) / each;
}

try {
  const { cases, version } = await import(`./${process.argv[2]}.mjs`);
  answer(JSON.stringify({ version, cases: Object.keys(cases) }));
  for await (const name of createInterface({ input: process.stdin })) {
    try {
      if (!made.has(name)) made.set(name, await prepare(cases[name]));
      answer(await measure(made.get(name)));
    } catch (error) {
      made.delete(name);
      answer(`failed ${String(error.message).split('\n')[0]}`);
    }
  }
} catch (error) {
  answer(JSON.stringify({ error: String(error.message).split('\n')[0] }));
}
