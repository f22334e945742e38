/**
 * Runs one peer's cases: reads a case's name a line, answers with its milliseconds a call.
 * A case may give a promise, which is then awaited each time; cases that give none are timed without an await.
 */
import { createInterface } from 'node:readline';

const answer = (line) => process.stdout.write(`${line}\n`);
// Standard output is for answers; what a library has to say goes elsewhere.
console.log = console.error;

const [warmUp, shortest] = [200, 60];
const made = new Map();

async function prepare(make) {
  const run = make();
  const first = run();
  const waits = typeof first?.then === 'function';
  await first;
  const start = performance.now();
  while (performance.now() - start < warmUp) {
    const result = run();
    if (waits) await result;
  }
  return { run, waits };
}

/** Twice as many calls each time, until they have taken long enough; of large arrays a few, as collections come between. */
async function measure({ run, waits }) {
  const start = performance.now();
  for (let done = 0; ; ) {
    const more = Math.max(1, done);
    if (waits) for (let i = 0; i < more; i++) await run();
    else for (let i = 0; i < more; i++) run();
    done += more;
    const spent = performance.now() - start;
    if (spent > shortest && (done >= 4 || spent > 5 * shortest)) return spent / done;
  }
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
