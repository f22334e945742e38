import { grad, ones, randint, randn, registerBackend, type Tensor, tensor } from '@gradgate/core';
import { BatchNorm1d, causalMask, functional, init, Linear, optim, ReLU } from '@gradgate/nn';
import { expect, it, vi } from 'vitest';
import { far } from '../core/backend/far.js';

registerBackend(far);

it.each<[string, (x: Tensor) => Tensor]>([
  ['interpolate', (x) => functional.interpolate(x.reshape([1, 2, 6]), { size: 9, mode: 'linear' })],
  [
    'multiMarginLoss',
    (x) => functional.multiMarginLoss(x.reshape([4, 3]), randint(0, 3, [4], { device: x.device }).mul(0)),
  ],
  ['gaussianNllLoss', (x) => functional.gaussianNllLoss(x, x.detach().mul(2), x.detach().square().add(1))],
  ['batch norm in training', (x) => new BatchNorm1d(3).to(x.device)(x.reshape([4, 3]))],
])('%s and its gradient read nothing of a device that is read later', async (_, f) => {
  const values = randn([12]);
  const derivatives = (device: string): Tensor[] => {
    const x = values.to(device).detach().requiresGrad_();
    const y = f(x);
    return [y, grad(y, [x], { gradOutputs: ones(y.shape, { device }) })[0]!];
  };
  const [got, want] = [derivatives('far'), derivatives('cpu')];
  for (const [i, t] of want.entries()) {
    const values = await got[i]!.data();
    t.toTypedArray().forEach((v, j) => {
      expect(values[j]).toBeCloseTo(v, 5);
    });
  }
});

it('values made on the host are moved to the device of what they initialize', async () => {
  const kernels = init.dirac_(ones([2, 2, 3], { device: 'far' }));
  expect(Array.from(await kernels.data())).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
});

it('gradients are clipped by their joint norm there too, in float32 whatever they are in', async () => {
  const [half, single] = (['float16', 'float32'] as const).map((dtype) => {
    const w = ones([2], { device: 'far', dtype }).requiresGrad_();
    w.grad = ones([2], { device: 'far', dtype }).mul(6e4);
    return w;
  }) as [Tensor, Tensor];
  // Beyond what float16 holds.
  expect(await optim.clipGradNormAsync_([half], 1)).toBeCloseTo(6e4 * Math.SQRT2, -1);
  expect(Array.from(await half.grad!.data())).toEqual([
    expect.closeTo(Math.SQRT1_2, 3),
    expect.closeTo(Math.SQRT1_2, 3),
  ]);
  single.grad!.mul_(1e-4);
  half.grad!.mul_(0);
  expect(await optim.clipGradNormAsync_([half, single], 1)).toBeCloseTo(6 * Math.SQRT2, 4);
  expect(single.grad!.dtype + half.grad!.dtype).toBe('float32float16');
});

it.each(['cpu', 'far'])('a norm that is not finite is refused by the name that was called, on %s', async (device) => {
  const w = ones([1], { device }).requiresGrad_();
  w.grad = ones([1], { device }).mul(Number.NaN);
  await expect(optim.clipGradNormAsync_([w], 1, { errorIfNonfinite: true })).rejects.toThrow(
    /^clipGradNormAsync_: the norm of the gradients is NaN/,
  );
});

it('a causal mask is 0 where one may look', () => {
  expect(causalMask(2, 3).toArray()).toEqual([
    [0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    [0, 0, Number.NEGATIVE_INFINITY],
  ]);
  expect(() => functional.multiMarginLoss(ones([1, 3]), tensor([3], { dtype: 'int32' }))).toThrow(
    'multiMarginLoss: target class 3 is out of range for 3 classes',
  );
});

it('a device that is not there is refused by a module, whether it has parameters or none', async () => {
  for (const model of [new Linear(2, 2), new ReLU()]) {
    await expect(model.toAsync('nope')).rejects.toThrow(/^toAsync: there is no device 'nope'; there is cpu/);
    expect(() => model.to('nope')).toThrow(/^to: .*'nope'/);
  }
});

it('clipGradNorm_ gives the norm as a number, so it refuses gradients there and names what does not', () => {
  const w = ones([1], { device: 'far' }).requiresGrad_();
  w.grad = ones([1], { device: 'far' });
  expect(() => optim.clipGradNorm_([w], 1)).toThrow(/^clipGradNorm_: .* on far .* await optim.clipGradNormAsync_/);
});

it('LBFGS refuses parameters there by its own name, before the closure runs', () => {
  const w = ones([1], { device: 'far' }).requiresGrad_();
  const closure = vi.fn(() => 1);
  expect(() => new optim.LBFGS([w]).step(closure)).toThrow(/^LBFGS.step: .* on far/);
  expect(closure).not.toHaveBeenCalled();
});
