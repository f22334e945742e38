// Calls everything that the packages export with random arguments, right ones, nearly right ones and wrong ones, and looks
// at what comes back: a result, or an error of the project's own. V8's own errors ("Cannot read properties of
// undefined") and calls that never come back are faults.
//
//   npm run fuzz:api -- --calls 200000 --seed 7      at length, on the packages as built
//   npm run fuzz:api -- --seed 7 --only 1234         one call again, with its stack
//   npm run fuzz:api -- --match 'nn.optim'           only what has this in its name
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    match: { type: 'string', default: '' },
    deadline: { type: 'string', default: '10000' },
    show: { type: 'string', default: '40' },
  },
});
const calls = Number(values.calls);
const deadline = Number(values.deadline);
const folder = mkdtempSync(join(tmpdir(), 'gradgate-fuzz-'));
const faults = new Map();
const outcomes = { results: 0, refusals: 0, faults: 0 };

function note(name, message, call) {
  outcomes.faults++;
  const key = `${name}: ${message.split('\n')[0].slice(0, 160)}`;
  const known = faults.get(key);
  if (known) known.count++;
  else faults.set(key, { count: 1, call, message });
}

/** Runs calls from `first` on, until the end or until one does not come back; gives the number of the next. */
function run(first, last) {
  return new Promise((resolve) => {
    // The number of the call under way, and of the last start.
    const state = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(new URL('./apiWorker.mjs', import.meta.url), {
      workerData: {
        first,
        last,
        seed: values.seed,
        match: values.match,
        folder,
        state,
        only: values.only !== undefined,
      },
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
      stdout: values.only === undefined,
      stderr: values.only === undefined,
    });
    let name = 'loading';
    let seen = -1;
    let since = Date.now();
    let over = false;
    const end = (next) => {
      if (over) return;
      over = true;
      clearInterval(watch);
      void worker.terminate().then(() => resolve(next));
    };
    const watch = setInterval(() => {
      const call = Atomics.load(state, 0);
      if (call !== seen) [seen, since] = [call, Date.now()];
      else if (Date.now() - since > (call === -1 ? 60_000 : deadline)) {
        note(name, `does not come back within ${deadline} ms`, call);
        end(call + 1);
      }
    }, 100);
    state.fill(-1);
    worker.on('message', (m) => {
      if (m.name) name = m.name;
      if (m.fault) note(m.name, m.fault, m.call);
      else if (m.outcome) outcomes[m.outcome]++;
      if (m.done) end(last);
    });
    worker.on('error', (error) => {
      note(name, `ends the process: ${error.code ?? ''} ${error.stack ?? error}`, Atomics.load(state, 0));
      end(Math.max(first, Atomics.load(state, 0)) + 1);
    });
    worker.on('exit', () => end(Math.max(first, Atomics.load(state, 0)) + 1));
  });
}

const start = Date.now();
if (values.only !== undefined) await run(Number(values.only), Number(values.only) + 1);
else for (let next = 0; next < calls; ) next = await run(next, calls);
rmSync(folder, { recursive: true, force: true });

const sorted = [...faults].sort((a, b) => b[1].count - a[1].count);
for (const [key, { count, call, message }] of sorted.slice(0, Number(values.show)))
  console.log(`${count} times, first in call ${call}: ${values.only === undefined ? key : message}`);
if (sorted.length > Number(values.show)) console.log(`and ${sorted.length - Number(values.show)} more kinds`);
const { results, refusals } = outcomes;
console.log(
  `${calls} calls of seed ${values.seed} in ${Math.round((Date.now() - start) / 1000)} s: ${results} results, ${refusals} refusals, ` +
    `${outcomes.faults} faults of ${sorted.length} kinds`,
);
process.exit(outcomes.faults > 0 ? 1 : 0);
