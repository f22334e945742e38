/** The cases of bench/peers that are timed on a GPU. */
export const cases = [
  'product 256',
  'product 1024',
  'add 1e5',
  'softmax 100x1000',
  'layer norm 512x512, forward and backward',
  'attention 8x4x64x32, forward and backward',
  'MLP 784-128-10, batch 64, infer under @noGrad',
  'MLP 784-128-10, batch 64, train',
  'CNN 28x28, batch 32, train',
  'transformer layer 8x32x64, train',
  'Adam step, 1e6 parameters',
];

/** The libraries that are timed; the others are compared with the first. */
export const libraries = ['gradgate', 'gradgate-compiled', 'tfjs-webgpu', 'jax-js'];
