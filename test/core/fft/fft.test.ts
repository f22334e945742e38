import { readFileSync } from 'node:fs';
import * as core from '@gradgate/core';
import { forkRng, grad, ones, randn, type Tensor, tensor } from '@gradgate/core';
import { complex, conj, imag, isComplex, real, viewAsReal } from '@gradgate/core/complex';
import * as transforms from '@gradgate/core/fft';
import { fft, fftn, ifft, ifftn, irfft, irfftn, istft, rfft, rfftn, stft } from '@gradgate/core/fft';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import { describe, expect, it } from 'vitest';
import { expectClose, lossOf, numbers, type Stored, stored } from '../complex/golden.js';

interface Golden {
  readonly op: string;
  readonly options: Record<string, unknown>;
  readonly input: Stored;
  readonly out: Stored;
  readonly grad: Stored;
}
interface File {
  readonly cases: Golden[];
  readonly windows: [name: string, n: number, periodic: boolean, values: number[]][];
  readonly frequencies: [op: 'fftfreq' | 'rfftfreq', n: number, d: number, values: number[]][];
  readonly shifts: [op: 'fftshift' | 'ifftshift', shape: number[], dim: number[] | null, values: number[]][];
  readonly window: number[];
  readonly small: number[];
}
const golden = JSON.parse(readFileSync(new URL('../../golden/fft.json', import.meta.url), 'utf8')) as File;
const f64 = { dtype: 'float64' } as const;
const windows: Record<string, Tensor> = { window: tensor(golden.window, f64), small: tensor(golden.small, f64) };
const named = transforms as unknown as Record<string, (x: Tensor, ...rest: unknown[]) => Tensor>;
const camelCase = (name: string) => name.replaceAll(/_(.)/g, (_, c: string) => c.toUpperCase());

/** A call as the script writes it, with its options in camelCase. */
function run({ op, options }: Golden, x: Tensor): Tensor {
  const ours = Object.fromEntries(Object.entries(options).map(([k, v]) => [camelCase(k), v]));
  if (typeof ours['window'] === 'string') ours['window'] = windows[ours['window']];
  return /stft/.test(op) ? named[op]!(x, 8, ours) : named[op]!(x, ours);
}

describe('values and gradients are those of PyTorch', () => {
  it.each(golden.cases.map((c, i) => [`${i} ${c.op} ${JSON.stringify(c.options)}`, c] as const))('%s', (_, c) => {
    const x = stored(c.input).requiresGrad_();
    const out = run(c, x);
    const digits = /32|64$/.test(c.out.dtype) && !/float64/.test(c.out.dtype) ? 2e-6 : 1e-12;
    expectClose(out, c.out, digits);
    lossOf(out).backward();
    expectClose(x.grad!, c.grad, digits * 10);
  });

  it.each(golden.windows)('%sWindow of %d, periodic: %s', (name, n, periodic, values) => {
    const made = named[`${name}Window`]!(n as never, { periodic, dtype: 'float64' });
    expect([made.dtype, made.shape]).toEqual(['float64', [n]]);
    expectClose(made, { dtype: 'float64', shape: [n], values }, 1e-14);
    expect(named[`${name}Window`]!(n as never).dtype).toBe('float32');
  });

  it.each(golden.frequencies)('%s of %d, %d apart', (op, n, d, values) => {
    expectClose(
      transforms[op](n, { d, dtype: 'float64' }),
      { dtype: 'float64', shape: [values.length], values },
      1e-15,
    );
  });

  it.each(golden.shifts)('%s of %j along %j', (op, shape, dim, values) => {
    expect([...transforms[op](core.arange(12).reshape(shape), dim).flatten().toTypedArray()]).toEqual(values);
  });
});

const near = (n: number, ...shape: number[]): Tensor =>
  forkRng(n).run(() => complex(randn(shape, f64), randn(shape, f64)));
const furthest = (a: Tensor, b: Tensor): number => a.sub(b).abs().max().item();

describe('transforms of any length', () => {
  const lengths = [
    1, 2, 3, 5, 11, 17, 47, 53, 59, 64, 97, 100, 101, 128, 243, 251, 343, 500, 509, 720, 1009, 1024, 2018, 2187, 4099,
  ];

  it.each(lengths)('%d: go there and back, keep the energy, and turn by a shift', (n) => {
    const z = near(n, n);
    const there = fft(z);
    expect(furthest(ifft(there), z)).toBeLessThan(1e-13 * Math.sqrt(n) + 1e-14);
    const energy = (t: Tensor) => t.abs().square().sum().item();
    expect(energy(there) / n / energy(z)).toBeCloseTo(1, 12);
    // Moved on by one, each frequency turns by its own angle.
    const angles = core.arange(n, f64).mul((-2 * Math.PI) / n);
    const turned = there.mul(complex(angles.cos(), angles.sin()));
    expect(furthest(fft(z.roll(1, 0)), turned)).toBeLessThan(2e-13 * n + 1e-12);
    const x = real(z).clone();
    expect(furthest(irfft(rfft(x), { n }), x)).toBeLessThan(1e-13 * Math.sqrt(n) + 1e-14);
    expect(furthest(rfft(x), fft(x).narrow(0, 0, Math.floor(n / 2) + 1))).toBeLessThan(1e-12 * n);
  });

  it.each(lengths.filter((n) => n < 130))('%d: are the sums that define them', (n) => {
    const z = near(n, n);
    const k = core.arange(n, f64);
    const angle = k
      .unsqueeze(1)
      .mul(k)
      .remainder(n)
      .mul((-2 * Math.PI) / n);
    expect(furthest(fft(z), complex(angle.cos(), angle.sin()).matmul(z))).toBeLessThan(1e-12 * n);
  });

  it('several dimensions are one after another', () => {
    const z = near(1, 3, 4, 5);
    const each = fft(fft(fft(z, { dim: 0 }), { dim: 1 }), { dim: 2 });
    expect(furthest(fftn(z), each)).toBeLessThan(1e-12);
    expect(furthest(ifftn(fftn(z)), z)).toBeLessThan(1e-13);
    const x = imag(z).clone();
    expect(furthest(irfftn(rfftn(x), { s: x.shape }), x)).toBeLessThan(1e-13);
    // Views, not only rows.
    expect(furthest(fft(z.permute([2, 0, 1]), { dim: 0 }), fft(z).permute([2, 0, 1]))).toBe(0);
  });

  it('the transform of a convolution is the product of the transforms', () => {
    const [a, b] = [near(2, 12), near(3, 12)];
    const product = ifft(fft(a).mul(fft(b)));
    const direct = core.stack(Array.from({ length: 12 }, (_, t) => a.mul(b.flip(0).roll(t + 1, 0)).sum()));
    expect(furthest(product, direct)).toBeLessThan(1e-12);
  });

  it('dtypes: half types and integers as float32, float64 as complex128', () => {
    for (const dtype of ['int32', 'bool', 'float16', 'bfloat16', 'float32'] as const)
      expect([fft(ones([4], { dtype })).dtype, rfft(ones([4], { dtype })).dtype]).toEqual(['complex64', 'complex64']);
    expect(rfft(ones([4], f64)).dtype).toBe('complex128');
    expect(irfft(ones([3], f64)).dtype).toBe('float64');
  });
});

describe('gradients and second gradients are those of finite differences', () => {
  const parts = (fn: (z: Tensor) => Tensor) => (re: Tensor, im: Tensor) => {
    const out = fn(complex(re, im));
    return isComplex(out) ? viewAsReal(out) : out;
  };
  const leaf = (n: number, ...shape: number[]) => forkRng(n).run(() => randn(shape, { ...f64, requiresGrad: true }));
  it.each(['fft', 'ifft', 'irfft', 'hfft', 'fftn', 'ifftn', 'irfftn', 'hfftn', 'fft2', 'ifft2', 'irfft2', 'hfft2'])(
    '%s',
    (op) => {
      // Not linear behind it, so that there is a second gradient.
      const fn = parts((z) => core.square(named[op]!(z)));
      const inputs = [leaf(1, 3, 3), leaf(2, 3, 3)];
      expect(gradcheck(fn, inputs)).toBe(true);
      expect(gradgradcheck(fn, inputs)).toBe(true);
    },
  );
  it.each(['rfft', 'ihfft', 'rfftn', 'ihfftn', 'rfft2', 'ihfft2', 'fft', 'ifft2'])('%s of real numbers', (op) => {
    const fn = (x: Tensor) => viewAsReal(core.square(named[op]!(x)));
    for (const shape of [
      [2, 4],
      [3, 5],
    ]) {
      expect(gradcheck(fn, [leaf(1, ...shape)])).toBe(true);
      expect(gradgradcheck(fn, [leaf(1, ...shape)])).toBe(true);
    }
  });
  it('stft and istft, of the signal and of the window', () => {
    const window = forkRng(4).run(() => core.rand([4], f64).add(0.5).requiresGrad_());
    const there = (x: Tensor, w: Tensor) => viewAsReal(core.square(stft(x, 4, { window: w })));
    expect(gradcheck(there, [leaf(1, 9), window])).toBe(true);
    const back = (re: Tensor, im: Tensor, w: Tensor) => core.square(istft(complex(re, im), 4, { window: w }));
    expect(gradcheck(back, [leaf(1, 3, 5), leaf(2, 3, 5), window])).toBe(true);
    expect(gradgradcheck(there, [leaf(1, 9), window])).toBe(true);
  });
  it('a signal is found again by its spectrum, through gradients alone', () => {
    const want = forkRng(1).run(() => randn([16]));
    const x = core.zeros([16], { requiresGrad: true });
    for (let step = 0; step < 60; step++) {
      const [g] = grad(rfft(x).sub(rfft(want)).abs().square().sum(), [x]);
      core.noGrad.run(() => x.sub_(g!.mul(0.03)));
    }
    expect(furthest(x.detach(), want)).toBeLessThan(1e-4);
  });
});

describe('signals over time', () => {
  it.each([
    ['a Hann window', { window: transforms.hannWindow(16, f64) }],
    ['a window shorter than a frame', { window: transforms.hammingWindow(10, f64), winLength: 10, hopLength: 3 }],
    ['no window', { hopLength: 16 }],
    [
      'both sides of frequencies, in size as they came',
      { window: transforms.kaiserWindow(16, f64), onesided: false, normalized: true },
    ],
  ] as const)('istft is the inverse of stft: %s', (_, options) => {
    const x = forkRng(3).run(() => randn([2, 96], f64));
    expect(furthest(istft(stft(x, 16, options), 16, { ...options, length: 96 }), x)).toBeLessThan(1e-12);
    const z = near(5, 96);
    const both = { ...options, onesided: false };
    const back = istft(stft(z, 16, both), 16, { ...both, returnComplex: true, length: 96 });
    expect(furthest(back, z)).toBeLessThan(1e-12);
  });
});

describe('bad input is refused by name', () => {
  const x = ones([2, 4]);
  const z = complex(x, 0);
  it.each([
    ['a scalar', () => fft(tensor(1)), /^fft: a scalar tensor has no dimension/],
    ['no tensor', () => fft([1, 2] as never), /^fft: expected a Tensor/],
    ['a length of 0', () => fft(x, { n: 0 }), /^fft: n must be a whole number above 0/],
    ['nothing to transform', () => fft(ones([2, 0])), /^fft: a transform must have a length of at least 1.*\[2, 0\]/],
    ['a dimension that is not there', () => rfft(x, { dim: 2 }), /^rfft: /],
    ['a norm that is not there', () => ifft(x, { norm: 'both' as never }), /^ifft: norm must be 'backward'/],
    ['an option that is not there', () => ifft(x, { s: [2] } as never), /^ifft: there is no option 's'/],
    ['complex numbers where real ones are taken', () => rfft(z), /^rfft: takes real tensors, got complex64/],
    ['the same of several dimensions', () => rfftn(z), /^rfftn: takes real tensors, got complex64/],
    ['a dimension twice', () => fftn(x, { dim: [0, 0] }), /^fftn: dim \[0, 0\] names a dimension twice/],
    ['lengths that are not one each', () => fftn(x, { s: [2], dim: [0, 1] }), /^fftn: s has 1 lengths for 2/],
    ['more lengths than dimensions', () => fftn(x, { s: [2, 2, 2] }), /^fftn: s has 3 lengths.*\[2, 4\]/],
    ['no dimension', () => fftn(x, { dim: [] }), /^fftn: dim is empty/],
    [
      'one number for a real result',
      () => irfft(complex([1], 1)),
      /^irfft: a transform must have a length of at least 1/,
    ],
    ['a signal shorter than a frame', () => stft(ones([4]), 8, { center: false }), /^stft: a signal of shape \[4\]/],
    ['too many dimensions', () => stft(ones([2, 2, 9]), 4), /^stft: takes signals \[n\] or/],
    ['integers', () => stft(ones([9], { dtype: 'int32' }), 4), /^stft: takes floating point signals/],
    [
      'a window of another length',
      () => stft(ones([9]), 4, { window: ones([5]) }),
      /^stft: the window has shape \[5\]; expected \[4\]/,
    ],
    ['a window longer than a frame', () => stft(ones([9]), 4, { winLength: 5 }), /^stft: a winLength of 5 is longer/],
    [
      'one side of a complex signal',
      () => stft(complex(ones([9]), 1), 4, { onesided: true }),
      /^stft: takes real tensors/,
    ],
    ['real frames', () => istft(ones([3, 5]), 4), /^istft: takes complex tensors/],
    [
      'as many frequencies as there are not',
      () => istft(complex(ones([4, 5]), 0), 4),
      /^istft: expected 3 frequencies/,
    ],
    [
      'windows of nothing',
      () => istft(complex(ones([3, 5]), 0), 4, { window: core.zeros([4]) }),
      /^istft: the windows do not cover/,
    ],
    ['gaps', () => istft(complex(ones([3, 5]), 0), 4, { hopLength: 5 }), /^istft: a hopLength of 5 leaves gaps/],
    [
      'a complex signal of one side',
      () => istft(complex(ones([3, 5]), 0), 4, { returnComplex: true, onesided: true }),
      /^istft: a complex/,
    ],
    ['a window of a fraction', () => transforms.hannWindow(1.5), /^hannWindow: n must be a whole number/],
    ['no frequencies', () => transforms.fftfreq(0), /^fftfreq: n must be a whole number above 0/],
    ['another dtype of frequencies', () => transforms.rfftfreq(4, { dtype: 'int32' }), /^rfftfreq: .*int32/],
  ] as const)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  it('conjugates of halves are what the other half is', () => {
    const x = forkRng(1).run(() => randn([6], f64));
    const whole = fft(x);
    expect(furthest(whole.at(5), conj(whole.at(1)))).toBeLessThan(1e-14);
    expect(numbers(rfft(x))[1]).toBe(0);
  });
});
