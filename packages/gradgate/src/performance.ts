import { type Backend, backend, observeGradModes, Tensor } from '@gradgate/core';
import { check, checkOptions, is, isDevice, type Kind } from '@gradgate/core/internal';

const names: Kind = { text: 'an array of names of devices', is: (v) => Array.isArray(v) && v.every(isDevice) };
const trackOptions = { devices: names };

/**
 * A measure that Chromium's performance panel shows in a track of its own; other browsers list it among the timings.
 */
function measure(
  track: string,
  name: string,
  start: number,
  color: string,
  properties: readonly (readonly [string, string])[],
): void {
  const devtools = { dataType: 'track-entry', trackGroup: 'gradgate', track, color, properties };
  performance.measure(name, { start, end: performance.now(), detail: { devtools } });
}

const shapes = (args: readonly unknown[]): string =>
  args
    .filter(Tensor.is)
    .map((t) => `[${t.shape.join(', ')}]`)
    .join(' ');

type Kernel = (...args: unknown[]) => void;

/** A kernel that is measured on each call; the names of `unary` and similar kernels include their function. */
const timed =
  (device: string, name: string, kernel: Kernel): Kernel =>
  (...args) => {
    const start = performance.now();
    kernel(...args);
    const [which] = args as [string | { name?: string }];
    const detail = typeof which === 'string' ? which : Tensor.is(which) ? undefined : which?.name;
    measure(`kernels on ${device}`, detail === undefined ? name : `${name} ${detail}`, start, 'primary-light', [
      ['tensors', shapes(args)],
    ]);
  };

/** Measures each kernel of a device until the returned function is called. */
function timeKernels(device: Backend): () => void {
  const { kernels } = device;
  const table = Object.entries(kernels as unknown as Record<string, Kernel>);
  device.kernels = Object.fromEntries(table.map(([name, run]) => [name, timed(device.name, name, run)])) as never;
  return () => {
    device.kernels = kernels;
  };
}

/**
 * Shows guarded calls and kernels as tracks of the browser's performance panel, until `stop()`: each is a User Timing
 * measure, in Node too, and is kept until `performance.clearMeasures()`. A guarded call lasts until its promise
 * settles; on an asynchronous device, such as a GPU, the time of a kernel is the time to submit it. Recording slows
 * the program down.
 *
 * ```ts
 * const tracks = recordPerformance();
 * noGrad.run(() => ones([2, 2]).matmul(ones([2, 2])));
 * tracks.stop();
 * performance.getEntriesByType('measure').map(({ name }) => name); // [..., 'matmul', 'noGrad']
 * ```
 */
export function recordPerformance(options?: { devices?: readonly string[] }): { stop(): void } {
  const { devices = ['cpu'] } = checkOptions('recordPerformance', options, trackOptions);
  check('recordPerformance', 'this runtime', globalThis.performance?.measure, is.callback);
  const restore = [...new Set(devices)].map((device) => timeKernels(backend(device)));
  const before = observeGradModes((call) => {
    const end = before?.(call);
    const start = performance.now();
    return () => {
      const color = call.inference ? 'tertiary' : call.enabled ? 'primary' : 'secondary';
      measure('grad modes', call.member ?? call.gate, start, color, [
        ['gate', call.gate],
        ['condition holds', String(call.held)],
        ['gradients', call.enabled ? 'on' : 'off'],
      ]);
      end?.();
    };
  });
  return {
    stop() {
      observeGradModes(before);
      for (const undo of restore) undo();
    },
  };
}
