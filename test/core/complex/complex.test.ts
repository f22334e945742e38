import { readFileSync } from 'node:fs';
import * as core from '@gradgate/core';
import { type DType, ones, promoteTypes, type Tensor, tensor } from '@gradgate/core';
import * as complexNumbers from '@gradgate/core/complex';
import { complex, conj, imag, isComplex, real, sgn, viewAsComplex, viewAsReal } from '@gradgate/core/complex';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import * as linalg from '@gradgate/core/linalg';
import { Conv1d, decodeNpy, decodeSafetensors, encodeNpy, encodeSafetensors, functional } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { cases } from '../operators.js';
import { expectClose, lossOf, numbers, type Stored, stored } from './golden.js';

interface Golden {
  readonly name: string;
  readonly inputs: Stored[];
  readonly out: Stored;
  readonly grads: Stored[];
}
const file = new URL('../../golden/complex.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as { cases: Golden[]; promotion: DType[][] };

type Fn = (...inputs: Tensor[]) => Tensor;
const operators = { ...core, ...linalg, ...complexNumbers } as unknown as Record<string, Fn>;
const signs = tensor([1]);
const made: Record<string, Fn> = {
  sum: (x) => x.sum(0),
  mean: (x) => x.mean(0),
  prod: (x) => x.prod(0),
  cumsum: (x) => x.cumsum(0),
  'sum of all': (x) => x.sum(),
  'mean of all': (x) => x.mean(),
  'prod of all': (x) => x.prod(),
  'einsum ij,kj->ik': (x, y) => core.einsum('ij,kj->ik', x, y),
  narrow: (x) => x.narrow(1, 1, 2),
  'index [1, 0, 1]': (x) => x.at([1, 0, 1]),
  cat: (x, y) => core.cat([x, y]),
  stack: (x, y) => core.stack([x, y]),
  flip: (x) => x.flip(1),
  roll: (x) => x.roll(1, 1),
  polar: (r, angle) => complexNumbers.polar(r, angle),
  'base 2': (x) => core.pow(2, x),
  'conv2d of groups': (x, w, b) => core.conv2d(x, w, b, { stride: 2, padding: 1, groups: 2 }),
  'convTranspose2d of groups': (x, w, b) =>
    core.convTranspose2d(x, w, b, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
  conv3d: (x, w, b) => functional.conv3d(x, w, b),
  ...Object.fromEntries(
    ['2', '1', '3', '0.5', 'Infinity', '-Infinity'].flatMap((p) => [
      [`norm ${p}`, (x: Tensor) => x.norm(Number(p))],
      [`norm ${p} of rows`, (x: Tensor) => x.norm(Number(p), 1)],
    ]),
  ),
};

describe('values, dtypes and gradients are those of PyTorch', () => {
  // What these take beside their inputs is among those of other cases.
  const byName = new Map(golden.cases.map((c) => [c.name, c]));
  const r = stored(byName.get('polar')!.inputs[1]!);
  const b = stored(golden.cases.find(({ name }) => name === 'add')!.inputs[1]!);
  made['where'] = (x, y) => core.where(r.gt(0), x, y);
  made['transpose'] = (x) => x.transpose(0, 1).mul(b.reshape(3, 1));
  it.each(golden.cases.map((c, i) => [`${i} ${c.name}`, c] as const))('%s', (_, { name, inputs, out, grads }) => {
    const exponent = /^pow (.*)/.exec(name)?.[1];
    const fn = exponent === undefined ? (made[name] ?? operators[name]!) : (x: Tensor) => x.pow(Number(exponent));
    const leaves = inputs.map((x) => stored(x).requiresGrad_());
    const y = fn(...leaves);
    const digits = inputs.some(({ dtype }) => dtype === 'complex64') && out.dtype === 'complex64' ? 1e-6 : 1e-12;
    expectClose(y, out, digits);
    lossOf(y).backward();
    leaves.forEach((x, i) => {
      expectClose(x.grad!, grads[i]!, digits * 10);
    });
  });

  it('promotion', () => {
    const unlike = golden.promotion.filter(([a, b, both, wholeFirst, singleFirst]) => {
      const [x, y] = [ones([2], { dtype: a! }), ones([2], { dtype: b! })];
      const got = [promoteTypes(a!, b!), x.add(y.at(0)).dtype, x.at(0).add(y).dtype];
      const swapped = [promoteTypes(b!, a!), y.at(0).add(x).dtype, y.add(x.at(0)).dtype];
      const want = [both, wholeFirst, singleFirst];
      return got.join() !== want.join() || swapped.join() !== want.join();
    });
    expect(unlike).toEqual([]);
    expect(complex([1], [2]).mul(2.5).dtype).toBe('complex64');
    expect(signs.mul(complex(1, 2)).dtype).toBe('complex64');
  });
});

/** A function of complex numbers as one of their parts, whose gradients finite differences give. */
const ofParts = (fn: (...z: Tensor[]) => Tensor, count: number) => {
  const parts = (...x: Tensor[]) => {
    const y = fn(...Array.from({ length: count }, (_, i) => complex(x[2 * i]!, x[2 * i + 1])));
    return isComplex(y) ? viewAsReal(y) : y;
  };
  return parts;
};

describe('gradients and second gradients are those of finite differences', () => {
  const f64 = { dtype: 'float64', requiresGrad: true } as const;
  const near = (...shape: number[]) =>
    core.forkRng(shape.length).run(() => [core.randn(shape, f64), core.randn(shape, f64)]);
  const one: Record<string, Fn> = {
    ...Object.fromEntries(
      [
        'exp',
        'expm1',
        'exp2',
        'log',
        'log1p',
        'log2',
        'log10',
        'sqrt',
        'rsqrt',
        'square',
        'reciprocal',
        'sigmoid',
        'sin',
        'cos',
      ]
        .concat([
          'tan',
          'asin',
          'acos',
          'atan',
          'sinh',
          'cosh',
          'tanh',
          'asinh',
          'atanh',
          'abs',
          'angle',
          'conj',
          'sgn',
          'prod',
        ])
        .map((name) => [name, (z: Tensor) => operators[name]!(z)]),
    ),
    'a power': (z) => z.pow(3),
    'a negative power': (z) => z.pow(-2),
    'a root': (z) => z.pow(0.5),
    'a power of it': (z) => z.pow(z.at(0)),
    'a power of a number': (z) => core.pow(2, z),
    'a power of real numbers': (z) => real(z).square().pow(z),
    'a real power': (z) => z.pow(imag(z)),
    'a convolution': (z) =>
      core.conv1d(z.unsqueeze(0), z.unsqueeze(0).narrow(2, 0, 2), z.select(1, 0).sum(0, { keepdim: true })),
    'a transposed convolution of planes': (z) =>
      core.convTranspose2d(z.view(1, 2, 1, 3), z.view(2, 1, 3, 1), null, { stride: 2, padding: 1 }),
    'norms of rows': (z) => z.norm(2, 1),
    'a norm of another power': (z) => z.norm(3),
    'a direction': (z) => core.normalize(z, { dim: 1 }),
    'a product of matrices': (z) => z.matmul(z.transpose(0, 1)),
    'a product with the real part': (z) => z.mul(real(z)),
    'the real part over it': (z) => real(z).div(z),
    'parts of it': (z) =>
      z
        .select(0, 1)
        .mul(z.at(0))
        .add(z.narrow(1, 0, 1)),
    'slices of it': (z) => z.indexSelect(1, tensor([0, 0, 2], { dtype: 'int32' })).mul(z),
    'a choice': (z) => core.where(real(z).gt(0), z.mul(z), z),
    'the size of a sum': (z) => z.cumsum(1).abs().sum(),
    'sizes and angles': (z) => complexNumbers.polar(real(z), imag(z)),
    'a write in place': (z) => {
      const copy = z.mul(2);
      copy.at(0).copy_(z.at(1).mul(z.at(0)));
      return copy.mul_(z);
    },
  };
  it.each(Object.entries(one))('%s', (_, fn) => {
    const [re, im] = near(2, 3) as [Tensor, Tensor];
    expect(gradcheck(ofParts(fn, 1), [re, im])).toBe(true);
    expect(gradgradcheck(ofParts(fn, 1), [re, im])).toBe(true);
  });
});

/** Operators that mean nothing of order or sign, and so take complex numbers too. */
const takeComplex = new Set(
  `neg exp square tanh sigmoid expm1 exp2 sin cos atan sinh cosh asinh clone tanhshrink abs softsign log sqrt log1p log2 log10
  rsqrt reciprocal tan asin acos atanh add sub mul div lerp addcmul addcdiv asTensor where maskedFill glu sum sumTo mean prod
  cumsum cumprod contiguous to view reshape flatten unflatten permute transpose t swapaxes movedim expand expandAs broadcastTensors
  squeeze unsqueeze narrow select cat stack split chunk unbind copy_ gather scatterAdd indexSelect indexAdd at set flip roll
  repeat repeatInterleave tril triu pad diagonal trace meshgrid matmul mm bmm linear einsum outer dot embedding nllLoss
  diagEmbed diag rot90 fliplr flipud tile unfoldDim vstack hstack dstack blockDiag cartesianProd combinations scatter take
  takeAlongDim maskedSelect maskedScatter indexFill indexCopy rad2deg deg2rad addmm addmv addr baddbmm addbmm mv kron
  tensordot cross diff nansum pow norm normalize dist cdist linalg.vectorNorm conv1d conv2d convTranspose1d convTranspose2d linalg.multiDot linalg.vander linalg.vecdot
  linalg.householderProduct`
    .trim()
    .split(/\s+/),
);

describe('each operator computes with complex numbers, with gradients as its own parts have them, or refuses them by name', () => {
  it.each(Object.entries(cases))('%s', (name, [fn, ...makers]) => {
    const all = makers.map((make) => make());
    const isFloat = (x: Tensor) => x.dtype === 'float64';
    const call = (...inputs: Tensor[]) => {
      const out = fn(...inputs);
      return Array.isArray(out) ? out : [out];
    };
    const z = all.map((x) => (isFloat(x) ? complex(x.detach(), core.randn(x.shape, { dtype: 'float64' })) : x));
    if (!takeComplex.has(name)) {
      const op = name
        .replace(/^(linalg|special)\./, '')
        .replace(/^modifiedBesselI/, 'i')
        .replace(/^(luSolve|ldlSolve|choleskySolve|choleskyInverse)$/, '(luFactor|ldlFactor|cholesky)');
      expect(() => call(...z)).toThrow(new RegExp(`^${op}: takes real tensors, got complex128; use `));
      return;
    }
    // Real numbers as complex ones give what the real ones give, and nothing imaginary.
    const wide = call(...all.map((x) => (isFloat(x) ? complex(x.detach(), 0) : x)));
    call(...all).forEach((want, i) => {
      const got = wide[i]!;
      if (!isComplex(got)) expect(numbers(got)).toEqual(numbers(want));
      else {
        const [a, b] = [numbers(real(got)), numbers(want)];
        for (const [j, v] of b.entries()) expect(a[j]).toBeCloseTo(v, 10);
        expect(Math.max(0, ...numbers(imag(got)).map(Math.abs))).toBeLessThan(1e-10);
      }
    });
    const parts = z.flatMap((x) => (isComplex(x) ? [real(x), imag(x)].map((t) => t.clone().requiresGrad_()) : [x]));
    const ofAll = (...given: Tensor[]) => {
      let at = 0;
      const inputs = z.map((x) => (isComplex(x) ? complex(given[at++]!, given[at++]) : given[at++]!));
      return call(...inputs).map((y) => (isComplex(y) ? viewAsReal(y) : y));
    };
    expect(gradcheck(ofAll, parts)).toBe(true);
  });
});

describe('complex tensors', () => {
  it('any and all count what is not 0, in either part', () => {
    const x = complex(
      [
        [0, 0],
        [0, 2],
      ],
      [
        [0, 3],
        [0, 0],
      ],
    );
    expect(x.any().toArray()).toBe(true);
    expect(x.any(1).toArray()).toEqual([true, true]);
    expect(x.all(0).toArray()).toEqual([false, true]);
    expect(x.transpose(0, 1).all(1).toArray()).toEqual([false, true]);
    expect(complex([0], [0]).any().toArray()).toBe(false);
  });

  const z = complex([1, 2], [3, -4]);

  it('are made of parts, of { re, im }, and by creation functions with a dtype', () => {
    expect(z.dtype).toBe('complex64');
    expect(z.toArray()).toEqual([
      { re: 1, im: 3 },
      { re: 2, im: -4 },
    ]);
    expect(complex(z.toArray() as never)).toEqual(z);
    expect(complex([[1, { re: 2, im: 5 }]]).toArray()).toEqual([
      [
        { re: 1, im: 0 },
        { re: 2, im: 5 },
      ],
    ]);
    expect(complex(tensor([1, 2], { dtype: 'float64' }), 1).dtype).toBe('complex128');
    const wide = { dtype: 'complex128' } as const;
    for (const [made, want] of [
      [core.zeros([2], wide), [0, 0, 0, 0]],
      [ones([2], wide), [1, 0, 1, 0]],
      [core.full([1], 7, wide), [7, 0]],
      [core.eye(2, wide), [1, 0, 0, 0, 0, 0, 1, 0]],
      [core.arange(2, wide), [0, 0, 1, 0]],
      [tensor([1.5], wide), [1.5, 0]],
      [core.onesLike(z), [1, 0, 1, 0]],
      [core.fullLike(z, 3), [3, 0, 3, 0]],
    ] as const)
      expect(numbers(made)).toEqual(want);
    const drawn = core.forkRng(1).run(() => core.randn([4000], wide));
    expect(drawn.abs().square().mean().item()).toBeCloseTo(1, 1);
    expect(Math.abs(real(drawn).mul(imag(drawn)).mean().item())).toBeLessThan(0.02);
    const uniform = core.forkRng(1).run(() => core.rand([4000], { dtype: 'complex64' }));
    for (const part of [real(uniform), imag(uniform)]) expect(part.mean().item()).toBeCloseTo(0.5, 1);
  });

  it.each(['data', 'itemAsync', 'toArrayAsync'] as const)('%s refuses them in its own name', async (name) => {
    await expect(z.at(0)[name]()).rejects.toThrow(new RegExp(`^${name}: takes real tensors, got complex64`));
  });

  it('are shown as PyTorch shows them, and read as { re, im }', () => {
    expect(String(z)).toBe('tensor([1.+3.j, 2.-4.j], dtype: complex64)');
    expect(String(complex(0.5, -0))).toBe('tensor(0.5000-0.j, dtype: complex64)');
    expect(JSON.stringify(z.at(0))).toBe('{"re":1,"im":3}');
    expect(z).toEqual(complex([1, 2], [3, -4]));
    expect(z).not.toEqual(complex([1, 2], [3, 4]));
    expect(() => z.at(0).item()).toThrow(/^item: takes real tensors, got complex64; use .*toArray\(\)/);
    expect(() => z.toTypedArray()).toThrow(/^toTypedArray: takes real tensors/);
    expect(() => core.fromTypedArray(z as never)).toThrow('fromTypedArray');
  });

  it('share memory with their real views, which are written through', () => {
    const w = z.clone();
    real(w).copy_(9);
    viewAsReal(w).select(-1, 1).mul_(2);
    expect(w.toArray()).toEqual([
      { re: 9, im: 6 },
      { re: 9, im: -8 },
    ]);
    const x = complex([1], [2]).requiresGrad_();
    const y = x.mul(x);
    expect(() => real(y).mul_(2)).toThrow(/mul_: this view/);
    // A write that no graph knows of shows in the version, which what was saved is compared with.
    const saved = y.mul(y);
    core.noGrad.run(() => imag(y).mul_(2));
    expect(() => saved.abs().sum().backward()).toThrow(/modified/);
  });

  it('become real where their imaginary part is dropped, and bool where either is not 0', () => {
    expect(z.to('float32')).toEqual(tensor([1, 2]));
    expect(complex([0, 0], [0, 1]).to('bool')).toEqual(tensor([false, true]));
    expect(z.to('int64')).toEqual(tensor([1, 2]).long());
    expect(tensor([3n]).to('complex128').toArray()).toEqual([{ re: 3, im: 0 }]);
    expect(z.cdouble().dtype).toBe('complex128');
    expect(z.to('cpu')).toBe(z);
    expect(() => tensor([1, 2]).copy_(z)).toThrow('copy_: a complex64 tensor cannot be written into a float32 one');
    expect(() => tensor([1, 2]).mul_(z)).toThrow('the result is complex64 and cannot be written into a float32 tensor');
  });

  it('are equal by both parts, and not ordered', () => {
    expect(z.eq(complex([1, 2], [3, 4]))).toEqual(tensor([true, false]));
    expect(z.ne(1)).toEqual(tensor([true, true]));
    expect(core.equal(z, z.clone())).toBe(true);
    expect(core.allclose(z, z.add(complex(0, 1e-7)))).toBe(true);
    expect(complex([Number.NaN, 1], [1, Number.NaN]).isnan()).toEqual(tensor([true, true]));
    for (const fn of [core.lt, core.maximum]) expect(() => fn(z, 1)).toThrow(/takes real tensors, got complex64/);
  });

  it('are written to by indices, masks and slices', () => {
    const w = core.zeros([2, 3], { dtype: 'complex64' });
    w.at(0).copy_(complex([1, 2, 3], 1));
    expect(w.at(0, 1).toArray()).toEqual({ re: 2, im: 1 });
    expect(numbers(w.maskedFill(real(w).gt(1), 0))).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(w.t().contiguous().t()).toEqual(w);
    expect(w.flip(1).at(0, 0).toArray()).toEqual({ re: 3, im: 1 });
  });

  it('go into files of NumPy, safetensors and messages, and come back', () => {
    for (const t of [z, z.cdouble(), complex([[1, 2, 3]], 4).t()]) {
      expect(decodeNpy(encodeNpy(t))).toEqual(t);
      expect(core.unpackTensor(core.packTensor(t))).toEqual(t);
    }
    expect(new TextDecoder('latin1').decode(encodeNpy(z))).toContain("'descr': '<c8'");
    expect(decodeSafetensors(encodeSafetensors({ z })).tensors['z']).toEqual(z);
    expect(() => encodeSafetensors({ z: z.cdouble() })).toThrow('the format has no complex128');
  });

  it('have gradients that are given, as a loss is real, and conjugates that cost real tensors nothing', () => {
    const x = complex([1, 2], [3, 4]).requiresGrad_();
    expect(() => x.sum().backward()).toThrow(/^backward: the gradient of a complex64 tensor must be given/);
    x.mul(2).backward(complex([1, 1], [0, 1]));
    expect(x.grad!.toArray()).toEqual([
      { re: 2, im: 0 },
      { re: 2, im: 2 },
    ]);
    const plain = tensor([1]);
    expect([conj(plain), real(plain)]).toEqual([plain, plain]);
    expect(conj(plain)).toBe(plain);
    // A real tensor gets the real part of its gradient.
    const r = tensor([1, 2], { requiresGrad: true });
    r.mul(z).abs().square().sum().backward();
    expect(r.grad).toEqual(tensor([20, 80]));
  });

  it('are 0 or 1 in size where functions have corners', () => {
    const x = complex([0], [0]).requiresGrad_();
    core.add(x.abs().sum(), complexNumbers.angle(x).sum()).backward();
    expect(x.grad!.toArray()).toEqual([{ re: 0, im: 0 }]);
    expect(
      sgn(complex([0, 3], [0, 4]))
        .toArray()
        .toString(),
    ).toBe('[object Object],[object Object]');
    expect(numbers(sgn(complex([0, 3], [0, 4]).cdouble()))).toEqual([0, 0, 0.6, 0.8]);
    expect(complexNumbers.angle(tensor([-2, 3, Number.NaN]))).toEqual(tensor([Math.PI, 0, Number.NaN]));
  });

  it('to the power 0 are 1, and 0 to powers with a real part above 0 is 0', () => {
    const [zero, i] = [complex(0, 0), complex(0, 1)];
    const power = (a: Tensor, b: Tensor) => numbers(a.pow(b));
    expect([power(zero, zero), power(i, zero), power(zero, complex(1, 1))]).toEqual([
      [1, 0],
      [1, 0],
      [0, 0],
    ]);
    expect(power(zero, complex(-1, 1))).toEqual([Number.NaN, Number.NaN]);
    expect(power(i.cdouble(), tensor(2, { dtype: 'float64' }))).toEqual([-1, 0]);
    const exponent = complex(2, 0).requiresGrad_();
    viewAsReal(zero.pow(exponent)).sum().backward();
    expect(numbers(exponent.grad!)).toEqual([0, 0]);
  });

  it('go through convolutions of the layers, and integers are refused there as before', () => {
    const net = new Conv1d(2, 3, 2).to('complex64');
    const x = complex(core.randn([4, 2, 5]), core.randn([4, 2, 5]));
    net(x).abs().square().mean().backward();
    for (const p of net.parameters()) expect([p.dtype, p.grad!.dtype]).toEqual(['complex64', 'complex64']);
    // Conversions to real dtypes leave complex parameters alone.
    expect([net.double().weight.dtype, net.to('complex128').weight.dtype]).toEqual(['complex64', 'complex128']);
    net.to('complex64');
    expect(core.conv1d(core.zeros([0, 2, 5], { dtype: 'complex64' }), net.weight.detach()).shape).toEqual([0, 3, 4]);
    expect(() => core.conv1d(x, core.randn([3, 2, 2]))).toThrow(/^conv1d: input is complex64 and weight float32/);
    expect(() => core.conv1d(ones([1, 2, 5]).int(), ones([1, 2, 2]).int())).toThrow(
      /^conv1d: takes floating point tensors/,
    );
    expect(() => ones([2]).int().norm()).toThrow(/^norm: takes floating point tensors, got int32/);
  });

  it('do not overflow on the way to what can be held', () => {
    const far = complex([{ re: 1e200, im: 1e200 }]).cdouble();
    const big = complex(tensor([1e200], { dtype: 'float64' }), 1e200);
    expect(far.isinf().all().item()).toBe(1);
    expect(numbers(big.div(big))).toEqual([1, 0]);
    expect(big.abs().item() / 1e200).toBeCloseTo(Math.SQRT2, 12);
    expect(numbers(big.reciprocal()).map((v) => v * 1e200)).toEqual([0.5, -0.5]);
    expect(numbers(complex(tensor([800], { dtype: 'float64' }), 1).tanh())[0]).toBe(1);
    expect(numbers(big.sqrt())[0]! / 1e100).toBeCloseTo(Math.sqrt((1 + Math.SQRT2) / 2), 12);
    const thin = complex(tensor([1], { dtype: 'float64' }), 1e-9);
    expect(numbers(thin.log())[0]).toBeCloseTo(5e-19, 30);
  });

  it('of no elements and of no dimensions are like any others', () => {
    const none = core.zeros([0, 3], { dtype: 'complex64' });
    expect(none.mul(2).sum().toArray()).toEqual({ re: 0, im: 0 });
    expect(none.prod(0).toArray()).toEqual(Array(3).fill({ re: 1, im: 0 }));
    expect(String(none)).toBe('tensor([], shape: [0, 3], dtype: complex64)');
    expect(none.matmul(core.zeros([3, 2], { dtype: 'complex64' })).shape).toEqual([0, 2]);
    expect(complex(2, 1).mul(complex(0, 1)).toArray()).toEqual({ re: -1, im: 2 });
  });

  it('refuse bad input by name', () => {
    expect(() => imag(tensor([1]))).toThrow(/^imag: takes complex tensors, got float32/);
    expect(() => viewAsReal(tensor([1]))).toThrow(/^viewAsReal: takes complex tensors/);
    expect(() => viewAsComplex(tensor([1, 2, 3]))).toThrow(
      /^viewAsComplex: the last dimension must have size 2.*\[3\]/,
    );
    expect(() => viewAsComplex(ones([2], { dtype: 'int32' }))).toThrow(/^viewAsComplex: takes float32 and float64/);
    expect(() => complex(z, 1)).toThrow(/^complex: parts must be real tensors/);
    expect(() => complex([{ re: 1 }] as never)).toThrow(/^complex: values must be numbers or/);
    expect(() => complex(tensor([1, 2]), tensor([1, 2, 3]))).toThrow(/^complex: /);
    for (const fn of [real, conj, sgn, isComplex, complexNumbers.angle])
      expect(() => fn(3 as never)).toThrow(TypeError);
  });

  it('take part in tidy, and are refused once they are disposed of', () => {
    const kept = core.tidy.run(() => viewAsReal(z.mul(z)).clone());
    expect(numbers(kept)).toEqual([-8, 6, -12, -16]);
    const gone = z.mul(2);
    gone.dispose();
    expect(() => gone.add(1)).toThrow(/given back/);
    expect(String(gone)).toContain('given back');
  });
});

it('complex refuses arrays that hold themselves', () => {
  const own: unknown[] = [];
  own[0] = own;
  expect(() => complex(own as never)).toThrow(/^complex: arrays are nested deeper than 64 times/);
});
