// The GPU beside the host: products, whole training steps on MNIST with their losses, calls a step and memory.
//   node bench/webgpu.mjs [--quick | --memory [steps]]
// On Linux the package `webgpu` needs libvulkan1 and a Vulkan driver: of an NVIDIA GPU, its own
// (VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/nvidia_icd.json names it); SwiftShader of Chromium computes on the CPU, and its
// figures say nothing of a GPU. --quick takes few steps, for slow devices. --memory shows what 10,000 steps of a small perceptron hold
// with an await in each, in tidy without one, and with neither, on Dawn's null backend, which computes nothing.
import { manualSeed, randint, randn, tidy } from '@gradgate/core';
import { Conv2d, Flatten, functional, Linear, MaxPool2d, optim, ReLU, Sequential } from '@gradgate/nn';
import { device, gpuMemory } from '@gradgate/webgpu';
import { loadMnist } from '../examples/dist/mnistData.js';

const isQuick = process.argv.includes('--quick');
const round = (x, digits = 3) => Number(x.toPrecision(digits));

if (process.argv.includes('--memory')) {
  await showMemory(Number(process.argv[process.argv.indexOf('--memory') + 1] ?? 10_000));
  process.exit();
}
const gpu = await device('webgpu');

/** The most that steps of a perceptron held, and what one takes, in three ways of running them. */
async function showMemory(steps) {
  const gpu = await device('webgpu', { flags: ['backend=null'] });
  const model = new Sequential(new Linear(32, 32), new ReLU(), new Linear(32, 4)).to(gpu);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const [x, y] = [randn([16, 32]).to(gpu), randint(0, 4, [16]).to(gpu)];
  const step = () => {
    optimizer.zeroGrad();
    const loss = functional.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const ways = {
    'in tidy': (tidied) => tidied(),
    'with an await': () => step().itemAsync(),
    'with neither': () => void step(),
  };
  for (const [name, run] of Object.entries(ways)) {
    const tidied = tidy.wrap(() => void step());
    const before = gpuMemory();
    let most = 0;
    let done = 0;
    try {
      for (; done < steps; done++) {
        const running = run(tidied);
        if (running !== undefined) await running;
        most = Math.max(most, gpuMemory().bytes);
      }
    } catch (error) {
      console.log(`  ${error}`);
    }
    const { dispatches, submissions } = gpuMemory();
    const each = (count, from) => round((count - from) / done);
    console.log(
      `${done} steps ${name}: at most ${round(most / 2 ** 20)} MiB; ${each(dispatches, before.dispatches)} calls and ` +
        `${each(submissions, before.submissions)} submissions a step`,
    );
    for (let i = 0; i < 20; i++) await new Promise((next) => setTimeout(next, 20));
  }
}

/** Milliseconds a call: the best of some rounds of `calls` calls and one wait for the GPU. */
async function time(run, calls, rounds = 3) {
  let best = Number.POSITIVE_INFINITY;
  for (let r = 0; r <= rounds; r++) {
    const start = performance.now();
    let last;
    for (let i = 0; i < calls; i++) last = run();
    await last.data();
    // The first round compiles.
    if (r > 0) best = Math.min(best, (performance.now() - start) / calls);
  }
  return best;
}

for (const n of isQuick ? [64, 128] : [256, 1024, 4096]) {
  const a = randn([n, n]);
  const there = a.to(gpu);
  const calls = n < 1024 ? 20 : 5;
  const ms = await time(() => there.matmul(there).narrow(0, 0, 1), calls);
  const host = n <= 1024 ? await time(() => a.matmul(a).narrow(0, 0, 1), 3, 1) : Number.NaN;
  const flops = 2 * n ** 3;
  console.log(`product ${n}: ${round(ms)} ms, ${round(flops / ms / 1e6)} GFLOP/s; host ${round(host)} ms`);
}

const { images, labels } = loadMnist('train');
const nets = {
  perceptron: () => new Sequential(new Flatten(), new Linear(784, 128), new ReLU(), new Linear(128, 10)),
  convolutional: () =>
    new Sequential(
      new Conv2d(1, 8, 3, { padding: 1 }),
      new ReLU(),
      new MaxPool2d(2),
      new Conv2d(8, 16, 3, { padding: 1 }),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(784, 10),
    ),
};
const steps = isQuick ? 8 : 200;
const batch = isQuick ? 16 : 64;

/** The losses of some steps, and milliseconds a step after the first ones, which compile. */
async function train(make, where) {
  manualSeed(0);
  const model = make().to(where);
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const losses = [];
  let start = 0;
  let calls = 0;
  for (let i = 0; i < steps; i++) {
    if (i === 5) [start, calls] = [performance.now(), gpuMemory().dispatches];
    const x = images
      .narrow(0, (i * batch) % 50_000, batch)
      .reshape([batch, 1, 28, 28])
      .to(where);
    const y = labels.narrow(0, (i * batch) % 50_000, batch).to(where);
    optimizer.zeroGrad();
    const loss = functional.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    losses.push(await loss.itemAsync());
  }
  const count = steps - 5;
  return { losses, ms: (performance.now() - start) / count, calls: (gpuMemory().dispatches - calls) / count };
}

for (const [name, make] of Object.entries(nets)) {
  const [here, there] = [await train(make, 'cpu'), await train(make, gpu)];
  const apart = Math.max(...there.losses.map((v, i) => Math.abs(v - here.losses[i])));
  const shown = [0, 1, 4, 9, 49, 199].filter((i) => i < steps);
  const row = ({ losses }) => shown.map((i) => losses[i].toFixed(4)).join(' ');
  console.log(`${name}: ${round(there.ms)} ms a step, host ${round(here.ms)} ms; ${round(there.calls)} calls a step`);
  console.log(
    `  losses at steps ${shown.join(', ')}: ${row(there)}; host ${row(here)}; at most ${apart.toExponential(1)} apart`,
  );
}
const { peak, tensors, programs } = gpuMemory();
console.log(`memory: at most ${round(peak / 2 ** 20)} MiB, ${tensors} tensors at the end, ${programs} programs`);
