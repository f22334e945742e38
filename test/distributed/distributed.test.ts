import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { needMpi } from '../needs.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = (name: string) => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));

/** Runs a program as a user does: by `gradgate launch`, on the built packages. */
function launch(mpirun: string, ranks: number, name: string, ...args: string[]) {
  const started = performance.now();
  const cli = [
    'packages/gradgate/bin/gradgate.js',
    'launch',
    '-n',
    `${ranks}`,
    '--mpirun',
    mpirun,
    program(name),
    ...args,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, cli, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: '1', OPENBLAS_NUM_THREADS: '1' },
  });
  return { status, stdout, stderr, seconds: (performance.now() - started) / 1000 };
}

const lines = (text: string): string[] => text.trim().split('\n').sort();

it.each(['collectives', 'models', 'training'])('without a launcher a program is a world of one rank: %s', (name) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program(name)], { cwd: root, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).not.toBe('');
});

describe.each(needMpi('training as ranks of MPI'))('by %s', (mpirun) => {
  it.each([
    [2, 'collectives'],
    [4, 'collectives'],
    [2, 'models'],
    [4, 'models'],
  ])('%i ranks: every one of the %s does what it should', (ranks, name) => {
    const { status, stdout, stderr } = launch(mpirun, ranks, name);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(lines(stdout)).toEqual(Array.from({ length: ranks }, (_, rank) => `[${rank}] right`));
  });

  it.each([
    [2, 'sgd'],
    [4, 'sgd'],
    [2, 'zero'],
  ])('%i ranks train as one process with the whole batch, and are equal to the last bit (%s)', (ranks, optimizer) => {
    const { status, stdout, stderr } = launch(mpirun, ranks, 'training', optimizer);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const figures = lines(stdout).map((line) => JSON.parse(line.replace(/^\[\d+\] /, '')));
    expect(figures).toHaveLength(ranks);
    for (const { size, worst, equal, unused } of figures) {
      expect(size).toBe(ranks);
      expect(worst).toBeLessThan(1e-12);
      expect({ equal, unused }).toEqual({ equal: true, unused: true });
    }
    // Each of the 8 parameters that get gradients is remembered by one rank.
    if (optimizer === 'zero') expect(figures.reduce((sum, { kept }) => sum + kept, 0)).toBe(8);
  });

  it.each([
    ['throws', /rank 1 of 2 fails, and all ranks are ended: Error: rank 1 is out of luck/],
    ['rejects a promise', /rank 1 of 2 fails, and all ranks are ended: Error: rank 1 is out of luck/],
    ['exits', /rank 1 of 2 ends with exit code 0 and without destroy\(\)/],
    ['exits with 7', /rank 1 of 2 ends with exit code 7 and without destroy\(\)/],
    ['is killed', /./],
    ['leaves early', /rank 0 calls allReduce\(float32 \[10\], sum\); rank 1 calls destroy\(\)/],
    ['ends early', /rank 0 calls allReduce\(float32 \[10\], sum\); rank 1 calls destroy\(\)/],
    ['hangs', /rank 0 of 2: allReduce\(float32 \[10\], sum\) has waited for 3 s/],
    [
      'has another length',
      /rank 0 calls allReduce\(float32 \[10\], sum\); rank 1 calls allReduce\(float32 \[11\], sum\)/,
    ],
    ['has another dtype', /rank 1 calls allReduce\(float64 \[10\], sum\)/],
    ['calls another collective', /rank 0 calls allReduce\(float32 \[10\], sum\); rank 1 calls barrier\(\)/],
    ['has another model', /rank 0 calls DistributedDataParallel\(weight float32 \[4, 3\].*rank 1 calls .*\[5, 3\]/],
    ['waits for a message', /rank 0 of 2: recv\(float32 \[2\] from rank 1\) has waited for 3 s/],
  ])('a rank that %s ends all ranks in time, with an exit code and a reason', (how, reason) => {
    const { status, stderr, stdout, seconds } = launch(mpirun, 2, 'failing', how);
    expect(status).not.toBe(0);
    expect(status).not.toBeNull();
    expect(stderr + stdout).toMatch(reason);
    expect(seconds).toBeLessThan(20);
  });
});
