// What each collective gives, in any number of ranks. Prints "right" if all of it is right.
import { deepStrictEqual as equal, throws } from 'node:assert';
import { ones, tensor, zeros } from '@gradgate/core';
import {
  allGather,
  allReduce,
  barrier,
  broadcast,
  destroy,
  gather,
  init,
  isInitialized,
  library,
  newGroup,
  onMain,
  rank,
  recv,
  reduceScatter,
  scatter,
  send,
  worldSize,
} from '@gradgate/distributed';

throws(() => rank(), /call `await init\(\)` first/);
await init({ timeout: 20_000 });
const [r, n] = [rank(), worldSize()];
const ranks = Array.from({ length: n }, (_, i) => i);
const total = ranks.reduce((sum, i) => sum + i, 0);
const list = (tensors) => tensors?.map((t) => t.toArray());

equal(allReduce(tensor([1, r])).toArray(), [n, total]);
equal(allReduce(tensor([r]), { op: 'mean' }).toArray(), [total / n]);
equal(allReduce(tensor([r, 5 - r]), { op: 'max' }).toArray(), [n - 1, 5]);
equal(allReduce(tensor([r, 5 - r]), { op: 'min' }).toArray(), [0, 6 - n]);
equal(allReduce(tensor([2]), { op: 'product' }).toArray(), [2 ** n]);
for (const dtype of ['float64', 'int32']) equal(allReduce(ones([3], { dtype })).toArray(), [n, n, n]);
equal(allReduce(tensor([r === 0, false])).toArray(), [true, false]);
equal(allReduce(tensor([r === 0, true]), { op: 'product' }).toArray(), [n === 1, true]);
// A view is written through.
const matrix = zeros([2, 2]);
allReduce(matrix.select(1, 0).add_(1));
equal(matrix.toArray(), [
  [n, 0],
  [n, 0],
]);
equal(allReduce(matrix.select(1, 1)).toArray(), [0, 0]);
equal(broadcast(tensor([r, r]), { root: n - 1 }).toArray(), [n - 1, n - 1]);
equal(
  list(allGather(tensor([[r]]))),
  ranks.map((i) => [[i]]),
);
equal(list(gather(tensor([r]), { root: n - 1 })) ?? null, r === n - 1 ? ranks.map((i) => [i]) : null);
equal(scatter(tensor([0]), r === 0 ? ranks.map((i) => tensor([10 * i])) : null).toArray(), [10 * r]);
equal(
  reduceScatter(
    tensor([0]),
    ranks.map((i) => tensor([i + r])),
  ).toArray(),
  [n * r + total],
);
equal(allReduce(zeros([0])).shape, [0]);
barrier();

// Several under way at once, and taken in another order.
const works = ranks.map((i) => allReduce(tensor([i]), { async: true }));
equal(
  works.reverse().map((work) => work.wait().item()),
  ranks.map((i) => i * n).reverse(),
);
equal((await allReduce(tensor([r]), { async: true }).promise).item(), total);

if (n > 1) {
  // Everybody sends before anybody receives: large enough that no library keeps it on the way.
  const to = (r + 1) % n;
  const from = (r + n - 1) % n;
  const sent = send(ones([300_000]).mul(r), to, { async: true, tag: 5 });
  const got = zeros([300_000]);
  equal(recv(got, null, { tag: 5 }), from);
  equal(got.sum().item(), 300_000 * from);
  sent.wait();
  barrier();

  const ends = newGroup([n - 1, 0]);
  equal([ends.rank, ends.size], [[n - 1, 0].indexOf(r), 2]);
  if (ends.rank >= 0) equal(allReduce(tensor([r + 1]), { group: ends }).item(), n + 1);
  else throws(() => barrier({ group: ends }), /does not belong to the group/);
}
equal(await onMain(async () => 'once'), r === 0 ? 'once' : undefined);
await onMain(() => {
  throw new RangeError('of rank 0');
}).then(
  () => equal('no error', ''),
  (error) => equal(error.message, r === 0 ? 'of rank 0' : 'onMain: the function failed in rank 0'),
);

throws(() => allReduce([1]), /allReduce: expected a Tensor/);
throws(() => allReduce(ones([1]), { op: 'average' }), /'sum', 'mean'/);
throws(() => allReduce(ones([1], { dtype: 'int32' }), { op: 'mean' }), /the mean of int32/);
throws(() => broadcast(ones([1]), { root: n }), /root is a rank from 0/);
throws(() => newGroup([n]), /ranks are whole numbers/);
throws(() => send(ones([1]), r), /cannot send to itself/);
equal(typeof library(), n === 1 ? 'object' : 'string');
await destroy();
equal(isInitialized(), false);
throws(() => barrier(), /call `await init\(\)` first/);
console.log('right');
