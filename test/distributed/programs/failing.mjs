// Rank 1, or the rank in the second argument, fails as the first argument says, while the others wait for it.
import { manualSeed, ones, randn } from '@gradgate/core';
import { allReduce, barrier, DistributedDataParallel, destroy, init, rank, recv, send } from '@gradgate/distributed';
import { Linear, Sequential } from '@gradgate/nn';

const [how, who = '1'] = process.argv.slice(2);
const before = {
  'throws before it joins'() {
    throw new Error(`rank ${who} is out of luck`);
  },
  'exits before it joins': () => process.exit(0),
};
// Variables of the launchers; nobody has joined yet.
const early = process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK;
if (how in before && early === who) before[how]();
await init({ timeout: 3000 });
const late = () => new Promise((resolve) => setTimeout(resolve, 60_000));
const layers = (...sizes) => sizes.slice(1).map((to, i) => new Linear(sizes[i], to));
/** Sixty layers, the last of which has size `last`. */
const deep = (last) => new DistributedDataParallel(new Sequential(...layers(...Array(60).fill(2), last)));
/** A pass of one of two models of the same size. */
const models = () => {
  manualSeed(1);
  return [0, 1].map(() => new DistributedDataParallel(new Linear(3, 4)));
};
const train = (model) =>
  model(randn([2, 3]))
    .sum()
    .backward();

/** What the failing rank does, and what the others do: they sum ten numbers unless it says otherwise. */
const wrong = {
  throws() {
    throw new Error(`rank ${who} is out of luck`);
  },
  'rejects a promise': () => void Promise.reject(new Error(`rank ${who} is out of luck`)),
  exits: () => process.exit(0),
  'exits with 7': () => process.exit(7),
  'is killed': () => process.kill(process.pid, 'SIGKILL'),
  'is stopped': () => process.kill(process.pid, 'SIGSTOP'),
  'is terminated': () => process.kill(process.pid, 'SIGTERM'),
  'leaves early': () => destroy().then(() => process.exit(0)),
  'ends early': () => 'ends',
  hangs: late,
  loops() {
    for (;;);
  },
  'has another length': () => allReduce(ones([11])),
  'has another dtype': () => allReduce(ones([10], { dtype: 'float64' })),
  'calls another collective': () => barrier(),
  'has another model': [
    () => new DistributedDataParallel(new Linear(3, 5)),
    () => new DistributedDataParallel(new Linear(3, 4)),
  ],
  'has another layer far behind': [() => deep(3), () => deep(4)],
  'trains models in another order': [() => models().reverse().map(train), () => models().map(train)],
  'throws in a hook': [
    () => {
      const [model] = models();
      [...model.parameters()][0].registerHook(() => {
        throw new Error(`rank ${who} is out of luck`);
      });
      train(model);
    },
    () => train(models()[0]),
  ],
  'makes fewer steps': [
    () => train(models()[0]),
    () => {
      const [model] = models();
      train(model);
      train(model);
    },
  ],
  'calls another collective, and nobody waits': [
    () => void allReduce(ones([1]), { async: true }),
    () => void allReduce(ones([2]), { async: true }),
  ],
  'does not send a message': [late, () => recv(ones([2]), Number(who))],
  'sends another dtype': [() => send(ones([1], { dtype: 'float64' }), 0), () => recv(ones([2]), Number(who))],
  'sends too much': [() => send(ones([5]), 0), () => recv(ones([2]), Number(who))],
  'does not take a message': [late, () => send(ones([1_000_000]), Number(who))],
};
const [own, others] = Array.isArray(wrong[how]) ? wrong[how] : [wrong[how], () => allReduce(ones([10]))];
if (rank() !== Number(who)) {
  others();
  await destroy();
} else if ((await own()) === 'ends') process.exitCode = 0;
else await destroy();
