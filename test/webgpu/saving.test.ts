import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noGrad, ones, randn, type Tensor, tensor } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
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

  it('has its gradients clipped by a norm that nobody reads, in a compiled step too', async () => {
    const run = async (device: string, wrap: (step: () => Tensor) => () => Tensor) => {
      const [w, v] = [[3, -4, 12], [1]].map((values) => tensor(values).to(device).detach().requiresGrad_());
      const step = wrap(() => {
        for (const p of [w!, v!]) p.grad = null;
        w!.square().sum().add(v!.mul(5).sum()).backward();
        const total = optim.getTotalNorm([w!.grad!, v!.grad!]);
        optim.clipGradsWithNorm_([w!, v!], 2, total);
        noGrad.run(() => [w!, v!].forEach((p) => void p.sub_(p.grad!)));
        return total;
      });
      const norms: number[] = [];
      for (let i = 0; i < 4; i++) norms.push(await step().itemAsync());
      return [...norms, ...(await w!.data()), ...(await v!.data())];
    };
    const want = await run('cpu', (step) => step);
    const compiled: { replays: number }[] = [];
    const got = await run(gpu!, (step) => {
      const f = compile(step);
      compiled.push({
        get replays() {
          return f.explain().replays;
        },
      });
      return f;
    });
    got.forEach((v, i) => void expect(v).toBeCloseTo(want[i]!, 4));
    expect(compiled[0]!.replays).toBeGreaterThan(0);
  });

  it('says in the name of the step that what an optimizer remembers is elsewhere, and how it goes on', async () => {
    const model = new Linear(2, 2);
    const optimizer = new optim.Adam(model.parameters());
    const step = (device: string) => {
      model(ones([1, 2], { device }))
        .sum()
        .backward();
      optimizer.step();
    };
    step('cpu');
    model.to(gpu!);
    optimizer.zeroGrad();
    expect(() => step(gpu!)).toThrow(
      /^Adam.step: a parameter is on webgpu, and what the optimizer remembers of it on cpu; .*loadStateDict\(optimizer.stateDict\(\)\)/,
    );
    optimizer.loadStateDict(optimizer.stateDict());
    const before = await model.weight.data();
    optimizer.step();
    expect(await model.weight.data()).not.toEqual(before);
  });

  it('takes copies of what is on the host, and the other way round says how', async () => {
    const x = ones([2], { device: gpu! });
    expect(await x.copy_(tensor([3, 4])).toArrayAsync()).toEqual([3, 4]);
    expect(() => ones([2]).copy_(x)).toThrow(/^copy_: the values of a tensor on webgpu.*await t.toAsync\('cpu'\)/);
  });
});
