// A device that is lost in the middle of training, on Dawn's null backend.
import { ones, randint, randn, tidy } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { functional, Linear, optim, Sequential, Tanh } from '@gradgate/nn';
import { expect, it } from 'vitest';
import { current } from '../../packages/webgpu/src/backend.js';
import { device, gpuMemory } from '../../packages/webgpu/src/index.js';
import { needNullGpu } from './gpu.js';

const gpu = await needNullGpu('the loss of a device');

function training() {
  const model = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 2)).to(gpu!);
  const optimizer = new optim.Adam(model.parameters());
  const [x, y] = [randn([8, 4]).to(gpu!), randint(0, 2, [8]).to(gpu!)];
  const step = () => {
    optimizer.zeroGrad();
    const loss = functional.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    return loss.detach();
  };
  return { model, optimizer, x, y, step };
}

it.skipIf(!gpu)('says so wherever it is met, and training begins again on the next one', async () => {
  const { model, optimizer, x, y, step } = training();
  const compiled = compile(step);
  for (let i = 0; i < 4; i++) await compiled().itemAsync();
  expect(compiled.explain().replays).toBeGreaterThan(1);
  const loss = functional.crossEntropy(model(x), y);
  const reading = loss.itemAsync();
  current.gpu!.device.destroy();
  const said =
    /the GPU was lost \(destroyed.*; the contents of its tensors are lost; await device\('webgpu'\) opens it again/;
  await expect(reading).rejects.toThrow(said);
  for (const use of [
    () => loss.backward(),
    () => model(x),
    () => optimizer.step(),
    () => compiled(),
    () => compile((v: typeof x) => v.add(1))(x),
    () => tidy.run(() => x.add(1)),
    () => ones([3], { device: gpu! }),
    () => x.copy_(randn([8, 4])),
  ])
    expect(use).toThrow(said);
  await expect(x.data()).rejects.toThrow(said);
  await expect(model.toAsync('cpu')).rejects.toThrow(said);

  await device('webgpu', { flags: ['backend=null'] });
  const again = training();
  const anew = compile(again.step);
  for (let i = 0; i < 4; i++) await anew().itemAsync();
  expect(anew.explain().replays).toBeGreaterThan(1);
  // What was there before stays lost.
  expect(() => x.add(1)).toThrow(said);
  expect(() => again.x.add(x)).toThrow(said);
  expect(() => compiled()).toThrow(said);
  expect(gpuMemory().tensors).toBeGreaterThan(0);
});
