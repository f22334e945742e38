import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gatherStrided } from '../../../packages/core/src/backend/host/strided.js';
import { stridedOffsets } from '../../../packages/core/src/memory/shape.js';

it('reads strided elements in row-major order', () => {
  const dimension = fc.tuple(fc.constantFrom(0, 1, 2, 3, 5, 20, 40), fc.constantFrom(0, 1, 2, 3, 20, 40, 60));
  fc.assert(
    fc.property(fc.array(dimension, { maxLength: 3 }), fc.integer({ min: 0, max: 3 }), (dimensions, start) => {
      const [shape, strides] = [dimensions.map(([n]) => n as number), dimensions.map(([, step]) => step)];
      const reach = dimensions.reduce((sum, [n, step]) => sum + Math.max(0, n - 1) * step, start) + 1;
      const from = Float64Array.from({ length: reach }, (_, i) => i);
      const to = new Float64Array(shape.reduce((a, b) => a * b, 1));
      gatherStrided(to, from, shape, strides, start);
      expect(to).toEqual(Float64Array.from(stridedOffsets(shape, strides, start)));
    }),
  );
});
