import { readFileSync } from 'node:fs';
import * as core from '@gradgate/core';
import {
  arange,
  backend,
  batchNorm,
  cat,
  crossEntropy,
  DeviceError,
  DTypeError,
  full,
  mseLoss,
  noGrad,
  ones,
  randn,
  type Tensor,
  tensor,
  where,
  zeros,
} from '@gradgate/core';
import { functional, Linear } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { current, webgpu } from '../../packages/webgpu/src/backend.js';
import { device, gpuMemory } from '../../packages/webgpu/src/index.js';
import { needGpu } from './gpu.js';

const gpu = await needGpu('the device webgpu');

it('device takes one name, and options by name', async () => {
  await expect(device('cuda' as never)).rejects.toThrow(/device: the name must be 'webgpu', got 'cuda'/);
  await expect(device('webgpu', { powerPreferences: 'low-power' } as never)).rejects.toThrow(
    /did you mean 'powerPreference'/,
  );
  await expect(device('webgpu', { memory: 0 })).rejects.toThrow(RangeError);
});

describe.skipIf(!gpu)('the device webgpu', () => {
  it('is opened once, and named by tensors', async () => {
    expect(await device('webgpu')).toBe('webgpu');
    const x = ones([2], { device: gpu! });
    expect([x.device, String(x)]).toEqual([
      'webgpu',
      'tensor(shape: [2], device: webgpu; its values are read by await t.data())',
    ]);
    expect(() => x.item).not.toThrow();
    expect(() => x.sum().item()).toThrow(
      /item: the values of a tensor on webgpu are not there at once; use await t.data\(\)/,
    );
    expect(() => x.add(ones([2]))).toThrow(/the tensors are on webgpu and cpu/);
  });

  const dtypes = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32'] as const;

  it.each(dtypes.flatMap((from) => dtypes.map((to) => [from, to] as const)))(
    '%s becomes %s as on the host',
    async (from, to) => {
      const values = { bool: [0, 1], uint8: [0, 7, 255] }[from as string] ?? [0, -1, 100, -128];
      const fractions = from.includes('float') ? [0.1, -2.75, 3.375, 65000] : [];
      const x = tensor([
        ...values,
        ...(to === 'uint8' || to === 'int8' ? fractions.slice(0, 3).map(Math.abs) : fractions),
      ]).to(from);
      const want = x.to(to);
      const got = x.to(gpu!).to(to);
      expect(got.dtype).toBe(to);
      expect(await got.data()).toEqual(want.toTypedArray());
    },
  );

  it.each(dtypes)('%s goes there and back as it is stored', async (dtype) => {
    const x = tensor([0, 1, 1, 0, 1]).to(dtype);
    expect(await x.to(gpu!).data()).toEqual(x.toTypedArray());
  });

  it.each(dtypes)('%s is written in part, from any element on', async (dtype) => {
    const x = tensor([0, 1, 1, 0, 1, 1, 0]).to(dtype);
    for (const [from, to] of [
      [0, 3],
      [1, 2],
      [2, 4],
      [3, 7],
      [4, 7],
      [6, 7],
    ] as const) {
      const there = zeros([7], { dtype, device: gpu! });
      const part = x.narrow(0, from, to - from).clone();
      webgpu.write(there.storage, backend('cpu').read(part.storage), from);
      const want = zeros([7], { dtype });
      want.narrow(0, from, to - from).copy_(part);
      expect(await there.data(), `${from} to ${to}`).toEqual(want.toTypedArray());
    }
  });

  it('refuses float64, and int64 beyond 32 bits, by name and with the way out', () => {
    expect(() => ones([1], { dtype: 'float64' }).to(gpu!)).toThrow(DTypeError);
    expect(() => ones([1], { device: gpu! }).double()).toThrow(
      /^double: there is no float64 on webgpu; use float32, as in/,
    );
    expect(() => tensor([2n ** 31n]).to(gpu!)).toThrow(
      /^to: int64 holds whole numbers of 32 bits on a GPU, .* got 2147483648/,
    );
    expect(() => tensor([-(2n ** 31n)]).to(gpu!)).not.toThrow();
    expect(() => full([2], 2 ** 31, { dtype: 'int64', device: gpu! })).toThrow(
      /int64 holds whole numbers of 32 bits on a GPU, .* got 2147483648/,
    );
    expect(() => zeros([2], { dtype: 'int64', device: gpu! }).fill_(2 ** 31)).toThrow(DTypeError);
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ['a transpose', (x) => x.transpose(0, 2)],
    ['a part', (x) => x.narrow(1, 1, 2)],
    ['every second element', (x) => x.select(2, 1)],
    ['what is expanded', (x) => x.select(0, 0).unsqueeze(0).expand([3, 3, 4])],
    ['a permutation of five dimensions', (x) => x.reshape([1, 2, 3, 2, 2]).permute([4, 2, 0, 3, 1])],
  ])('%s is copied, reduced and multiplied as on the host', async (_, view) => {
    const x = arange(24, { dtype: 'float32' }).reshape([2, 3, 4]);
    const [here, there] = [view(x), view(x.to(gpu!))];
    for (const f of [
      (t: Tensor) => t.clone(),
      (t: Tensor) => t.contiguous(),
      (t: Tensor) => t.add(t.square()),
      (t: Tensor) => t.sum(),
      (t: Tensor) => t.sum(-1),
      (t: Tensor) => t.amax(0),
      (t: Tensor) => t.matmul(t.transpose(-1, -2)),
      (t: Tensor) => t.softmax(0),
      (t: Tensor) => t.to('int32'),
    ]) {
      const [got, want] = [await f(there).data(), f(here).toTypedArray()];
      want.forEach((v, i) => void expect(Math.abs(got[i]! - v) / Math.max(1, Math.abs(v))).toBeLessThan(1e-6));
    }
  });

  it('writes to parts of a storage in place, also from the same one', async () => {
    const twice = (where: string) => {
      const x = arange(12, { dtype: 'float32' }).reshape([3, 4]).to(where).clone();
      x.narrow(0, 1, 2).copy_(x.narrow(0, 0, 2));
      x.select(1, 2).fill_(9);
      x.t().narrow(0, 0, 1).mul_(2);
      return x.toArrayAsync();
    };
    expect(await twice(gpu!)).toEqual(await twice('cpu'));
  });

  it('reduces much more than a workgroup, and products of odd sizes', async () => {
    const x = randn([70, 1030]);
    const y = randn([1030, 45]);
    const close = async (got: Tensor, want: Tensor, tolerance = 1e-5) => {
      const values = await got.data();
      const scale = want.abs().max().item();
      const errors = Array.from(want.toTypedArray(), (v, i) => Math.abs(values[i]! - v));
      expect(errors.reduce((a, b) => Math.max(a, b)) / scale).toBeLessThan(tolerance);
    };
    const there = x.to(gpu!);
    for (const which of ['sum', 'mean', 'amax', 'amin', 'norm', 'argmax', 'argmin'] as const) {
      const dims = which === 'norm' ? [2, 0] : [0];
      await close(there[which](), x[which]());
      await close((there as any)[which](...dims), (x as any)[which](...dims));
    }
    await close(there.matmul(y.to(gpu!)), x.matmul(y));
    await close(there.t().matmul(there), x.t().matmul(x));
    expect(await there.gt(0).sum().itemAsync()).toBe(x.gt(0).sum().item());
    expect(await there.gt(9).any().itemAsync()).toBe(0);
  });

  /** The largest relative error. */
  const apart = (got: ArrayLike<number>, want: ArrayLike<number>): number =>
    Array.from(want, (v, i) => Math.abs(got[i]! / v - 1)).reduce((a, b) => Math.max(a, b));

  it('sums of many elements of one sign keep their digits', async () => {
    // Equal ones, whose rounding errors all have one sign.
    const x = full([64, 1 << 16], 0.1);
    const images = x.view([4, 16, 1 << 16]);
    const bias = (where: string): Tensor => {
      const b = zeros([16], { device: where, requiresGrad: true });
      batchNorm(images.to(where), null, null, { training: true, bias: b }).mul(images.to(where)).sum().backward();
      return b.grad!;
    };
    const all: ((where: string) => Tensor)[] = [
      (where) => x.to(where).sum(1),
      (where) => x.to(where).mean(1),
      (where) => x.to(where).norm(2, 1),
      (where) =>
        x
          .to(where)
          .sub(arange(2, { device: where }).repeat([1 << 15]))
          .std(1),
      (where) =>
        crossEntropy(zeros([20_000, 2], { device: where }), zeros([20_000], { dtype: 'int32', device: where })),
      (where) => mseLoss(x.to(where), zeros(x.shape, { device: where })),
      bias,
    ];
    for (const f of all) {
      const [got, want] = [await f(gpu!).data(), f('cpu').toTypedArray()];
      expect(apart(got, want), String(f)).toBeLessThan(1e-6);
    }
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ['softmax', (x) => x.softmax(1)],
    ['log softmax', (x) => x.logSoftmax(1)],
    ['logsumexp', (x) => x.logsumexp(1)],
    ['cross entropy', (x) => crossEntropy(x, zeros([4], { dtype: 'int32', device: x.device }))],
    ['RMS norm', (x) => functional.rmsNorm(x, [x.shape[1]!])],
  ])('%s of long rows keeps its digits', async (_, f) => {
    // The exponentials of all but the first are equal, and no power of 2.
    const x = cat([ones([4, 1]), full([4, 1 << 16], 0.1)], 1);
    const [got, want] = [await f(x.to(gpu!)).data(), f(x.to('float64')).toTypedArray()];
    expect(apart(got, want)).toBeLessThan(1e-6);
  });

  it.each([7, 1100])(
    'the mean of a cross entropy is over the rows with a class, and so is its gradient: %i rows',
    async (rows) => {
      const of = async (where: string) => {
        const x = arange(rows * 3, { dtype: 'float32' })
          .cos()
          .view([rows, 3])
          .to(where)
          .requiresGrad_();
        const target = arange(rows).remainder(4).sub(1).to(where);
        const loss = crossEntropy(x, target, { ignoreIndex: -1 });
        loss.mul(rows).backward();
        return [...(await loss.data()), ...(await x.grad!.data())];
      };
      const [got, want] = [await of(gpu!), await of('cpu')];
      want.forEach((v, i) => void expect(Math.abs(got[i]! - v)).toBeLessThan(2e-6));
      const none = zeros([2, 3], { device: gpu!, requiresGrad: true });
      crossEntropy(none, tensor([-1, -1], { device: gpu!, dtype: 'int32' }), { ignoreIndex: -1 }).backward();
      expect(await none.grad!.toArrayAsync()).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
    },
  );

  it('scans are NaN from a NaN on, also from the first element on', async () => {
    const x = tensor([
      [Number.NaN, 1, 2, -1],
      [1, Number.NaN, 2, 0],
      [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN, 1],
    ]);
    for (const f of ['cumsum', 'cumprod', 'logcumsumexp'] as const)
      expect(await x.to(gpu!)[f](1).toArrayAsync(), f).toEqual(x[f](1).toArray());
    expect(await x.narrow(1, 0, 1).to(gpu!).logcumsumexp(1).data()).toEqual(
      x.narrow(1, 0, 1).logcumsumexp(1).toTypedArray(),
    );
  });

  it('takes what has no elements, and single numbers', async () => {
    const none = zeros([0, 3], { device: gpu! });
    expect(await none.add(1).data()).toEqual(new Float32Array(0));
    expect(await none.sum(0).toArrayAsync()).toEqual([0, 0, 0]);
    expect(await none.t().matmul(none).toArrayAsync()).toEqual(zeros([3, 3]).toArray());
    expect(await tensor(3, { device: gpu! }).square().itemAsync()).toBe(9);
  });

  it('takes parameters of any size, which may be in memory shared with threads', async () => {
    const layer = new Linear(64, 64);
    const before = layer.weight.toTypedArray();
    layer.to(gpu!);
    expect(await layer.weight.data()).toEqual(before);
  });

  it('takes a tensor of no dimension on the host beside its own, as a number', async () => {
    const x = tensor([1, 2, 3], { device: gpu!, requiresGrad: true });
    const two = tensor(2);
    const y = x
      .mul(two)
      .add(two.to('int32'))
      .sub(tensor([5, 1]).select(0, 1));
    expect([y.device, y.dtype]).toEqual([gpu, 'float32']);
    expect(await y.toArrayAsync()).toEqual([3, 5, 7]);
    y.sum().backward();
    expect(await x.grad!.toArrayAsync()).toEqual([2, 2, 2]);
    expect(await two.div(tensor(4, { device: gpu! })).itemAsync()).toBe(0.5);
    expect(await where(x.detach().gt(two), two, 0).toArrayAsync()).toEqual([0, 0, 2]);
    expect(await where(x.detach().gt(two), 1, 0).toArrayAsync()).toEqual([0, 0, 1]);
    expect(await x.detach().mul_(two).toArrayAsync()).toEqual([2, 4, 6]);
    expect(
      (
        await tensor([2 ** 31 - 1], { dtype: 'int64', device: gpu! })
          .eq(tensor(2 ** 31 - 1, { dtype: 'int64' }))
          .data()
      )[0],
    ).toBe(1);
  });

  it('refuses other tensors of the host beside its own, and one that requires grad', () => {
    const x = tensor([1, 2], { device: gpu! });
    expect(() => x.add(tensor([1]))).toThrow(/add: the tensors are on webgpu and cpu/);
    expect(() => tensor([1, 2]).add(tensor(1, { device: gpu! }))).toThrow(/add: the tensors are on cpu and webgpu/);
    const scale = tensor(2, { requiresGrad: true });
    expect(() => x.mul(scale)).toThrow(
      /^mul: a tensor of no dimension on cpu gets no gradient from webgpu; make it there, by \{ device: 'webgpu' \}/,
    );
    expect(() => tensor(1).add_(tensor(1, { device: gpu! }))).toThrow(DeviceError);
    expect(noGrad.run(() => x.mul(scale)).device).toBe(gpu);
  });

  it('refuses in the name of whoever made or moved a tensor, with the way out', async () => {
    const on = { device: gpu!, dtype: 'float64' } as const;
    const made: Record<string, () => unknown> = {
      zeros: () => zeros([2], on),
      full: () => core.full([2], 1, on),
      tensor: () => tensor([1], on),
      arange: () => arange(3, on),
      eye: () => core.eye(3, on),
      randn: () => randn([2], on),
      onesLike: () => core.onesLike(ones([1], { device: gpu! }), { dtype: 'float64' }),
      to: () => ones([1], { dtype: 'float64' }).to(gpu!),
      double: () => ones([1], { device: gpu! }).double(),
    };
    for (const [name, make] of Object.entries(made))
      expect(make, name).toThrow(
        new RegExp(`^${name}: there is no float64 on webgpu; use float32, as in \\{ dtype: 'float32' \\}`),
      );
    await expect(ones([1], { dtype: 'float64' }).toAsync(gpu!)).rejects.toThrow(
      /^toAsync: there is no float64 on webgpu/,
    );
    const most = current.gpu!.device.limits.maxStorageBufferBindingSize;
    const tooLong = most / 4 + 1;
    const long = ones([1], { device: gpu! }).expand([tooLong]);
    for (const [name, make] of Object.entries({
      zeros: () => zeros([tooLong], { device: gpu! }),
      add: () => long.add(1),
      clone: () => long.clone(),
      cat: () => core.cat([long, long]),
    }))
      expect(make, name).toThrow(
        new RegExp(`^${name}: .*bytes is more than the ${most} that a buffer of this GPU holds`),
      );
    expect(() => zeros([1], { device: gpu! }).to('cuda')).toThrow(
      /^to: unknown dtype or device 'cuda'; use one of .*float32.*, cpu, webgpu/,
    );
  });

  it('takes numbers beside its tensors in dtypes that it has', async () => {
    const x = tensor([1, 2, 3], { device: gpu! });
    expect(await x.add(tensor(0.5, { dtype: 'float64' })).toArrayAsync()).toEqual([1.5, 2.5, 3.5]);
    expect(await core.searchsorted(x, 2).itemAsync()).toBe(1);
    expect(await core.searchsorted(x.int(), 2.5).itemAsync()).toBe(2);
    expect(await core.isin(x, [1, 2.5]).toArrayAsync()).toEqual([true, false, false]);
    expect(await core.isin(x.int(), [3, 1.5]).toArrayAsync()).toEqual([false, false, true]);
    expect(await core.isin(x.long(), []).toArrayAsync()).toEqual([false, false, false]);
  });

  it('refuses what it has not by name', async () => {
    const cube = core.unary('cube', { forward: (x) => x ** 3, backward: (g, x) => g.mul(x.square().mul(3)) });
    const x = tensor([1, 2], { device: gpu! });
    expect(() => cube(x)).toThrow(/cube: this function is defined in JavaScript alone, and cannot run on webgpu/);
    expect(() => core.poisson(x)).toThrow(/poisson: .*webgpu/);
    const reads: Record<string, () => unknown> = {
      multinomial: () => core.multinomial(x, 1),
      bincount: () => core.bincount(x.to('int32')),
      nonzero: () => core.nonzero(x),
      maskedSelect: () => core.maskedSelect(x, x.gt(1)),
      unique: () => core.unique(x),
      allclose: () => core.allclose(x, x),
      equal: () => core.equal(x, x),
      repeatInterleave: () => core.repeatInterleave(x, x.to('int32')),
    };
    for (const [name, call] of Object.entries(reads)) expect(call, name).toThrow(DeviceError);
    // The page names these, and no others.
    const page = readFileSync(new URL('../../docs/webgpu.md', import.meta.url), 'utf8');
    const named = [...page.match(/^\| operators that read values[^|]*\|/m)![0].matchAll(/`(\w+)`/g)].map(
      ([, name]) => name,
    );
    expect(named).toEqual(Object.keys(reads));
  });

  it('gives the same random numbers as the host, and the same results each time', async () => {
    const draw = (where: string) => {
      const generator = new core.Generator(5);
      return [
        core.randn([100], { device: where, generator }),
        zeros([50], { device: where }).uniform_(-1, 1, { generator }),
        core.bernoulli(core.full([64], 0.3, { device: where }), { generator }),
        core.dropout(ones([64], { device: where }), { generator }),
      ];
    };
    const [got, want] = [draw(gpu!), draw('cpu')];
    for (const [i, t] of want.entries()) expect(await got[i]!.data()).toEqual(t.toTypedArray());
    const sums = async () =>
      await core.indexAdd(zeros([5], { device: gpu! }), 0, index.to(gpu!), values.to(gpu!)).data();
    const [index, values] = [core.randint(0, 5, [300]), randn([300])];
    expect(await sums()).toEqual(await sums());
  });

  it('draws what dropout needs by itself, where the host would go on', async () => {
    const sizes = [1, 63, 64, 65, 5000, 70_001];
    const draw = (where: string) => {
      const generator = new core.Generator(11);
      generator.normal(); // one that is kept for the next call stays
      const masks = sizes.map((n) => core.dropout(ones([n], { device: where }), { p: 0.7, generator }));
      return { masks, after: [generator.normal(), generator.uniform(), generator.uniform()] };
    };
    const [got, want] = [draw(gpu!), draw('cpu')];
    for (const [i, t] of want.masks.entries()) expect(await got.masks[i]!.data()).toEqual(t.toTypedArray());
    expect(got.after).toEqual(want.after);
  });

  it('reports programs that are wrong at the next read', async () => {
    const x = ones([1], { device: gpu! });
    current.gpu!.device.createShaderModule({ code: 'fn broken(' });
    await expect(
      (async () => {
        for (let i = 0; i < 5; i++) await x.itemAsync();
      })(),
    ).rejects.toThrow(/the GPU reported an error in an earlier call/);
    expect(await x.itemAsync()).toBe(1);
  });

  it('refuses more memory than its budget, and says what is held', async () => {
    await device('webgpu', { memory: gpuMemory().bytes + 2 ** 20 });
    const held: Tensor[] = [];
    const fill = () => {
      for (;;) held.push(zeros([2 ** 16], { device: gpu! }));
    };
    expect(fill).toThrow(DeviceError);
    expect(fill).toThrow(
      /^zeros: 262144 bytes more would exceed the \d+ that tensors may take on webgpu: \d+ hold \d+ now/,
    );
    await device('webgpu', { memory: 2 ** 32 });
    // Nothing is lost.
    expect(await held.at(-1)!.sum().itemAsync()).toBe(0);
  });

  it('that is lost says so to whoever uses its tensors, and is opened anew', async () => {
    const x = ones([3], { device: gpu! });
    current.gpu!.device.destroy();
    await current.gpu!.device.lost;
    expect(() => x.add(1)).toThrow(/the GPU was lost \(destroyed.*await device\('webgpu'\) opens it again/);
    await expect(x.data()).rejects.toThrow(DeviceError);
    expect(() => ones([1], { device: gpu! })).toThrow(DeviceError);
    expect(await device('webgpu')).toBe('webgpu');
    expect(await ones([3], { device: gpu! }).add(1).toArrayAsync()).toEqual([2, 2, 2]);
    expect(() => x.add(1)).toThrow(/the GPU was lost/);
  });
});
