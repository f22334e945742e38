import { setReporter } from '@gradgate/core';
import { type Compiled, compile } from '@gradgate/core/compile';
import { expect, it, onTestFinished } from 'vitest';
import { program } from './compilePrograms.js';

// `npm run fuzz:compile -- --programs 5000 --seed 2` runs more of them.
const programs = Number(process.env['FUZZ_PROGRAMS'] ?? 60);
const first = Number(process.env['FUZZ_SEED'] ?? 1);
const calls = 14;

it('random steps give the same compiled, to the last bit, whatever changes between their calls', {
  timeout: 3_600_000,
}, () => {
  setReporter(() => {});
  onTestFinished(() => {
    setReporter(null);
  });
  const differences: string[] = [];
  let replays = 0;
  for (let seed = first; seed < first + programs; seed++) {
    let step: Compiled | undefined;
    const plain = program(seed, ((fn: unknown) => fn) as typeof compile);
    const expected = Array.from({ length: calls }, plain);
    const compiled = program(seed, ((fn: () => void) => {
      const made = compile(fn, { reuseResults: seed % 2 === 1 });
      step = made;
      return made;
    }) as typeof compile);
    const results = Array.from({ length: calls }, compiled);
    const at = results.findIndex((result, i) => result !== expected[i]);
    if (at >= 0) differences.push(`program ${seed}, call ${at}`);
    replays += step!.explain().replays;
  }
  expect(differences).toEqual([]);
  expect(replays).toBeGreaterThan((programs * calls) / 4);
});
