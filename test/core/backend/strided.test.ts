import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gatherStrided, scatterStrided } from '../../../packages/core/src/backend/host/strided.js';
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

it('writes elements in row-major order to strided places, and to no others', () => {
  const dimension = fc.tuple(fc.constantFrom(0, 1, 2, 3, 5, 20, 40), fc.constantFrom(1, 2, 3));
  fc.assert(
    fc.property(fc.array(dimension, { maxLength: 3 }), fc.nat(3), fc.boolean(), (dimensions, start, turned) => {
      const shape = dimensions.map(([n]) => n as number);
      // Each dimension steps over all of those behind it, with gaps between; in the other order rows are apart.
      const strides: number[] = [];
      let step = 1;
      for (const [n, gap] of [...dimensions].reverse()) {
        step *= gap;
        strides.unshift(step);
        step *= Math.max(1, n);
      }
      if (turned) [shape, strides].forEach((list) => void list.reverse());
      const places = stridedOffsets(shape, strides, start);
      const from = Float32Array.from(places, (_, i) => i + 1);
      const to = new Float32Array(start + step + 2);
      const expected = to.slice();
      places.forEach((at, i) => {
        expected[at] = i + 1;
      });
      scatterStrided(to, from, shape, strides, start);
      expect(to).toEqual(expected);
    }),
  );
});
