// What the other entry points of core do with tensors of the device: they run there, or refuse by name and say where to.
import {
  DeviceError,
  dropout,
  layerNorm,
  manualSeed,
  ones,
  onesLike,
  randn,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { autocast } from '@gradgate/core/autocast';
import { checkpoint } from '@gradgate/core/checkpoint';
import { polar, viewAsComplex } from '@gradgate/core/complex';
import { fft, irfft, rfftn } from '@gradgate/core/fft';
import { grad, gradAndValue, hessian, jacfwd, jacrev, jvp, vjp, vmap } from '@gradgate/core/func';
import { matmul, sparseCooTensor, sparseCsrTensor, toDense, toSparse } from '@gradgate/core/sparse';
import { functionalCall, Linear } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { needGpu } from './gpu.js';

const gpu = await needGpu('other entry points on webgpu');

manualSeed(5);
const [x, w, b] = [randn([3, 4]), randn([4, 2]), randn([2])] as const;
const places = tensor(
  [
    [0, 1, 1],
    [2, 0, 2],
  ],
  { dtype: 'int64' },
);
const loss = (w: Tensor, r: Tensor, b: Tensor): Tensor => r.matmul(w).add(b).tanh().square().sum();
const squares = (w: Tensor): Tensor => w.tanh().square();

type Run = (x: Tensor, w: Tensor, b: Tensor) => unknown;
const runs: Record<string, Run> = {
  grad: (x, w, b) => grad(loss)(w, x, b),
  gradAndValue: (x, w, b) => gradAndValue(loss)(w, x, b),
  'vmap of grad': (x, w, b) => vmap(grad(loss), { inDims: [null, 0, null] })(w, x, b),
  'vmap of a layer norm and a softmax': (x, w, b) =>
    vmap((r: Tensor) => layerNorm(r.matmul(w).add(b), [2]).softmax(0))(x),
  jacrev: (_, w) => jacrev(squares)(w),
  jacfwd: (_, w) => jacfwd(squares)(w),
  hessian: (x, w, b) => hessian((v: Tensor) => loss(v, x, b))(w),
  jvp: (_, w) => jvp(squares, [w], [onesLike(w)]),
  vjp: (_, w) => {
    const [value, back] = vjp(squares, [w]);
    return [value, back(onesLike(w))];
  },
  functionalCall: (x) =>
    functionalCall(
      new Linear(4, 2).to(x.device),
      { weight: ones([2, 4], { device: x.device }), bias: ones([2], { device: x.device }) },
      x,
    ),
  'sparse, to dense': (x) => toDense(sparseCooTensor(places.to(x.device), ones([3], { device: x.device }), [2, 3])),
  'sparse times dense': (x) => matmul(sparseCooTensor(places.to(x.device), ones([3], { device: x.device }), [2, 3]), x),
  checkpoint: (x, w) => {
    const leaf = x.detach().requiresGrad_();
    checkpoint((v: Tensor) => v.matmul(w).tanh(), leaf)
      .sum()
      .backward();
    return leaf.grad;
  },
};

const flat = (all: unknown): Tensor[] => (Array.isArray(all) ? all.flatMap(flat) : [all as Tensor]);

describe.skipIf(!gpu)('on webgpu', () => {
  it.each(Object.entries(runs))('%s gives what it gives on the host', async (_, run) => {
    const [want, got] = [flat(run(x, w, b)), flat(run(x.to(gpu!), w.to(gpu!), b.to(gpu!)))];
    expect(got.map((t) => `${t.device} ${t.shape}`)).toEqual(want.map((t) => `webgpu ${t.shape}`));
    for (const [i, t] of want.entries()) {
      const values = await got[i]!.data();
      t.toTypedArray().forEach((v, k) => void expect(Math.abs(values[k]! - v)).toBeLessThan(1e-5));
    }
  });

  it('a checkpoint computes again with the same mask of dropout', async () => {
    const leaf = ones([64], { device: gpu!, requiresGrad: true });
    const y = checkpoint((v: Tensor) => dropout(v.mul(1)), leaf);
    y.sum().backward();
    expect(await leaf.grad!.data()).toEqual(await y.data());
  });

  it('autocast computes products in half types, and their gradients have the dtypes of the leaves', async () => {
    const of = (where: string): [Tensor, Tensor] => {
      const v = w.detach().to(where).requiresGrad_();
      const y = autocast('float16').run(() => x.to(where).matmul(v));
      y.sum().backward();
      return [y, v.grad!];
    };
    const [want, got] = [of('cpu'), of(gpu!)];
    for (const [i, t] of want.entries()) {
      expect([got[i]!.dtype, got[i]!.device]).toEqual([t.dtype, gpu]);
      const values = await got[i]!.data();
      t.toTypedArray().forEach((v, k) => void expect(Math.abs(Number(values[k]) - Number(v))).toBeLessThan(4e-3));
    }
    expect(got.map(({ dtype }) => dtype)).toEqual(['float16', 'float32']);
  });

  it.each<[string, (x: Tensor) => unknown]>([
    ['fft', fft],
    ['irfft', irfft],
    ['rfftn', rfftn],
    ['viewAsComplex', (t) => viewAsComplex(t.view(6, 2))],
    ['polar', (t) => polar(t, t)],
    ['toSparse', toSparse],
    [
      'sparseCsrTensor',
      (t) =>
        sparseCsrTensor(
          tensor([0, 1, 2]).int().to(gpu!),
          tensor([0, 1]).int().to(gpu!),
          t.view(12).narrow(0, 0, 2),
          [2, 2],
        ),
    ],
  ])('%s is refused by name, with the way to the CPU', (name, f) => {
    let error: unknown;
    try {
      f(x.to(gpu!));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as Error).message).toMatch(new RegExp(`^${name}: .*webgpu.*toAsync\\('cpu'\\)`));
  });

  it('gradients do not flow from it to the CPU, which the pass says', () => {
    const leaf = ones([2], { requiresGrad: true });
    expect(() => leaf.mul(2).to(gpu!).sum().backward()).toThrow(/on webgpu are not there at once/);
  });
});
