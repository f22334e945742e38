import { afterEach, expect, it } from 'vitest';
import { needMpi } from '../needs.js';
import { Hosts, needHosts } from './hosts/hosts.js';
import { launch, lines } from './launch.js';

const launchers = needHosts('ranks on several hosts') ? needMpi('ranks on several hosts') : [];

let hosts: Hosts | null = null;
afterEach(() => hosts?.remove());

it.each(launchers)('ranks on two hosts add up their tensors: %s', async (mpirun) => {
  hosts = new Hosts(2);
  const { status, stdout } = await launch(mpirun, 2, ['hosts'], { flags: hosts.argumentsFor(mpirun), env: hosts.env });
  expect({ status, stdout: lines(stdout) }).toEqual({
    status: 0,
    stdout: [`[0] on ${hosts.name}-1: 3`, `[1] on ${hosts.name}-2: 3`],
  });
});

it.each(launchers)(
  'a lost link ends all ranks soon after the timeout, with a reason and an exit code: %s',
  async (mpirun) => {
    const two = new Hosts(2);
    hosts = two;
    const { status, stderr, seconds } = await launch(mpirun, 2, ['hosts', '60', '8'], {
      flags: two.argumentsFor(mpirun),
      env: two.env,
      watch(output) {
        if (!/\[0\] on/.test(output) || !/\[1\] on/.test(output)) return false;
        two.disconnect(1);
        return true;
      },
    });
    expect(status).not.toBe(0);
    expect(status).not.toBeNull();
    expect(stderr).toMatch(/rank 0 of 2.*allReduce\(float32 \[100000\], min\) has waited for 8 s/);
    // 8 s without an answer, and 5 s for the launcher to reach the host.
    expect(seconds).toBeLessThan(35);
  },
);

if (launchers.length === 0) it.skip('ranks on several hosts', () => {});
