import { factor, table } from './figures.mjs';

const largeProduct = (name) => /^product \d+$/.test(name) && Number(name.slice(8)) >= 128;
const elementwise = (name) => /^(add|exp|tanh) /.test(name);
const reduction = (name) => /^(sum|max|softmax) /.test(name);
const training = (net) => (name) => name.startsWith(net) && name.endsWith('train');
const mlp784 = training('MLP 784');
const recording = (name) => name.endsWith('infer, recording');
const guarded = (name) => name.replace('infer, recording', 'infer under @noGrad');

/** The time of `ours` divided by that of `peer`. */
const against =
  (peer, ours = 'gradgate') =>
  (figures, name) =>
    figures.ratio([name, peer], [name, ours]);

/** What is compared, for which cases, how, and the smallest ratio that reaches the goal. */
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

const of = (text) => (name) => name.includes(text);

/**
 * The largest share of PyTorch's time that reaches the goal: eager, compiled, and with native kernels, compiled or under
 * `tidy`.
 */
const shares = [
  ['MLP 784-128-10, train', mlp784, 0.9, 0.6, 0.35],
  ['MLP 784-128-10, infer', of('MLP 784-128-10, batch 64, infer'), 1.7, 1.5, 0.8],
  ['transformer layer, train', of('transformer layer'), 1.4, 0.7, 0.38],
  ['attention', of('attention'), 1.4, 0.75, 0.4],
  ['CNN, train', training('CNN'), 1.1, 0.95, 0.6],
  ['layer norm, softmax, largest of rows', (name) => /^(layer norm|softmax|max) /.test(name), 1.5, 1.2, 0.8],
  ['add, exp, sum', (name) => /^(add|exp|sum) /.test(name), 2.5, 1.3, 1],
  ['products', of('product '), null, null, 0.95],
  ['MLP 2-16-1, train', training('MLP 2-'), 0.04, 0.02, 0.02],
];
const ways = [
  ['as users write it', ['gradgate']],
  ['compiled', ['gradgate-compiled']],
  ['native, compiled or under tidy', ['gradgate-native-compiled', 'gradgate-native-tidy']],
  ['its products alone, at the peak of 128 bits', ['peak']],
];

/**
 * A row for each kind of cases: the worst ratio of each way, with its goal; bold if missed. The last column is the least that WebAssembly
 * can reach. Null if nothing was measured.
 */
export function sharesTable(figures, names) {
  const cell = (belongs, ours, most) => {
    const found = names.filter(belongs).flatMap((name) => {
      const all = ours.map((peer) => figures.ratio([name, peer], [name, 'pytorch'])).filter((ratio) => ratio !== null);
      return all.length > 0 ? [{ name, ratio: Math.min(...all) }] : [];
    });
    if (most === null || found.length === 0) return '';
    const worst = found.reduce((a, b) => (b.ratio > a.ratio ? b : a));
    const text = factor(worst.ratio);
    const where = found.length > 1 ? `, ${worst.name}` : '';
    if (most === undefined) return text;
    return `${worst.ratio > most ? `**${text}**` : text} (at most ${most}${where})`;
  };
  const rows = shares
    .map(([what, belongs, ...most]) => [what, ...ways.map(([, ours], i) => cell(belongs, ours, most[i]))])
    .filter((row) => row.slice(1).some((text) => text !== ''));
  return rows.length > 0 ? table(["ours in times PyTorch's", ...ways.map(([title]) => title)], rows) : null;
}

/**
 * A row for each goal: the goal, the worst ratio, and how many cases reach it. Goals without a measurement have no row; null if
 * there are none.
 */
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
