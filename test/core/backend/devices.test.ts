import {
  DeviceError,
  getDefaultDevice,
  ones,
  randn,
  registerBackend,
  setDefaultDevice,
  type Tensor,
  tensor,
  zeros,
} from '@gradgate/core';
import { Linear } from '@gradgate/nn';
import { afterEach, describe, expect, it } from 'vitest';
import { cases } from '../operators.js';
import { far } from './far.js';

registerBackend(far);
afterEach(() => void setDefaultDevice('cpu'));

describe('a device', () => {
  it('is told by each tensor, and named where a tensor is made', async () => {
    expect(ones([2]).device).toBe('cpu');
    const x = tensor([1, 2], { device: 'far' });
    expect([x.device, zeros([2], { device: 'far' }).device]).toEqual(['far', 'far']);
    expect(await x.toArrayAsync()).toEqual([1, 2]);
    expect(() => ones([2], { device: 'tpu' })).toThrow(/^ones: there is no device 'tpu'; there is cpu, far/);
    expect(() => ones([2], { device: 3 } as never)).toThrow(TypeError);
  });

  it('may be the default one', () => {
    expect(setDefaultDevice('far')).toBe('cpu');
    expect(getDefaultDevice()).toBe('far');
    expect(ones([2]).device).toBe('far');
    expect(ones([2], { device: 'cpu' }).device).toBe('cpu');
    expect(() => setDefaultDevice('tpu')).toThrow(DeviceError);
  });

  it('is where tensors are moved to and from, with their gradients', async () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const there = w.to('far');
    expect([there.device, there.requiresGrad, w.to('cpu') === w]).toEqual(['far', true, true]);
    expect(await there.data()).toEqual(new Float32Array([1, 2, 3]));
    expect(await there.narrow(0, 2, 1).itemAsync()).toBe(3);
    expect(
      await tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device: 'far' },
      )
        .t()
        .toArrayAsync(),
    ).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(() => registerBackend(far)).toThrow(/there is a device far already/);
  });

  it('is that of the gradient which a tensor is given', () => {
    const w = tensor([1], { requiresGrad: true });
    expect(() => {
      w.grad = ones([1], { device: 'far' });
    }).toThrow(/^grad: the gradient must be on cpu, as its tensor, got far; move it with to\(\)/);
    expect(w.grad).toBe(null);
  });

  it('that cannot be read at once says so', () => {
    const x = ones([1], { device: 'far' });
    expect(() => x.item()).toThrow(/tensor on far are not there at once; use await t.data\(\)/);
    expect(() => x.toArray()).toThrow(DeviceError);
    expect(() => x.to('cpu')).toThrow(DeviceError);
    expect(String(x)).toBe('tensor(shape: [1], device: far; its values are read by await t.data())');
  });

  it('refuses tensors of two devices by name, with the way out', () => {
    expect(() => ones([2, 2]).matmul(ones([2, 2], { device: 'far' }))).toThrow(
      /matmul: the tensors are on cpu and far; move them to one device, as in x.to\('far'\)/,
    );
  });

  it('takes a module, which stays the same', async () => {
    const layer = new Linear(3, 2);
    const { weight } = layer;
    const x = randn([4, 3]);
    const want = layer(x).toArray();
    expect(layer.to('far')).toBe(layer);
    expect([layer.weight === weight, weight.device, weight.requiresGrad]).toEqual([true, 'far', true]);
    const got = await layer(x.to('far')).toArrayAsync();
    expect(got).toEqual(want);
  });
});

/** What asks for values at once, has no kernels behind the seam yet, or takes a mask that its case made on the host. */
// Masks of these cases lie on the host; how long a result of `repeatInterleave` is, its values say.
const known = ['where', 'maskedFill', 'repeatInterleave'];
/** What gives complex tensors, which are on the host only. */
const complex = ['linalg.eig', 'linalg.eigvals'];

/** The gradient of `cumprod` goes another way where values cannot be looked at: its last digit may differ. */
const rounded = ['cumprod'];

async function expectSame(name: string, got: Tensor | null, want: Tensor | null): Promise<void> {
  expect(got?.shape).toEqual(want?.shape);
  if (got === null || want === null) return;
  const [values, expected] = [await got.data(), want.toTypedArray()];
  if (!rounded.includes(name)) {
    expect(values).toEqual(expected);
    return;
  }
  expect(values.constructor).toBe(expected.constructor);
  for (const [i, v] of values.entries())
    if (!Object.is(v, expected[i])) expect(Math.abs(v - expected[i]!) / Math.max(1, Math.abs(v))).toBeLessThan(1e-6);
}

describe('operators on a device that cannot be read at once', () => {
  const onDevice = (t: Tensor) => t.detach().to('far').requiresGrad_(t.requiresGrad);
  const refused: string[] = [];

  it.each(Object.keys(cases))('%s gives what it gives on the host, or is refused by name', async (name) => {
    const [fn, ...makers] = cases[name]!;
    const inputs = makers.map((make) => make());
    const there = inputs.map(onDevice);
    let got: Tensor[];
    let gradients: (Tensor | null)[];
    try {
      // What the case makes itself is on the device too.
      setDefaultDevice('far');
      got = [fn(...there)].flat();
      got[0]!.sum().backward();
      gradients = there.map((t) => t.grad);
    } catch (error) {
      expect(error).toBeInstanceOf(DeviceError);
      refused.push(name);
      return;
    } finally {
      setDefaultDevice('cpu');
    }
    const want = [fn(...inputs)].flat();
    want[0]!.sum().backward();
    for (const [i, t] of want.entries()) await expectSame(name, got[i]!, t);
    for (const [i, t] of inputs.entries()) await expectSame(name, gradients[i]!, t.grad);
  });

  it('all operators run there but for those that are listed', () => {
    const all = Object.keys(cases).length;
    console.log(`operators on far: ${all - refused.length} of ${all}; refused: ${refused.join(', ')}`);
    expect(refused.filter((name) => ![...known, ...complex].includes(name))).toEqual([]);
  });
});
