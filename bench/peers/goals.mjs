import { factor, table } from './figures.mjs';

const largeProduct = (name) => /^product \d+$/.test(name) && Number(name.slice(8)) >= 128;
const elementwise = (name) => /^(add|exp|tanh) /.test(name);
const reduction = (name) => /^(sum|max|softmax) /.test(name);
const training = (net) => (name) => name.startsWith(net) && name.endsWith('train');
const mlp784 = training('MLP 784');
const recording = (name) => name.endsWith('infer, recording');
const guarded = (name) => name.replace('infer, recording', 'infer under @noGrad');

/** How many times what `ours` takes `peer` takes. */
const against =
  (peer, ours = 'gradgate') =>
  (figures, name) =>
    figures.ratio([name, peer], [name, ours]);

/** What is compared, for which cases, how, and the least that the ratio is to be. */
const goals = [
  ['Products from 128 up, part of the FMA peak', largeProduct, against('peak'), 0.85],
  ['Products from 128 up, TensorFlow.js wasm', largeProduct, against('tfjs-wasm'), 1.5],
  ['Elementwise, PyTorch', elementwise, against('pytorch'), 1],
  ['Elementwise, TensorFlow.js wasm', elementwise, against('tfjs-wasm'), 2],
  ['Reductions, PyTorch', reduction, against('pytorch'), 1],
  ['Reductions, TensorFlow.js wasm', reduction, against('tfjs-wasm'), 2],
  ['MLP 784-128-10, train: PyTorch with 2 threads, ours with 2', mlp784, against('pytorch-2', 'gradgate-2'), 1],
  ['MLP 784-128-10, train: TensorFlow.js wasm, ours with 2 threads', mlp784, against('tfjs-wasm', 'gradgate-2'), 10],
  ['MLP 784-128-10, train: jax-js with jit, ours with 2 threads', mlp784, against('jax-js', 'gradgate-2'), 2],
  ['MLP 784-128-10, train: PyTorch, ours with OpenBLAS', mlp784, against('pytorch', 'gradgate-openblas'), 1.5],
  ['MLP 2-16-1, train: PyTorch', training('MLP 2-'), against('pytorch'), 20],
  ['CNN, train: TensorFlow.js cpu', training('CNN'), against('tfjs-cpu'), 3],
  ['CNN, train: PyTorch', training('CNN'), against('pytorch'), 0.4],
  [
    'Inference: our own that records, to that under `@noGrad`',
    recording,
    (figures, name) => figures.ratio([name, 'gradgate'], [guarded(name), 'gradgate']),
    1,
  ],
];
const mostMemory = 1.1;

/** A row each: the goal, the worst ratio, and how many cases reach it. What was not measured has no row; null if nothing. */
export function goalsTable(figures, names, memory) {
  const rows = goals.flatMap(([what, belongs, compare, least]) => {
    const found = names
      .filter(belongs)
      .map((name) => ({ name, ratio: compare(figures, name) }))
      .filter(({ ratio }) => ratio !== null);
    if (found.length === 0) return [];
    const lowest = found.reduce((a, b) => (b.ratio < a.ratio ? b : a));
    const where = found.length > 1 ? ` (${lowest.name})` : '';
    const reached = found.filter(({ ratio }) => ratio >= least).length;
    return [[what, `at least ${least}`, `${factor(lowest.ratio)}${where}`, `${reached} of ${found.length}`]];
  });
  const grown = memory.map(({ name, ratio }) => [
    `Memory after many steps, to that after few: ${name}`,
    `at most ${mostMemory}`,
    factor(ratio),
    `${ratio <= mostMemory ? 1 : 0} of 1`,
  ]);
  if (rows.length + grown.length === 0) return null;
  return table(['time in times ours', 'goal', 'worst', 'cases that reach it'], [...rows, ...grown]);
}
