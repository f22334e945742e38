// Checks each collective with any number of ranks. Prints "right" if all results are correct.
import { deepStrictEqual as equal, rejects, throws } from 'node:assert';
import { availableParallelism } from 'node:os';
import { getNumThreads, ones, tensor, zeros } from '@gradgate/core';
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
const joined = init({ timeout: 20_000 });
if (process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK) await rejects(init(), /init: called a second time/);
await joined;
const [r, n] = [rank(), worldSize()];
const ranks = Array.from({ length: n }, (_, i) => i);
const total = ranks.reduce((sum, i) => sum + i, 0);
const list = (tensors) => tensors?.map((t) => t.toArray());

// Ranks on the same processors divide the threads.
if (process.env.SHARED) equal(getNumThreads(), Math.max(1, Math.floor(availableParallelism() / n)));

equal(allReduce(tensor([1, r])).toArray(), [n, total]);
equal(allReduce(tensor([r]), { op: 'mean' }).toArray(), [total / n]);
equal(allReduce(tensor([r, 5 - r]), { op: 'max' }).toArray(), [n - 1, 5]);
equal(allReduce(tensor([r, 5 - r]), { op: 'min' }).toArray(), [0, 6 - n]);
equal(allReduce(tensor([2]), { op: 'product' }).toArray(), [2 ** n]);
for (const dtype of ['float64', 'int32']) equal(allReduce(ones([3], { dtype })).toArray(), [n, n, n]);
equal(allReduce(tensor([r === 0, false])).toArray(), [true, false]);
equal(allReduce(tensor([r === 0, true]), { op: 'product' }).toArray(), [n === 1, true]);
// A view is written to its own storage.
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
equal(
  allGather(zeros([0, 2])).map((t) => t.shape),
  ranks.map(() => [0, 2]),
);
// Every dtype, sent and summed; int64 beyond the integers that a number holds.
for (const dtype of ['uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64']) {
  const own = tensor([[r, 1]], { dtype });
  equal(allReduce(own.clone()).toArray(), [[total, n]], dtype);
  equal(allReduce(own.clone(), { op: 'max' }).dtype, dtype);
  equal(allReduce(own.clone(), { op: 'min' }).toArray(), [[0, 1]], dtype);
  equal(
    list(allGather(own)),
    ranks.map((i) => [[i, 1]]),
    dtype,
  );
  equal(broadcast(own.clone(), { root: n - 1 }).toArray(), [[n - 1, 1]], dtype);
}
// NaN is kept, and of 0 and -0 min and max have the right one, on all ranks and whatever MPI does.
for (const dtype of ['float16', 'bfloat16', 'float32', 'float64'])
  for (const op of ['min', 'max'])
    for (const special of ranks) {
      const values = (i) => [i === special ? Number.NaN : i, i === special ? -0 : 0, i - 1.5, (1 - 2 * i) * Infinity];
      const columns = values(0).map((_, c) => ranks.map((i) => values(i)[c]));
      const expected = columns.map((column) => Math[op](...column));
      equal([...allReduce(tensor(values(r), { dtype }), { op }).toTypedArray()], expected, `${op} of ${dtype}`);
      const lists = ranks.map((to) => tensor([values(r)[to % 4]], { dtype }));
      equal([...reduceScatter(zeros([1], { dtype }), lists, { op }).toTypedArray()], [expected[r % 4]]);
    }
equal(allReduce(tensor(2 + r)).toArray(), 2 * n + total);
equal(
  allGather(tensor(r)).map((t) => t.shape),
  ranks.map(() => []),
);
equal(
  allReduce(tensor([2n ** 61n, BigInt(-r)])).toBigInt64Array(),
  BigInt64Array.of(BigInt(n) * 2n ** 61n, BigInt(-total)),
);
for (const t of [
  allReduce(zeros([0, 2]), { op: 'mean' }),
  scatter(
    zeros([0, 2]),
    ranks.map(() => zeros([0, 2])),
  ),
])
  equal(t.shape, [0, 2]);
equal(
  reduceScatter(
    zeros([0]),
    ranks.map(() => zeros([0])),
  ).shape,
  [0],
);
{
  // A part of a gradient and a transposed view: the elements around them do not change.
  const w = ones([2, 2]);
  w.requiresGrad = true;
  w.mul(r + 1)
    .sum()
    .backward();
  allReduce(w.grad.select(1, 0));
  equal(w.grad.toArray(), Array(2).fill([total + n, r + 1]));
  const turned = tensor([
    [1, 2],
    [3, r],
  ]);
  allReduce(turned.t());
  equal(turned.toArray(), [
    [n, 2 * n],
    [3 * n, total],
  ]);
}
{
  // A group of one rank has all collectives.
  const own = ranks.map((i) => newGroup([i]))[r];
  equal(list(allGather(allReduce(tensor([r]), { group: own, op: 'mean' }), { group: own })), [[r]]);
  equal(reduceScatter(tensor([0]), [tensor([3])], { group: own }).item(), 3);
  equal(scatter(tensor([0]), [broadcast(tensor([4]), { group: own })], { group: own }).item(), 4);
  throws(() => recv(ones([1]), null, { group: own }), /recv: no other rank can send to rank 0 of 1/);
}
throws(
  () => allGather(zeros([1]).expand([2 ** 31])),
  /allGather: MPI counts up to 2147483647 elements, got 2147483648/,
);
const large = 2n ** 60n + 1n;
equal(
  [...allReduce(tensor([large + BigInt(r)], { dtype: 'int64' }), { op: 'max' }).toBigInt64Array()],
  [large + BigInt(n - 1)],
);
equal(
  [
    ...allGather(tensor([large]))
      .at(-1)
      .toBigInt64Array(),
  ],
  [large],
);
equal(allReduce(tensor([0.5 + r], { dtype: 'float16' }), { op: 'mean' }).item(), 0.5 + total / n);
// Transposed, and with an offset.
equal(
  list(
    allGather(
      tensor([
        [1, 2],
        [3, r],
      ]).t(),
    ),
  ),
  ranks.map((i) => [
    [1, 3],
    [2, i],
  ]),
);
equal(allReduce(tensor([0, 1, 2, r]).narrow(0, 2, 2).expand([2, 2]).clone()).toArray(), [
  [2 * n, total],
  [2 * n, total],
]);
// A collective counts as a write: tensors saved for backward are protected.
const weight = ones([2]);
weight.requiresGrad = true;
const held = tensor([1, 2]);
const product = weight.mul(held).sum();
allReduce(held);
throws(() => product.backward(), /modified|in place/);
barrier();

// Several at once, awaited in another order.
const works = ranks.map((i) => allReduce(tensor([i]), { async: true }));
equal(
  works.reverse().map((work) => work.wait().item()),
  ranks.map((i) => i * n).reverse(),
);
equal((await allReduce(tensor([r]), { async: true }).promise).item(), total);

{
  // Sources of different lengths end on all ranks when the first one ends, as the docs say.
  function* together(source) {
    for (const item of source) {
      if (allReduce(tensor([1]), { op: 'min' }).item() === 0) return;
      yield item;
    }
    allReduce(tensor([0]), { op: 'min' });
  }
  equal([...together(Array(3 + ((r + 1) % n)).keys())], [0, 1, 2]);
}
if (n > 1) {
  // All send before any receives: too large for the library to buffer.
  const to = (r + 1) % n;
  const from = (r + n - 1) % n;
  const sent = send(ones([300_000]).mul(r), to, { async: true, tag: 5 });
  const got = zeros([300_000]);
  equal(recv(got, null, { tag: 5 }), from);
  equal(got.sum().item(), 300_000 * from);
  sent.wait();
  barrier();
  // Several messages between two ranks, with several dtypes, received in another order of tags.
  const messages = [tensor([1.5, 2]), tensor([2n ** 60n + 1n]), tensor([true, false]), ones([0, 3])];
  const gone = messages.map((t, tag) => send(t, to, { tag, async: true }));
  for (const tag of [3, 1, 0, 2]) {
    const t = messages[tag].clone().zero_();
    equal(recv(t, from, { tag }), from);
    equal(t.equal(messages[tag]), true);
  }
  for (const work of gone) work.wait();

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

for (const refuse of [
  (t) => allReduce(t),
  (t) => broadcast(t),
  (t) => scatter(t, null),
  (t) => reduceScatter(t, []),
  (t) => recv(t),
])
  throws(
    () => refuse(ones([1]).expand([3])),
    /^ShapeError: (allReduce|broadcast|scatter|reduceScatter|recv): several elements of this tensor .* share one place/,
  );
// Nobody awaits it: it is finished before the ranks exit.
const last = tensor([r]);
allReduce(last, { async: true });
throws(() => allReduce([1]), /^TypeError: allReduce: expected a Tensor, got \[1\]/);
throws(() => allReduce(ones([1]), { op: 'average' }), /allReduce: op must be 'sum' or 'mean'.*got 'average'/);
throws(() => allReduce(ones([1]), { reduce: 'sum' }), /allReduce: there is no option 'reduce'/);
throws(() => allReduce(ones([1]), 'sum'), /allReduce: options must be an object/);
throws(() => allReduce(ones([1]), { async: 1 }), /allReduce: async must be true or false, got 1/);
throws(
  () => allReduce(ones([1]), { group: { rank: 0, size: 1, ranks: [0], id: 0 } }),
  /group must be a group, as newGroup/,
);
throws(() => allReduce(ones([1], { dtype: 'int32' }), { op: 'mean' }), /takes floats for the mean, got int32/);
throws(() => broadcast(ones([1]), { root: n }), /broadcast: root must be a whole number from 0 to/);
throws(
  () => reduceScatter(ones([1]), [ones([2])]),
  /reduceScatter: list must be an array of \d tensors like the first argument/,
);
throws(() => barrier({ root: 1 }), /barrier: there is no option 'root'/);
throws(() => newGroup([n]), /newGroup: ranks must be an array of different ranks/);
throws(() => newGroup(new Array(1)), /newGroup: ranks must be an array of different ranks/);
throws(() => newGroup([0, 0]), /newGroup: ranks must be an array of different ranks/);
throws(() => send(ones([1]), r), /cannot send to itself/);
throws(() => recv(ones([1]), null, { tag: -1 }), /recv: tag must be a whole number from 0 to 16383, got -1/);
throws(() => rank(null), /rank: group must be a group/);
await rejects(init({ timeout: -1 }), /init: timeout must be a number of milliseconds/);
await rejects(init(), /init: called a second time/);
equal(typeof library(), n === 1 ? 'object' : 'string');
await destroy();
equal(isInitialized(), false);
equal(last.item(), total);
if (n > 1)
  await rejects(init(), /init: MPI can join ranks only once in a process, and this one has called destroy\(\)/);
throws(() => barrier(), /call `await init\(\)` first/);
console.log('right');
