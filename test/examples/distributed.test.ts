import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { needMpi } from '../needs.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Runs a built example; in several ranks where a launcher is given. */
function run(mpirun: string | null, name: string, ...args: string[]): string {
  const cli = mpirun === null ? [] : [at('packages/gradgate/bin/gradgate.js'), 'launch', '-n', '2', '--mpirun', mpirun];
  return execFileSync(process.execPath, [...cli, at(`examples/dist/distributed/${name}.js`), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const mnist = '--epochs 1 --images 12000'.split(' ');
const transformer = '--steps 40 --width 32 --context 32 --sample 40'.split(' ');

it.each([null, ...needMpi('examples in several ranks').slice(0, 1)])(
  'digits are learnt, and ranks are equal: %s',
  (mpirun) => {
    const out = run(mpirun, 'mnist', ...mnist);
    expect(Number(/test accuracy ([\d.]+)%/.exec(out)![1])).toBeGreaterThan(88);
    expect(out).toContain(`for ${mpirun === null ? 1 : 2} ranks, ${mpirun === null ? 12000 : 6000} each`);
    expect(out).toContain('ranks are equal: true');
  },
);

it.each([null, ...needMpi('examples in several ranks').slice(0, 1)])(
  'sonnets are learnt with a sharded optimizer: %s',
  (mpirun) => {
    const out = run(mpirun, 'charTransformer', ...transformer);
    const [, chance, loss] = /loss ([\d.]+) of chance, ([\d.]+) after/.exec(out)!;
    expect(Number(loss)).toBeLessThan(Number(chance) - 0.6);
  },
);
