import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { needMpi } from '../needs.js';
import { launch, lines, program, root } from './launch.js';

/** What stands beside a program that only its ranks need. */
const leftBehind = (name: string) => readdirSync(dirname(program(name))).filter((file) => file.startsWith(`.${name}`));

const launchers = needMpi('training as ranks of MPI');

it.each(['collectives', 'models', 'training'])('without a launcher a program is a world of one rank: %s', (name) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program(name)], { cwd: root, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).not.toBe('');
});

describe.each(launchers)('by %s', (mpirun) => {
  it.each([
    [2, 'collectives'],
    [4, 'collectives'],
    [2, 'models'],
    [4, 'models'],
  ])('%i ranks: every one of the %s does what it should', async (ranks, name) => {
    const { status, stdout, stderr } = await launch(mpirun, ranks, [name], { env: { SHARED: '1' } });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(lines(stdout)).toEqual(Array.from({ length: ranks }, (_, rank) => `[${rank}] right`));
  });

  it.each([
    [2, 'sgd'],
    [4, 'sgd'],
    [2, 'zero'],
  ])(
    '%i ranks train as one process with the whole batch, and are equal to the last bit (%s)',
    async (ranks, optimizer) => {
      const { status, stdout, stderr } = await launch(mpirun, ranks, ['training', optimizer]);
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
    },
  );

  it.each([
    ['throws', /rank 1 of 2 fails, and all ranks are ended: Error: rank 1 is out of luck/],
    ['rejects a promise', /rank 1 of 2 fails, and all ranks are ended: Error: rank 1 is out of luck/],
    ['exits', /rank 1 of 2 ends with exit code 0 and without destroy\(\)/],
    ['exits with 7', /rank 1 of 2 ends with exit code 7 and without destroy\(\)/],
    ['is killed', /./],
    ['is stopped', /rank 0 of 2: allReduce\(float32 \[10\], sum\) has waited for 3 s/],
    ['loops', /rank 0 of 2: allReduce\(float32 \[10\], sum\) has waited for 3 s/],
    ['throws in a hook', /rank 1 of 2 fails, and all ranks are ended: Error: rank 1 is out of luck/],
    ['throws before it joins', /rank 1 of 2 ends with exit code 1 before it joins the others/],
    ['makes fewer steps', /rank 0 calls allReduce\(gradients in bucket 0 of .*; rank 1 calls destroy\(\)/],
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
    [
      'has another layer far behind',
      /rank 0 calls DistributedData.*59\.weight float32 \[4, 2\].*59\.weight float32 \[3, 2\]/,
    ],
    [
      'trains models in another order',
      /rank 0 calls .*DistributedDataParallel 1, .*rank 1 calls .*DistributedDataParallel 2, /,
    ],
    [
      'calls another collective, and nobody waits',
      /rank 0 calls allReduce\(float32 \[2\], sum\); rank 1 calls .*\[1\]/,
    ],
    ['does not send a message', /rank 0 of 2: recv\(float32 \[2\] from rank 1\) has waited for 3 s/],
    ['does not take a message', /rank 0 of 2: send\(float32 \[1000000\] to rank 1\) has waited for 3 s/],
    ['sends another dtype', /recv: rank 1 sent 1 elements of float64, but 2 of float32 were expected/],
    ['sends too much', /recv: rank 1 sent 5 elements of float32, but 2 of float32 were expected/],
  ])('a rank that %s ends all ranks in time, with an exit code and a reason', async (how, reason) => {
    const { status, stderr, stdout, seconds } = await launch(mpirun, 2, ['failing', how]);
    expect(status).not.toBe(0);
    expect(status).not.toBeNull();
    expect(stderr + stdout).toMatch(reason);
    expect(seconds).toBeLessThan(20);
    expect(leftBehind('failing')).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends all ranks, and the exit code tells', async (signal, code) => {
    const { status, seconds } = await launch(mpirun, 2, ['hosts', '60'], {
      watch: (output, launcher) => /\[0\] on .*: 3/.test(output) && launcher.kill(signal),
    });
    expect(status).toBe(code);
    expect(seconds).toBeLessThan(15);
  });
});

const folder = mkdtempSync(join(tmpdir(), 'gradgate-distributed-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([2, 4])('a run of %i ranks', (ranks) => {
  const digests: string[] = [];

  it.each(launchers)('that was killed goes on from its checkpoint as if it had not been: %s', async (mpirun) => {
    const run = async (...how: string[]) =>
      launch(mpirun, ranks, ['resuming', join(folder, `${mpirun}${ranks}`), ...how]);
    const digestsOf = (stdout: string) => [...new Set(lines(stdout).map((line) => line.replace(/^\[\d\] /, '')))];
    const whole = digestsOf((await run()).stdout);
    expect(whole).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect((await run('fails')).status).not.toBe(0);
    expect(digestsOf((await run('resumes')).stdout)).toEqual(whole);
    digests.push(...whole);
  });

  it('has the same bits by both libraries', () => {
    expect(digests).toHaveLength(launchers.length);
    expect(new Set(digests).size).toBeLessThanOrEqual(1);
  });
});
