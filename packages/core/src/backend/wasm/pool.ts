import type { Window } from '../convolution.js';
import { dataOf, elementsOf } from '../host/data.js';
import * as host from '../host/pool.js';
import type { View } from '../kernels.js';
import { arrayOf, floatsOf, isFloat32 } from './floats.js';
import { asFloats, inRows, type Rows } from './rows.js';

/** `Kernels.maxPool` for float32. */
export function maxPool(x: View, window: Window, out: View, indices: View): void {
  if (!isFloat32(x)) {
    host.maxPool(x, window, out, indices);
    return;
  }
  const { kernel, stride, padding, dilation } = window;
  const [batch, channels, h, w] = x.shape as [number, number, number, number];
  const [rows, columns] = out.shape.slice(2) as [number, number];
  const [values, at] = [arrayOf(out), asFloats(dataOf(indices) as Int32Array)];
  const shape = [h, w, ...kernel, ...stride, ...padding, ...dilation, rows, columns] as const;
  const size = rows * columns;
  const inputs: Rows[] = [[floatsOf(x), h * w]];
  const results: Rows[] = [
    [values, size],
    [at, size],
  ];
  inRows('maxPool2d', batch * channels, inputs, results, (kernels, count, [from, atValues, atPlaces], first) => {
    kernels.maxPool(from!, count, first * h * w, ...shape, atValues!, atPlaces!);
  });
}

/** `Kernels.maxPoolGradient` for float32. */
export function maxPoolGradient(g: View, indices: View, out: View): void {
  const at = elementsOf(indices) as Int32Array;
  if (!isFloat32(g) || !isFloat32(out) || at.length === 0) {
    host.maxPoolGradient(g, indices, out);
    return;
  }
  const to = arrayOf(out);
  const planes = out.shape[0]! * out.shape[1]!;
  const [plane, size] = [to.length / planes, at.length / planes];
  const inputs: Rows[] = [
    [floatsOf(g), size],
    [asFloats(at), size],
  ];
  inRows('maxPool2d', planes, inputs, [[to, plane]], (kernels, count, [atG, atPlaces, result], first) => {
    kernels.maxPoolGradient(result!, atG!, atPlaces!, count, first * plane, plane, size);
  });
}
