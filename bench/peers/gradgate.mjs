import * as core from '../../packages/core/dist/index.js';
import * as nn from '../../packages/nn/dist/index.js';

const { functional: F, optim } = nn;
if (process.env.GRADGATE_BENCH_OPENBLAS) await import('../../packages/openblas/dist/index.js');
core.manualSeed(1);
core.setNumThreads?.(Number(process.env.GRADGATE_BENCH_THREADS ?? 1));
export const version = process.env.GRADGATE_BENCH_OPENBLAS ? 'with OpenBLAS' : '0.1.0';

const silent = (fn) => () => core.noGrad.run(fn);
const product = (m, k, n, ta, tb) => () => {
  const a = ta ? core.randn([k, m]).t() : core.randn([m, k]);
  const b = tb ? core.randn([n, k]).t() : core.randn([k, n]);
  return silent(() => a.matmul(b));
};
const unary = (n, f) => () => {
  const x = core.randn([n]);
  return silent(() => f(x));
};
const train = (net, x, y, lossOf) => {
  const optimizer = new optim.Adam(net.parameters());
  return () => {
    optimizer.zeroGrad();
    const loss = lossOf(net(x), y);
    loss.backward();
    optimizer.step();
  };
};
const mlp = (d, h, o) => new nn.Sequential(new nn.Linear(d, h), new nn.ReLU(), new nn.Linear(h, o));

export const cases = {
  ...Object.fromEntries([32, 64, 128, 256, 512, 1024].map((n) => [`product ${n}`, product(n, n, n)])),
  'product 64x784x128, NT': product(64, 784, 128, false, true),
  'product 128x64x784, TN': product(128, 64, 784, true, false),
  ...Object.fromEntries(
    [1e3, 1e5, 1e6].flatMap((n) => [
      [
        `add ${n}`,
        () => {
          const [a, b] = [core.randn([n]), core.randn([n])];
          return silent(() => a.add(b));
        },
      ],
      [`exp ${n}`, unary(n, (x) => x.exp())],
      [`tanh ${n}`, unary(n, (x) => x.tanh())],
      [`sum ${n}`, unary(n, (x) => x.sum())],
    ]),
  ),
  'softmax 100x1000': () => {
    const x = core.randn([100, 1000]);
    return silent(() => x.softmax(1));
  },
  'eager 8x8 forward and backward': () => {
    const a = core.randn([8, 8], { requiresGrad: true });
    const b = core.randn([8, 8]);
    return () => {
      a.grad = null;
      a.matmul(b).sum().backward();
    };
  },
  'MLP 784-128-10, batch 64, train': () =>
    train(mlp(784, 128, 10), core.randn([64, 784]), core.randint(0, 10, [64]), F.crossEntropy),
  'MLP 784-128-10, batch 64, infer': () => {
    const [net, x] = [mlp(784, 128, 10), core.randn([64, 784])];
    return silent(() => net(x));
  },
  'MLP 2-16-1, batch 4, train': () => train(mlp(2, 16, 1), core.randn([4, 2]), core.randn([4, 1]), F.mseLoss),
  'CNN 28x28, batch 32, train': () =>
    train(
      new nn.Sequential(
        new nn.Conv2d(1, 16, 3, { padding: 1 }),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Conv2d(16, 32, 3, { padding: 1 }),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.Linear(32 * 49, 10),
      ),
      core.randn([32, 1, 28, 28]),
      core.randint(0, 10, [32]),
      F.crossEntropy,
    ),
  'transformer layer 8x32x64, train': () => {
    const layer = new nn.TransformerEncoderLayer(64, 4, {
      dimFeedforward: 256,
      dropout: 0,
      activation: 'gelu',
      batchFirst: true,
    });
    const [x, y] = [core.randn([8, 32, 64]), core.randn([8, 32, 64])];
    return train(layer, x, y, F.mseLoss);
  },
  'layer norm 512x512, forward and backward': () => {
    const x = core.randn([512, 512], { requiresGrad: true });
    const [w, b] = [core.ones([512]), core.zeros([512])];
    return () => {
      x.grad = null;
      core.layerNorm(x, [512], w, b).sum().backward();
    };
  },
  'Adam step, 1e6 parameters': () => {
    const p = core.randn([1000, 1000], { requiresGrad: true });
    p.grad = core.randn([1000, 1000]);
    const optimizer = new optim.Adam([p]);
    return () => optimizer.step();
  },
};
