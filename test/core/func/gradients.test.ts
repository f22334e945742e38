import {
  allclose,
  enableGrad,
  eye,
  grad as gradientsOf,
  noGrad,
  ones,
  randn,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { grad, gradAndValue, hessian, jacfwd, jacrev, jvp, vjp, vmap } from '@gradgate/core/func';
import { describe, expect, it } from 'vitest';

const f64 = { dtype: 'float64' } as const;
const cube = (x: Tensor) => x.pow(3).sum();

describe('grad', () => {
  it('keeps the structure of the arguments that it is asked for', () => {
    const f = (p: { w: Tensor; b: readonly Tensor[] }, x: Tensor) => p.w.mul(x).add(p.b[0]!).sum();
    const params = { w: tensor([1, 2]), b: [tensor([3])] };
    const x = tensor([5, 6]);
    expect(grad(f)(params, x)).toMatchObject({ w: { shape: [2] }, b: [{ shape: [1] }] });
    expect(grad(f)(params, x).b[0]!.toArray()).toEqual([2]);
    const [ofX, ofParams] = grad(f, { argnums: [1, 0] })(params, x);
    expect(ofX.toArray()).toEqual([1, 2]);
    expect(ofParams.w.toArray()).toEqual([5, 6]);
    expect((grad(f, { argnums: -1 })(params, x) as Tensor).toArray()).toEqual([1, 2]);
  });

  it('gives zeros where the result does not depend on an input', () => {
    expect(grad((_: Tensor, y: Tensor) => y.sum())(ones([2]), ones([3])).toArray()).toEqual([0, 0]);
    expect(grad((x: Tensor) => x.detach().sum())(ones([2])).toArray()).toEqual([0, 0]);
  });

  it.each([
    ['grad', (f: (x: Tensor) => Tensor) => grad(f)(ones([2]))],
    ['vjp', (f: (x: Tensor) => Tensor) => vjp(f, [ones([2])])],
    ['jacrev', (f: (x: Tensor) => Tensor) => jacrev(f)(ones([2]))],
    ['jvp', (f: (x: Tensor) => Tensor) => jvp(f, [ones([2])], [ones([2])])],
  ])('%s refuses a function all of which is under a gate, rather than give zeros', (name, transform) => {
    expect(() => transform((x) => noGrad.run(() => x.sum()))).toThrow(
      new RegExp(`^${name}: the result of the function would have gradients of zero: .* switched off by noGrad`),
    );
    // A part under a gate is a constant.
    expect(() => transform((x) => x.sum().add(noGrad.run(() => x.sum())))).not.toThrow();
  });

  it('gives what hasAux asks for beside the gradients, without their graph', () => {
    const f = (x: Tensor) => [x.square().sum(), { doubled: x.mul(2), word: 'aux' }] as const;
    const [g, aux] = grad(f, { hasAux: true })(tensor([3]));
    expect([g.toArray(), aux.doubled.toArray(), aux.word, aux.doubled.requiresGrad]).toEqual([[6], [6], 'aux', false]);
    const [, [value, again]] = gradAndValue(f, { hasAux: true })(tensor([3]));
    expect([value.item(), again.word]).toEqual([9, 'aux']);
  });

  it('is computed under noGrad too, and has a graph only where the code around has one', () => {
    const x = tensor([2], { requiresGrad: true });
    expect(noGrad.run(() => grad(cube)(x)).requiresGrad).toBe(false);
    expect(noGrad.run(() => grad(cube)(x)).toArray()).toEqual([12]);
    expect(grad(cube)(x.detach()).requiresGrad).toBe(false);
    expect(grad(cube)(x).requiresGrad).toBe(true);
    grad(cube)(x).sum().backward();
    expect(x.grad!.toArray()).toEqual([12]);
    const w = tensor([5], { requiresGrad: true });
    const g = grad((x: Tensor) => x.square().mul(w).sum())(x.detach());
    expect(gradientsOf(g.sum(), w).toArray()).toEqual([4]);
    expect(gradAndValue(cube)(x.detach())[1].requiresGrad).toBe(false);
    expect(gradAndValue(cube)(x)[1].requiresGrad).toBe(true);
    expect(x.grad!.toArray()).toEqual([12]);
  });

  it('tells apart inputs of the same values', () => {
    const x = tensor(3);
    // d/dx of x * (d/dy of x * y² at y = x), which is 2x³.
    const outer = (x: Tensor) => x.mul(grad((y: Tensor) => x.mul(y.square()))(x));
    expect(grad(outer)(x).item()).toBe(6 * 9);
    expect(grad((a: Tensor, b: Tensor) => a.mul(b), { argnums: [0, 1] })(x, x).map((g) => g.item())).toEqual([3, 3]);
  });

  it('nests as deep as one likes', () => {
    const x = tensor(2, f64);
    const fifth = (x: Tensor) => x.pow(5);
    expect(grad(grad(grad(grad(fifth))))(x).item()).toBeCloseTo(240, 9);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'a value of several elements',
      () => grad((x: Tensor) => x.mul(2))(ones([2])),
      /^grad: the function must return a tensor of one element, got \[2\]; reduce it with sum\(\)/,
    ],
    [
      'several values',
      () => grad((x: Tensor) => [x.sum(), x.sum()] as never)(ones([2])),
      /^grad: the function must return a tensor of one element/,
    ],
    [
      'no tensor',
      () => grad((_: Tensor) => 3 as never)(ones([2])),
      /^grad: the result of the function must consist of Tensors, got 3/,
    ],
    [
      'a promise',
      () => grad((async (x: Tensor) => x.sum()) as never)(ones([2])),
      /got a promise; the function has to be synchronous/,
    ],
    [
      'integers',
      () => grad((x: Tensor) => x.sum())(ones([2]).int()),
      /^grad: only floating point tensors can require grad/,
    ],
    [
      'an argument that is no tensor',
      () => grad((x: number) => ones([]).mul(x))(3),
      /^grad: argument 0 must consist of Tensors, got 3/,
    ],
    [
      'an argument that is not there',
      () => grad((x: Tensor) => x.sum(), { argnums: 1 })(ones([2])),
      /^grad: argnums selects argument 1, but the function was called with 1/,
    ],
    [
      'argnums that are no numbers',
      () => grad((x: Tensor) => x.sum(), { argnums: 'x' as never }),
      /^grad: argnums must be a whole number/,
    ],
    [
      'hasAux without aux',
      () => grad((x: Tensor) => x.sum() as never, { hasAux: true })(ones([2])),
      /^grad: with hasAux the function must return \[output, aux\]/,
    ],
    ['no function', () => gradAndValue(ones([2]) as never), /^gradAndValue: fn must be a function/],
    [
      'a gradient of another shape',
      () => vjp((x: Tensor) => x.mul(2), [ones([2])])[1](ones([3])),
      /^vjp: the gradient of the value must be float32 \[2\], got float32 \[3\]/,
    ],
    [
      'primals that are no array',
      () => vjp((x: Tensor) => x, ones([2]) as never),
      /^vjp: primals must be an array of at least one argument/,
    ],
    [
      'tangents of another number',
      () => jvp((x: Tensor) => x, [ones([2])], [] as never),
      /^jvp: tangents must be an array of one for each of the 1 primals/,
    ],
    [
      'tangents of another shape',
      () => jvp((x: Tensor) => x, [ones([2])], [ones([3])]),
      /^jvp: a tangent must be float32 \[2\], got float32 \[3\]/,
    ],
    ['a Jacobian of nothing', () => jacrev(undefined as never), /^jacrev: fn must be a function/],
    [
      'an unknown option',
      () => hessian(cube, { argnum: 0 } as never),
      /^hessian: there is no option 'argnum'; did you mean 'argnums'/,
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('vjp and jvp', () => {
  it('a pullback may be called again, under vmap, and for a gradient of its own', () => {
    const x = randn([3], f64);
    const [value, pullback] = vjp((x: Tensor) => ({ s: x.sin(), t: x.sum() }), [x]);
    expect(value.s.requiresGrad).toBe(false);
    const zero = tensor(0, f64);
    const [g] = pullback({ s: ones([3], f64), t: zero });
    expect(allclose(g, x.cos())).toBe(true);
    const [rows] = vmap((v: Tensor) => pullback({ s: v, t: zero }))(eye(3, f64));
    expect(allclose(rows, x.cos().mul(eye(3, f64)))).toBe(true);
    const weights = ones([3], { ...f64, requiresGrad: true });
    expect(allclose(gradientsOf(pullback({ s: weights, t: zero })[0].sum(), weights), x.cos())).toBe(true);
  });

  it('a tangent is linear in its direction, and zeros where nothing depends on the input', () => {
    const x = randn([3], f64);
    const v = randn([3], f64);
    const f = (x: Tensor) => [x.exp(), x.detach(), x.outer(x)] as const;
    const [, [exp, constant, outer]] = jvp(f, [x], [v]);
    expect(allclose(exp, x.exp().mul(v))).toBe(true);
    expect(constant.eq(0).all().item()).toBe(1);
    expect(allclose(outer, v.outer(x).add(x.outer(v)))).toBe(true);
    const [value, tangent, aux] = jvp((x: Tensor) => [x.square(), 'aux'] as const, [x], [v], { hasAux: true });
    expect([value.requiresGrad, aux]).toEqual([false, 'aux']);
    expect(allclose(tangent, x.mul(v).mul(2))).toBe(true);
  });

  it('jvp of grad is the product of the Hessian and a vector', () => {
    const x = randn([4], f64);
    const v = randn([4], f64);
    const f = (x: Tensor) => x.pow(4).sum().mul(x.sum());
    const [, hv] = jvp(grad(f), [x], [v]);
    expect(allclose(hv, hessian(f)(x).matmul(v))).toBe(true);
  });
});

describe('jacrev, jacfwd and hessian', () => {
  const x = randn([4], f64);
  const f = (x: Tensor) => ({ a: x.outer(x).tanh(), b: [x.sum()] as const });

  it('agree with each other, in chunks too', () => {
    const rows = jacrev(f)(x);
    for (const other of [jacfwd(f)(x), jacrev(f, { chunkSize: 3 })(x), jacfwd(f, { chunkSize: 1 })(x)]) {
      expect(other.a.shape).toEqual([4, 4, 4]);
      expect(allclose(other.a, rows.a)).toBe(true);
      expect(allclose(other.b[0], rows.b[0])).toBe(true);
    }
  });

  it('are computed by one pass for all rows, or all columns', () => {
    let calls = 0;
    const counted = (x: Tensor) => {
      calls++;
      return x.square();
    };
    jacrev(counted)(x);
    jacfwd(counted)(x);
    expect(calls).toBe(2);
  });

  it('have gradients where the code around has a graph', () => {
    const leaf = x.detach().requiresGrad_();
    for (const transform of [jacrev, jacfwd]) {
      const g = gradientsOf(transform((x: Tensor) => x.pow(3))(leaf).sum(), leaf);
      expect(allclose(g, x.mul(6))).toBe(true);
      expect(transform((x: Tensor) => x.pow(3))(x).requiresGrad).toBe(false);
      expect(noGrad.run(() => transform((x: Tensor) => x.pow(3))(leaf)).requiresGrad).toBe(false);
    }
    expect(hessian(cube)(x).requiresGrad).toBe(false);
  });

  it('have zeros for what does not depend on the input, and no elements where there are none', () => {
    expect(jacrev((x: Tensor) => ones([2], f64).mul(x.detach().sum()))(x).shape).toEqual([2, 4]);
    expect(
      jacfwd((_: Tensor) => ones([2], f64))(x)
        .eq(0)
        .all()
        .item(),
    ).toBe(1);
    for (const transform of [jacrev, jacfwd]) {
      expect(transform((x: Tensor) => x.narrow(0, 0, 0))(x).shape).toEqual([0, 4]);
      expect(transform((x: Tensor) => x.sum())(ones([0, 2])).shape).toEqual([0, 2]);
    }
  });

  it('give aux', () => {
    const [j, aux] = jacrev((x: Tensor) => [x.mul(2), x.sum()] as const, { hasAux: true })(x);
    expect(allclose(j, eye(4, f64).mul(2))).toBe(true);
    expect(aux.requiresGrad).toBe(false);
    expect(jacfwd((x: Tensor) => [x.mul(2), 7] as const, { hasAux: true })(x)[1]).toBe(7);
  });

  it('a Hessian is symmetric, for several arguments in blocks', () => {
    const f = (x: Tensor, y: Tensor) => x.mul(y.exp()).sum().square();
    const y = randn([4], f64);
    const [[xx, xy], [yx, yy]] = hessian(f, { argnums: [0, 1] })(x, y) as [[Tensor, Tensor], [Tensor, Tensor]];
    expect(allclose(xy, yx.t())).toBe(true);
    expect(allclose(xx, xx.t()) && allclose(yy, yy.t())).toBe(true);
    expect(allclose(xx, y.exp().outer(y.exp()).mul(2))).toBe(true);
  });

  it('work where recording is off around them', () => {
    expect(noGrad.run(() => hessian(cube)(tensor([1, 2]))).toArray()).toEqual([
      [6, 0],
      [0, 12],
    ]);
    expect(enableGrad.run(() => jacrev((x: Tensor) => x.square())(tensor([1]))).toArray()).toEqual([[2]]);
  });
});

it('arrays and objects that contain themselves are refused, as arguments and as results', () => {
  const circle: unknown[] = [ones([2])];
  circle.push({ again: circle });
  const deep = /: arrays and objects are nested deeper than 500 levels; does one contain itself\?$/;
  const takes: Record<string, (...args: any[]) => unknown> = {
    vmap: vmap((x: any) => x),
    grad: grad((x: any) => x[0].sum()),
    jacrev: jacrev((x: any) => x),
    hessian: hessian((x: any) => x[0].sum()),
  };
  for (const [name, fn] of Object.entries(takes)) expect(() => fn(circle), name).toThrow(deep);
  const gives: typeof takes = {
    vmap: vmap(() => circle),
    jacrev: jacrev(() => circle as never),
    grad: grad(() => [ones([]), circle] as never, { hasAux: true }),
  };
  for (const [name, fn] of Object.entries(gives)) expect(() => fn(ones([2])), name).toThrow(deep);
});
