import { matmul, type Shape, ShapeError, type Tensor, tensor } from '@gradgate/core';

export interface InterpolateOptions {
  /** The new sizes of the dimensions after the first two, or one number for all. */
  size?: number | Shape;
  /** How many times as large, instead of a size. */
  scaleFactor?: number | readonly number[];
  /** `'linear'` and `'bilinear'` are the same thing for one and two dimensions. */
  mode?: 'nearest' | 'linear' | 'bilinear';
  /** Whether the outermost pixels' centers, rather than their edges, are matched. */
  alignCorners?: boolean;
}

/** The `[m, n]` matrix that makes `m` values of `n` along one dimension. */
function resampling(n: number, m: number, scale: number, linear: boolean, alignCorners: boolean, like: Tensor): Tensor {
  const matrix = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    if (!linear) {
      matrix[i * n + Math.min(Math.floor(i * scale), n - 1)] = 1;
      continue;
    }
    const at = alignCorners ? (m > 1 ? (i * (n - 1)) / (m - 1) : 0) : Math.max((i + 0.5) * scale - 0.5, 0);
    const low = Math.min(Math.floor(at), n - 1);
    matrix[i * n + low]! += 1 - (at - low);
    matrix[i * n + Math.min(low + 1, n - 1)]! += at - low;
  }
  return tensor(matrix, { shape: [m, n], dtype: like.dtype });
}

/** `x` `[N, C, L]` or `[N, C, H, W]` resized. */
export function interpolate(
  x: Tensor,
  { size, scaleFactor, mode = 'nearest', alignCorners = false }: InterpolateOptions,
): Tensor {
  const dims = x.ndim - 2;
  if (dims !== 1 && dims !== 2)
    throw new ShapeError('interpolate', `takes [N, C, L] or [N, C, H, W], got [${x.shape.join(', ')}]`);
  if ((size === undefined) === (scaleFactor === undefined))
    throw new TypeError('interpolate: give either size or scaleFactor');
  if (!['nearest', 'linear', 'bilinear'].includes(mode))
    throw new TypeError(`interpolate: mode is 'nearest', 'linear' or 'bilinear', got ${String(mode)}`);
  const each = (v: number | readonly number[], d: number) => (typeof v === 'number' ? v : v[d]!);
  let out = x;
  for (let d = 0; d < dims; d++) {
    const n = x.shape[2 + d]!;
    const m = size !== undefined ? each(size, d) : Math.floor(n * each(scaleFactor!, d));
    if (!Number.isInteger(m) || m < 1)
      throw new ShapeError('interpolate', `[${x.shape.join(', ')}] cannot be resized to ${m} along dimension ${2 + d}`);
    const scale = scaleFactor !== undefined ? 1 / each(scaleFactor, d) : n / m;
    const matrix = resampling(n, m, scale, mode !== 'nearest', alignCorners, x);
    out = matmul(out.transpose(2 + d, -1), matrix.transpose(0, 1)).transpose(2 + d, -1);
  }
  return out;
}
