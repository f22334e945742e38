import { kernelsOf } from '../backend/backends.js';
import { closeWindows } from '../backend/host/storage.js';
import type { RandomRule } from '../backend/kernels.js';
import { check, checkOptions, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { inPlace } from '../graph/inplace.js';
import { allocate } from '../memory/allocate.js';
import { drawn as drawnApart } from '../memory/batching.js';
import { checkShape, checkSize, formatShape, type Shape } from '../memory/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { currentGenerator, type Generator } from '../tensor/random.js';
import { randnLike } from '../tensor/randomTensors.js';
import { Tensor } from '../tensor/tensor.js';
import { floatOnly } from './define.js';
import { add, mul } from './elementwise.js';
import type * as self from './random.js';
import { lgammaOf } from './special.js';

/** Options of functions that draw random numbers. */
export interface FromGenerator {
  /** The source of random numbers; the default generator if not given. */
  generator?: Generator;
}

const fromGenerator = { generator: is.generator };

/**
 * 1 with the probability given by each element of `p`, else 0. No gradient.
 *
 * ```ts
 * bernoulli(tensor([0, 1])); // [0, 1]
 * ```
 */
export const bernoulli = /* @__PURE__ */ madeOf('bernoulli', (p: Tensor, options?: FromGenerator): Tensor => {
  const { generator = currentGenerator() } = checkOptions('bernoulli', options, fromGenerator);
  floatOnly('bernoulli', p);
  kernelsOf('bernoulli', p).checkRange(p, 0, 1, refuseProbability('bernoulli', 'to 1'));
  return drawn(bernoulliRule, generator, p, p);
});

const bernoulliRule: RandomRule = {
  name: 'bernoulli',
  loop(to, generator, p) {
    for (let i = 0; i < to.length; i++) to[i] = Number(generator.uniform() < p[i]!);
  },
};

/** A tensor like `like`, with each element drawn anew. */
function drawn(rule: RandomRule, generator: Generator, parameters: Tensor | readonly number[], like: Tensor): Tensor {
  const { backend } = like.storage;
  const out = Tensor.uninitialized(like.dtype, like.shape, backend);
  backend.kernels.random(rule, generator, parameters, out);
  closeWindows();
  return out;
}

const refuseProbability = (op: string, top: string) => (p: number) =>
  new RangeError(`${op}: probabilities must be from 0 ${top}, got ${show(p)}`);

const multinomialOptions = { replacement: is.boolean, generator: is.generator };

/**
 * Draws `n` indices with the weights in `probs`, `[categories]` or `[rows, categories]`, which need not sum to 1.
 * int32, `[n]` or `[rows, n]`. Without replacement no index is drawn twice.
 *
 * ```ts
 * multinomial(tensor([0, 1, 0]), 1); // [1]
 * ```
 */
export function multinomial(probs: Tensor, n: number, options?: FromGenerator & { replacement?: boolean }): Tensor {
  const { replacement = false, generator = currentGenerator() } = checkOptions(
    'multinomial',
    options,
    multinomialOptions,
  );
  checkTensors('multinomial', probs);
  floatOnly('multinomial', probs);
  if (probs.ndim < 1 || probs.ndim > 2 || probs.numel === 0)
    throw new ShapeError('multinomial', `takes [categories] or [rows, categories], got ${formatShape(probs.shape)}`);
  check('multinomial', 'the number of draws', n, is.count);
  const k = probs.shape.at(-1)!;
  const data = Float64Array.from(elementsOf(probs, 'multinomial'));
  kernelsOf('multinomial', probs).checkRange(
    probs,
    0,
    Number.MAX_VALUE,
    refuseProbability('multinomial', 'up, and finite'),
  );
  const shape = [...probs.shape.slice(0, -1), n];
  checkSize('multinomial', shape, probs.shape);
  const { backend } = probs.storage;
  return drawnApart('multinomial', () =>
    Tensor.of(drawCategories(data, k, n, replacement, generator), 'int32', shape, backend),
  );
}

/** `n` categories for each row of `k` weights. */
function drawCategories(
  data: Float64Array,
  k: number,
  n: number,
  replacement: boolean,
  generator: Generator,
): Int32Array {
  const out = allocate('int32', (data.length / k) * n) as Int32Array;
  for (let row = 0; row < data.length / k; row++) {
    const weights = data.slice(row * k, (row + 1) * k);
    const drawable = weights.filter((w) => w > 0).length;
    if (drawable === 0) throw new RangeError(`multinomial: the weights of row ${row} are all 0`);
    if (!replacement && n > drawable)
      throw new RangeError(`multinomial: ${n} draws from ${drawable} places with a weight; pass replacement: true`);
    let total = weights.reduce((a, b) => a + b, 0);
    for (let j = 0; j < n; j++) {
      const at = draw(weights, generator.uniform() * total);
      out[row * n + j] = at;
      if (replacement) continue;
      weights[at] = 0;
      // Summed anew, so that no rounding errors remain.
      total = weights.reduce((a, b) => a + b, 0);
    }
  }
  return out;
}

function draw(weights: Float64Array, target: number): number {
  let last = 0;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    sum += weights[i]!;
    last = i;
    if (target < sum) return i;
  }
  return last;
}

const normalOptions = { shape: is.anything, generator: is.generator };

/**
 * Draws from normal distributions with these means and deviations, which broadcast; two numbers need a shape.
 *
 * ```ts
 * normal(tensor([1, 2]), 0); // [1, 2]
 * ```
 */
export const normal = /* @__PURE__ */ named(
  'normal',
  (mean: Tensor | number, std: Tensor | number, options?: FromGenerator & { shape?: Shape }): Tensor => {
    const { shape, generator = currentGenerator() } = checkOptions('normal', options, normalOptions);
    for (const v of [mean, std]) check('normal', 'mean and std', v, is.either(is.tensor, is.number));
    const like = Tensor.is(mean) ? mean : Tensor.is(std) ? std : Tensor.zeros('float32', checkShape('normal', shape));
    const size = Tensor.is(mean) && Tensor.is(std) ? add(mean.detach(), std.detach()) : like.detach();
    const refuse = (low: number) => new RangeError(`normal: std must be from 0 up, got ${low}`);
    if (Tensor.is(std)) kernelsOf('normal', std).checkRange(std, 0, Number.POSITIVE_INFINITY, refuse);
    else if (!(std >= 0)) throw refuse(std);
    floatOnly('normal', size);
    return add(
      mul(randnLike(size, { generator }), Tensor.is(std) ? std.detach() : std),
      Tensor.is(mean) ? mean.detach() : mean,
    );
  },
);

/**
 * Draws whole numbers from Poisson distributions with the rates in `rate`; the time per element hardly depends on its
 * rate.
 *
 * ```ts
 * poisson(zeros([2])); // [0, 0]
 * ```
 */
export const poisson = /* @__PURE__ */ madeOf('poisson', (rate: Tensor, options?: FromGenerator): Tensor => {
  const { generator = currentGenerator() } = checkOptions('poisson', options, fromGenerator);
  floatOnly('poisson', rate);
  kernelsOf('poisson', rate).checkRange(
    rate,
    0,
    Number.MAX_VALUE,
    (r) => new RangeError(`poisson: rates must be finite and from 0 up, got ${show(r)}`),
  );
  return drawn(poissonRule, generator, rate, rate);
});

const poissonRule: RandomRule = {
  name: 'poisson',
  loop(to, generator, rates) {
    for (let i = 0; i < to.length; i++) {
      const rate = rates[i]!;
      const drawOne = rate < 10 ? smallPoisson : rate < 1e9 ? poissonByRejection : largePoisson;
      to[i] = drawOne(rate, generator);
    }
  },
};

/** Knuth's method: counts the random numbers whose product stays above exp(-rate). */
function smallPoisson(rate: number, generator: Generator): number {
  const least = Math.exp(-rate);
  let count = 0;
  for (let product = 1 - generator.uniform(); product > least; count++) product *= 1 - generator.uniform();
  return count;
}

/** Transformed rejection with a squeeze (Hörmann, 1993: PTRS). */
function poissonByRejection(rate: number, generator: Generator): number {
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const alpha = 1.1239 + 1.1328 / (b - 3.4);
  const accepted = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = generator.uniform() - 0.5;
    const v = 1 - generator.uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= accepted) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= k * Math.log(rate) - rate - lgammaOf(k + 1)) return k;
  }
}

/** Beyond this rate, float64 cannot tell the distribution from a normal one. */
const largePoisson = (rate: number, generator: Generator): number =>
  Math.round(rate + Math.sqrt(rate) * generator.normal());

interface Filler {
  /** The defaults of the arguments. */
  readonly defaults: readonly number[];
  readonly check: (...parameters: number[]) => string | false;
  /** Draws one element. */
  readonly next: (generator: Generator, a: number, b: number) => number;
  /** Whether the tensor may have an integer dtype. */
  readonly integers?: boolean;
}

/** Makes a method that draws each element anew in place: `op(x, ...parameters, options)`. */
export function filler(op: string, { defaults, check: problem, next, integers = false }: Filler) {
  const rule: RandomRule = {
    name: op,
    loop(to, generator, [a = 0, b = 0]) {
      for (let i = 0; i < to.length; i++) to[i] = next(generator, a, b);
    },
  };
  return (x: Tensor, ...args: (number | FromGenerator | undefined)[]): Tensor => {
    if (!integers) floatOnly(op, x);
    const options = typeof args.at(-1) === 'object' ? (args.pop() as FromGenerator) : undefined;
    const { generator = currentGenerator() } = checkOptions(op, options, fromGenerator);
    const parameters = defaults.map((d, i) => {
      if (args[i] === undefined) return d;
      check(op, `argument ${i + 1}`, args[i], is.number);
      return args[i] as number;
    });
    const wrong = problem(...parameters);
    if (wrong) throw new RangeError(`${op}: ${wrong}`);
    return inPlace(op, x, () => drawn(rule, generator, parameters, x));
  };
}

const plain = { multinomial, bernoulli };
methods(plain);

methods({
  normal_: filler('normal_', {
    defaults: [0, 1],
    check: (m, s) =>
      !(Number.isFinite(m) && s! >= 0) && `mean must be finite, and std from 0 up, got ${show(m)} and ${show(s)}`,
    next: (g, m, s) => m + s * g.normal(),
  }),
  uniform_: filler('uniform_', {
    defaults: [0, 1],
    check: (from, to) => !(from! <= to!) && `from must not be above to, got ${show(from)} and ${show(to)}`,
    next: (g, from, to) => from + (to - from) * g.uniform(),
  }),
  bernoulli_: filler('bernoulli_', {
    defaults: [0.5],
    check: (p) => !(p! >= 0 && p! <= 1) && `p must be from 0 to 1, got ${show(p)}`,
    next: (g, p) => Number(g.uniform() < p),
    integers: true,
  }),
  exponential_: filler('exponential_', {
    defaults: [1],
    check: (rate) => !(rate! > 0) && `the rate must be above 0, got ${show(rate)}`,
    next: (g, rate) => -Math.log(1 - g.uniform()) / rate,
  }),
  random_: filler('random_', {
    defaults: [0, 2 ** 24],
    check: (from, to) =>
      !(Number.isInteger(from) && Number.isInteger(to) && from! < to!) &&
      `from must be a whole number below to, got ${show(from)} and ${show(to)}`,
    next: (g, from, to) => from + g.below(to - from),
    integers: true,
  }),
});

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {
    /** Draws each element from a normal distribution, in place. */
    normal_(mean?: number, std?: number, options?: FromGenerator): this;
    /** Draws each element uniformly from [from, to), in place. */
    uniform_(from?: number, to?: number, options?: FromGenerator): this;
    /** Sets each element to 1 with probability `p`, else to 0. */
    bernoulli_(p?: number, options?: FromGenerator): this;
    /** Draws each element from an exponential distribution, in place. */
    exponential_(rate?: number, options?: FromGenerator): this;
    /** Draws whole numbers from [from, to), in place. */
    random_(from?: number, to?: number, options?: FromGenerator): this;
  }
}
