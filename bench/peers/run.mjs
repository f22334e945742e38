/** Runs one peer's cases: reads a case's name a line, answers with its milliseconds a call. */
import { createInterface } from 'node:readline';

const { cases, version } = await import(`./${process.argv[2]}.mjs`);
const made = new Map();
console.log(`ready ${version}`);

function measure(name) {
  if (!made.has(name)) {
    const run = cases[name]();
    made.set(name, run);
    for (
      const start = performance.now(), n = { i: 0 };
      n.i < 3 || (performance.now() - start < 150 && n.i < 2000);
      n.i++
    )
      run();
  }
  const run = made.get(name);
  let count = 0;
  const start = performance.now();
  for (;;) {
    for (let i = Math.max(1, count); i > 0; i--) run();
    count = Math.max(1, 2 * count);
    const spent = performance.now() - start;
    if (spent > 80) return spent / count;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(line in cases ? measure(line) : 'none');
  } catch (error) {
    made.delete(line);
    console.log(`failed ${String(error.message).split('\n')[0]}`);
  }
}
