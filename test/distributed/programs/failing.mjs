// Rank 1 does what the first argument says, while rank 0 waits for it.
import { ones } from '@gradgate/core';
import { allReduce, barrier, DistributedDataParallel, destroy, init, rank, recv } from '@gradgate/distributed';
import { Linear } from '@gradgate/nn';

const how = process.argv[2];
await init({ timeout: 3000 });
const late = () => new Promise((resolve) => setTimeout(resolve, 60_000));
const wrong = {
  throws() {
    throw new Error('rank 1 is out of luck');
  },
  'rejects a promise': () => void Promise.reject(new Error('rank 1 is out of luck')),
  exits: () => process.exit(0),
  'exits with 7': () => process.exit(7),
  'is killed': () => process.kill(process.pid, 'SIGKILL'),
  'leaves early': () => destroy().then(() => process.exit(0)),
  'ends early': () => 'ends',
  hangs: late,
  'has another length': () => allReduce(ones([11])),
  'has another dtype': () => allReduce(ones([10], { dtype: 'float64' })),
  'calls another collective': () => barrier(),
  'has another model': () => new DistributedDataParallel(new Linear(3, 5)),
};
if (how === 'waits for a message') {
  if (rank() === 0) recv(ones([2]), 1);
  else await late();
} else if (rank() === 1) {
  if ((await wrong[how]()) === 'ends') process.exitCode = 0;
  else await destroy();
} else {
  if (how === 'has another model') new DistributedDataParallel(new Linear(3, 4));
  else allReduce(ones([10]));
  await destroy();
}
