import { backend, type Kernels } from '@gradgate/core';

/**
 * Tells `add` of the multiplications in each product and convolution on these devices, until what this gives is called.
 */
export function watchMultiplications(devices: Iterable<string>, add: (count: number) => void): () => void {
  const undo = Array.from(devices, (device) => {
    const { kernels } = backend(device);
    backend(device).kernels = { ...kernels, ...counting(kernels, add) };
    return () => {
      backend(device).kernels = kernels;
    };
  });
  return () => {
    for (const restore of undo) restore();
  };
}

const counting = (
  { matmul, conv, convInput }: Kernels,
  add: (count: number) => void,
): Pick<Kernels, 'matmul' | 'conv' | 'convInput'> => ({
  matmul(a, transposeA, b, transposeB, out, bias) {
    add(out.numel * a.shape.at(transposeA ? -2 : -1)!);
    matmul(a, transposeA, b, transposeB, out, bias);
  },
  conv(x, weight, bias, geometry, out) {
    add((out.numel * weight.numel) / weight.shape[0]!);
    conv(x, weight, bias, geometry, out);
  },
  // Forward, this is a transposed convolution: each element of `g` meets each weight of its channel.
  convInput(g, weight, geometry, out) {
    add((g.numel * weight.numel) / weight.shape[0]!);
    convInput(g, weight, geometry, out);
  },
});
