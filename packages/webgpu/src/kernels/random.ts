import { DeviceError, type Kernels } from '@gradgate/core';
import { recordOf } from '@gradgate/core/internal';
import { withScratch } from '../scratch.js';
import { blockOf, type GpuStorage, gpuOf } from '../storage.js';
import { type Mapping, map } from './map.js';
import { uniform } from './uniform.js';

/**
 * `Kernels.random`: dropout draws on the device; all other numbers are drawn on the host by the rule itself and
 * uploaded. For a given generator all devices give the same numbers. Draws are compared with probabilities of elements
 * on the device.
 */
const random: Kernels['random'] = (rule, generator, parameters, out) => {
  if (rule.name === 'uniform' && out.numel > 0) {
    uniform(generator, out);
    return;
  }
  const { array, coding } = recordOf(out.dtype);
  const write = (values: ReturnType<typeof draw>) => {
    const bits = coding === undefined ? values : new coding.bits(values.length);
    if (coding !== undefined) coding.encode(values, bits);
    (out.storage as GpuStorage).write(bits);
  };
  const draw = () => new array(out.numel);
  if (!('storage' in parameters)) {
    const values = draw();
    rule.loop(values, generator, parameters);
    write(values);
    return;
  }
  if (rule.name !== 'bernoulli')
    throw new DeviceError(
      rule.name,
      `draws from parameters on webgpu are not there yet; draw on 'cpu', and move the result`,
    );
  withScratch(out, (scratch) => {
    const drawn = scratch.make('float32', out.numel);
    gpuOf(out).write(
      blockOf(drawn),
      Float32Array.from({ length: out.numel }, () => generator.uniform()),
      0,
    );
    map(below, [{ ...drawn, shape: out.shape, strides: out.strides }, parameters], out, []);
  });
};

const below: Mapping = { name: 'bernoulli', types: ['f32', 'f32'], expression: 'x < y', gives: 'bool' };

export const randomKernels: Pick<Kernels, 'random'> = { random };
