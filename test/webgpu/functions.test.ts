import { type Tensor, tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';
import type { BinaryFunction, UnaryFunction } from '../../packages/core/src/backend/functions.js';
import { kernels as host } from '../../packages/core/src/backend/host/kernels.js';
import { functions } from '../../packages/core/src/ops/define.js';
import { webgpu } from '../../packages/webgpu/src/backend.js';
import '../../packages/core/src/special/index.js';
import { binary, unary } from '../../packages/webgpu/src/functions.js';
import { InternalTensor } from '../core/internalTensor.js';
import { needGpu } from './gpu.js';

const gpu = await needGpu('elementwise functions in WGSL');

it('every elementwise function of core has its expression in WGSL, and no other', () => {
  expect(Object.keys(unary).sort()).toEqual([...functions.unary.keys()].sort());
  expect(Object.keys(binary).sort()).toEqual([...functions.binary.keys()].sort());
});

/** Parameters that a function is called with, where it has any. */
const parameters: Record<string, readonly number[]> = {
  signedPower: [2.5],
  absPower: [1.5],
  clamp: [-0.75, 0.5],
  clampGradient: [-0.75, 0.5],
  hardtanhGradient: [-0.75, 0.5],
  pow: [2.5],
  polygamma: [2, -2],
  sincSlope: [1],
  logit: [0.01],
  softplus: [2, 20],
  elu: [0.75],
  eluGradient: [0.75],
  leakyRelu: [0.1],
  leakyReluGradient: [0.1],
  softshrink: [0.5],
  hardshrink: [0.5],
  huber: [1.5],
};

const small = [0, -0, 1, -1, 0.5, -0.5, 2, -2, 0.1, -0.1, 0.7, -0.3, 1.5, -2.5, 3.25, 1e-3, -1e-6, 7, -6.75, 12.5];
const large = [20, -20, 50, 100, -100, 1e4, -1e4, 31_000, 2e5, 1e9, -1e9, 3e38, -3e38];
const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Errors relative to the size of the result, or absolute below 1, where it is not 1e-6. */
const tolerances: Record<string, number> = {
  lgamma: 4e-6,
  digamma: 4e-6,
  polygamma: 1e-5,
  erfinv: 1e-5,
  sincSlope: 1e-5,
  logaddexp: 2e-6,
  pow: 4e-6,
  binaryCrossEntropy: 4e-6,
  i0: 4e-6,
  i0e: 2e-6,
  i1: 4e-6,
  i1e: 2e-6,
  besselJ0: 2e-6,
  besselJ1: 2e-6,
  besselY0: 2e-6,
  besselY1: 2e-6,
  modifiedBesselK0: 2e-6,
  modifiedBesselK1: 2e-6,
  scaledModifiedBesselK0: 2e-6,
  scaledModifiedBesselK1: 2e-6,
  airyAi: 2e-6,
  airySlope: 4e-6,
  erfcx: 2e-6,
  ndtri: 2e-6,
  gammainc: 1e-5,
  gammaincc: 1e-5,
  zeta: 1e-5,
};

/** Large arguments that float32 does not tell well enough from their neighbors, or of which the host counts otherwise. */
const noLarge = [
  'sinc',
  'sincSlope',
  'lgamma',
  'digamma',
  'polygamma',
  'zeta',
  'gammainc',
  'gammaincc',
  'airyAi',
  'airySlope',
];
/** Functions whose zeros may have either sign, at infinities or where both operands are zeros. */
const unsigned = ['besselJ1', 'i1e', 'sphericalBesselJ1', 'entr', 'logNdtr', 'fmax', 'fmin'];
const float32 = (values: readonly number[]) => Float32Array.from(values);

function expectClose(name: string, got: ArrayLike<number>, want: ArrayLike<number>, of: (i: number) => unknown): void {
  for (let i = 0; i < want.length; i++) {
    const [v, w] = [got[i]!, want[i]!];
    if (Object.is(v, -0) !== Object.is(w, -0) && w === 0 && !unsigned.includes(name))
      expect.fail(`${name}(${of(i)}) is ${v}, not ${w}, in its sign`);
    if (v === w || (Number.isNaN(v) && Number.isNaN(w))) continue;
    // Of what is too small for a normal number, devices may make 0.
    if (Math.abs(w) < 1.2e-38 && Math.abs(v) < 1.2e-38) continue;
    const error = Math.abs(v - w) / Math.max(1, Math.abs(w));
    if (!(error <= (tolerances[name] ?? 1e-6))) expect.fail(`${name}(${of(i)}) is ${v}, expected ${w}: ${error}`);
  }
}

describe.skipIf(!gpu)('on webgpu as on the host', () => {
  it.each([...functions.unary])('%s', async (name, fn: UnaryFunction) => {
    const values = [...small, ...(noLarge.includes(name) ? [] : large), ...odd];
    const x = tensor(float32(values));
    const there = x.to(gpu!);
    const [want, got] = [
      InternalTensor.uninitialized('float32', x.shape),
      InternalTensor.uninitialized('float32', x.shape, webgpu),
    ];
    host.unary(fn, x, want, parameters[name]);
    webgpu.kernels.unary(fn, there, got, parameters[name]);
    expectClose(name, await got.data(), want.toTypedArray(), (i) => values[i]);
  });

  it.each([...functions.binary])('%s', async (name, fn: BinaryFunction) => {
    const isBitwise = /bitwise|gcd|lcm/.test(name);
    // The host computes in float64: what overflows or cancels on the way in float32 is left out for gradients and losses.
    const of32 = /Gradient|Entropy/.test(name)
      ? [...small, Number.NaN]
      : [...small, ...(noLarge.includes(name) ? [] : large), ...odd];
    const values = isBitwise ? [0, 1, 2, 3, -4, 12, 18] : of32;
    const dtype = isBitwise ? 'int32' : 'float32';
    const first = values.flatMap((v) => values.map(() => v));
    const second = values.flatMap(() => values);
    const [a, b] = [tensor(float32(first)).to(dtype), tensor(float32(second)).to(dtype)];
    const told = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'same', 'logicalAnd', 'logicalOr', 'logicalXor'].includes(name);
    const given = told ? 'bool' : dtype;
    const [want, got] = [
      InternalTensor.uninitialized(given, a.shape),
      InternalTensor.uninitialized(given, a.shape, webgpu),
    ];
    host.binary(fn, a, b, want, parameters[name]);
    webgpu.kernels.binary(fn, a.to(gpu!), b.to(gpu!), got, parameters[name]);
    expectClose(name, await got.data(), want.toTypedArray(), (i) => `${first[i]}, ${second[i]}`);
  });

  const tails: Record<string, readonly (readonly number[])[]> = {
    ndtr: [[-1], [-5], [-12]],
    logNdtr: [[5], [-3], [-50], [-1e4]],
    erfcx: [[-9], [-3], [5], [1e5]],
    ndtri: [[1e-30], [1e-5], [0.3], [0.75], [0.9999]],
    i0e: [[9.9], [10.1], [1e4]],
    i1: [[1e-10], [9.9], [10.1], [80]],
    besselY0: [[1e-30], [0.01], [11.9], [12.1], [1000]],
    besselY1: [[1e-30], [0.01], [11.9], [12.1], [1000]],
    modifiedBesselK0: [[1e-30], [0.99], [1.01], [5], [12.1], [80]],
    modifiedBesselK1: [[1e-30], [0.99], [1.01], [5], [12.1], [80]],
    scaledModifiedBesselK0: [[1e-30], [1.01], [11.9], [12.1], [1e6]],
    scaledModifiedBesselK1: [[1e-30], [1.01], [11.9], [12.1], [1e6]],
    sphericalBesselJ0: [[1e-4], [1e4]],
    sphericalBesselJ1: [[1e-20], [0.99], [1.01], [1e4]],
    airyAi: [[-1000], [-50], [-7.01], [-6.99], [-1], [0.99], [1.01], [5], [8], [20]],
    airySlope: [[-1000], [-50], [-7.01], [-6.99], [-1.5], [0.99], [1.01], [5], [8], [20]],
    gammainc: [
      [0.01, 1e-5],
      [50, 30],
      [150, 140],
      [250, 240],
      [1e5, 99_000],
      [1e9, 1e9],
    ],
    gammaincc: [
      [0.5, 30],
      [50, 60],
      [150, 170],
      [250, 290],
      [1e5, 101_000],
      [1e9, 1e9],
    ],
    zeta: [
      [1.5, 7.25],
      [30, 2],
      [4, -1.5],
      [150, 0.75],
    ],
  };
  it.each(Object.keys(tails))('%s of what is far out, in relation to its size', async (name) => {
    const operands = [0, 1].map((k) => tensor(float32(tails[name]!.map((of) => of[k] ?? 0))));
    const [x, y] = operands as [Tensor, Tensor];
    const [want, got] = [
      InternalTensor.uninitialized('float32', x.shape),
      InternalTensor.uninitialized('float32', x.shape, webgpu),
    ];
    const [one, two] = [functions.unary.get(name), functions.binary.get(name)];
    if (one) host.unary(one, x, want);
    else host.binary(two!, x, y, want);
    if (one) webgpu.kernels.unary(one, x.to(gpu!), got);
    else webgpu.kernels.binary(two!, x.to(gpu!), y.to(gpu!), got);
    const values = await got.data();
    for (const [i, w] of want.toTypedArray().entries())
      expect(Math.abs(values[i]! / w - 1), `${name}(${tails[name]![i]}) is ${values[i]}, expected ${w}`).toBeLessThan(
        1e-5,
      );
  });

  it.each([...functions.binary].filter(([name]) => binary[name]!.integer && !/Gradient/.test(name)))(
    '%s of integers',
    async (name, fn: BinaryFunction) => {
      // Nothing is refused on the device: a divisor of 0 is left out.
      const divides = /fmod|remainder|floorDivide/.test(name);
      const extreme = /gcd|lcm/.test(name) ? [] : [2 ** 31 - 1, -(2 ** 31)];
      const values = [1, 2, 3, -1, -2, -7, 12, ...extreme, ...(divides ? [] : [0])];
      const first = Int32Array.from(values.flatMap((v) => values.map(() => v)));
      const second = Int32Array.from(values.flatMap(() => values));
      const pairs = [...first.keys()].filter((i) => !(divides && first[i] === -(2 ** 31) && second[i] === -1));
      const [a, b] = [
        tensor(first.filter((_, i) => pairs.includes(i))),
        tensor(second.filter((_, i) => pairs.includes(i))),
      ];
      const of = binary[name]!.isBool ? 'bool' : 'int32';
      const [want, got] = [
        InternalTensor.uninitialized(of, a.shape),
        InternalTensor.uninitialized(of, a.shape, webgpu),
      ];
      host.binary(fn, a, b, want);
      webgpu.kernels.binary(fn, a.to(gpu!), b.to(gpu!), got);
      expect(Array.from(await got.data())).toEqual(Array.from(want.toTypedArray()));
    },
  );
});
