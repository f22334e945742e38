import { load } from './load.mjs';
import { kept, productCases, sizedCases } from './names.mjs';

// It finds no workers in Node, so it uses one thread.
const jax = await load('@jax-js/jax');
const { numpy: np, nn, lax, random, tree, jit, grad, valueAndGrad, blockUntilReady } = jax;
await jax.init('wasm');
jax.defaultDevice('wasm');
export const version = '0.1.25';

let seed = 0;
const randn = (...shape) => random.normal(random.key(seed++), shape);
const small = (...shape) => randn(...shape).mul(0.1);
const classes = (n) =>
  nn.oneHot(
    np.array(
      Array.from({ length: n }, () => Math.floor(10 * Math.random())),
      { dtype: np.int32 },
    ),
    10,
  );

/** Calls consume their arguments, so references are taken first; results are lazy until they are awaited. */
const calling =
  (f, ...inputs) =>
  async () => {
    const result = f(...tree.ref(inputs));
    await blockUntilReady(result);
    tree.dispose(result);
  };
/** Compiled, which makes single operations faster too. */
const compiled = (f, ...inputs) => calling(jit(f), ...inputs);
const x = kept((n) => randn(n));
const y = kept((n) => randn(n));
const unary = (f) => (n) => compiled(f, x(n));

/** Adam on a tree of parameters, as in PyTorch; the time is a float, so that it is not a constant of the program. */
function adam([p, m, v, t], g) {
  const time = t.add(1);
  const m1 = tree.map((m, g) => m.mul(0.9).add(g.mul(0.1)), m, tree.ref(g));
  const v1 = tree.map((v, g) => v.mul(0.999).add(np.square(g).mul(0.001)), v, g);
  const step = np.subtract(1, np.power(0.9, time.ref));
  const root = np.sqrt(np.subtract(1, np.power(0.999, time.ref)));
  const update = (p, m, v) => p.sub(m.div(step.ref).mul(0.001).div(np.sqrt(v).div(root.ref).add(1e-8)));
  const p1 = tree.map(update, p, tree.ref(m1), tree.ref(v1));
  step.dispose();
  root.dispose();
  return [p1, m1, v1, time];
}
const started = (p) => {
  const zeros = () => tree.map((p) => np.zeros(p.shape), p);
  return [p, zeros(), zeros(), np.array(0, { dtype: np.float32 })];
};
/** `step` takes the optimizer's state and the inputs, and gives the next state. */
function stepping(step, parameters, ...inputs) {
  const program = jit(step);
  let state = started(parameters);
  return async () => {
    state = program(state, ...tree.ref(inputs));
    await blockUntilReady(state);
  };
}
function train(lossOf, parameters, ...inputs) {
  const both = valueAndGrad(lossOf);
  const step = (state, ...inputs) => {
    const [loss, g] = both(tree.ref(state[0]), ...inputs);
    loss.dispose();
    return adam(state, g);
  };
  return stepping(step, parameters, ...inputs);
}
const backward = (f, ...inputs) => {
  const argnums = inputs.map((_, i) => i);
  return grad((...args) => np.sum(f(...args)), { argnums });
};

const crossEntropy = (scores, y) => np.mean(np.sum(nn.logSoftmax(scores, 1).mul(y), 1)).neg();
const squaredError = (out, y) => np.mean(np.square(out.sub(y)));
const linear = ({ w, b }, x) => np.matmul(x, w).add(b);
const linearOf = (i, o) => ({ w: small(i, o), b: np.zeros([o]) });
const mlp = ({ first, second }, x) => linear(second, nn.relu(linear(first, x)));
const mlpOf = (d, h, o) => ({ first: linearOf(d, h), second: linearOf(h, o) });
const swap = (x) => np.moveaxis(x, -1, -2);
/** Its own dotProductAttention needs Node 22 and another order of dimensions. */
const attention = (q, k, v) => {
  const scale = 1 / Math.sqrt(q.shape.at(-1));
  return np.matmul(nn.softmax(np.matmul(q, swap(k)).mul(scale), -1), v);
};
const layerNorm = ({ w, b }, x) => nn.standardize(x, -1, { epsilon: 1e-5 }).mul(w).add(b);
const layerNormOf = (n) => ({ w: np.ones([n]), b: np.zeros([n]) });

const pool = (x) => {
  const [n, c, h, w] = x.shape;
  return np.max(np.reshape(x, [n, c, h / 2, 2, w / 2, 2]), [3, 5]);
};
const convolution = ({ k, b }, x) => pool(nn.relu(lax.conv(x, k, [1, 1], 'SAME').add(b)));
const convolutionOf = (i, o) => ({ k: small(o, i, 3, 3), b: np.zeros([o, 1, 1]) });
const cnn = ({ first, second, last }, x) =>
  linear(last, np.reshape(convolution(second, convolution(first, x)), [32, -1]));

/** An encoder layer like PyTorch's, with norms after the sums. */
function transformerLayer({ projections, out, up, down, norm1, norm2 }, x) {
  const [batch, length, width] = x.shape;
  const split = (x) => np.moveaxis(np.reshape(x, [batch, length, 4, width / 4]), 1, 2);
  const join = (x) => np.reshape(np.moveaxis(x, 1, 2), [batch, length, width]);
  const attended = linear(out, join(attention(...projections.map((p) => split(linear(p, x.ref))))));
  const h = layerNorm(norm1, x.add(attended));
  return layerNorm(norm2, h.ref.add(linear(down, nn.gelu(linear(up, h), { approximate: false }))));
}

export const cases = {
  ...productCases((m, k, n, ta, tb) => {
    const f = (a, b) => np.matmul(ta ? swap(a) : a, tb ? swap(b) : b);
    return compiled(f, ta ? randn(k, m) : randn(m, k), tb ? randn(n, k) : randn(k, n));
  }),
  ...sizedCases({
    add: (n) => compiled(np.add, x(n), y(n)),
    exp: unary(np.exp),
    tanh: unary(np.tanh),
    sum: unary((x) => np.sum(x)),
  }),
  'max 1000x100, rows': () => compiled((x) => np.max(x, 1), randn(1000, 100)),
  'softmax 100x1000': () => compiled((x) => nn.softmax(x, 1), randn(100, 1000)),
  // The only case that is not compiled: it measures the overhead of an operation.
  'eager 8x8, forward and backward': () =>
    calling(
      grad((a, b) => np.sum(np.matmul(a, b))),
      randn(8, 8),
      randn(8, 8),
    ),
  'MLP 784-128-10, batch 64, train': () =>
    train((p, x, y) => crossEntropy(mlp(p, x), y), mlpOf(784, 128, 10), randn(64, 784), classes(64)),
  'MLP 784-128-10, batch 64, infer under @noGrad': () => compiled(mlp, mlpOf(784, 128, 10), randn(64, 784)),
  'MLP 2-16-1, batch 4, train': () =>
    train((p, x, y) => squaredError(mlp(p, x), y), mlpOf(2, 16, 1), randn(4, 2), randn(4, 1)),
  'MLP 2-16-1, batch 4, infer under @noGrad': () => compiled(mlp, mlpOf(2, 16, 1), randn(4, 2)),
  'CNN 28x28, batch 32, train': () => {
    const parameters = { first: convolutionOf(1, 16), second: convolutionOf(16, 32), last: linearOf(32 * 49, 10) };
    return train((p, x, y) => crossEntropy(cnn(p, x), y), parameters, randn(32, 1, 28, 28), classes(32));
  },
  'transformer layer 8x32x64, train': () => {
    const parameters = {
      projections: [1, 2, 3].map(() => linearOf(64, 64)),
      out: linearOf(64, 64),
      up: linearOf(64, 256),
      down: linearOf(256, 64),
      norm1: layerNormOf(64),
      norm2: layerNormOf(64),
    };
    const lossOf = (p, x, y) => squaredError(transformerLayer(p, x), y);
    return train(lossOf, parameters, randn(8, 32, 64), randn(8, 32, 64));
  },
  'attention 8x4x64x32, forward and backward': () => {
    const inputs = [1, 2, 3].map(() => randn(8, 4, 64, 32));
    return compiled(backward(attention, ...inputs), ...inputs);
  },
  'layer norm 512x512, forward and backward': () =>
    compiled(
      grad((x, norm) => np.sum(layerNorm(norm, x))),
      randn(512, 512),
      layerNormOf(512),
    ),
  'Adam step, 1e6 parameters': () => stepping(adam, randn(1000, 1000), randn(1000, 1000)),
};
