import { describe, expect, it } from 'vitest';
import { flagsOf, launcherOf, parseLaunch, showLine } from '../../packages/gradgate/src/launch.js';

describe('the command line of gradgate launch', () => {
  it('takes options before the program, and leaves those behind it to the program', () => {
    expect(
      parseLaunch(['-n', '4', '--hosts', 'a,b:2', '--mpirun-arg=-x', 'train.ts', '-n', '7', '--lr', '0.1']),
    ).toEqual({
      ranks: 4,
      hosts: ['a', 'b:2'],
      mpirun: null,
      more: ['-x'],
      program: ['train.ts', '-n', '7', '--lr', '0.1'],
    });
    expect(parseLaunch(['train.ts']).ranks).toBeGreaterThan(0);
  });

  it.each([
    [[], /the program to run is missing/],
    [['-n', '2'], /the program to run is missing/],
    [['-n', '0', 'a.ts'], /-n must be an integer of at least 1, got 0/],
    [['-n', 'two', 'a.ts'], /got two/],
    [['--rank', '2', 'a.ts'], /--rank/],
    [['--hosts', 'a; reboot', 'a.ts'], /a; reboot is not a host name/],
  ])('refuses %j', (args, message) => {
    expect(() => parseLaunch(args)).toThrow(message);
  });
});

it('knows the launchers by what they say', () => {
  expect(launcherOf('mpirun (Open MPI) 4.1.4\n')).toBe('Open MPI 4');
  expect(launcherOf('mpirun.openmpi (OpenRTE) 4.1.4')).toBe('Open MPI 4');
  expect(launcherOf('mpirun (Open MPI) 5.0.3')).toBe('Open MPI');
  expect(launcherOf('HYDRA build details:\n    Version: 4.0.2')).toBe('MPICH');
  expect(launcherOf('bash, version 5')).toBeNull();
});

it('spreads ranks over hosts in each launcher’s own words', () => {
  const request = { ranks: 3, hosts: ['a', 'b:7'], mpirun: null, more: ['-v'], program: ['t.ts'] };
  expect(flagsOf('Open MPI 4', request, true).join(' ')).toBe(
    '--tag-output --oversubscribe --allow-run-as-root --bind-to none -n 3 --host a:2,b:7 -v',
  );
  expect(flagsOf('Open MPI', request, false).join(' ')).toBe(
    '--output tag --oversubscribe --bind-to none -n 3 --host a:2,b:7 -v',
  );
  expect(flagsOf('MPICH', request, true).join(' ')).toBe('-prepend-rank -n 3 -hosts a,b -ppn 2 -v');
});

it.each([
  ['--bind-to', 'core'],
  ['--bind-to-core'],
  ['--map-by', 'slot:PE=4'],
  ['--map-by=socket'],
  ['--rankfile', 'ranks.txt'],
  ['-rf', 'ranks.txt'],
  ['--cpu-set', '0,1'],
  ['--cpu-list', '0,1'],
  ['--slot-list', '0:0'],
  ['--mca', 'hwloc_base_binding_policy', 'core'],
  ['--mca', 'rmaps_rank_file_path', 'ranks.txt'],
  ['--prtemca', 'hwloc_default_binding_policy', 'core'],
])('leaves processors to the user where the user names them: %s', (...more) => {
  const request = { ranks: 2, hosts: [], mpirun: null, more, program: ['t.ts'] };
  expect(flagsOf('Open MPI 4', request, false)).toEqual(['--tag-output', '--oversubscribe', '-n', '2', ...more]);
});

it('counts parameters in variables of the environment as well', () => {
  const request = { ranks: 2, hosts: [], mpirun: null, more: [], program: ['t.ts'] };
  const given = (name: string) => flagsOf('Open MPI', request, false, ['PATH', name]).includes('--bind-to');
  expect(['OMPI_MCA_hwloc_base_binding_policy', 'PRTE_MCA_rmaps_default_mapping_policy'].map(given)).toEqual([
    false,
    false,
  ]);
  expect(['OMPI_MCA_btl', 'rmaps'].map(given)).toEqual([true, true]);
});

it('shows the rank in front of a line', () => {
  expect(showLine('[1,3]<stdout>:hello')).toBe('[3] hello');
  expect(showLine('[1,0]<stderr>: hello')).toBe('[0] hello');
  expect(showLine('[2] hello')).toBe('[2] hello');
});
