import { contiguousStrides } from '../memory/shape.js';
import { exactOf } from '../tensor/elements.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * The positions in the flattened `x` of the nonzero elements. Reads the values, as their number must be known at once.
 */
export function nonzeroPositions(op: string, x: Tensor): Int32Array {
  const data = exactOf(x, op);
  const zero = (x.dtype === 'int64' ? 0n : 0) as number;
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== zero) count++;
  const positions = new Int32Array(count);
  for (let i = 0, p = 0; p < count; i++) if (data[i] !== zero) positions[p++] = i;
  return positions;
}

/** The coordinates of the nonzero elements in row-major order: one int32 vector for each dimension. */
export function nonzeroCoordinates(op: string, x: Tensor): Tensor[] {
  const positions = nonzeroPositions(op, x);
  const steps = contiguousStrides(x.shape);
  return x.shape.map((n, d) =>
    Tensor.of(
      positions.map((p) => Math.floor(p / steps[d]!) % n),
      'int32',
      [positions.length],
      x.storage.backend,
    ),
  );
}
