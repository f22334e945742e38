import { createRequire } from 'node:module';
import { dirname } from 'node:path';

// Installed by peers.mjs into a folder of its own, for the bench only.
const require = createRequire(`${process.env.PEERS}/package.json`);
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/dist/`);
wasm.setThreadsCount(1);
await tf.setBackend('wasm');
await tf.ready();
export const version = tf.version['tfjs-core'];

const tidy = (fn) => () => void tf.dispose(tf.tidy(() => fn()));
const product = (m, k, n, ta, tb) => () => {
  const a = tf.randomNormal(ta ? [k, m] : [m, k]);
  const b = tf.randomNormal(tb ? [n, k] : [k, n]);
  return tidy(() => tf.matMul(a, b, ta, tb));
};
const unary = (n, f) => () => {
  const x = tf.randomNormal([n]);
  return tidy(() => f(x));
};
const variables = (...shapes) => shapes.map((s) => tf.variable(tf.randomNormal(s, 0, 0.1)));
const mlp = (d, h, o) => {
  const [w, b, v, c] = variables([d, h], [h], [h, o], [o]);
  return (x) => tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(x, w), b)), v), c);
};
const train = (net, x, lossOf) => {
  const optimizer = tf.train.adam();
  return () => void optimizer.minimize(() => lossOf(net(x)));
};
const crossEntropy = (y) => (scores) => tf.losses.softmaxCrossEntropy(y, scores);
const classes = (n) => tf.oneHot(tf.randomUniform([n], 0, 10, 'int32'), 10);

export const cases = {
  ...Object.fromEntries([32, 64, 128, 256, 512, 1024].map((n) => [`product ${n}`, product(n, n, n)])),
  'product 64x784x128, NT': product(64, 784, 128, false, true),
  'product 128x64x784, TN': product(128, 64, 784, true, false),
  ...Object.fromEntries(
    [1e3, 1e5, 1e6].flatMap((n) => [
      [
        `add ${n}`,
        () => {
          const [a, b] = [tf.randomNormal([n]), tf.randomNormal([n])];
          return tidy(() => tf.add(a, b));
        },
      ],
      [`exp ${n}`, unary(n, tf.exp)],
      [`tanh ${n}`, unary(n, tf.tanh)],
      [`sum ${n}`, unary(n, (x) => tf.sum(x))],
    ]),
  ),
  'softmax 100x1000': () => {
    const x = tf.randomNormal([100, 1000]);
    return tidy(() => tf.softmax(x));
  },
  'eager 8x8 forward and backward': () => {
    const [a, b] = [tf.randomNormal([8, 8]), tf.randomNormal([8, 8])];
    const gradient = tf.grad((t) => tf.sum(tf.matMul(t, b)));
    return tidy(() => gradient(a));
  },
  'MLP 784-128-10, batch 64, train': () =>
    train(mlp(784, 128, 10), tf.randomNormal([64, 784]), crossEntropy(classes(64))),
  'MLP 784-128-10, batch 64, infer': () => {
    const [net, x] = [mlp(784, 128, 10), tf.randomNormal([64, 784])];
    return tidy(() => net(x));
  },
  'MLP 2-16-1, batch 4, train': () => {
    const y = tf.randomNormal([4, 1]);
    return train(mlp(2, 16, 1), tf.randomNormal([4, 2]), (out) => tf.losses.meanSquaredError(y, out));
  },
  'CNN 28x28, batch 32, train': () => {
    const [k1, b1, k2, b2, w, b] = variables([3, 3, 1, 16], [16], [3, 3, 16, 32], [32], [32 * 49, 10], [10]);
    const block = (x, k, bias) => tf.maxPool(tf.relu(tf.add(tf.conv2d(x, k, 1, 'same'), bias)), 2, 2, 'valid');
    const net = (x) => tf.add(tf.matMul(tf.reshape(block(block(x, k1, b1), k2, b2), [32, -1]), w), b);
    return train(net, tf.randomNormal([32, 28, 28, 1]), crossEntropy(classes(32)));
  },
  'Adam step, 1e6 parameters': () => {
    const [p] = variables([1000, 1000]);
    const gradient = tf.randomNormal([1000, 1000]);
    const optimizer = tf.train.adam();
    return () => optimizer.applyGradients({ [p.name]: gradient });
  },
};
