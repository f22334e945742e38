import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { findProgram, need } from '../needs.js';
import { launch, lines } from './launch.js';

// No MPI that Debian has knows the standard ABI: a stand-in in C takes the numbers of its header, and no others.
const compiler = need(
  findProgram('mpirun.openmpi') && findProgram('gcc', 'cc') && findProgram('mpicc.openmpi'),
  'the standard ABI of MPI 5',
  "Debian's libopenmpi-dev and gcc have what compiles the stand-in for it",
);
const folder = mkdtempSync(join(tmpdir(), 'gradgate-abi-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.skipIf(!compiler)('a library with the standard ABI gives what the others do', async () => {
  const file = join(folder, 'libmpi_abi.so.1');
  const source = fileURLToPath(new URL('abi/shim.c', import.meta.url));
  execFileSync(compiler!, ['-shared', '-fPIC', '-o', file, source], { stdio: 'pipe' });
  const { status, stdout, stderr } = await launch('mpirun.openmpi', 2, ['collectives'], {
    env: { GRADGATE_MPI: file },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(lines(stdout)).toEqual(['[0] right', '[1] right']);
});
