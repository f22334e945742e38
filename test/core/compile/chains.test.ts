import { fromTypedArray, noGrad, ones, randn, type Tensor } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { describe, expect, it } from 'vitest';

const values = (t: Tensor) => Array.from(t.detach().toTypedArray());

/** The chains of the one record, after calls that give what they give without, to the last bit. */
function chainsOf(f: (...inputs: Tensor[]) => Tensor | Tensor[], makeInputs: () => Tensor[]) {
  const compiled = compile(noGrad.wrap(f));
  for (let i = 0; i < 3; i++) {
    const inputs = makeInputs();
    const same = inputs.map((t) => t.clone());
    const expected = [f(...inputs)].flat().map(values);
    expect([compiled(...same)].flat().map(values)).toEqual(expected);
    expect(same.map(values)).toEqual(inputs.map(values));
  }
  const { records, replays } = compiled.explain();
  expect(replays).toBe(2);
  return records[0]!;
}

describe('elementwise functions that follow each other are run as one', () => {
  // Sizes around those of vectors and of blocks.
  it.each([1024, 1025, 4095, 4096, 4097, 3 * 4096 + 5])(
    'over %d elements, with what is between them in no memory',
    (n) => {
      const { fused, bytes } = chainsOf(
        (x, y) => x.mul(y).add(0.5).tanh().sub(x).clamp(-0.5, 0.25),
        () => [randn([n]), randn([n])],
      );
      expect(fused).toEqual([['mul', 'add', 'tanh', 'sub', 'clamp']]);
      // The result, the number, and what is read twice.
      expect(bytes).toBeLessThanOrEqual(2 * n * 4 + 64);
    },
  );

  it('with every result that is used elsewhere', () => {
    const { fused } = chainsOf(
      (x) => {
        const y = x.exp();
        const z = y.neg();
        return [z.mul(y), z, y.sum()];
      },
      () => [randn([64, 64])],
    );
    expect(fused).toEqual([['exp', 'neg', 'mul']]);
  });

  it('past what has no memory in common with them, and not past what has', () => {
    const inputs = () => [randn([64, 64]), randn([64, 64])];
    const passes = chainsOf((x, y) => {
      const a = x.exp();
      const total = y.sum();
      return a.mul(2).add(total);
    }, inputs);
    expect(passes.fused).toEqual([['exp', 'mul', 'add']]);
    const stops = chainsOf((x, y) => {
      const a = x.exp().neg();
      return a.mul(a.sum()).add(y);
    }, inputs);
    expect(stops.fused).toEqual([
      ['exp', 'neg'],
      ['mul', 'add'],
    ]);
  });

  it('and one element of what a chain computes is read after it', () => {
    const { fused } = chainsOf(
      (x) => {
        const y = x.exp().neg();
        return y.add(y.select(0, 4000)).tanh();
      },
      () => [randn([5000])],
    );
    expect(fused).toEqual([
      ['exp', 'neg'],
      ['add', 'tanh'],
    ]);
  });

  it('not where rows are broadcast, sizes or dtypes differ, or there are few', () => {
    const none = (f: (...inputs: Tensor[]) => Tensor | Tensor[], ...inputs: Tensor[]) =>
      expect(chainsOf(f, () => inputs.map((t) => t.clone())).fused).toEqual([]);
    none((x, row) => x.add(row).sum(1).add(1), randn([64, 64]), randn([64]));
    none((x, y) => [x.exp(), y.exp()], randn([1000]), randn([1001]));
    none((x) => x.exp().mul(x), randn([1000], { dtype: 'float64' }));
    none((x) => x.exp().mul(x), randn([511]));
  });

  it('in place too, in the order of the calls', () => {
    const array = new Float32Array(5000).fill(2);
    const outside = fromTypedArray(array);
    const f = (x: Tensor) => {
      const y = x.exp();
      const z = y.mul(outside);
      y.add_(1);
      return [y, z.add(y).neg_()];
    };
    chainsOf(f, () => [randn([5000])]);
    // Results in memory that others see are not put off.
    const compiled = compile(noGrad.wrap((x: Tensor) => [x.exp_().mul(2), x.neg().tanh()]));
    for (let i = 0; i < 3; i++) {
      const [x, same] = [ones([5000]), ones([5000])];
      const expected = [same.exp_().mul(2), same.neg().tanh()].map(values);
      expect(compiled(x).map(values)).toEqual(expected);
      expect(values(x)).toEqual(values(same));
    }
  });

  it('in training steps, with their gradients', () => {
    const w = randn([4096], { requiresGrad: true });
    const step = (x: Tensor) => {
      w.grad = null;
      const loss = x.mul(w).tanh().mul(x).sigmoid().square().mean();
      loss.backward();
      return loss.detach();
    };
    const f = compile(step);
    for (let i = 0; i < 3; i++) {
      const x = randn([4096]);
      const expected = [step(x), w.grad!].map(values);
      expect([f(x), w.grad!].map(values)).toEqual(expected);
    }
    expect(f.explain().records[0]!.fused[0]).toEqual(['mul', 'tanh', 'mul', 'sigmoid', 'square']);
  });
});
