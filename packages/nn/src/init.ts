import {
  eye,
  type Generator,
  noGrad,
  rand,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  where,
  zeros,
} from '@gradgate/core';
import { check, checkOptions, checkTensors, is, named, show } from '@gradgate/core/internal';
import { shapeText } from './shapeText.js';

interface InitOptions {
  /** Where the numbers come from; the default generator if not given. */
  generator?: Generator;
}

const initOptions = { generator: is.generator };

/** Refuses arguments that are not tensors or numbers, by name; returns the options. */
function checkInit(
  op: string,
  t: Tensor,
  numbers: Readonly<Record<string, unknown>>,
  options?: InitOptions,
): InitOptions {
  checkTensors(op, t);
  for (const [name, value] of Object.entries(numbers)) check(op, name, value, is.number);
  return checkOptions(op, options, initOptions);
}

/** Writes values into `t` without recording. */
const fill = <T extends Tensor>(t: T, values: Tensor): T => noGrad.run(() => t.copy_(values));

/**
 * Fills `t` with numbers uniform in [`low`, `high`), 0 and 1 by default, and gives it. Not recorded, like all of these.
 *
 * ```ts
 * init.uniform_(empty([3, 5])).lt(1).all(); // true
 * ```
 */
export const uniform_ = /* @__PURE__ */ named(
  'uniform_',
  <T extends Tensor>(t: T, low = 0, high = 1, options: InitOptions = {}): T => {
    const chosen = checkInit('uniform_', t, { low, high }, options);
    return fill(
      t,
      rand(t.shape, { dtype: t.dtype, ...chosen })
        .mul(high - low)
        .add(low),
    );
  },
);

/**
 * Fills `t` with numbers from a normal distribution of `mean` and `std`, 0 and 1 by default, and gives it.
 *
 * ```ts
 * init.normal_(empty([3]), 5, 0); // [5, 5, 5]
 * ```
 */
export const normal_ = /* @__PURE__ */ named(
  'normal_',
  <T extends Tensor>(t: T, mean = 0, std = 1, options: InitOptions = {}): T => {
    const chosen = checkInit('normal_', t, { mean, std }, options);
    return fill(
      t,
      randn(t.shape, { dtype: t.dtype, ...chosen })
        .mul(std)
        .add(mean),
    );
  },
);

/**
 * Fills `t` with numbers from a normal distribution that lie in [low, high].
 *
 * ```ts
 * init.truncNormal_(empty([100]), 0, 1, -2, 2).abs().le(2).all(); // true
 * ```
 */
export const truncNormal_ = /* @__PURE__ */ named(
  'truncNormal_',
  <T extends Tensor>(t: T, mean = 0, std = 1, low = -2, high = 2, options: InitOptions = {}): T => {
    const chosen = checkInit('truncNormal_', t, { mean, std, low, high }, options);
    if (!(low < high)) throw new RangeError(`truncNormal_: low must be below high, got ${show(low)} and ${show(high)}`);
    if (low > mean + 6 * std || high < mean - 6 * std)
      throw new RangeError(`truncNormal_: almost nothing of mean ${mean}, std ${std} lies in [${low}, ${high}]`);
    // By the inverse distribution function, which takes the same time however small the interval's probability is.
    const shares = [low, high].map((v) =>
      tensor((v - mean) / (std * Math.SQRT2), { dtype: 'float64' })
        .erf()
        .item(),
    );
    const drawn = uniform_(zeros(t.shape, { dtype: 'float64' }), shares[0], shares[1], chosen);
    return fill(
      t,
      drawn
        .erfinv()
        .mul(std * Math.SQRT2)
        .add(mean)
        .clamp(low, high)
        .to(t.dtype),
    );
  },
);

/**
 * Sets all elements to `value`, and gives `t`.
 *
 * ```ts
 * init.constant_(empty([2]), 0.3); // [0.3, 0.3]
 * ```
 */
export const constant_ = /* @__PURE__ */ named('constant_', <T extends Tensor>(t: T, value: number): T => {
  checkInit('constant_', t, { value });
  return noGrad.run(() => t.copy_(value));
});

/**
 * Sets all elements to 1, and gives `t`.
 *
 * ```ts
 * init.ones_(empty([2])); // [1, 1]
 * ```
 */
export const ones_ = /* @__PURE__ */ named('ones_', <T extends Tensor>(t: T): T => constant_(t, 1));

/**
 * Sets all elements to 0, and gives `t`.
 *
 * ```ts
 * init.zeros_(empty([2])); // [0, 0]
 * ```
 */
export const zeros_ = /* @__PURE__ */ named('zeros_', <T extends Tensor>(t: T): T => constant_(t, 0));

function matrix(op: string, t: Tensor): readonly [number, number] {
  if (t.ndim !== 2) throw new ShapeError(op, `takes a matrix, got ${shapeText(t)}`);
  return [t.shape[0]!, t.shape[1]!];
}

/**
 * The identity matrix in a matrix `t`, which need not be square. Throws for other shapes.
 *
 * ```ts
 * init.eye_(empty([2, 3])); // [[1, 0, 0], [0, 1, 0]]
 * ```
 */
export const eye_ = /* @__PURE__ */ named('eye_', <T extends Tensor>(t: T): T => {
  checkTensors('eye_', t);
  const [n, m] = matrix('eye_', t);
  return fill(t, eye(n, m, { dtype: t.dtype }));
});

/**
 * Convolution kernels `[O, I, ...]` that pass channel i to channel i, in each of `groups` groups.
 *
 * ```ts
 * init.dirac_(empty([1, 1, 3])); // [[[0, 1, 0]]]
 * ```
 */
export const dirac_ = /* @__PURE__ */ named('dirac_', <T extends Tensor>(t: T, groups = 1): T => {
  checkTensors('dirac_', t);
  check('dirac_', 'groups', groups, is.count);
  const [out, inputs, ...kernel] = t.shape as [number, number, ...number[]];
  if (t.ndim < 3 || t.ndim > 5 || out % groups !== 0)
    throw new ShapeError('dirac_', `takes kernels [O, I, ...] with O a multiple of ${groups}, got ${shapeText(t)}`);
  const size = kernel.reduce((a, b) => a * b, 1);
  const center = kernel.reduce((at, k) => at * k + Math.floor(k / 2), 0);
  const data = new Float64Array(t.numel);
  const perGroup = out / groups;
  for (let g = 0; g < groups; g++)
    for (let i = 0; i < Math.min(perGroup, inputs); i++) data[((g * perGroup + i) * inputs + i) * size + center] = 1;
  return fill(t, tensor(data, { shape: t.shape, dtype: t.dtype, device: t.device }));
});

/** The number of inputs of an output, and of outputs of an input, for a weight `[out, in, ...]`. */
function fans(op: string, t: Tensor): { in: number; out: number } {
  if (t.ndim < 2) throw new ShapeError(op, `takes a weight [out, in, ...], got ${shapeText(t)}`);
  const field = t.numel / (t.shape[0]! * t.shape[1]!) || 1;
  return { in: t.shape[1]! * field, out: t.shape[0]! * field };
}

/** The functions that `calculateGain` and the Kaiming initializations know. */
export type Nonlinearity = 'linear' | 'conv1d' | 'conv2d' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

const nonlinearities = is.oneOf('linear', 'conv1d', 'conv2d', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'selu');

/**
 * The factor that keeps the variance of signals through a nonlinearity; `param` is leakyRelu's slope, 0.01 by default.
 *
 * ```ts
 * init.calculateGain('relu'); // 1.414
 * ```
 */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  check('calculateGain', 'nonlinearity', nonlinearity, nonlinearities);
  check('calculateGain', 'param', param, is.number);
  switch (nonlinearity) {
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + param ** 2));
    case 'selu':
      return 3 / 4;
  }
}

/**
 * Uniform with variance `2 gain² / (fanIn + fanOut)` (Glorot and Bengio, 2010). `t` has two dimensions or more; `gain`
 * is 1 by default.
 *
 * ```ts
 * init.xavierUniform_(empty([4, 2])).abs().le(1).all(); // true
 * ```
 */
export const xavierUniform_ = /* @__PURE__ */ named(
  'xavierUniform_',
  <T extends Tensor>(t: T, gain = 1, options: InitOptions = {}): T => {
    const chosen = checkInit('xavierUniform_', t, { gain }, options);
    const fan = fans('xavierUniform_', t);
    const bound = gain * Math.sqrt(6 / (fan.in + fan.out));
    return uniform_(t, -bound, bound, chosen);
  },
);

/**
 * Normal with variance `2 gain² / (fanIn + fanOut)` (Glorot and Bengio, 2010). `t` has two dimensions or more; `gain`
 * is 1 by default.
 *
 * ```ts
 * init.xavierNormal_(empty([4, 2])).shape; // [4, 2]
 * ```
 */
export const xavierNormal_ = /* @__PURE__ */ named(
  'xavierNormal_',
  <T extends Tensor>(t: T, gain = 1, options: InitOptions = {}): T => {
    const chosen = checkInit('xavierNormal_', t, { gain }, options);
    const fan = fans('xavierNormal_', t);
    return normal_(t, 0, gain * Math.sqrt(2 / (fan.in + fan.out)), chosen);
  },
);

/** Options of `kaimingUniform_` and `kaimingNormal_`. */
export interface KaimingOptions extends InitOptions {
  /** leakyRelu's slope. */
  a?: number;
  /** Keep the variance of the forward ('fanIn') or of the backward pass ('fanOut'). */
  mode?: 'fanIn' | 'fanOut';
  /** The function that follows, whose gain is used; `'leakyRelu'` by default. */
  nonlinearity?: Nonlinearity;
}

const kaimingOptions = {
  ...initOptions,
  a: is.number,
  mode: is.oneOf('fanIn', 'fanOut'),
  nonlinearity: nonlinearities,
};

/** The standard deviation of a weight, and where its numbers come from. */
function kaiming(op: string, t: Tensor, options: KaimingOptions): { std: number } & InitOptions {
  checkTensors(op, t);
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu', generator } = checkOptions(op, options, kaimingOptions);
  const fan = fans(op, t);
  const std = calculateGain(nonlinearity, a) / Math.sqrt(Math.max(1, mode === 'fanIn' ? fan.in : fan.out));
  return { std, generator };
}

/**
 * Uniform with variance `gain² / fan` (He et al., 2015). Options: `a`, the slope of leakyRelu, 0; `mode` 'fanIn' or
 * 'fanOut'; `nonlinearity` 'leakyRelu'.
 *
 * ```ts
 * init.kaimingUniform_(empty([4, 2]), { nonlinearity: 'relu' }).shape; // [4, 2]
 * ```
 */
export const kaimingUniform_ = /* @__PURE__ */ named(
  'kaimingUniform_',
  <T extends Tensor>(t: T, options: KaimingOptions = {}): T => {
    const { std, generator } = kaiming('kaimingUniform_', t, options);
    return uniform_(t, -Math.sqrt(3) * std, Math.sqrt(3) * std, { generator });
  },
);

/**
 * Normal with variance `gain² / fan` (He et al., 2015). Options as of `kaimingUniform_`.
 *
 * ```ts
 * init.kaimingNormal_(empty([4, 2]), { mode: 'fanOut' }).shape; // [4, 2]
 * ```
 */
export const kaimingNormal_ = /* @__PURE__ */ named(
  'kaimingNormal_',
  <T extends Tensor>(t: T, options: KaimingOptions = {}): T => {
    const { std, generator } = kaiming('kaimingNormal_', t, options);
    return normal_(t, 0, std, { generator });
  },
);

/**
 * A weight whose rows (or columns, if there are more rows) are orthonormal times `gain`, 1 by default (Saxe et al.,
 * 2013).
 *
 * ```ts
 * const w = init.orthogonal_(empty([2, 2]));
 * allclose(w.matmul(w.t()), eye(2), { atol: 1e-5 }); // true
 * ```
 */
export const orthogonal_ = /* @__PURE__ */ named(
  'orthogonal_',
  <T extends Tensor>(t: T, gain = 1, options: InitOptions = {}): T => {
    const chosen = checkInit('orthogonal_', t, { gain }, options);
    if (t.ndim < 2) throw new ShapeError('orthogonal_', `takes two dimensions or more, got ${shapeText(t)}`);
    const rows = t.shape[0]!;
    const columns = t.numel / rows || 0;
    const tall = rows > columns;
    const count = Math.min(rows, columns);
    const length = Math.max(rows, columns);
    const from = randn([count, length], { dtype: 'float64', ...chosen }).toTypedArray();
    const vectors = Array.from({ length: count }, (_, i) =>
      Float64Array.from(from.subarray(i * length, (i + 1) * length)),
    );
    for (let i = 0; i < count; i++) {
      const v = vectors[i]!;
      // Twice is enough to be orthogonal to rounding error.
      for (let pass = 0; pass < 2; pass++)
        for (let j = 0; j < i; j++) {
          const u = vectors[j]!;
          const along = v.reduce((sum, x, k) => sum + x * u[k]!, 0);
          for (let k = 0; k < length; k++) v[k]! -= along * u[k]!;
        }
      const norm = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
      for (let k = 0; k < length; k++) v[k]! /= norm;
    }
    const data = new Float64Array(rows * columns);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) data[r * columns + c] = gain * (tall ? vectors[c]![r]! : vectors[r]![c]!);
    return fill(t, tensor(data, { shape: t.shape, dtype: t.dtype, device: t.device }));
  },
);

/**
 * A matrix with a share `sparsity` of zeros in each column, the rest normal of `std`, 0.01 by default (Martens, 2010).
 *
 * ```ts
 * init.sparse_(empty([4, 1]), 0.5).eq(0).sum(); // 2
 * ```
 */
export const sparse_ = /* @__PURE__ */ named(
  'sparse_',
  <T extends Tensor>(t: T, sparsity: number, std = 0.01, options: InitOptions = {}): T => {
    const chosen = checkInit('sparse_', t, { sparsity, std }, options);
    const [n, m] = matrix('sparse_', t);
    check('sparse_', 'sparsity', sparsity, is.probability);
    const values = normal_(zeros([n, m], { dtype: t.dtype }), 0, std, chosen);
    const order = rand([n, m], chosen).argsort(0).toTypedArray();
    const dropped = new Uint8Array(n * m);
    for (let i = 0; i < Math.ceil(sparsity * n); i++)
      for (let c = 0; c < m; c++) dropped[order[i * m + c]! * m + c] = 1;
    return fill(t, where(tensor(dropped, { shape: [n, m], dtype: 'bool' }), 0, values));
  },
);
