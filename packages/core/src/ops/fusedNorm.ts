import { record } from '../autograd/node.js';
import { dataOf } from '../backend/host/data.js';
import { isGradEnabled } from '../grad/index.js';
import * as kernel from '../kernels/norm.js';
import { streamFrom } from '../kernels/stream.js';
import { type Shape, sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './elementwise.js';
import { rsqrt, square } from './math.js';
import { mean, sum } from './reduce.js';
import { reshape } from './shape.js';

// Normalisation of float32 with weights and biases by kernels. Gradients that may be differentiated themselves are made of
// operators, as is what is rarer, in `norm.ts`.

type Affine = Tensor | null | undefined;

const floats = (t: Affine): Float32Array | null => (t ? (t.elements() as Float32Array) : null);

/** Whether a normalisation with such weights and biases is one for kernels. */
export const fusable = (x: Tensor, shape: Shape, least: number, inner: number, ...affine: Affine[]): boolean =>
  x.dtype === 'float32' &&
  x.numel >= streamFrom &&
  inner >= least &&
  affine.every((t) => !t || (t.dtype === 'float32' && sameShape(t.shape, shape)));

/** A tensor of sums. */
function ofSums(sums: Float64Array, shape: Shape): Tensor {
  const out = Tensor.unwritten('float32', shape);
  dataOf(out).set(sums);
  return out;
}

/** The gradients of x, weight and bias, of which some may not be wanted. */
type Three = [x: Tensor, weight: Tensor, bias: Tensor];

/** Records a normalisation of `x`; `rule` gives all three gradients, from those of `y`, `x` and the weight. */
function recordNorm(
  name: string,
  x: Tensor,
  weight: Affine,
  bias: Affine,
  y: Tensor,
  rule: (g: Tensor, x: Tensor, weight: Tensor | null) => Three,
): Tensor {
  const [hasWeight, hasBias] = [Boolean(weight), Boolean(bias)];
  const inputs = [x, weight, bias].filter((t) => t instanceof Tensor);
  return record(
    name,
    inputs,
    y,
    (g, ctx) => {
      const [ofX, ofWeight, ofBias] = rule(g, ctx.saved[0]!, hasWeight ? ctx.saved[1]! : null);
      return [ofX, ...(hasWeight ? [ofWeight] : []), ...(hasBias ? [ofBias] : [])];
    },
    weight ? [x, weight] : [x],
  );
}

/** The gradients of a normalisation over `dims`, made of operators: `x` and `g` have equal shapes, `w` broadcasts. */
function composed(
  g: Tensor,
  x: Tensor,
  w: Tensor | null,
  dims: number[],
  eps: number,
  center: boolean,
): { ofX: Tensor; ofWeight: Tensor } {
  const over = (t: Tensor) => mean(t, dims, { keepdim: true });
  const centered = center ? sub(x, over(x)) : x;
  const scale = rsqrt(add(over(square(centered)), eps));
  const y = mul(centered, scale);
  const h = w ? mul(g, w) : g;
  const rest = center ? sub(h, over(h)) : h;
  return { ofX: mul(sub(rest, mul(y, over(mul(h, y)))), scale), ofWeight: mul(g, y) };
}

/** `x scale + shift` by channels, `inner` elements each, where nothing is to be recorded; else null. */
export function shiftedChannels(x: Tensor, scale: Tensor, shift: Tensor, inner: number): Tensor | null {
  const all = [x, scale, shift];
  const recorded = isGradEnabled() && all.some((t) => t.requiresGrad);
  if (recorded || inner < 4 || x.numel < streamFrom || all.some((t) => t.dtype !== 'float32')) return null;
  const out = Tensor.unwritten('float32', x.shape);
  kernel.shiftChannels(dataOf(out) as Float32Array, floats(x)!, floats(scale)!, floats(shift)!, inner);
  // For the reason why there is no graph.
  return record('batchNorm', all, out, () => [null, null, null]);
}

/** Mean 0 (with `center`) and mean square 1 over the last dimensions, with a weight and a bias for each place. */
export function normOfRows(
  name: string,
  x: Tensor,
  shape: Shape,
  n: number,
  weight: Affine,
  bias: Affine,
  eps: number,
  center: boolean,
): Tensor {
  const y = Tensor.unwritten('float32', x.shape);
  const [from, to] = [floats(x)!, dataOf(y) as Float32Array];
  const statistics = kernel.normalizeRows(to, from, floats(weight), floats(bias), n, eps, center);
  return recordNorm(name, x, weight, bias, y, (g, x, weight) => {
    if (isGradEnabled()) {
      const rows = (t: Tensor) => reshape(t, [-1, n]);
      const w = weight && reshape(weight, [n]);
      const { ofX, ofWeight } = composed(rows(g), rows(x), w, [1], eps, center);
      return [reshape(ofX, x.shape), reshape(sum(ofWeight, 0), shape), reshape(sum(rows(g), 0), shape)];
    }
    const out = Tensor.unwritten('float32', x.shape);
    const to = dataOf(out) as Float32Array;
    const sums = kernel.normalizeRowsGradient(to, floats(g)!, floats(x)!, floats(weight), statistics, n, center);
    return [out, ofSums(sums.weight, shape), ofSums(sums.bias, shape)];
  });
}

/** Mean 0 and variance 1 over groups of channels, with a weight and a bias for each channel. */
export function normOfChannels(
  name: string,
  x: Tensor,
  layout: kernel.Channels,
  weight: Affine,
  bias: Affine,
  eps: number,
): { y: Tensor; statistics: kernel.GroupStatistics } {
  const { batch, channels, inner, together } = layout;
  const y = Tensor.unwritten('float32', x.shape);
  const [from, to] = [floats(x)!, dataOf(y) as Float32Array];
  const statistics = kernel.normalizeChannels(to, from, floats(weight), floats(bias), layout, eps);
  recordNorm(name, x, weight, bias, y, (g, x, weight) => {
    if (isGradEnabled()) {
      // [batch, groups, channels of a group, inner]
      const size = together || 1;
      const parts = (t: Tensor) => reshape(t, [batch, channels / size, size, inner]);
      const w = weight && reshape(weight, [1, channels / size, size, 1]);
      const dims = together === 0 ? [0, 2, 3] : [2, 3];
      const { ofX, ofWeight } = composed(parts(g), parts(x), w, dims, eps, true);
      const perChannel = (t: Tensor) => reshape(sum(t, [0, 3]), [channels]);
      return [reshape(ofX, x.shape), perChannel(ofWeight), perChannel(parts(g))];
    }
    const out = Tensor.unwritten('float32', x.shape);
    const to = dataOf(out) as Float32Array;
    const sums = kernel.normalizeChannelsGradient(to, floats(g)!, floats(x)!, floats(weight), statistics, layout);
    return [out, ofSums(sums.weight, [channels]), ofSums(sums.bias, [channels])];
  });
  return { y, statistics };
}
