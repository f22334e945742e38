import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runCalls } from './apiRun.mjs';
import { examples, folders } from './examples.mjs';

// `npm run fuzz:api -- --calls 100000 --seed 2` makes more of them.
const calls = 3000;

it('random arguments give a result or an error of the project that names who refuses, and always come back', async () => {
  const { results, refusals, faults, kinds } = await runCalls({ calls, seed: 'vitest' });
  expect(Object.fromEntries([...kinds].map(([what, { call }]) => [what, `call ${call}`]))).toEqual({});
  expect(faults).toBe(0);
  // Both happen: otherwise arguments would be all wrong, or all taken.
  expect(results).toBeGreaterThan(calls / 5);
  expect(refusals).toBeGreaterThan(calls / 5);
  expect(results + refusals).toBe(calls);
});

it('calls in a row on one object do so too, and one that is refused changes nothing', async () => {
  const { results, refusals, faults, kinds } = await runCalls({
    calls: 500,
    seed: 'vitest',
    worker: './objectWorker.mjs',
  });
  expect(Object.fromEntries([...kinds].map(([what, { call }]) => [what, `call ${call}`]))).toEqual({});
  expect(faults).toBe(0);
  expect(Math.min(results, refusals)).toBeGreaterThan(20);
}, 300_000);

it('so do examples of docstrings in which a value is another, or an argument too many or too few', async () => {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'gradgate-fuzz-'));
  process.chdir(folder);
  onTestFinished(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
  const programs = { worker: './exampleWorker.mjs', examples: examples(folders) };
  const { results, refusals, faults, kinds } = await runCalls({ calls: 2000, seed: 'vitest', ...programs });
  expect(Object.fromEntries([...kinds].map(([what, { call }]) => [what, `call ${call}`]))).toEqual({});
  expect(faults).toBe(0);
  expect(Math.min(results, refusals)).toBeGreaterThan(200);
}, 300_000);
