import * as api from '@gradgate/core/grad';
import { expect, it } from 'vitest';
import { check } from './model.js';

// `node test/core/grad/model/run.mjs 100000` does it at length, on other runtimes too, and without AsyncLocalStorage.
it('random programs of gates, scopes, generators, async functions and timers are in the mode that they should be in', async () => {
  expect(await check(api, { count: 300, depth: 3 })).toBeGreaterThan(150);
});
