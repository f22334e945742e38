import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { launch, lines, program, root } from '../distributed/launch.js';
import { needMpi } from '../needs.js';

it.each(['sgd', 'zero'])('without a launcher fit has the figures of one process (%s)', (optimizer) => {
  const { status, stderr } = spawnSync(process.execPath, [program('fit'), optimizer], { cwd: root, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

describe.each(needMpi('fit in ranks of MPI'))('by %s', (mpirun) => {
  it.each(['sgd', 'zero'])('2 ranks that fit together have the figures of one process (%s)', async (optimizer) => {
    const { status, stdout, stderr } = await launch(mpirun, 2, ['fit', optimizer]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(lines(stdout)).toEqual(['[0] right', '[1] right']);
  });
});
