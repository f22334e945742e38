/**
 * Milliseconds of a training step in ranks of this machine, 1 and 2 by default, beside threads of one process on the same
 * cores, each in new processes:
 *
 *   node bench/distributed.mjs [--mpirun mpirun] [--steps 30] [--ranks 1,2] [--batches 64,256,1024] [--repeats 3] [--link 100]
 *     [--sizes 784,512,512,10]
 *
 * The whole batch is the same in each row: ranks share it out. Figures are medians over repeats, in which all rows take turns.
 * "not sent" is a step under noSync, "at the end" one whose gradients are sent after the backward pass; what lies between them
 * is what overlap can hide.
 *
 * --sizes are those of the network's layers. Overlap can hide nothing of the layer that is the first, whose gradient is the last:
 * of the network by default that is 60 % of all bytes, of --sizes 512,512,512,512,512,512,512,512,10 it is 14 %.
 *
 * With --link each rank has a host of its own, a network namespace behind a link of so many MB/s: sending then takes time, and
 * little of the cores. That takes root, Open MPI, and ip and tc (iproute2).
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, table } from './peers/figures.mjs';
import { SlowHosts } from './slowHosts.mjs';

const self = fileURLToPath(import.meta.url);
const { values, positionals } = parseArgs({
  options: {
    mpirun: { type: 'string', default: 'mpirun' },
    steps: { type: 'string', default: '30' },
    ranks: { type: 'string', default: '1,2' },
    batches: { type: 'string', default: '64,256,1024' },
    repeats: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '784,512,512,10' },
    link: { type: 'string' },
  },
  allowPositionals: true,
});
const numbers = (list) => list.split(',').map(Number);

/** Times training steps of this rank's part of a batch; rank 0 prints them. */
async function measure(sizes, batch, steps, threads) {
  const { manualSeed, randn, setNumThreads } = await import('@gradgate/core');
  const nn = await import('@gradgate/nn');
  const { allReduce, barrier, DistributedDataParallel, destroy, init, noSync, rank, worldSize } = await import(
    '@gradgate/distributed'
  );
  await init({ timeout: 120_000 });
  setNumThreads(threads);
  manualSeed(1);
  const models = [true, false].map((overlap) => {
    const layers = sizes.slice(1).flatMap((to, i) => [new nn.Linear(sizes[i], to), new nn.ReLU()]);
    return new DistributedDataParallel(new nn.Sequential(...layers.slice(0, -1)), { overlap, bucketBytes: 2 ** 20 });
  });
  const elements = [...models[0].parameters()].reduce((n, p) => n + p.numel, 0);
  const own = batch / worldSize();
  const [x, y] = [randn([own, sizes[0]]), randn([own, sizes.at(-1)])];
  const step = (model) => {
    model.zeroGrad();
    nn.functional.mseLoss(model(x), y).backward();
    model.optimizer.step();
  };
  for (const model of models) model.optimizer = new nn.optim.SGD(model.parameters(), { lr: 1e-3 });
  const variants = {
    sent: () => step(models[0]),
    'at the end': () => step(models[1]),
    'not sent': () => noSync.run(() => step(models[0])),
  };
  const times = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
  // In turns, so that other load on the machine affects all of them.
  for (let i = 0; i < steps + 3; i++)
    for (const [name, run] of Object.entries(variants)) {
      barrier();
      const started = performance.now();
      run();
      if (i >= 3) times[name].push(performance.now() - started);
    }
  for (const name of Object.keys(times)) times[name] = median(times[name]);
  const gradients = (await import('@gradgate/core')).zeros([elements]);
  const sending = [];
  for (let i = 0; i < steps; i++) {
    barrier();
    const started = performance.now();
    allReduce(gradients);
    sending.push(performance.now() - started);
  }
  if (rank() === 0)
    console.log(`FIGURES ${JSON.stringify({ ...times, allReduce: median(sending), bytes: 4 * elements })}`);
  await destroy();
}

if (positionals[0] === 'measure') await measure(numbers(positionals[1]), ...positionals.slice(2).map(Number));
else {
  const places = numbers(values.ranks).flatMap((n) => (n > 1 ? [[n, 1]] : [1, 2].map((threads) => [1, threads])));
  const runs = numbers(values.batches).flatMap((batch) =>
    places.map(([ranks, threads]) => ({ batch, ranks, threads, figures: [] })),
  );
  for (let repeat = 0; repeat < Number(values.repeats); repeat++)
    for (const { batch, ranks, threads, figures } of runs) {
      const own = [self, 'measure', values.sizes, batch, values.steps, threads].map(String);
      const cli = fileURLToPath(new URL('../packages/gradgate/bin/gradgate.js', import.meta.url));
      const hosts = values.link !== undefined && ranks > 1 ? new SlowHosts(ranks, Number(values.link)) : null;
      const where = hosts?.arguments ?? [];
      const launch = ranks === 1 ? [] : [cli, 'launch', '-n', `${ranks}`, '--mpirun', values.mpirun, ...where];
      const env = { ...process.env, ...hosts?.env };
      try {
        const out = execFileSync(process.execPath, [...launch, ...own], { encoding: 'utf8', env });
        figures.push(JSON.parse(/FIGURES (.*)/.exec(out)[1]));
      } finally {
        hosts?.remove();
      }
    }
  const rows = runs.map(({ batch, ranks, threads, figures }) => {
    const of = (name) => median(figures.map((f) => f[name]));
    const moved = (2 * (ranks - 1) * of('bytes')) / ranks / 1e6;
    const times = [of('sent'), of('at the end'), of('not sent'), ...(ranks === 1 ? [] : [of('allReduce')])];
    return [
      batch,
      ranks,
      threads,
      ...times.map((ms) => ms.toFixed(1)),
      ...(ranks === 1 ? [''] : []),
      moved.toFixed(1),
    ].map(String);
  });
  console.log(
    table(
      [
        'batch',
        'ranks',
        'threads each',
        'step, ms',
        'at the end',
        'not sent',
        'allReduce alone, ms',
        'MB sent by a rank',
      ],
      rows,
    ),
  );
}
