import * as core from '@gradgate/core';
import { noGrad, randn, type Tensor } from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import { beforeEach, describe, expect, it } from 'vitest';
import { cases, notDifferentiable } from '../operators.js';

const f64 = { dtype: 'float64', requiresGrad: true } as const;

beforeEach(() => {
  core.manualSeed(2);
});

describe.each(Object.entries(cases))('%s', (_, [fn, ...inputs]) => {
  it('has the gradient that finite differences give', () => {
    expect(
      gradcheck(
        fn,
        inputs.map((make) => make()),
      ),
    ).toBe(true);
  });
  it('has the second derivatives that finite differences give', () => {
    expect(
      gradgradcheck(
        fn,
        inputs.map((make) => make()),
        { atol: 1e-4 },
      ),
    ).toBe(true);
  });
});

it('every operator that core exports is in the table, or named as having no gradient', async () => {
  const ops = await import('../../../packages/core/src/ops/index.js');
  const functions = Object.entries(ops)
    .filter(([, v]) => typeof v === 'function')
    .map(([name]) => name);
  expect(functions.filter((name) => !(name in cases) && !notDifferentiable.has(name))).toEqual([]);
});

it('so is every function of linalg and special', async () => {
  // Those that core exports by another name, and those that count or throw.
  const others = ['inv', 'matrixRank', 'ldlFactor', 'LinAlgError', 'expit', 'psi', 'gammaln'];
  const entries = { linalg: await import('@gradgate/core/linalg'), special: await import('@gradgate/core/special') };
  for (const [entry, exported] of Object.entries(entries)) {
    const own = Object.keys(exported).filter((name) => !(name in core && name !== 'norm') && !others.includes(name));
    expect(own.filter((name) => !(`${entry}.${name}` in cases))).toEqual([]);
  }
});

describe('gradcheck', () => {
  it('finds a wrong rule, and names input, element and both values', () => {
    const wrong = (x: Tensor) =>
      x
        .detach()
        .mul(2)
        .add(x.mul(3).sub(x.detach().mul(3)));
    expect(() => gradcheck(wrong, [randn([2], f64)])).toThrow(
      /input 0 of shape \[2\], element 0: the gradient is .*finite differences give/,
    );
  });

  it('says so under noGrad, and takes float64 only', () => {
    expect(() => noGrad.run(() => gradcheck((x) => x, [randn([2], f64)]))).toThrow(/gradients are off here/);
    expect(() => gradcheck((x) => x, [randn([2], { requiresGrad: true })])).toThrow(
      /inputs must be float64, got float32/,
    );
    expect(() => gradcheck((x) => x, [randn([2], { dtype: 'float64' })])).toThrow(/none of the inputs requires grad/);
  });
});
