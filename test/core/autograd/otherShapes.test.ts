import { manualSeed, noGrad, type Tensor } from '@gradgate/core';
import { gradcheck } from '@gradgate/core/gradcheck';
import { describe, expect, it } from 'vitest';
import { cases } from '../operators.js';

/** Sizes of the table's shapes as other sizes: equal ones stay equal, so that operands still fit together. */
const mappings: Record<number, number>[] = [];
for (const a of [1, 2, 3, 4])
  for (const b of [1, 3, 2, 5]) for (const c of [4, 2, 5]) mappings.push({ 2: a, 3: b, 4: c, 5: c + 1, 6: a * b });
// The same ones each time, but not in the order they are written in.
mappings.sort((x, y) => ((x[2]! * 7 + x[3]! * 5 + x[4]! * 3) % 11) - ((y[2]! * 7 + y[3]! * 5 + y[4]! * 3) % 11));

describe("the gradient is that of finite differences for other shapes than the table's", () => {
  it.each(Object.entries(cases))('%s', (name, [fn, ...makers]) => {
    let tried = 0;
    for (const mapping of mappings) {
      if (tried === 4) break;
      const shapes = makers.map((m) => m.shape?.map((n) => mapping[n] ?? n));
      if (shapes.every((s, i) => s === undefined || s.join() === makers[i]!.shape!.join())) continue;
      manualSeed(tried + 1);
      const inputs = makers.map((make, i) => make(shapes[i]));
      let out: Tensor | Tensor[];
      try {
        out = noGrad.run(() => fn(...inputs));
      } catch {
        // What does not fit these shapes is refused: the tests of bad input see how.
        continue;
      }
      // Where nothing varies (a deviation of one element), there is nothing to compare.
      if ([out].flat().some((t) => t.toTypedArray().some((v) => !Number.isFinite(v)))) continue;
      tried++;
      expect(gradcheck(fn, inputs), `${name} of ${JSON.stringify(shapes)}`).toBe(true);
    }
    expect(tried, `${name} was tried with no other shape`).toBeGreaterThan(0);
  });
});
