import { check, checkOptions, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { checkSize, formatShape, sizeOf } from '../memory/shape.js';
import { floatOnly } from '../ops/define.js';
import { checkTensors } from '../tensor/check.js';
import { linspace } from '../tensor/creation.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';

interface HistogramOptions<Range> {
  /** The range of the bins if no edges are given: by default from the smallest element to the largest. */
  range?: Range;
  /** The weight of each element, by default 1. */
  weight?: Tensor;
  /** Return densities, whose integral is 1, instead of counts. */
  density?: boolean;
}

const range = is.tuple(is.finite, is.finite);
const common = { weight: is.tensor, density: is.boolean };

/**
 * Counts how many elements of `x` lie in each bin, and returns the counts and the edges of the bins. `bins` is the
 * number of bins or their edges in ascending order. A bin includes its left edge, the last one both edges. The results
 * have no gradient.
 *
 * ```ts
 * const { hist, binEdges } = histogram(tensor([1, 2, 1]), 4, { range: [0, 3] });
 * hist; // [0, 2, 1, 0]
 * binEdges; // [0, 0.75, 1.5, 2.25, 3]
 * ```
 */
export const histogram = /* @__PURE__ */ named(
  'histogram',
  (
    x: Tensor,
    bins: number | Tensor,
    options?: HistogramOptions<readonly [number, number]>,
  ): { hist: Tensor; binEdges: Tensor } => {
    checkTensors('histogram', x);
    check('histogram', 'bins', bins, is.either(is.count, is.tensor));
    const { range: own, ...others } = checkOptions('histogram', options, { range, ...common });
    const flat = others.weight === undefined ? {} : { weight: others.weight.reshape(-1) };
    if (others.weight !== undefined) checkWeight('histogram', others.weight, x.shape);
    const given = { ...others, ...flat, ...(own === undefined ? {} : { range: [own] }) };
    const { hist, binEdges } = count('histogram', x.reshape(-1, 1), [bins], given);
    return { hist, binEdges: binEdges[0]! };
  },
);

/**
 * A histogram of points `[..., d]` in `d` dimensions. `bins` has the number of bins or the edges for each dimension;
 * one number applies to all. `hist` has one dimension for each of them.
 *
 * ```ts
 * const points = tensor([[0, 1], [1, 0], [2, 0], [2, 2]]);
 * histogramdd(points, [2, 2]).hist; // [[0, 1], [2, 1]]
 * ```
 */
export const histogramdd = /* @__PURE__ */ named(
  'histogramdd',
  (
    x: Tensor,
    bins: number | readonly (number | Tensor)[],
    options?: HistogramOptions<readonly (readonly [number, number])[]>,
  ): { hist: Tensor; binEdges: Tensor[] } => {
    checkTensors('histogramdd', x);
    const given = checkOptions('histogramdd', options, { range: is.arrayOf(range), ...common });
    check('histogramdd', 'bins', bins, is.either(is.count, is.arrayOf(is.either(is.count, is.tensor))));
    if (x.ndim < 1) throw new ShapeError('histogramdd', 'takes points [..., d], got []');
    const d = x.shape.at(-1)!;
    const all = typeof bins === 'number' ? new Array<number>(d).fill(bins) : bins;
    for (const [name, list] of [
      ['bins', all],
      ['range', given.range ?? all],
    ] as const)
      if (list.length !== d)
        throw new ShapeError(
          'histogramdd',
          `${name} must have one entry for each of ${d} dimensions, got ${list.length}`,
        );
    const { weight } = given;
    if (weight !== undefined) checkWeight('histogramdd', weight, x.shape.slice(0, -1));
    return count('histogramdd', x.reshape(-1, d), all, { ...given, ...(weight && { weight: weight.reshape(-1) }) });
  },
);

function checkWeight(op: string, weight: Tensor, shape: Tensor['shape']): void {
  if (formatShape(weight.shape) !== formatShape(shape))
    throw new ShapeError(
      op,
      `weight must be ${formatShape(shape)}, one for each element, got ${formatShape(weight.shape)}`,
    );
}

/** The counts of points `[n, d]`. */
function count(
  op: string,
  x: Tensor,
  bins: readonly (number | Tensor)[],
  { range, weight, density = false }: HistogramOptions<readonly (readonly [number, number])[]>,
): { hist: Tensor; binEdges: Tensor[] } {
  floatOnly(op, x);
  checkSize(
    op,
    bins.map((own) => (Tensor.is(own) ? own.numel : own)),
  );
  const { dtype, storage } = x;
  const [n, d] = x.shape as [number, number];
  const points = elementsOf(x.detach(), op);
  const column = (k: number) => Float64Array.from({ length: n }, (_, i) => points[i * d + k]!);
  const binEdges = bins.map((own, k) =>
    Tensor.is(own) ? own.to(dtype) : linspace(...limits(op, range?.[k], column(k)), own + 1, { dtype }).to(x.device),
  );
  const edges = binEdges.map((t, k) => checkEdges(op, t, Tensor.is(bins[k])));
  const shape = edges.map(({ length }) => length - 1);
  const sums = new Float64Array(sizeOf(shape));
  const weights = weight === undefined ? null : elementsOf(weight.detach(), op);
  let total = 0;
  for (let i = 0; i < n; i++) {
    let place = 0;
    for (let k = 0; k < d && place >= 0; k++) {
      const bin = binOf(edges[k]!, points[i * d + k]!);
      place = bin < 0 ? -1 : place * shape[k]! + bin;
    }
    if (place < 0) continue;
    const own = weights?.[i] ?? 1;
    sums[place]! += own;
    total += own;
  }
  if (density)
    for (let place = 0; place < sums.length; place++) {
      let volume = 1;
      for (let k = d - 1, rest = place; k >= 0; k--) {
        const bin = rest % shape[k]!;
        volume *= edges[k]![bin + 1]! - edges[k]![bin]!;
        rest = Math.floor(rest / shape[k]!);
      }
      sums[place]! /= total * volume;
    }
  return { hist: Tensor.of(sums, 'float64', shape, storage.backend).to(dtype), binEdges };
}

/** The range of the bins: the given one, or that of the values, widened if they are all the same. */
function limits(op: string, own: readonly [number, number] | undefined, values: Float64Array): [number, number] {
  let [low, high] = own ?? [
    values.reduce((a, b) => Math.min(a, b), Infinity),
    values.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
  if (values.length === 0 && own === undefined) [low, high] = [0, 1];
  if (low > high || !Number.isFinite(high - low))
    throw new RangeError(`${op}: the range must be finite and ascend, got ${show(low)} to ${show(high)}`);
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function checkEdges(op: string, t: Tensor, isGiven: boolean): ArrayLike<number> {
  const edges = elementsOf(t.detach(), op);
  if (t.ndim !== 1 || t.numel < 2)
    throw new ShapeError(op, `edges must be a vector of at least two, got ${formatShape(t.shape)}`);
  for (let i = 1; isGiven && i < edges.length; i++)
    if (!(edges[i]! >= edges[i - 1]!))
      throw new RangeError(`${op}: edges must ascend, got ${show(edges[i - 1])} and ${show(edges[i])}`);
  return edges;
}

/** The bin of a value, or -1. The last bin includes its right edge. */
function binOf(edges: ArrayLike<number>, value: number): number {
  const last = edges.length - 1;
  if (!(value >= edges[0]! && value <= edges[last]!)) return -1;
  if (value === edges[last]) return last - 1;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= value) low = middle;
    else high = middle;
  }
  return low;
}
