import type { Kernels, RandomRule, View } from '../backend/kernels.js';
import { contiguousStrides } from '../memory/shape.js';
import { functions } from '../ops/define.js';
import type { Generator } from '../tensor/random.js';
import { type Batch, refuseRandom, viewOn } from './batch.js';

// How kernels compute for all examples of a call of `vmap` at once: the batch becomes the first dimension, or a part of
// a batch dimension that the kernel has already. Kernels for which neither works are called for one example after
// another.

type Rule<K extends keyof Kernels> = (batch: Batch, ...args: Parameters<Kernels[K]>) => void;

/** With the batch in front, each dimension has the next number. */
const next = (dim: number): number => dim + 1;

/** `[batch, n, ...]` as `[batch * n, ...]`. */
function merged(batch: Batch, view: View): View {
  const [b, n, ...rest] = view.shape as [number, number, ...number[]];
  const [outer, inner, ...others] = view.strides as [number, number, ...number[]];
  const shape = [b * n, ...rest];
  if (n === 1 || outer === inner * n)
    return viewOn(view.storage, view, shape, [n === 1 ? outer : inner, ...others], view.offset);
  return viewOn(contiguous(batch, view).storage, view, shape, contiguousStrides(shape), 0);
}

function contiguous(batch: Batch, view: View): View {
  if (view.isContiguous) return view;
  const copy = batch.scratch(view, view.shape);
  batch.kernels.copy(view, copy);
  return copy;
}

/** All rows of matrices `[..., m, n]`. */
function rowsOf(batch: Batch, view: View): View {
  const { storage, shape, numel, offset } = contiguous(batch, view);
  const n = shape.at(-1)!;
  return viewOn(storage, view, [n === 0 ? 0 : numel / n, n], [n, 1], offset);
}

/** The batching rules of all kernels. */
export const rules: { readonly [K in keyof Kernels]: Rule<K> } = {
  copy: (b, x, out) => b.kernels.copy(b.all(x, out.shape.length), b.out(out)),
  fill: (b, value, out) => b.kernels.fill(value, b.out(out)),
  where(b, condition, x, y, out) {
    const rank = out.shape.length;
    b.kernels.where(b.all(condition, rank), b.all(x, rank), b.all(y, rank), b.out(out));
  },
  checkRange: (b, x, ...rest) => b.kernels.checkRange(b.all(x), ...rest),

  gather: (b, x, dim, index, out) => b.kernels.gather(b.all(x), next(dim), b.all(index), b.out(out)),
  scatter: (b, reduce, dim, index, src, out) =>
    b.kernels.scatter(reduce, next(dim), b.all(index), b.all(src), b.out(out, true)),
  indexSelect(b, x, dim, index, out) {
    if (b.isBatched(index)) b.each('indexSelect', [x, dim, index, out], [out]);
    else b.kernels.indexSelect(b.all(x), next(dim), index, b.out(out));
  },
  indexAdd(b, dim, index, src, out) {
    if (b.isBatched(index)) b.each('indexAdd', [dim, index, src, out], [out], true);
    else b.kernels.indexAdd(next(dim), index, b.all(src), b.out(out, true));
  },
  ravelIndex: (b, lists, shape, lead, out) => b.each('ravelIndex', [lists, shape, lead, out], [out]),
  argsort: (b, x, dim, descending, out) => b.kernels.argsort(b.all(x), next(dim), descending, b.out(out)),
  mode: (b, x, dim, out) => b.kernels.mode(b.all(x), next(dim), b.out(out)),
  scan: (b, which, x, dim, out) => b.kernels.scan(which, b.all(x), next(dim), b.out(out)),
  searchsorted(b, sorted, values, right, out) {
    if (b.isBatched(sorted) || sorted.shape.length > 1) b.each('searchsorted', [sorted, values, right, out], [out]);
    else b.kernels.searchsorted(sorted, b.all(values), right, b.out(out));
  },
  isin(b, x, values, invert, out) {
    if (b.isBatched(values)) b.each('isin', [x, values, invert, out], [out]);
    else b.kernels.isin(b.all(x), values, invert, b.out(out));
  },
  histogram: (b, x, low, high, out) => b.each('histogram', [x, low, high, out], [out]),

  solve: (b, a, y, out, refuse) => b.kernels.solve(b.all(a), b.all(y), b.out(out), refuse),
  det: (b, a, out) => b.kernels.det(b.all(a), b.out(out)),
  slogdet: (b, a, sign, logabsdet) => b.kernels.slogdet(b.all(a), b.out(sign), b.out(logabsdet)),
  cholesky: (b, a, out, refuse) => b.kernels.cholesky(b.all(a), b.out(out), refuse),
  matrices: (b, rule, inputs, outs, numbers) =>
    b.kernels.matrices(
      rule,
      inputs.map((x) => b.all(x)),
      outs.map((out) => b.out(out)),
      numbers,
    ),

  random(b, rule, generator, parameters, out) {
    const { randomness } = b.level;
    const perElement = 'storage' in parameters;
    if (randomness === 'error') refuseRandom(rule.name);
    if (randomness === 'different')
      b.kernels.random(rule, generator, perElement ? b.all(parameters) : parameters, b.out(out));
    else if (!b.isBatched(perElement ? parameters : null, out)) b.kernels.random(rule, generator, parameters, out);
    else b.each('random', [again(rule, generator), generator, parameters, out], [out]);
  },

  unary: (b, fn, x, out, parameters) => b.kernels.unary(fn, b.all(x), b.out(out), parameters),
  binary(b, fn, x, y, out, parameters) {
    const rank = out.shape.length;
    b.kernels.binary(fn, b.all(x, rank), b.all(y, rank), b.out(out), parameters);
  },
  reduce: (b, which, x, dims, out, power) => b.kernels.reduce(which, b.all(x), dims.map(next), b.out(out), power),
  variance: (b, x, dims, correction, root, out, means) =>
    b.kernels.variance(b.all(x), dims.map(next), correction, root, b.out(out), b.out(means)),
  varianceGradient: (b, x, dims, means, scale, out) =>
    b.kernels.varianceGradient(b.all(x), dims.map(next), b.all(means), b.all(scale), b.out(out)),

  matmul(b, x, transposeX, y, transposeY, out, bias) {
    if (!b.isBatched(y, bias) && !transposeX && y.shape.length === 2) {
      // The rows of all examples go into one product.
      b.kernels.matmul(rowsOf(b, b.all(x)), false, y, transposeY, rowsOf(b, b.out(out)), bias);
      return;
    }
    const rank = out.shape.length;
    const target = b.out(out);
    const own = b.isBatched(bias);
    b.kernels.matmul(b.all(x, rank), transposeX, b.all(y, rank), transposeY, target, own ? null : bias);
    if (own) b.kernels.binary(functions.binary.get('add')!, target, b.all(bias!, rank), target);
  },

  conv(b, x, weight, bias, geometry, out) {
    if (b.isBatched(weight, bias)) b.each('conv', [x, weight, bias, geometry, out], [out]);
    else b.kernels.conv(merged(b, b.all(x)), weight, bias, larger(b, geometry), merged(b, b.out(out)));
  },
  convInput(b, g, weight, geometry, out) {
    if (b.isBatched(weight)) b.each('convInput', [g, weight, geometry, out], [out]);
    else b.kernels.convInput(merged(b, b.all(g)), weight, larger(b, geometry), merged(b, b.out(out)));
  },
  // The kernel sums over its batch, so each example needs a call of its own.
  convWeight: (b, g, x, geometry, out) => b.each('convWeight', [g, x, geometry, out], [out]),

  softmax: (b, kind, x, dim, out) => b.kernels.softmax(kind, b.all(x), next(dim), b.out(out)),
  softmaxGradient: (b, kind, g, y, dim, scale, out) =>
    b.kernels.softmaxGradient(kind, b.all(g), b.all(y), next(dim), scale, b.out(out)),
  logsumexp: (b, x, dims, out) => b.kernels.logsumexp(b.all(x), dims.map(next), b.out(out)),
  attentionWeights: (b, scores, scale, isCausal, out) =>
    b.kernels.attentionWeights(b.all(scores), scale, isCausal, b.out(out)),

  normRows(b, x, weight, bias, eps, isCentered, out, means, scales) {
    if (b.isBatched(weight, bias))
      b.each('normRows', [x, weight, bias, eps, isCentered, out, means, scales], [out, means, scales]);
    else b.kernels.normRows(b.all(x), weight, bias, eps, isCentered, b.out(out), b.out(means), b.out(scales));
  },
  normRowsGradient(b, g, x, weight, means, scales, isCentered, out, ofWeight, ofBias) {
    if (b.isBatched(weight) || ofWeight !== null || ofBias !== null)
      b.each(
        'normRowsGradient',
        [g, x, weight, means, scales, isCentered, out, ofWeight, ofBias],
        [out, ofWeight, ofBias],
      );
    else
      b.kernels.normRowsGradient(
        ...([b.all(g), b.all(x), weight, b.all(means), b.all(scales)] as const),
        ...([isCentered, b.out(out), null, null] as const),
      );
  },
  normChannels(b, x, weight, bias, layout, eps, out, means, variances) {
    if (b.isBatched(weight, bias) || layout.together === 0)
      b.each('normChannels', [x, weight, bias, layout, eps, out, means, variances], [out, means, variances]);
    else
      b.kernels.normChannels(
        ...([b.all(x), weight, bias, larger(b, layout)] as const),
        ...([eps, b.out(out), b.out(means), b.out(variances)] as const),
      );
  },
  normChannelsGradient(b, g, x, weight, means, variances, layout, eps, out, ofWeight, ofBias) {
    if (b.isBatched(weight) || layout.together === 0 || ofWeight !== null || ofBias !== null)
      b.each(
        'normChannelsGradient',
        [g, x, weight, means, variances, layout, eps, out, ofWeight, ofBias],
        [out, ofWeight, ofBias],
      );
    else
      b.kernels.normChannelsGradient(
        ...([b.all(g), b.all(x), weight, b.all(means), b.all(variances)] as const),
        ...([larger(b, layout), eps, b.out(out), null, null] as const),
      );
  },
  scaleChannels(b, x, scale, shift, out) {
    if (b.isBatched(scale, shift)) b.each('scaleChannels', [x, scale, shift, out], [out]);
    else b.kernels.scaleChannels(merged(b, b.all(x)), scale, shift, merged(b, b.out(out)));
  },

  crossEntropy(b, x, target, ignoreIndex, reduction, loss, p, classes) {
    if (reduction !== 'none')
      b.each('crossEntropy', [x, target, ignoreIndex, reduction, loss, p, classes], [loss, p, classes]);
    else
      b.kernels.crossEntropy(
        ...([merged(b, b.all(x)), merged(b, b.all(target)), ignoreIndex, reduction] as const),
        ...([merged(b, b.out(loss)), merged(b, b.out(p)), merged(b, b.out(classes))] as const),
      );
  },
  crossEntropyGradient: (b, g, p, classes, reduction, out) =>
    b.each('crossEntropyGradient', [g, p, classes, reduction, out], [out]),
  pairLoss: (b, name, x, y, divisor, out) => b.each('pairLoss', [name, x, y, divisor, out], [out]),
  pairLossGradient: (b, name, g, x, y, divisor, out) =>
    b.each('pairLossGradient', [name, g, x, y, divisor, out], [out]),

  // The indices count the elements of one example.
  maxPool: (b, x, window, out, indices) => b.each('maxPool', [x, window, out, indices], [out, indices]),
  maxPoolGradient: (b, g, indices, out) => b.each('maxPoolGradient', [g, indices, out], [out]),
  avgPool: (b, x, areas, out) => b.kernels.avgPool(merged(b, b.all(x)), areas, merged(b, b.out(out))),
  avgPoolGradient: (b, g, areas, out) => b.kernels.avgPoolGradient(merged(b, b.all(g)), areas, merged(b, b.out(out))),
  resample: (b, x, taps, out) => b.kernels.resample(merged(b, b.all(x)), taps, merged(b, b.out(out))),
  resampleGradient: (b, g, taps, out) => b.kernels.resampleGradient(merged(b, b.all(g)), taps, merged(b, b.out(out))),
  dropoutMask: (b, draws, p, out) => b.kernels.dropoutMask(b.all(draws), p, b.out(out)),

  step: (b, rule, w, g, memory, numbers) => b.each('step', [rule, w, g, memory, numbers], [w, ...memory], true),
};

/** The geometry of the images of all examples. */
const larger = <G extends { readonly batch: number }>({ level }: Batch, geometry: G): G => ({
  ...geometry,
  batch: level.size * geometry.batch,
});

/** A rule that draws from the same generator state for each example. */
function again({ name, loop }: RandomRule, generator: Generator): RandomRule {
  const state = generator.getState();
  return {
    name: `${name} again`,
    loop(to, source, parameters) {
      source.setState(state);
      loop(to, source, parameters);
    },
  };
}
