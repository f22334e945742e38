import { check, checkOptions, show } from '../check.js';
import { ShapeError } from '../errors.js';
import { drawn } from '../memory/batching.js';
import { checkDType, checkFits, type TypedArray } from '../memory/dtype.js';
import { recording } from '../memory/recording.js';
import type { Shape } from '../memory/shape.js';
import * as is from './kinds.js';
import { asLike, make, type RandomOptions, randomOptions, withDefaults } from './make.js';
import { currentGenerator, type Generator } from './random.js';
import type { Tensor } from './tensor.js';

/**
 * A tensor of this shape of random numbers, uniform in [0, 1). Options: those of `zeros`, and `generator`.
 *
 * ```ts
 * rand([2, 3]).shape; // [2, 3]
 * ```
 */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random('rand', shape, options, (g) => g.uniform());

/**
 * A tensor of this shape of random numbers of the standard normal distribution. Options: those of `zeros`, and
 * `generator`.
 *
 * ```ts
 * randn([2, 3]).shape; // [2, 3]
 * ```
 */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random('randn', shape, options, (g) => g.normal());

/**
 * Random numbers, uniform in [0, 1), with the shape, dtype and device of `t`. Options also take a `generator`.
 *
 * ```ts
 * randLike(tensor([5, 6])).lt(1).all(); // true
 * ```
 */
export const randLike = /* @__PURE__ */ asLike<RandomOptions>('randLike', (...args) => rand(...args), randomOptions);

/**
 * Random numbers of the standard normal distribution, with the shape, dtype and device of `t`. Options also take a
 * `generator`.
 *
 * ```ts
 * randnLike(tensor([5, 6])).shape; // [2]
 * ```
 */
export const randnLike = /* @__PURE__ */ asLike<RandomOptions>('randnLike', (...args) => randn(...args), randomOptions);

/**
 * A tensor of this shape of random whole numbers from `low` up to but without `high`; int32 by default. Options also
 * take a `generator`.
 *
 * ```ts
 * randint(0, 10, [100]).lt(10).all(); // true
 * ```
 */
export function randint(low: number, high: number, shape: Shape, options: RandomOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low)
    throw new ShapeError(
      'randint',
      `low and high must be whole numbers with low < high, got ${show(low)} and ${show(high)}`,
    );
  checkOptions('randint', options, randomOptions);
  const dtype = checkDType('randint', options.dtype ?? 'int32');
  for (const v of [low, high - 1]) checkFits('randint', v, dtype);
  return random('randint', shape, { ...options, dtype }, (g) => low + g.below(high - low));
}

/**
 * The numbers 0 to n - 1 in random order: `[n]`, int32 by default. Options also take a `generator`.
 *
 * ```ts
 * randperm(3).sort().values; // [0, 1, 2]
 * ```
 */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  const chosen = withDefaults('randperm', options, { dtype: 'int32' });
  check('randperm', 'n', n, is.size);
  const { generator = currentGenerator() } = chosen;
  if (n > 0) checkFits('randperm', n - 1, checkDType('randperm', chosen.dtype));
  return filled('randperm', [n], chosen, generator, (d, g) => {
    for (let i = 0; i < n; i++) d[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = g.below(i + 1);
      [d[i], d[j]] = [d[j]!, d[i]!];
    }
  });
}

function random(op: string, shape: Shape, options: RandomOptions, next: (g: Generator) => number): Tensor {
  const { generator = currentGenerator() } = checkOptions(op, options, randomOptions);
  return filled(op, shape, options, generator, (d, g) => {
    for (let i = 0; i < d.length; i++) d[i] = next(g);
  });
}

/** A tensor that `draw` fills. */
function filled(
  op: string,
  shape: Shape,
  options: RandomOptions,
  generator: Generator,
  draw: (to: TypedArray, generator: Generator) => void,
): Tensor {
  return drawn(op, () => {
    const t = make(op, shape, options, (d) => draw(d, generator), randomOptions);
    recording.current?.drawn(t.storage, draw, generator);
    return t;
  });
}
