import { readFileSync } from 'node:fs';
import { compile } from '../../packages/core/dist/compile/index.js';
import * as core from '../../packages/core/dist/index.js';
import * as nn from '../../packages/nn/dist/index.js';
import { growthCases, kept, productCases, sizedCases } from './names.mjs';

const { functional: F, optim } = nn;
const threads = Number(process.env.GRADGATE_BENCH_THREADS ?? 1);
if (threads > 1 && !core.setNumThreads) throw new Error('it has no threads');
core.setNumThreads?.(threads);
if (process.env.GRADGATE_BENCH_OPENBLAS) {
  const { isOpenblasLoaded } = await import('../../packages/openblas/dist/index.js');
  if (!isOpenblasLoaded()) throw new Error('there is no OpenBLAS');
}
if (process.env.GRADGATE_BENCH_NATIVE) {
  const { isNativeLoaded } = await import('../../packages/native/dist/index.js');
  if (!isNativeLoaded()) throw new Error('there is no binary for this machine: npm run build:native');
}
core.manualSeed(1);
const manifest = new URL('../../packages/core/package.json', import.meta.url);
export const version = JSON.parse(readFileSync(manifest, 'utf8')).version;

const product = (m, k, n, ta, tb) => {
  const a = ta ? core.randn([k, m]).t() : core.randn([m, k]);
  const b = tb ? core.randn([n, k]).t() : core.randn([k, n]);
  return () => a.matmul(b);
};
const x = kept((n) => core.randn([n]));
const y = kept((n) => core.randn([n]));
const unary = (f) => (n) => {
  const a = x(n);
  return () => f(a);
};
const variable = (...shape) => core.randn(shape, { requiresGrad: true });

const train = (net, x, y, lossOf) => {
  const optimizer = new optim.Adam(net.parameters());
  return () => {
    optimizer.zeroGrad();
    lossOf(net(x), y).backward();
    optimizer.step();
  };
};
const backward = (inputs, f) => () => {
  for (const x of inputs) x.grad = null;
  f().sum().backward();
};

const mlp = (d, h, o) => new nn.Sequential(new nn.Linear(d, h), new nn.ReLU(), new nn.Linear(h, o));
const inference = (d, h, o, batch) => {
  const [net, x] = [mlp(d, h, o), core.randn([batch, d])];
  return () => net(x);
};
/** As a method with `@noGrad`. */
const guarded = (...sizes) => core.noGrad.wrap(inference(...sizes));
const cnn = () =>
  new nn.Sequential(
    new nn.Conv2d(1, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(32 * 49, 10),
  );

/** Token embeddings, encoder layers, and a classifier over the tokens. */
class LanguageModel extends nn.Module {
  constructor(tokens, width, layers) {
    super();
    const options = { dimFeedforward: 4 * width, dropout: 0, activation: 'gelu', batchFirst: true };
    this.embedding = new nn.Embedding(tokens, width);
    this.encoder = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(width, 4, options), layers);
    this.head = new nn.Linear(width, tokens);
  }
  forward(x) {
    return this.head(this.encoder(this.embedding(x))).flatten(0, 1);
  }
}

class Forecast extends nn.Module {
  lstm = new nn.LSTM(8, 64, { batchFirst: true });
  head = new nn.Linear(64, 1);
  forward(x) {
    return this.head(this.lstm(x)[0].select(1, -1));
  }
}

/** A network of `depth` hidden layers. */
const deep = (width, depth) =>
  new nn.Sequential(...Array.from({ length: depth }, () => [new nn.Linear(width, width), new nn.ReLU()]).flat());

/** How each case is run: eagerly, or as the environment says inside `compile` or `tidy`. */
const around = {
  compile: (run) => compile(() => run(), { reuseResults: true }),
  tidy: (run) => core.tidy.wrap(() => void run()),
}[process.env.GRADGATE_BENCH_AROUND ?? ''];

const plain = {
  ...productCases(product),
  ...sizedCases({
    add: (n) => {
      const [a, b] = [x(n), y(n)];
      return () => a.add(b);
    },
    exp: unary((x) => x.exp()),
    tanh: unary((x) => x.tanh()),
    sum: unary((x) => x.sum()),
  }),
  'max 1000x100, rows': () => {
    const x = core.randn([1000, 100]);
    return () => x.amax(1);
  },
  'softmax 100x1000': () => {
    const x = core.randn([100, 1000]);
    return () => x.softmax(1);
  },
  'eager 8x8, forward and backward': () => {
    const [a, b] = [variable(8, 8), core.randn([8, 8])];
    return backward([a], () => a.matmul(b));
  },
  'MLP 784-128-10, batch 64, train': () =>
    train(mlp(784, 128, 10), core.randn([64, 784]), core.randint(0, 10, [64]), F.crossEntropy),
  'MLP 784-128-10, batch 64, infer under @noGrad': () => guarded(784, 128, 10, 64),
  'MLP 784-128-10, batch 64, infer, recording': () => inference(784, 128, 10, 64),
  ...growthCases((batch, width, depth) =>
    train(deep(width, depth), core.randn([batch, width]), core.randn([batch, width]), F.mseLoss),
  ),
  'MLP 2-16-1, batch 4, train': () => train(mlp(2, 16, 1), core.randn([4, 2]), core.randn([4, 1]), F.mseLoss),
  'MLP 2-16-1, batch 4, infer under @noGrad': () => guarded(2, 16, 1, 4),
  'MLP 2-16-1, batch 4, infer, recording': () => inference(2, 16, 1, 4),
  'CNN 28x28, batch 32, train': () =>
    train(cnn(), core.randn([32, 1, 28, 28]), core.randint(0, 10, [32]), F.crossEntropy),
  'transformer layer 8x32x64, train': () => {
    const options = { dimFeedforward: 256, dropout: 0, activation: 'gelu', batchFirst: true };
    const layer = new nn.TransformerEncoderLayer(64, 4, options);
    return train(layer, core.randn([8, 32, 64]), core.randn([8, 32, 64]), F.mseLoss);
  },
  'language model of 3 layers, 8x32 tokens, train': () =>
    train(new LanguageModel(256, 64, 3), core.randint(0, 256, [8, 32]), core.randint(0, 256, [256]), F.crossEntropy),
  'LSTM 32x24x8 to 64, train': () => train(new Forecast(), core.randn([32, 24, 8]), core.randn([32, 1]), F.mseLoss),
  'attention 8x4x64x32, forward and backward': () => {
    const inputs = [1, 2, 3].map(() => variable(8, 4, 64, 32));
    return backward(inputs, () => core.scaledDotProductAttention(...inputs));
  },
  'layer norm 512x512, forward and backward': () => {
    const x = variable(512, 512);
    const [w, b] = [core.ones([512]), core.zeros([512])];
    return backward([x], () => core.layerNorm(x, [512], w, b));
  },
  'Adam step, 1e6 parameters': () => {
    const p = variable(1000, 1000);
    p.grad = core.randn([1000, 1000]);
    const optimizer = new optim.Adam([p]);
    return () => optimizer.step();
  },
};

/** A request to a server: an array comes in, a class goes out. Only the network is compiled, since it reads no values. */
const requests = {
  'request, MLP 784-128-10': () => {
    const [pixels, net] = [new Float32Array(784).fill(0.5), mlp(784, 128, 10)];
    const forward = core.noGrad.wrap((x) => net(x));
    const classify = process.env.GRADGATE_BENCH_AROUND === 'compile' ? compile(forward) : forward;
    return () =>
      classify(core.tensor(pixels, { shape: [1, 784] }))
        .argmax(1)
        .item();
  },
};

export const cases = {
  ...(around ? Object.fromEntries(Object.entries(plain).map(([name, make]) => [name, () => around(make())])) : plain),
  ...requests,
};
