import { expect, it } from 'vitest';
import { launchedBy } from '../../packages/distributed/src/library.js';

it('tells by its variables who started a rank, and whose library it needs', () => {
  const kinds = (env: Record<string, string>) => launchedBy(env)?.kinds[0];
  expect(launchedBy({})).toBe(null);
  expect(launchedBy({ OMPI_COMM_WORLD_SIZE: '4' })).toEqual({ by: "Open MPI's mpirun", kinds: ['Open MPI'], size: 4 });
  expect(kinds({ PMI_RANK: '0', PMI_SIZE: '2' })).toBe('MPICH');
  // As srun sets them with --mpi=pmi2 and --mpi=pmix.
  expect(launchedBy({ SLURM_JOB_ID: '1', SLURM_STEP_NUM_TASKS: '2', PMI_RANK: '0', PMI_SIZE: '2' })).toMatchObject({
    kinds: ['MPICH', 'Open MPI'],
    size: 2,
  });
  expect(kinds({ SLURM_JOB_ID: '1', SLURM_STEP_NUM_TASKS: '2', PMIX_RANK: '0' })).toBe('Open MPI');
});

it('refuses tasks of srun that would each be a world of one', () => {
  // Batch scripts and steps of one task are worlds of one.
  expect(launchedBy({ SLURM_JOB_ID: '1', SLURM_NTASKS: '4', SLURM_PROCID: '0' })).toBe(null);
  expect(launchedBy({ SLURM_JOB_ID: '1', SLURM_STEP_NUM_TASKS: '1' })).toBe(null);
  expect(() => launchedBy({ SLURM_JOB_ID: '1', SLURM_STEP_NUM_TASKS: '4' })).toThrow(
    /init: srun started 4 tasks, and did not tell them how to find each other.*--mpi=pmix/,
  );
});
