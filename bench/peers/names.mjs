/** The cases that come in several sizes, for all peers in JavaScript; pytorch.py has the same names. */

/** Name, m, k, n, and whether either side is transposed. Those after the squares are the products of MLP 784-128-10. */
export const products = [
  ...[32, 64, 128, 256, 512, 1024].map((n) => [`product ${n}`, n, n, n, false, false]),
  ['product 64x784x128, NT', 64, 784, 128, false, true],
  ['product 128x64x784, TN', 128, 64, 784, true, false],
  ['product 64x128x10, NT', 64, 128, 10, false, true],
  ['product 64x10x128, NN', 64, 10, 128, false, false],
  ['product 10x64x128, TN', 10, 64, 128, true, false],
];

export const sizes = ['1e3', '1e5', '1e7'];

/** The products of a step, forward and backward: m, k, n, and how many of them; convolutions as products of their patches. */
const tokens = 8 * 32;
const steps = {
  'MLP 784-128-10, batch 64, train': [
    [64, 784, 128, 2],
    [64, 128, 10, 3],
  ],
  'MLP 784-128-10, batch 64, infer under @noGrad': [
    [64, 784, 128, 1],
    [64, 128, 10, 1],
  ],
  'MLP 784-128-10, batch 64, infer, recording': [
    [64, 784, 128, 1],
    [64, 128, 10, 1],
  ],
  'CNN 28x28, batch 32, train': [
    [32 * 28 * 28, 9, 16, 2],
    [32 * 14 * 14, 9 * 16, 32, 3],
    [32, 32 * 49, 10, 3],
  ],
  'transformer layer 8x32x64, train': [
    [tokens, 64, 192, 2],
    [tokens, 64, 64, 3],
    [tokens, 64, 256, 6],
    [8 * 4 * 32, 16, 32, 6],
  ],
  'attention 8x4x64x32, forward and backward': [[8 * 4 * 64, 32, 64, 6]],
};

/** The floating point operations of the products in a case; undefined where it has none, or where they were not counted. */
export function flopsOf(name) {
  const product = products.find(([title]) => title === name);
  const parts = product ? [[...product.slice(1, 4), 1]] : steps[name];
  return parts?.reduce((sum, [m, k, n, times]) => sum + 2 * m * k * n * times, 0);
}

/** `product(m, k, n, transA, transB)` makes a case of these sizes. */
export const productCases = (product) =>
  Object.fromEntries(products.map(([name, ...sizes]) => [name, () => product(...sizes)]));

/** How a step scales: with the batch, the width of layers and their number. */
const growth = [
  [1, 64, 2],
  [16, 64, 2],
  [256, 64, 2],
  [64, 16, 2],
  [64, 256, 2],
  [64, 64, 8],
  [64, 64, 32],
];

/** `train(batch, width, depth)` makes a case of each size. */
export const growthCases = (train) =>
  Object.fromEntries(
    growth.map(([batch, width, depth]) => [
      `growth, batch ${batch}, width ${width}, depth ${depth}, train`,
      () => train(batch, width, depth),
    ]),
  );

/** `{ add: (n) => run }` as cases `add 1e3` and so on. */
export const sizedCases = (makers) =>
  Object.fromEntries(
    sizes.flatMap((size) =>
      Object.entries(makers).map(([name, make]) => [`${name} ${size}`, () => make(Number(size))]),
    ),
  );

/** Caches the last size that `make` was called for: arrays of 1e7 numbers for every case would fill the memory. */
export function kept(make) {
  const found = new Map();
  return (n) => {
    if (!found.has(n)) found.set(n, make(n));
    return found.get(n);
  };
}
