import {
  anomalyMode,
  detectAnomaly,
  dropout,
  evalMode,
  forkRng,
  ones,
  savedTensorsHooks,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { checkpoint } from '@gradgate/core/checkpoint';
import { describe, expect, it } from 'vitest';

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const leaf = (value: number) => tensor([value], { requiresGrad: true });

describe('anomaly detection', () => {
  const nan = (x: Tensor) => x.sub(1).sqrt().mul(0).sum();

  it('covers an async function to its end, and no flow beside it', async () => {
    const work = async () => {
      await tick();
      const loss = nan(leaf(1));
      await tick();
      loss.backward();
    };
    const [inside, beside] = await Promise.allSettled([detectAnomaly(work), work()]);
    expect(inside).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringMatching(/sqrt returned NaN/) },
    });
    expect(beside.status).toBe('fulfilled');
  });

  it('has the forms of gates', () => {
    class Net {
      @anomalyMode step() {
        nan(leaf(1)).backward();
      }
    }
    expect(() => new Net().step()).toThrow(/sqrt returned NaN/);
    expect(() => {
      using _ = anomalyMode.enter();
      nan(leaf(1)).backward();
    }).toThrow(/flows\.test\.ts/);
    expect(() => nan(leaf(1)).backward()).not.toThrow();
  });
});

describe('savedTensorsHooks', () => {
  it('sees what an async function saves after its awaits, and nothing of flows beside it', async () => {
    const packed: number[] = [];
    const hooks = savedTensorsHooks({
      pack: (t: Tensor) => {
        packed.push(t.item());
        return t;
      },
      unpack: (t: Tensor) => t,
    });
    const square = async (value: number) => {
      await tick();
      const x = leaf(value);
      const y = x.mul(x).sum();
      await tick();
      y.backward();
      return x.grad!.item();
    };
    expect(await Promise.all([hooks.run(() => square(3)), square(5)])).toEqual([6, 10]);
    expect(new Set(packed)).toEqual(new Set([3]));
    expect(() => savedTensorsHooks({} as never)).toThrow(/savedTensorsHooks.*pack/s);
  });

  it.each([
    ['of another shape', () => tensor([9])],
    ['of no elements', () => tensor([])],
    ['of another dtype', (t: Tensor) => t.double()],
    ['that is yet to come', async (t: Tensor) => t],
    ['that is none', () => null],
  ])('refuse a tensor %s where the one that was packed must come back', (_, unpack) => {
    const x = ones([4, 4], { requiresGrad: true });
    const loss = savedTensorsHooks({ pack: (t) => t, unpack: unpack as never }, () => x.mul(x.exp()).sum());
    expect(() => loss.backward()).toThrow(
      /^savedTensorsHooks: what unpack\(\) gives (is|must be) a float32 tensor of shape \[4, 4\], as was packed, got/,
    );
    expect(x.grad).toBe(null);
  });
});

describe('checkpoint', () => {
  it('runs again in the modes of the first run, wherever backward is called', () => {
    const x = ones([50], { requiresGrad: true });
    const drop = (t: Tensor) => dropout(t).exp();
    const y = evalMode.run(() => checkpoint(drop, x));
    y.sum().backward();
    expect(x.grad!.allclose(ones([50]).exp())).toBe(true);
    x.zeroGrad();
    const sampled = forkRng(1).run(() => checkpoint(drop, x));
    forkRng(2).run(() => sampled.sum().backward());
    const plain = ones([50], { requiresGrad: true });
    forkRng(1)
      .run(() => drop(plain))
      .sum()
      .backward();
    expect(x.grad!.equal(plain.grad!)).toBe(true);
  });

  it('refuses a function that gives a promise, which backward could not run again', () => {
    const x = leaf(2);
    expect(() => checkpoint(async (t: Tensor) => t.exp(), x)).toThrow(
      /checkpoint.*gave a promise.*between two awaits/s,
    );
  });
});
