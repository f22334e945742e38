import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/**
 * Runs random calls of what the packages export, as built, in a thread that can be ended: a call that never comes back, or
 * takes the thread with it, is a fault like an error that helps nobody.
 *
 * @param options `calls` of a `seed`; `match` is what a name must have in it; `only` one call, whose stack is kept; `deadline`
 *   in milliseconds for each.
 * @returns How many calls gave results, refusals and faults, and the faults by kind.
 */
export async function runCalls({
  calls,
  seed,
  match = '',
  only,
  deadline = 30_000,
  worker = './apiWorker.mjs',
  examples,
}) {
  const folder = mkdtempSync(join(tmpdir(), 'gradgate-fuzz-'));
  const report = { results: 0, refusals: 0, faults: 0, kinds: new Map() };
  const settings = { seed, match, folder, deadline, worker, examples, only: only !== undefined };
  if (only !== undefined) await runFrom(only, only + 1, settings, report);
  else for (let next = 0; next < calls; ) next = await runFrom(next, calls, settings, report);
  rmSync(folder, { recursive: true, force: true });
  return report;
}

function note({ kinds }, name, message, call) {
  const key = `${name}: ${message.split('\n')[0].slice(0, 160)}`;
  const known = kinds.get(key);
  if (known) known.count++;
  else kinds.set(key, { count: 1, call, message });
}

/** Runs calls from number `first` on, until the end or until one does not return; gives the number of the next call. */
function runFrom(first, last, { deadline, worker: file, ...settings }, report) {
  return new Promise((resolve) => {
    // The number of the running call.
    const state = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: { first, last, state, ...settings },
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
      stdout: !settings.only,
      stderr: !settings.only,
    });
    let name = 'loading';
    let seen = -1;
    let since = Date.now();
    let memory = 0;
    let done = false;
    let over = false;
    const end = (next) => {
      if (over) return;
      over = true;
      clearInterval(watch);
      void worker.terminate().then(() => resolve(next));
    };
    const fail = (message, next) => {
      if (over) return;
      report.faults++;
      note(report, name, message, Atomics.load(state, 0));
      end(next);
    };
    const following = () => Math.max(first, Atomics.load(state, 0)) + 1;
    const watch = setInterval(() => {
      const call = Atomics.load(state, 0);
      // Filling gigabytes that were asked for takes its time.
      const resident = process.memoryUsage.rss();
      if (call !== seen || resident > memory + 2 ** 26) [seen, since, memory] = [call, Date.now(), resident];
      else if (Date.now() - since > (call === -1 ? 120_000 : deadline))
        fail(`does not come back within ${deadline} ms`, following());
    }, 100);
    worker.on('message', (m) => {
      if (m.name) name = m.name;
      if (m.outcome) report[m.outcome]++;
      if (m.fault) note(report, m.name, m.fault, m.call);
      // What it printed about its one call is on its way.
      if (m.done) {
        done = true;
        setTimeout(end, settings.only ? 500 : 0, last);
      }
    });
    worker.on('error', (error) => fail(`ends the process: ${error.code ?? ''} ${error.stack ?? error}`, following()));
    worker.on('exit', () => done || fail('ends the thread', following()));
  });
}
