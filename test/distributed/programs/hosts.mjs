// Prints the host and the sum over all ranks. With an argument it goes on summing for that many seconds; a second argument is
// the timeout.
import { hostname } from 'node:os';
import { ones, tensor } from '@gradgate/core';
import { allReduce, destroy, init, rank } from '@gradgate/distributed';

await init({ timeout: 1000 * Number(process.argv[3] ?? 30) });
console.log(`on ${hostname()}: ${allReduce(tensor([rank() + 1])).item()}`);
const end = performance.now() + 1000 * Number(process.argv[2] ?? 0);
for (let going = 1; going === 1; )
  going = allReduce(ones([100_000]).mul(performance.now() < end ? 1 : 0), { op: 'min' })
    .select(0, 0)
    .item();
await destroy();
