import { type Pair, ShapeError, stack, type Tensor } from '@gradgate/core';

/** The largest element of each of `m` nearly equal stretches of dimension `dim`. */
function stretches(x: Tensor, m: number, dim: number): Tensor {
  if (!Number.isInteger(m) || m < 1)
    throw new ShapeError('adaptiveMaxPool', `outputSize is a whole number from 1 up, got ${m}`);
  const n = x.shape[dim]!;
  const parts = Array.from({ length: m }, (_, i) => {
    const start = Math.floor((i * n) / m);
    return x.narrow(dim, start, Math.ceil(((i + 1) * n) / m) - start).amax(dim);
  });
  return stack(parts, dim);
}

/** Maxima over windows chosen so that the result has length `outputSize`; `x` is `[N, C, L]`. */
export function adaptiveMaxPool1d(x: Tensor, outputSize: number): Tensor {
  if (x.ndim !== 3) throw new ShapeError('adaptiveMaxPool1d', `takes [N, C, L], got [${x.shape.join(', ')}]`);
  return stretches(x, outputSize, 2);
}

/** Maxima over windows chosen so that the result has size `outputSize`; `x` is `[N, C, H, W]`. */
export function adaptiveMaxPool2d(x: Tensor, outputSize: Pair): Tensor {
  if (x.ndim !== 4) throw new ShapeError('adaptiveMaxPool2d', `takes [N, C, H, W], got [${x.shape.join(', ')}]`);
  const [h, w] = typeof outputSize === 'number' ? [outputSize, outputSize] : outputSize;
  return stretches(stretches(x, h, 2), w, 3);
}
