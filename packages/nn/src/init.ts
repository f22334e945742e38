import { type Generator, noGrad, rand, randn, ShapeError, type Tensor, tensor } from '@gradgate/core';

interface InitOptions {
  generator?: Generator;
}

/** Fills `t` with numbers uniform in [low, high). None of the initialisers is recorded. */
export function uniform_<T extends Tensor>(t: T, low = 0, high = 1, options: InitOptions = {}): T {
  return noGrad.run(() =>
    t.copy_(
      rand(t.shape, { dtype: t.dtype, ...options })
        .mul(high - low)
        .add(low),
    ),
  );
}

/** Fills `t` with numbers from a normal distribution. */
export function normal_<T extends Tensor>(t: T, mean = 0, std = 1, options: InitOptions = {}): T {
  return noGrad.run(() =>
    t.copy_(
      randn(t.shape, { dtype: t.dtype, ...options })
        .mul(std)
        .add(mean),
    ),
  );
}

/** Normal numbers within [low, high]; those outside are drawn again. */
export function truncNormal_<T extends Tensor>(
  t: T,
  mean = 0,
  std = 1,
  low = -2,
  high = 2,
  options: InitOptions = {},
): T {
  if (!(low < high)) throw new RangeError(`truncNormal_: low is below high, got ${low} and ${high}`);
  const draw = () => randn([1], { dtype: 'float64', ...options }).item() * std + mean;
  return noGrad.run(() => {
    const values = t.toTypedArray();
    for (let i = 0; i < values.length; i++) {
      let v = draw();
      while (v < low || v > high) v = draw();
      values[i] = v;
    }
    return t.copy_(tensor(values, { shape: t.shape }));
  });
}

export const constant_ = <T extends Tensor>(t: T, value: number): T => noGrad.run(() => t.fill_(value));
export const zeros_ = <T extends Tensor>(t: T): T => constant_(t, 0);
export const ones_ = <T extends Tensor>(t: T): T => constant_(t, 1);

/** What a layer of this shape takes in and gives out for each weight: dimensions beyond two multiply both. */
function fans(op: string, t: Tensor): { fanIn: number; fanOut: number } {
  if (t.ndim < 2)
    throw new ShapeError(op, `needs at least 2 dimensions to tell inputs from outputs, got [${t.shape.join(', ')}]`);
  const field = t.shape.slice(2).reduce((a, b) => a * b, 1);
  return { fanIn: t.shape[1]! * field, fanOut: t.shape[0]! * field };
}

export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

/** The factor that keeps the variance through a nonlinearity; `a` is the slope of leakyRelu. */
export function calculateGain(nonlinearity: Nonlinearity, a = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + a * a));
    case 'selu':
      return 3 / 4;
    default:
      throw new TypeError(`calculateGain: unknown nonlinearity ${String(nonlinearity)}`);
  }
}

/** Glorot and Bengio (2010): uniform within ±gain √(6 / (in + out)). */
export function xavierUniform_<T extends Tensor>(
  t: T,
  { gain = 1, generator }: InitOptions & { gain?: number } = {},
): T {
  const { fanIn, fanOut } = fans('xavierUniform_', t);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform_(t, -bound, bound, { generator });
}

/** Glorot and Bengio (2010): normal with deviation gain √(2 / (in + out)). */
export function xavierNormal_<T extends Tensor>(
  t: T,
  { gain = 1, generator }: InitOptions & { gain?: number } = {},
): T {
  const { fanIn, fanOut } = fans('xavierNormal_', t);
  return normal_(t, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), { generator });
}

export interface KaimingOptions extends InitOptions {
  /** The slope of leakyRelu. */
  a?: number;
  mode?: 'fanIn' | 'fanOut';
  nonlinearity?: Nonlinearity;
}

/** He et al. (2015): uniform within ±gain √(3 / fan). */
export function kaimingUniform_<T extends Tensor>(
  t: T,
  { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu', generator }: KaimingOptions = {},
): T {
  const bound = calculateGain(nonlinearity, a) * Math.sqrt(3 / fans('kaimingUniform_', t)[mode]);
  return uniform_(t, -bound, bound, { generator });
}

/** He et al. (2015): normal with deviation gain / √fan. */
export function kaimingNormal_<T extends Tensor>(
  t: T,
  { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu', generator }: KaimingOptions = {},
): T {
  return normal_(t, 0, calculateGain(nonlinearity, a) / Math.sqrt(fans('kaimingNormal_', t)[mode]), { generator });
}

/** Saxe et al. (2014): rows (or columns, whichever are fewer) that are orthogonal and of length `gain`. */
export function orthogonal_<T extends Tensor>(t: T, { gain = 1, generator }: InitOptions & { gain?: number } = {}): T {
  fans('orthogonal_', t);
  return noGrad.run(() => {
    const rows = t.shape[0]!;
    const columns = t.numel / rows;
    const [few, many] = rows < columns ? [rows, columns] : [columns, rows];
    // Gram and Schmidt on random vectors, twice for accuracy.
    const vectors: Float64Array[] = [];
    for (let i = 0; i < few; i++) {
      const v = Float64Array.from(randn([many], { dtype: 'float64', generator }).toTypedArray());
      for (let pass = 0; pass < 2; pass++)
        for (const u of vectors) {
          const along = u.reduce((sum, x, j) => sum + x * v[j]!, 0);
          for (let j = 0; j < many; j++) v[j]! -= along * u[j]!;
        }
      const length = Math.hypot(...v);
      vectors.push(v.map((x) => x / length));
    }
    const out = t.toTypedArray();
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++)
        out[r * columns + c] = gain * (rows < columns ? vectors[r]![c]! : vectors[c]![r]!);
    return t.copy_(tensor(out, { shape: t.shape }));
  });
}
