/**
 * Resident memory of a process after few and after many training steps without a pause, each in a new process:
 *
 *   node bench/memory.mjs        megabytes, medians of 3 interleaved rounds
 *
 * bench/peers.mjs runs this too.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { factor, median, table } from './peers/figures.mjs';

const self = fileURLToPath(import.meta.url);
const platform = `${process.platform}-${process.arch}`;
const hasNative = existsSync(fileURLToPath(new URL(`../packages/native/prebuilds/${platform}.node`, import.meta.url)));
const loops = [
  { name: 'MLP 2-16-1, batch 4', sizes: [2, 16, 1, 4], steps: [1e3, 1e5] },
  { name: 'MLP 784-128-10, batch 64', sizes: [784, 128, 10, 64], steps: [1e3, 1e4] },
  {
    name: 'MLP 784-128-10, batch 64, native kernels',
    sizes: [784, 128, 10, 64],
    steps: [1e3, 1e4],
    env: { GRADGATE_BENCH_NATIVE: '1' },
  },
].filter(({ env }) => env === undefined || hasNative);

/** Trains and returns the resident memory in megabytes. */
async function train(d, h, o, batch, steps) {
  const core = await import('../packages/core/dist/index.js');
  const nn = await import('../packages/nn/dist/index.js');
  if (process.env.GRADGATE_BENCH_NATIVE) await import('../packages/native/dist/index.js');
  core.setNumThreads?.(1);
  core.manualSeed(1);
  const net = new nn.Sequential(new nn.Linear(d, h), new nn.ReLU(), new nn.Linear(h, o));
  const optimizer = new nn.optim.Adam(net.parameters());
  const [x, y] = [core.randn([batch, d]), core.randn([batch, o])];
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    nn.functional.mseLoss(net(x), y).backward();
    optimizer.step();
  }
  return process.memoryUsage.rss() / 1e6;
}

const inNewProcess = (sizes, steps, env) =>
  Number(
    execFileSync(process.execPath, [self, '--train', ...sizes, steps].map(String), {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    }),
  );

/** `{ name, steps, megabytes, ratio }` of each loop. */
export function memoryUse(rounds) {
  const seen = loops.map(({ steps }) => steps.map(() => []));
  for (let round = 0; round < rounds; round++)
    for (const [i, { sizes, steps, env }] of loops.entries())
      for (const [j, n] of steps.entries()) seen[i][j].push(inNewProcess(sizes, n, env));
  return loops.map(({ name, steps }, i) => {
    const megabytes = seen[i].map(median);
    return { name, steps, megabytes, ratio: megabytes[1] / megabytes[0] };
  });
}

const count = (n) => n.toLocaleString('en');

export const memoryTable = (uses) =>
  table(
    ['training of', 'MB after', 'MB after', 'ratio'],
    uses.map(({ name, steps, megabytes, ratio }) => [
      name,
      ...steps.map((n, i) => `${megabytes[i].toFixed(0)} (${count(n)} steps)`),
      factor(ratio),
    ]),
  );

if (process.argv[2] === '--train') console.log(await train(...process.argv.slice(3).map(Number)));
else if (process.argv[1] === self) console.log(memoryTable(memoryUse(3)));
