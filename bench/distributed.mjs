/**
 * Milliseconds of a training step in 1, 2 and 4 ranks of this machine beside threads of one process on the same cores, each in
 * new processes:
 *
 *   node bench/distributed.mjs [--mpirun mpirun] [--steps 30] [--ranks 1,2]
 *
 * The whole batch is the same in each row: ranks share it out. "not sent" is a step under noSync, "at the end" one whose
 * gradients are sent after the backward pass; what lies between them is what overlap can hide.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, table } from './peers/figures.mjs';

const self = fileURLToPath(import.meta.url);
const { values, positionals } = parseArgs({
  options: {
    mpirun: { type: 'string', default: 'mpirun' },
    steps: { type: 'string', default: '30' },
    ranks: { type: 'string', default: '1,2' },
  },
  allowPositionals: true,
});
const sizes = [784, 512, 512, 10];

/** Times steps of this rank's part of a batch; rank 0 prints them. */
async function measure(batch, steps, threads) {
  const { manualSeed, randn, setNumThreads } = await import('../packages/core/dist/index.js');
  const nn = await import('../packages/nn/dist/index.js');
  const { allReduce, barrier, DistributedDataParallel, destroy, init, noSync, rank, worldSize } = await import(
    '../packages/distributed/dist/index.js'
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
  const times = {};
  for (const [name, run] of Object.entries(variants)) {
    times[name] = [];
    for (let i = 0; i < steps + 3; i++) {
      barrier();
      const started = performance.now();
      run();
      if (i >= 3) times[name].push(performance.now() - started);
    }
    times[name] = median(times[name]);
  }
  const gradients = (await import('../packages/core/dist/index.js')).zeros([elements]);
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

if (positionals[0] === 'measure') await measure(...positionals.slice(1).map(Number));
else {
  const rows = [];
  for (const batch of [64, 256, 1024])
    for (const [ranks, threads] of [[1, 1], [1, 2], ...values.ranks.split(',').map((n) => [Number(n), 1])].filter(
      ([r, t], i, all) => all.findIndex(([a, b]) => a === r && b === t) === i,
    )) {
      const own = [self, 'measure', batch, values.steps, threads].map(String);
      const cli = fileURLToPath(new URL('../packages/gradgate/bin/gradgate.js', import.meta.url));
      const launch = ranks === 1 ? [] : [cli, 'launch', '-n', `${ranks}`, '--mpirun', values.mpirun];
      const out = execFileSync(process.execPath, [...launch, ...own], { encoding: 'utf8' });
      const f = JSON.parse(/FIGURES (.*)/.exec(out)[1]);
      const show = (ms) => ms.toFixed(1);
      const moved = ranks === 1 ? 0 : (2 * (ranks - 1) * f.bytes) / ranks / 1e6;
      rows.push([
        `${batch}`,
        `${ranks}`,
        `${threads}`,
        show(f.sent),
        show(f['at the end']),
        show(f['not sent']),
        ranks === 1 ? '' : show(f.allReduce),
        moved.toFixed(1),
      ]);
    }
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
