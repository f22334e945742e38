import { require } from './load.mjs';
import { kept, productCases, sizedCases } from './names.mjs';

export const tf = require('@tensorflow/tfjs');
export const version = tf.version['tfjs-core'];

const tidy = (fn) => () => void tf.dispose(tf.tidy(fn));
const x = kept((n) => tf.randomNormal([n]));
const y = kept((n) => tf.randomNormal([n]));
const unary = (f) => (n) => {
  const a = x(n);
  return tidy(() => f(a));
};
const variables = (...shapes) => shapes.map((s) => tf.variable(tf.randomNormal(s, 0, 0.1)));
const classes = (n) => tf.oneHot(tf.randomUniform([n], 0, 10, 'int32'), 10);
const crossEntropy = (y) => (scores) => tf.losses.softmaxCrossEntropy(y, scores);
const squaredError = (y) => (out) => tf.losses.meanSquaredError(y, out);

const train = (net, x, lossOf) => {
  const optimizer = tf.train.adam();
  return () => void optimizer.minimize(() => lossOf(net(x)));
};
const backward = (inputs, f) => {
  const gradients = tf.grads((...args) => tf.sum(f(...args)));
  return tidy(() => gradients(inputs));
};

const linear = (i, o) => {
  const [w, b] = variables([i, o], [o]);
  return (x) => tf.add(tf.matMul(x, w), b);
};
const mlp = (d, h, o) => {
  const [first, second] = [linear(d, h), linear(h, o)];
  return (x) => second(tf.relu(first(x)));
};
const infer = (d, h, o, batch) => {
  const [net, x] = [mlp(d, h, o), tf.randomNormal([batch, d])];
  return tidy(() => net(x));
};
const attention = (q, k, v) =>
  tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape.at(-1)))), v);
const layerNorm = (x, w, b) => {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), w), b);
};
const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

/** An encoder layer like PyTorch's, with norms after the sums. */
function transformerLayer(batch, length, width, heads, hidden) {
  const [project, out, up, down] = [linear(width, 3 * width), linear(width, width), ...feedForward(width, hidden)];
  const norms = [1, 2].map(() => [tf.variable(tf.ones([width])), tf.variable(tf.zeros([width]))]);
  const split = (x) => tf.transpose(tf.reshape(x, [batch, length, heads, -1]), [0, 2, 1, 3]);
  const join = (x) => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * length, width]);
  return (x) => {
    const attended = out(join(attention(...tf.split(project(x), 3, 1).map(split))));
    const h = layerNorm(tf.add(x, attended), ...norms[0]);
    return layerNorm(tf.add(h, down(gelu(up(h)))), ...norms[1]);
  };
}
const feedForward = (width, hidden) => [linear(width, hidden), linear(hidden, width)];

export const cases = {
  ...productCases((m, k, n, ta, tb) => {
    const a = tf.randomNormal(ta ? [k, m] : [m, k]);
    const b = tf.randomNormal(tb ? [n, k] : [k, n]);
    return tidy(() => tf.matMul(a, b, ta, tb));
  }),
  ...sizedCases({
    add: (n) => {
      const [a, b] = [x(n), y(n)];
      return tidy(() => tf.add(a, b));
    },
    exp: unary(tf.exp),
    tanh: unary(tf.tanh),
    sum: unary((x) => tf.sum(x)),
  }),
  'max 1000x100, rows': () => {
    const x = tf.randomNormal([1000, 100]);
    return tidy(() => tf.max(x, 1));
  },
  'softmax 100x1000': () => {
    const x = tf.randomNormal([100, 1000]);
    return tidy(() => tf.softmax(x));
  },
  'eager 8x8, forward and backward': () => {
    const [a, b] = [tf.randomNormal([8, 8]), tf.randomNormal([8, 8])];
    return backward([a], (a) => tf.matMul(a, b));
  },
  'MLP 784-128-10, batch 64, train': () =>
    train(mlp(784, 128, 10), tf.randomNormal([64, 784]), crossEntropy(classes(64))),
  'MLP 784-128-10, batch 64, infer under @noGrad': () => infer(784, 128, 10, 64),
  'MLP 2-16-1, batch 4, train': () =>
    train(mlp(2, 16, 1), tf.randomNormal([4, 2]), squaredError(tf.randomNormal([4, 1]))),
  'MLP 2-16-1, batch 4, infer under @noGrad': () => infer(2, 16, 1, 4),
  'CNN 28x28, batch 32, train': () => {
    const [k1, b1, k2, b2] = variables([3, 3, 1, 16], [16], [3, 3, 16, 32], [32]);
    const last = linear(32 * 49, 10);
    const block = (x, k, bias) => tf.maxPool(tf.relu(tf.add(tf.conv2d(x, k, 1, 'same'), bias)), 2, 2, 'valid');
    const net = (x) => last(tf.reshape(block(block(x, k1, b1), k2, b2), [32, -1]));
    return train(net, tf.randomNormal([32, 28, 28, 1]), crossEntropy(classes(32)));
  },
  'transformer layer 8x32x64, train': () =>
    train(
      transformerLayer(8, 32, 64, 4, 256),
      tf.randomNormal([8 * 32, 64]),
      squaredError(tf.randomNormal([8 * 32, 64])),
    ),
  'attention 8x4x64x32, forward and backward': () =>
    backward(
      [1, 2, 3].map(() => tf.randomNormal([8, 4, 64, 32])),
      attention,
    ),
  'layer norm 512x512, forward and backward': () => {
    const [w, b] = [tf.ones([512]), tf.zeros([512])];
    return backward([tf.randomNormal([512, 512])], (x) => layerNorm(x, w, b));
  },
  'Adam step, 1e6 parameters': () => {
    const [p] = variables([1000, 1000]);
    const gradient = tf.randomNormal([1000, 1000]);
    const optimizer = tf.train.adam();
    return () => optimizer.applyGradients({ [p.name]: gradient });
  },
};
