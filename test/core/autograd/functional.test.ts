import {
  defineFunction,
  dropout,
  einsum,
  type FunctionContext,
  grad,
  hessian,
  hvp,
  isGradEnabled,
  jacobian,
  jvp,
  manualSeed,
  noGrad,
  ones,
  randn,
  setGradEnabled,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
} from '@gradgate/core';
import { checkpoint } from '@gradgate/core/checkpoint';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import { describe, expect, it } from 'vitest';

const f64 = { dtype: 'float64', requiresGrad: true } as const;
const leaf = (...values: number[]) => tensor(values, { requiresGrad: true });

describe('custom functions', () => {
  const seen: unknown[] = [];
  const cube = defineFunction({
    name: 'cube',
    forward(ctx, x: Tensor, scale: number) {
      seen.push([isGradEnabled(), ctx.isRecording, ctx.needsInputGrad]);
      ctx.saveForBackward(x);
      return x.mul(x).mul(x).mul(scale);
    },
    backward(ctx, g) {
      const [x] = ctx.savedTensors as [Tensor];
      return [
        g!
          .mul(x)
          .mul(x)
          .mul(3 * 2),
      ];
    },
  });

  it('has the gradient its rule gives, and gradients of it', () => {
    const x = leaf(2);
    const y = cube(x, 2);
    expect([y.item(), y.gradFn!.name]).toEqual([16, 'cube']);
    y.backward();
    expect(x.grad!.item()).toBe(24);
    expect(gradcheck((t) => cube(t!, 2), [randn([3], f64)])).toBe(true);
    expect(gradgradcheck((t) => cube(t!, 2), [randn([3], f64)])).toBe(true);
  });

  it('forward runs disabled and can ask whether its caller records; under noGrad nothing is kept', () => {
    seen.length = 0;
    const x = leaf(1);
    cube(x, 2);
    const y = noGrad.run(() => cube(x, 2));
    expect(seen).toEqual([
      [false, true, [true, false]],
      [false, false, [false, false]],
    ]);
    expect(y.gradFn).toBeNull();
  });

  it('checks saved values, several outputs, outputs without gradient, unused outputs', () => {
    const split = defineFunction({
      name: 'split',
      forward(ctx, x: Tensor): Tensor[] {
        const sign = x.sign();
        ctx.markNonDifferentiable(sign);
        ctx.saveForBackward(x);
        return [x.mul(2), x.mul(3), sign];
      },
      backward: (ctx, a, b) => {
        void ctx.savedTensors;
        return a!.mul(2).add(b!.mul(3));
      },
    });
    const x = leaf(1, -1);
    const [a, b, sign] = split(x) as [Tensor, Tensor, Tensor];
    expect([a.requiresGrad, b.requiresGrad, sign.requiresGrad]).toEqual([true, true, false]);
    b.sum().backward({ retainGraph: true });
    expect(x.grad!.toArray()).toEqual([3, 3]);
    noGrad.run(() => x.add_(1));
    expect(() => a.sum().backward()).toThrow(/split saved was modified in place since/);
  });

  it('may hand a gradient on as it is: leaves get copies', () => {
    const same = defineFunction({
      name: 'same',
      forward: (_: FunctionContext, a: Tensor, b: Tensor) => a.add(b),
      backward: (_, g) => [g!, g!],
    });
    const [a, b] = [leaf(1), leaf(2)];
    same(a, b).backward();
    a.grad!.mul_(9);
    expect(b.grad!.toArray()).toEqual([1]);
    const identity = defineFunction({
      name: 'identity',
      forward: (_: FunctionContext, x: Tensor) => x,
      backward: (_, g) => g!.mul(5),
    });
    const y = identity(a);
    expect(y === a).toBe(false);
    expect(grad(y.sum(), a).toArray()).toEqual([5]);
  });

  it('differentiable once: a gradient of the gradient is an error', () => {
    const once = defineFunction({
      name: 'once',
      onceDifferentiable: true,
      forward: (ctx, x: Tensor) => {
        ctx.saveForBackward(x);
        return x.mul(x);
      },
      backward: (ctx, g) => g!.mul(ctx.savedTensors[0]!).mul(2),
    });
    const x = leaf(3);
    expect(grad(once(x).sum(), x).item()).toBe(6);
    const g = grad(once(x).sum(), x, { createGraph: true });
    expect(() => g.sum().backward()).toThrow(/once: its rule is marked as differentiable once/);
  });
});

describe('checkpoint', () => {
  it('gives the same gradients, of parameters the function closes over too, and the same random numbers', () => {
    const w = randn([4, 4], f64);
    const run = (use: boolean) => {
      manualSeed(3);
      const x = ones([2, 4], f64);
      const block = (t: Tensor) => dropout(t.matmul(w).tanh(), { p: 0.5 }).mul(t);
      const y = use ? checkpoint(block, x) : block(x);
      return grad(y.square().sum(), [x, w]).map((t) => t.toArray());
    };
    expect(run(true)).toEqual(run(false));
  });

  it('keeps nothing of the first run, and has gradients of gradients', () => {
    let runs = 0;
    const x = leaf(2);
    const y = checkpoint((t: Tensor) => {
      runs++;
      return t.mul(t).mul(t);
    }, x);
    const g = grad(y.sum(), x, { createGraph: true });
    expect([runs > 1, g.item(), grad(g.sum(), x).item()]).toEqual([true, 12, 12]);
  });

  it('just runs under noGrad; a second run that does otherwise throws', () => {
    let runs = 0;
    noGrad.run(() => checkpoint(() => runs++));
    expect(runs).toBe(1);
    let frozen = false;
    const x = leaf(2);
    const y = checkpoint(
      (t: Tensor) =>
        noGrad(frozen)
          .run(() => t.mul(t))
          .mul(t),
      x,
    ).sum();
    frozen = true;
    expect(() => y.backward()).toThrow(/checkpoint: the second run saved other tensors than the first/);
    const z = checkpoint((t: Tensor) => t.mul(t), x).sum();
    noGrad.run(() => x.add_(1));
    expect(() => z.backward()).toThrow(/input 0 was modified in place after the first run/);
  });
});

describe('functional derivatives', () => {
  const fn = (x: Tensor) => x.pow(3).sum();

  it('valueAndGrad ignores an outer noGrad, honours an inner one, and is fenced', () => {
    const x = tensor([2, 3]);
    const [value, [g]] = noGrad.run(() => valueAndGrad(fn)(x));
    expect([value.item(), g!.toArray(), x.requiresGrad]).toEqual([35, [12, 27], false]);
    const [, [partly]] = valueAndGrad((t) => t!.mul(noGrad.run(() => t!.mul(1))).sum())(x);
    expect(partly!.toArray()).toEqual([2, 3]);
    expect(() => valueAndGrad((t) => noGrad.run(() => fn(t!)))(x)).toThrow(/does not depend on the inputs.*noGrad/);
    valueAndGrad((t) => {
      const y = fn(t!);
      setGradEnabled(false);
      return y;
    })(x);
    expect(isGradEnabled()).toBe(true);
  });

  it('a result computed under noGrad is never handed out where gradients are on', () => {
    const w = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    const calls = [
      () => einsum('ij,jk->ik', w, w),
      () => w.matmul(w),
      () => w.transpose(0, 1),
      () => w.at(0),
      () => checkpoint((t: Tensor) => t.mul(2), w),
      () => w.softmax(0),
    ];
    for (const call of calls) {
      expect(noGrad.run(call).requiresGrad).toBe(false);
      expect(call().requiresGrad).toBe(true);
      expect(noGrad.run(call).requiresGrad).toBe(false);
    }
  });

  it('a guard holds through everything that calls a function for its derivative', () => {
    const part = noGrad.wrap((t: Tensor) => t.mul(1));
    const half = (t: Tensor) => part(t).mul(t).sum(); // x^2, of which the guard hides one factor: x, not 2x
    const x = tensor([3], { dtype: 'float64' });
    const one = tensor(1, { dtype: 'float64' });
    expect(valueAndGrad((t) => half(t!))(x)[1][0]!.toArray()).toEqual([3]);
    expect(vjp(half, [x], one)[1][0]!.toArray()).toEqual([3]);
    expect(jvp(half, [x], [tensor([1], { dtype: 'float64' })])[1].item()).toBe(3);
    expect(jacobian(half, [x])[0]!.toArray()).toEqual([3]);
    const leafX = tensor([3], { requiresGrad: true });
    expect(grad(checkpoint(half, leafX), leafX).toArray()).toEqual([3]);
  });

  it('the Hessian of a linear function is 0, also at infinity', () => {
    for (const values of [
      [1, 2],
      [Number.POSITIVE_INFINITY, Number.NaN],
    ])
      expect(hessian((t) => t.mul(3).sum(), tensor(values)).toArray()).toEqual([
        [0, 0],
        [0, 0],
      ]);
  });

  it('vjp, jvp, jacobian, hessian and hvp agree with the closed forms', () => {
    const x = tensor([1, 2], { dtype: 'float64' });
    const square = (t: Tensor) => t.mul(t).mul(tensor([1, 10], { dtype: 'float64' }));
    expect(vjp(square, [x], tensor([1, 1], { dtype: 'float64' }))[1][0]!.toArray()).toEqual([2, 40]);
    expect(jvp(square, [x], [tensor([1, 0.5], { dtype: 'float64' })])[1].toArray()).toEqual([2, 20]);
    expect(jacobian(square, [x])[0]!.toArray()).toEqual([
      [2, 0],
      [0, 40],
    ]);
    expect(hessian(fn, x).toArray()).toEqual([
      [6, 0],
      [0, 12],
    ]);
    expect(hvp(fn, x, tensor([1, 2], { dtype: 'float64' }))[1].toArray()).toEqual([6, 24]);
    const [ja, jb] = jacobian((a, b) => a!.mul(b!), [x, x]);
    expect([ja!.shape, jb!.toArray()]).toEqual([
      [2, 2],
      [
        [1, 0],
        [0, 2],
      ],
    ]);
  });
});
