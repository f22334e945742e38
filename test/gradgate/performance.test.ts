import { backend, enableGrad, inferenceMode, noGrad, observeGradModes, ones } from '@gradgate/core';
import { recordPerformance } from 'gradgate';
import { afterEach, expect, it } from 'vitest';

afterEach(() => performance.clearMeasures());

const measures = () => performance.getEntriesByType('measure') as PerformanceMeasure[];
const devtools = (name: string) => measures().find((entry) => entry.name === name)!.detail.devtools;

it('kernels and guarded calls are measures in tracks of their own', () => {
  const tracks = recordPerformance();
  noGrad.wrap(function score() {
    return ones([2, 3])
      .matmul(ones([3, 4]))
      .exp();
  })();
  tracks.stop();
  expect(measures().map(({ name }) => name)).toEqual(expect.arrayContaining(['score', 'matmul', 'unary exp']));
  expect(devtools('matmul')).toMatchObject({
    dataType: 'track-entry',
    trackGroup: 'gradgate',
    track: 'kernels on cpu',
    properties: [['tensors', '[2, 3] [3, 4] [2, 4]']],
  });
  expect(devtools('score')).toMatchObject({
    track: 'grad modes',
    color: 'secondary',
    properties: [
      ['gate', 'noGrad'],
      ['condition holds', 'true'],
      ['gradients', 'off'],
    ],
  });
  const [call, product] = ['score', 'matmul'].map((name) => measures().find((entry) => entry.name === name)!);
  expect(call!.startTime).toBeLessThanOrEqual(product!.startTime);
  expect(call!.startTime + call!.duration).toBeGreaterThanOrEqual(product!.startTime + product!.duration);
});

it('a call lasts until its promise settles, and each mode has a color', async () => {
  const tracks = recordPerformance();
  await noGrad.run(() => new Promise((resolve) => setTimeout(resolve, 15)));
  enableGrad.run(() => {});
  inferenceMode.run(() => {});
  tracks.stop();
  expect(measures().find(({ name }) => name === 'noGrad')!.duration).toBeGreaterThan(10);
  expect(['noGrad', 'enableGrad', 'inferenceMode'].map((name) => devtools(name).color)).toEqual([
    'secondary',
    'primary',
    'tertiary',
  ]);
});

it('only while it records: kernels and observers are as before afterwards, and nothing is measured', () => {
  const { kernels } = backend('cpu');
  let told = 0;
  const observer = () => {
    told++;
    return () => {};
  };
  observeGradModes(observer);
  try {
    const tracks = recordPerformance();
    noGrad.run(() => ones([2]));
    tracks.stop();
    performance.clearMeasures();
    noGrad.run(() => ones([2]).exp());
    expect(measures()).toEqual([]);
    expect(told).toBe(2);
    expect(backend('cpu').kernels).toBe(kernels);
    expect(observeGradModes(observer)).toBe(observer);
  } finally {
    observeGradModes(null);
  }
});

it('what is measured gives the same results, with gradients', () => {
  const run = () => {
    const w = ones([3, 3]).requiresGrad_();
    w.matmul(w).softmax(1).square().sum().backward();
    return w.grad!;
  };
  const plain = run();
  const tracks = recordPerformance();
  const measured = run();
  tracks.stop();
  expect(measured).toEqual(plain);
});

it('refuses a device that there is none of, and leaves all as it is', () => {
  const { kernels } = backend('cpu');
  expect(() => recordPerformance({ devices: ['cpu', 'tpu'] })).toThrow(
    /recordPerformance: devices must be an array of names of devices/,
  );
  expect(backend('cpu').kernels).toBe(kernels);
});
