import { type Kernels, TensorError, type View } from '@gradgate/core';
import { binaryNode, unaryNode } from './elementwise.js';
import type { Value } from './proto.js';
import type { Trace } from './trace.js';

type Recorder<K extends keyof Kernels> = (t: Trace, ...args: Parameters<Kernels[K]>) => void;

const without = (shape: readonly number[], dims: readonly number[]): number[] =>
  shape.filter((_, d) => !dims.includes(d));
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const floats = (t: Trace, values: number[], shape: readonly number[], dtype: View['dtype']): Value =>
  t.literal(dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values), dtype, shape);

/** A reduction over `dims`, which are kept with size 1 or removed. */
function reduced(t: Trace, op: string, x: Value, dims: readonly number[], keep: boolean): Value {
  const shape = keep ? x.shape.map((n, d) => (dims.includes(d) ? 1 : n)) : without(x.shape, dims);
  return t.node(op, [x, t.ints(dims)], { dtype: x.dtype, shape }, { keepdims: keep ? 1 : 0 });
}

const multiply = (t: Trace, a: Value, b: Value, shape = a.shape): Value =>
  t.node('Mul', [a, b], { dtype: a.dtype, shape });

/** `(x - mean) / sqrt(var + eps)` over `dims`. */
function normalized(t: Trace, x: Value, dims: readonly number[], eps: number, isCentered: boolean): Value {
  const centered = isCentered ? t.node('Sub', [x, reduced(t, 'ReduceMean', x, dims, true)], x) : x;
  const variance = reduced(t, 'ReduceMean', multiply(t, centered, centered), dims, true);
  const root = t.node('Sqrt', [t.node('Add', [variance, t.scalar(eps, x.dtype)], variance)], variance);
  return t.node('Div', [centered, root], x);
}

/** `x * weight + bias`, both in the shape `as`. */
function affine(t: Trace, x: Value, weight: View | null, bias: View | null, as: readonly number[]): Value {
  const product = weight ? multiply(t, x, t.reshape(t.read(weight), as)) : x;
  return bias ? t.node('Add', [product, t.reshape(t.read(bias), as)], x) : product;
}

const forBackward = 'values for a backward pass are not in the graph: export only what the model computes forward';

function reduce(t: Trace, ...[which, x, dims, out, power = 2]: Parameters<Kernels['reduce']>): Value {
  if (which === 'argmax' || which === 'argmin') {
    const all = dims.length === x.shape.length;
    if (dims.length !== 1 && !all)
      throw new TensorError(
        'exportOnnx',
        `${which} over several dimensions of [${x.shape.join(', ')}] is not in ONNX; flatten them first`,
      );
    const value = all ? t.reshape(t.read(x), [x.numel]) : t.read(x);
    const axis = all ? 0 : dims[0]!;
    const op = which === 'argmax' ? 'ArgMax' : 'ArgMin';
    return t.node(op, [value], { dtype: 'int64', shape: without(value.shape, [axis]) }, { axis, keepdims: 0 });
  }
  if (which === 'any' || which === 'all') {
    const numbers = t.cast(t.cast(t.read(x), 'bool'), 'int32');
    return reduced(t, which === 'any' ? 'ReduceMax' : 'ReduceMin', numbers, dims, false);
  }
  const value = t.cast(t.read(x), out.dtype);
  if (which !== 'norm') {
    const ops = { sum: 'ReduceSum', mean: 'ReduceMean', prod: 'ReduceProd', amax: 'ReduceMax', amin: 'ReduceMin' };
    return reduced(t, ops[which], value, dims, false);
  }
  if (power === 1 || power === 2) return reduced(t, `ReduceL${power}`, value, dims, false);
  const size = t.node('Abs', [value], value);
  if (power === Infinity) return reduced(t, 'ReduceMax', size, dims, false);
  const sum = reduced(t, 'ReduceSum', t.node('Pow', [size, t.scalar(power, size.dtype)], size), dims, false);
  return t.node('Pow', [sum, t.scalar(1 / power, sum.dtype)], sum);
}

function matmul(t: Trace, ...[a, transposeA, b, transposeB, out, bias]: Parameters<Kernels['matmul']>): Value {
  const [x, y] = [t.read(a), t.read(b)];
  const isFloat = out.dtype === 'float32' || out.dtype === 'float64';
  if (isFloat && x.shape.length === 2 && y.shape.length === 2) {
    const attributes = { ...(transposeA && { transA: 1 }), ...(transposeB && { transB: 1 }) };
    return t.node('Gemm', bias ? [x, y, t.read(bias)] : [x, y], out, attributes);
  }
  const turned = (v: Value, isTurned: boolean) => {
    const n = v.shape.length;
    return isTurned ? t.transpose(v, [...range(n - 2), n - 1, n - 2]) : v;
  };
  const product = t.node('MatMul', [turned(x, transposeA), turned(y, transposeB)], out);
  return bias ? t.node('Add', [product, t.read(bias)], out) : product;
}

/** The matrix `[areas, size]` whose product with rows or columns is the mean (or sum) over each area. */
function areaMatrix(spans: Int32Array, size: number, isMean: boolean): number[] {
  const values: number[] = [];
  for (let i = 0; i < spans.length; i += 2)
    for (let j = 0; j < size; j++) {
      const [start, end] = [spans[i]!, spans[i + 1]!];
      values.push(j >= start && j < end ? (isMean ? 1 / (end - start) : 1) : 0);
    }
  return values;
}

/** The kernel size and stride if areas are those of a window without padding; otherwise null. */
function windowOf(spans: Int32Array): [number, number] | null {
  const kernel = spans[1]!;
  const stride = spans.length > 2 ? spans[2]! : kernel;
  for (let i = 0; i < spans.length / 2; i++)
    if (spans[2 * i] !== i * stride || spans[2 * i + 1] !== i * stride + kernel) return null;
  return spans[0] === 0 ? [kernel, stride] : null;
}

function avgPool(t: Trace, ...[x, { rows, columns, divisor }, out]: Parameters<Kernels['avgPool']>): Value {
  const value = t.read(x);
  const [down, across] = [windowOf(rows), windowOf(columns)];
  if (down && across && (divisor === 0 || divisor === down[0] * across[0])) {
    const sizes = { kernel_shape: [down[0], across[0]], strides: [down[1], across[1]] };
    return t.node('AveragePool', [value], out, sizes);
  }
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const isMean = divisor === 0;
  const left = floats(t, areaMatrix(rows, h, isMean), [rows.length / 2, h], x.dtype);
  const right = t.transpose(floats(t, areaMatrix(columns, w, isMean), [columns.length / 2, w], x.dtype), [1, 0]);
  const half = t.node('MatMul', [left, value], { dtype: x.dtype, shape: [n, c, rows.length / 2, w] });
  const sums = t.node('MatMul', [half, right], out);
  return isMean ? sums : t.node('Div', [sums, t.scalar(divisor, x.dtype)], out);
}

/** The padding at the start of each dimension, then at the end, as in ONNX. */
const bothSides = ([h, w]: readonly [number, number]): number[] => [h, w, h, w];

/** Adds the nodes of each of core's kernels. */
export const recorders: { readonly [K in keyof Kernels]?: Recorder<K> } = {
  copy: (t, x, out) => t.write(out, t.cast(t.read(x), out.dtype)),
  where: (t, condition, a, b, out) =>
    t.write(out, t.node('Where', [t.read(condition), t.cast(t.read(a), out.dtype), t.cast(t.read(b), out.dtype)], out)),
  gather: (t, x, dim, index, out) =>
    t.write(out, t.node('GatherElements', [t.read(x), t.read(index)], out, { axis: dim })),
  scatter(t, reduction, dim, index, src, out) {
    const names = { set: 'none', add: 'add', amax: 'max', amin: 'min' };
    const attributes = { axis: dim, reduction: names[reduction] };
    t.write(out, t.node('ScatterElements', [t.read(out), t.read(index), t.read(src)], out, attributes));
  },
  indexSelect: (t, x, dim, index, out) =>
    t.write(out, t.node('Gather', [t.read(x), t.read(index)], out, { axis: dim })),
  indexAdd(t, dim, index, src, out) {
    const places = t.reshape(
      t.read(index),
      src.shape.map((n, d) => (d === dim ? n : 1)),
    );
    const all = t.node('Expand', [places, t.ints(src.shape)], { dtype: places.dtype, shape: src.shape });
    t.write(out, t.node('ScatterElements', [t.read(out), all, t.read(src)], out, { axis: dim, reduction: 'add' }));
  },
  argsort(t, x, dim, descending, out) {
    const size = t.ints([x.shape[dim]!]);
    // The first output, the values, is not used.
    const value = { name: t.fresh('topk'), dtype: 'int64', shape: out.shape } as const;
    const attributes = { axis: dim, largest: descending ? 1 : 0 };
    t.nodes.push({
      op: 'TopK',
      inputs: [t.read(x).name, size.name],
      outputs: [t.fresh('values'), value.name],
      attributes,
    });
    t.write(out, t.cast(value, out.dtype));
  },
  scan(t, which, x, dim, out) {
    if (which !== 'sum')
      throw new TensorError('exportOnnx', `ONNX has no running ${which}; of scans it has only the running sum`);
    t.write(out, t.node('CumSum', [t.cast(t.read(x), out.dtype), t.scalar(dim, 'int64')], out));
  },
  unary: (t, fn, x, out, parameters) => t.write(out, unaryNode(t, fn.name, x, out, parameters)),
  binary: (t, fn, a, b, out) => t.write(out, binaryNode(t, fn.name, a, b, out)),
  reduce: (t, which, x, dims, out, power) =>
    t.write(out, t.reshape(t.cast(reduce(t, which, x, dims, out, power), out.dtype), out.shape)),
  variance(t, x, dims, correction, root, out, means) {
    const value = t.cast(t.read(x), out.dtype);
    const mean = reduced(t, 'ReduceMean', value, dims, true);
    const centered = t.node('Sub', [value, mean], value);
    const sum = reduced(t, 'ReduceSum', multiply(t, centered, centered), dims, false);
    const count = dims.reduce((n, d) => n * x.shape[d]!, 1);
    const variance = t.node('Div', [sum, t.scalar(count - correction, sum.dtype)], sum);
    t.write(out, t.reshape(root ? t.node('Sqrt', [variance], sum) : variance, out.shape));
    t.write(means, t.reshape(mean, means.shape));
  },
  matmul: (t, a, transposeA, b, transposeB, out, bias) =>
    t.write(out, matmul(t, a, transposeA, b, transposeB, out, bias)),
  conv(t, x, weight, bias, { groups, window }, out) {
    const { kernel, stride, padding, dilation } = window;
    const inputs = [t.read(x), t.read(weight), ...(bias ? [t.read(bias)] : [])];
    const sizes = { kernel_shape: kernel, strides: stride, dilations: dilation };
    t.write(out, t.node('Conv', inputs, out, { ...sizes, pads: bothSides(padding), group: groups }));
  },
  convInput(t, g, weight, { groups, window, h, w, positions }, out) {
    const { kernel, stride, padding, dilation } = window;
    const extra = ([h, w] as const).map(
      (size, d) => size - ((positions[d]! - 1) * stride[d]! - 2 * padding[d]! + dilation[d]! * (kernel[d]! - 1) + 1),
    );
    const sizes = { kernel_shape: kernel, strides: stride, dilations: dilation, output_padding: extra };
    t.write(
      out,
      t.node('ConvTranspose', [t.read(g), t.read(weight)], out, { ...sizes, pads: bothSides(padding), group: groups }),
    );
  },
  softmax: (t, kind, x, dim, out) =>
    t.write(out, t.node(kind === 'softmax' ? 'Softmax' : 'LogSoftmax', [t.read(x)], out, { axis: dim })),
  logsumexp: (t, x, dims, out) =>
    t.write(out, t.reshape(reduced(t, 'ReduceLogSumExp', t.read(x), dims, false), out.shape)),
  attentionWeights(t, scores, scale, isCausal, out) {
    const value = t.read(scores);
    const product = scale === 1 ? value : multiply(t, value, t.scalar(scale, value.dtype));
    const [rows, columns] = out.shape.slice(-2) as [number, number];
    const hidden = range(rows).flatMap((i) => range(columns).map((j) => (j > i ? -Infinity : 0)));
    const masked = isCausal
      ? t.node('Add', [product, floats(t, hidden, [rows, columns], value.dtype)], product)
      : product;
    t.write(out, t.node('Softmax', [masked], out, { axis: -1 }));
  },
  normRows(t, x, weight, bias, eps, isCentered, out, means, scales) {
    const value = t.read(x);
    const row = x.numel / means.numel;
    let axis = x.shape.length - 1;
    for (let n = x.shape[axis]!; n < row; ) n *= x.shape[--axis]!;
    const own = x.shape.slice(axis);
    const dims = range(x.shape.length).slice(axis);
    if (isCentered) {
      const ones = () => floats(t, new Array<number>(row).fill(1), own, x.dtype);
      const inputs = [
        value,
        weight ? t.reshape(t.read(weight), own) : ones(),
        ...(bias ? [t.reshape(t.read(bias), own)] : []),
      ];
      t.write(out, t.node('LayerNormalization', inputs, out, { axis, epsilon: { float: eps } }));
    } else t.write(out, affine(t, normalized(t, value, dims, eps, false), weight, bias, own));
    t.lose(means, forBackward);
    t.lose(scales, forBackward);
  },
  normChannels(t, x, weight, bias, { batch, channels, inner, together }, eps, out, means, variances) {
    const value = t.read(x);
    const grouped = together === 0 ? [batch, channels, inner] : [batch, channels / together, together * inner];
    const groups = normalized(t, t.reshape(value, grouped), together === 0 ? [0, 2] : [2], eps, true);
    t.write(
      out,
      t.reshape(affine(t, t.reshape(groups, [batch, channels, inner]), weight, bias, [channels, 1]), out.shape),
    );
    t.lose(means, forBackward);
    t.lose(variances, forBackward);
  },
  scaleChannels(t, x, scale, shift, out) {
    const each = [x.shape[1]!, ...x.shape.slice(2).map(() => 1)];
    t.write(out, affine(t, t.cast(t.read(x), out.dtype), scale, shift, each));
  },
  maxPool(t, x, { kernel, stride, padding, dilation }, out, places) {
    // If the last windows reach beyond the padding, add more of it at the end.
    const behind = ([0, 1] as const).map((d) => {
      const reach = (out.shape[2 + d]! - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1;
      return Math.max(padding[d], reach - padding[d] - x.shape[2 + d]!);
    });
    const sizes = { kernel_shape: kernel, strides: stride, dilations: dilation, pads: [...padding, ...behind] };
    t.write(out, t.node('MaxPool', [t.read(x)], out, sizes));
    t.lose(places, 'the indices of a maximum pooling are not exported; use its values alone');
  },
  avgPool: (t, x, areas, out) => t.write(out, avgPool(t, x, areas, out)),
  resample(t, x, { first, second, weight }, out) {
    const n = x.shape[1]!;
    const matrix = new Array<number>(first.length * n).fill(0);
    first.forEach((from, i) => {
      matrix[i * n + from]! += 1 - weight[i]!;
      matrix[i * n + second[i]!]! += weight[i]!;
    });
    t.write(out, t.node('MatMul', [floats(t, matrix, [first.length, n], x.dtype), t.read(x)], out));
  },
};

/** The positions of the outputs among the arguments of kernels, so that results without inputs become constants. */
export const outputsOf: { readonly [K in keyof Kernels]: readonly number[] } = {
  copy: [1],
  fill: [1],
  where: [3],
  checkRange: [],
  gather: [3],
  scatter: [4],
  indexSelect: [3],
  indexAdd: [3],
  ravelIndex: [3],
  argsort: [3],
  mode: [2],
  scan: [3],
  searchsorted: [3],
  isin: [3],
  histogram: [3],
  solve: [2],
  det: [1],
  slogdet: [1, 2],
  cholesky: [1],
  matrices: [2],
  random: [3],
  unary: [2],
  binary: [3],
  reduce: [3],
  variance: [4, 5],
  varianceGradient: [4],
  matmul: [4],
  conv: [4],
  convInput: [3],
  convWeight: [3],
  softmax: [3],
  softmaxGradient: [5],
  logsumexp: [2],
  attentionWeights: [3],
  normRows: [5, 6, 7],
  normRowsGradient: [6, 7, 8],
  normChannels: [5, 6, 7],
  normChannelsGradient: [7, 8, 9],
  scaleChannels: [3],
  crossEntropy: [4, 5, 6],
  crossEntropyGradient: [4],
  pairLoss: [4],
  pairLossGradient: [5],
  maxPool: [2, 3],
  maxPoolGradient: [2],
  avgPool: [2],
  avgPoolGradient: [2],
  resample: [2],
  resampleGradient: [2],
  dropoutMask: [2],
  step: [1, 3],
};
