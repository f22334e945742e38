import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as core from '@gradgate/core';
import { functionalCall, Module, Parameter } from '@gradgate/nn';
import { expect, it } from 'vitest';
import { check } from './model.js';

// `node test/core/grad/model/run.mjs 100000` does it at length, on other runtimes too, and without AsyncLocalStorage.
it('random programs of gates, scopes, generators, async functions and timers are in the modes that they should be in', async () => {
  expect(await check({ ...core, functionalCall, Module, Parameter }, { count: 300, depth: 3 })).toBeGreaterThan(150);
});

it('the program for other runtimes runs, with and without AsyncLocalStorage', () => {
  const program = fileURLToPath(new URL('run.mjs', import.meta.url));
  const lines = execFileSync(process.execPath, [program, '20'], { encoding: 'utf8' }).trim().split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/: \d+ programs, none wrong \(modes follow async code: true\)$/),
    expect.stringMatching(/: \d+ programs, none wrong \(modes follow async code: false\)$/),
  ]);
});
