import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ones, randn, tensor } from '@gradgate/core';
import {
  BatchNorm1d,
  Linear,
  load,
  loadCheckpoint,
  loadNpy,
  optim,
  Sequential,
  save,
  saveCheckpoint,
  saveNumpy,
} from '@gradgate/nn';
import { afterAll, describe, expect, it } from 'vitest';
import { needGpu } from './gpu.js';

const gpu = await needGpu('moving and saving what is on webgpu');
const folder = mkdtempSync(join(tmpdir(), 'gradgate-webgpu-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!gpu)('what is on webgpu', () => {
  const trained = (device: string) => {
    const model = new Sequential(new Linear(3, 4), new BatchNorm1d(4), new Linear(4, 2)).to(device);
    const optimizer = new optim.Adam(model.parameters());
    model(randn([5, 3]).to(device))
      .square()
      .sum()
      .backward();
    optimizer.step();
    return { model, optimizer };
  };

  it('comes back by toAsync, with gradients, and stays the same objects', async () => {
    const { model } = trained(gpu!);
    const [before] = [...model.parameters()];
    const values = await before!.data();
    const gradient = await before!.grad!.data();
    await model.toAsync('cpu');
    const [after] = [...model.parameters()];
    expect(after).toBe(before);
    expect([after!.device, after!.grad!.device, after!.requiresGrad]).toEqual(['cpu', 'cpu', true]);
    expect([after!.toTypedArray(), after!.grad!.toTypedArray()]).toEqual([values, gradient]);
    expect(model(randn([5, 3])).device).toBe('cpu');
    expect((await randn([2, 3]).to(gpu!).t().toAsync('cpu')).shape).toEqual([3, 2]);
  });

  it('is saved and loaded, also from one device into the other', async () => {
    const path = join(folder, 'model.safetensors');
    const there = trained(gpu!).model;
    await save(path, there.stateDict());
    const here = trained('cpu').model;
    here.loadStateDict(await load(path));
    const again = trained(gpu!).model;
    again.loadStateDict(await load(path));
    const x = randn([5, 3]);
    here.eval();
    again.eval();
    const want = here(x).toTypedArray();
    (await again(x.to(gpu!)).data()).forEach((v, i) => void expect(v).toBeCloseTo(want[i]!, 5));
  });

  it('goes on from a checkpoint where it was', async () => {
    const path = join(folder, 'run.safetensors');
    const first = trained(gpu!);
    await saveCheckpoint(path, { ...first, epoch: 3 });
    const second = trained(gpu!);
    const { epoch } = await loadCheckpoint(path, { ...second, epoch: 0 });
    expect(epoch).toBe(3);
    const x = ones([5, 3], { device: gpu! }).mul(tensor([1, 2, 3], { device: gpu! }));
    const next = async ({ model, optimizer }: typeof first) => {
      optimizer.zeroGrad();
      model(x.add(randnOf)).square().sum().backward();
      optimizer.step();
      return Promise.all([...model.parameters()].map((p) => p.data()));
    };
    const randnOf = randn([5, 3]).to(gpu!);
    expect(await next(second)).toEqual(await next(first));
  });

  it('is written as npy', async () => {
    const path = join(folder, 'x.npy');
    const x = randn([3, 2]);
    await saveNumpy(path, x.to(gpu!).t());
    expect((await loadNpy(path)).toArray()).toEqual(x.t().toArray());
  });

  it('has its gradients clipped as on the host, without a look at them', async () => {
    for (const normType of [2, 1, Number.POSITIVE_INFINITY]) {
      const clipped = async (device: string) => {
        const w = tensor([3, -4, 12]).to(device).detach().requiresGrad_();
        const v = tensor([1]).to(device).detach().requiresGrad_();
        w.square().sum().add(v.mul(5).sum()).backward();
        const norm = await optim.clipGradNormAsync_([w, v], 2, { normType });
        return [norm, ...(await w.grad!.data()), ...(await v.grad!.data())];
      };
      const [got, want] = [await clipped(gpu!), await clipped('cpu')];
      got.forEach((v, i) => void expect(v).toBeCloseTo(want[i]!, 5));
    }
    const w = tensor([1], { device: gpu! }).requiresGrad_();
    w.mul(Number.POSITIVE_INFINITY).sum().backward();
    await expect(optim.clipGradNormAsync_([w], 1, { errorIfNonfinite: true })).rejects.toThrow(
      /norm of the gradients is Infinity/,
    );
  });

  it('takes copies of what is on the host, and the other way round says how', async () => {
    const x = ones([2], { device: gpu! });
    expect(await x.copy_(tensor([3, 4])).toArrayAsync()).toEqual([3, 4]);
    expect(() => ones([2]).copy_(x)).toThrow(/^copy_: the values of a tensor on webgpu.*await t.toAsync\('cpu'\)/);
  });
});
