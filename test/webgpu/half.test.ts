// float16 takes 16 bits on devices with f16, which Dawn's null backend is: every program goes through its compiler, but nothing
// is computed. operators.test.ts and device.test.ts test values, on the GPU of the machine.
import { DeviceError, DTypeError, ones, setDefaultDevice, zeros } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { expect, it } from 'vitest';
import { current } from '../../packages/webgpu/src/backend.js';
import { withHalves } from '../../packages/webgpu/src/half.js';
import { gpuMemory } from '../../packages/webgpu/src/index.js';
import { cases } from '../core/operators.js';
import { needNullGpu } from './gpu.js';

const gpu = await needNullGpu('programs in f16');

it('elements of f16 are read as f32, and written as f16', () => {
  const code = (text: string): string => withHalves(text, ['x', 'out']);
  expect(code('let v = x[i] + y[x[j]];')).toBe('let v = f32(x[i]) + y[f32(x[j])];');
  expect(code('out[at[i]] = max(x[i], out[i]);')).toBe('out[at[i]] = f16(max(f32(x[i]), f32(out[i])));');
  expect(code('out[u.o + i] -= x[i]; v = 1;')).toBe('out[u.o + i] = f16(f32(out[u.o + i]) - (f32(x[i]))); v = 1;');
  expect(code('if (x[i] == out[i]) { max[i] = x[i] != 0.0; }')).toBe(
    'if (f32(x[i]) == f32(out[i])) { max[i] = f32(x[i]) != 0.0; }',
  );
});

it.skipIf(!gpu)('float16 takes half of the memory of float32', () => {
  const before = gpuMemory().bytes;
  const held = zeros([1 << 16], { dtype: 'float16', device: gpu! });
  expect(gpuMemory().bytes - before).toBe(1 << 17);
  expect(held.dtype).toBe('float16');
});

it.skipIf(!gpu).each(Object.keys(cases))('the programs of %s compile with float16', async (name) => {
  const [fn, ...makers] = cases[name]!;
  const inputs = makers.map((make) => {
    const t = make();
    return t.detach().to('float16').to(gpu!).requiresGrad_(t.requiresGrad);
  });
  const results = [...inputs];
  try {
    setDefaultDevice(gpu!);
    results.push(...[fn(...inputs)].flat());
    results[inputs.length]!.sum().backward();
  } catch (error) {
    // What is not there is told by operators.test.ts.
    if (!(error instanceof DeviceError || error instanceof DTypeError)) throw error;
  } finally {
    setDefaultDevice('cpu');
  }
  // What its compiler refused is thrown where something is read.
  for (const t of results) await t.data();
});

it.skipIf(!gpu)('compiled functions give each float16 memory of its own, which others do not lie in', async () => {
  const step = compile((x) => x.mul(2).to('float32').exp().to('float16').sum(0));
  const x = ones([64, 64], { dtype: 'float16', device: gpu! });
  for (let i = 0; i < 4; i++) await step(x).data();
  expect(current.gpu!.error).toBe(null);
});
