import { manualSeed, noGrad, randn, type Tensor, tensor } from '@gradgate/core';
import { optim } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const rosenbrock = (p: Tensor) => {
  const [x, y] = [p.select(0, 0), p.select(0, 1)];
  return x.neg().add(1).square().add(y.sub(x.square()).square().mul(100));
};

describe('LBFGS', () => {
  // PyTorch's calls of the closure and parameters after each of four steps: maxEval ends a step between line searches
  // only.
  it.each([
    [
      3,
      20,
      [
        [3, -1.417193411, 2.025574265],
        [3, -1.420097242, 2.018497201],
        [3, -1.407339633, 1.953434878],
        [3, -1.308369891, 1.64296955],
      ],
    ],
    [
      7,
      20,
      [
        [7, -1.407339633, 1.953434878],
        [7, -0.958657377, 0.9131429814],
        [7, -0.4427389143, 0.1377147619],
        [7, -0.1390135154, 0.009653239158],
      ],
    ],
    [
      25,
      20,
      [
        [24, -0.1875085582, 0.02389098284],
        [24, 0.9943873861, 0.9877425778],
        [5, 0.9999993923, 0.999998865],
        [1, 0.9999993923, 0.999998865],
      ],
    ],
    [
      2,
      5,
      [
        [3, -1.417193411, 2.025574265],
        [2, -1.419667733, 2.022777895],
        [2, -1.420097242, 2.018497201],
        [2, -1.417892243, 1.999759839],
      ],
    ],
  ])('with strong Wolfe steps, maxEval %s and maxIter %s goes the way of PyTorch', (maxEval, maxIter, path) => {
    const x = tensor([-1.5, 2, 0.5], { dtype: 'float64', requiresGrad: true });
    const optimizer = new optim.LBFGS([x], { lr: 1, maxIter, maxEval, lineSearchFn: 'strongWolfe' });
    for (const [calls, ...wanted] of path) {
      let count = 0;
      optimizer.step(() => {
        count++;
        optimizer.zeroGrad();
        const [a, b, c] = x.unbind(0) as [Tensor, Tensor, Tensor];
        const loss = a.neg().add(1).square().add(b.sub(a.square()).square().mul(100)).add(c.sub(b).cosh());
        loss.backward();
        return loss;
      });
      expect(count).toBe(calls);
      wanted.forEach((v, i) => {
        expect(x.toTypedArray()[i]).toBeCloseTo(v, 7);
      });
    }
  });

  it('with strong Wolfe steps reaches the bottom of a curved valley', () => {
    const p = tensor([-1.2, 1], { dtype: 'float64', requiresGrad: true });
    const optimizer = new optim.LBFGS([p], { lineSearchFn: 'strongWolfe', maxIter: 60, maxEval: 200 });
    let calls = 0;
    const closure = () => {
      calls++;
      optimizer.zeroGrad();
      const loss = rosenbrock(p);
      loss.backward();
      return loss;
    };
    const first = noGrad.run(() => optimizer.step(closure)).item();
    expect(first).toBeCloseTo(24.2, 5);
    expect(rosenbrock(p).item()).toBeLessThan(1e-8);
    expect(calls).toBeLessThan(80);
  });

  it('lowers the loss in every step with a line search, also of float32 and of several parameters', () => {
    manualSeed(4);
    const [w, b] = [randn([3, 2], { requiresGrad: true }), randn([2], { requiresGrad: true })];
    const [x, y] = [randn([8, 3]), randn([8, 2])];
    const optimizer = new optim.LBFGS([w, b], { lineSearchFn: 'strongWolfe', maxIter: 3 });
    const loss = () => x.matmul(w).add(b).tanh().sub(y).square().mean();
    let before = loss().item();
    for (let i = 0; i < 8; i++) {
      optimizer.step(() => {
        optimizer.zeroGrad();
        const l = loss();
        l.backward();
        return l;
      });
      const now = loss().item();
      expect(now).toBeLessThanOrEqual(before + 1e-7);
      before = now;
    }
  });

  it('says what it needs', () => {
    const p = tensor([1], { requiresGrad: true });
    const optimizer = new optim.LBFGS([p]);
    expect(() => optimizer.step()).toThrow(/needs a closure/);
    expect(() => optimizer.step(() => undefined)).toThrow(/the closure must return the loss, got undefined/);
    expect(
      () => new optim.LBFGS([{ params: [p] }, { params: [tensor([2], { requiresGrad: true })] }] as never),
    ).toThrow(/not groups/);
  });
});

describe('Muon', () => {
  it('makes updates whose singular values are about 1', () => {
    manualSeed(5);
    for (const shape of [
      [4, 4],
      [6, 3],
      [3, 6],
    ] as const) {
      const o = optim.orthogonalize(randn(shape), 5);
      const gram = (shape[0] > shape[1] ? o.t().matmul(o) : o.matmul(o.t())).double();
      // Eigenvalues of the Gram matrix, from its trace and by the power method: all within the iteration's range.
      let v = randn([gram.shape[0]!], { dtype: 'float64' });
      for (let i = 0; i < 300; i++) v = gram.matmul(v).div(gram.matmul(v).norm());
      expect(gram.matmul(v).norm().item()).toBeLessThan(1.5);
      expect(gram.trace().item() / gram.shape[0]!).toBeGreaterThan(0.4);
    }
  });

  it('steps by the orthogonal direction of the momentum, with decay apart', () => {
    manualSeed(6);
    const p = randn([4, 2], { requiresGrad: true });
    const start = p.detach().clone();
    const optimizer = new optim.Muon([p], { lr: 0.1, weightDecay: 0.5, nesterov: false });
    p.mul(tensor([1, 2]))
      .sum()
      .backward();
    const direction = optim.orthogonalize(p.grad!.mul(0.05));
    optimizer.step();
    const expected = start.mul(0.95).sub(direction.mul(0.1 * Math.SQRT2));
    expect(p.sub(expected).abs().max().item()).toBeLessThan(1e-6);
  });

  it('learns, and refuses what is no matrix', () => {
    manualSeed(7);
    const w = randn([3, 3], { requiresGrad: true });
    const target = randn([3, 3]);
    const optimizer = new optim.Muon([w], { lr: 0.1, weightDecay: 0 });
    const loss = () => w.sub(target).square().mean();
    const before = loss().item();
    for (let i = 0; i < 80; i++) {
      optimizer.zeroGrad();
      loss().backward();
      optimizer.step();
    }
    expect(loss().item()).toBeLessThan(before / 10);
    expect(() => new optim.Muon([randn([3], { requiresGrad: true })])).toThrow(
      /takes matrices, got a parameter of shape \[3\]/,
    );
  });
});

it.each([['3'], [[3]], [new Array(3)], [-1], [{}]])('LBFGS refuses maxIter %j by name', (maxIter) => {
  const p = tensor([1], { requiresGrad: true });
  expect(() => new optim.LBFGS([p], { maxIter: maxIter as number })).toThrow(
    /^LBFGS: maxIter must be a number from 0 up/,
  );
});

it('LBFGS refuses a learning rate that became no number, before its parameter changes', () => {
  const p = tensor([1, 2], { requiresGrad: true });
  const optimizer = new optim.LBFGS([p]);
  optimizer.paramGroups[0]!.lr = Number.NaN;
  const closure = () => {
    optimizer.zeroGrad();
    const loss = p.square().sum();
    loss.backward();
    return loss;
  };
  expect(() => optimizer.step(closure)).toThrow('LBFGS.step: lr of a group must be a number, got NaN');
  expect(p.toArray()).toEqual([1, 2]);
});
