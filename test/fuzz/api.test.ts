import { expect, it } from 'vitest';
import { runCalls } from './apiRun.mjs';

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
