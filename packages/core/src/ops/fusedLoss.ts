import { type Backward, type Node, record, recordMany } from '../autograd/node.js';
import { dataOf } from '../backend/host/data.js';
import { isGradEnabled } from '../grad/index.js';
import { crossEntropyGradientRows, crossEntropyRows, logitLoss, type PairLoss, squaredError } from '../kernels/loss.js';
import { Tensor } from '../tensor/tensor.js';
import { add, div, mul, neg, sigmoid, sub, where } from './elementwise.js';
import { softmaxGradient } from './softmax.js';

// Losses of float32 in one pass, and their gradients in another. What is rarer is made of operators, in `loss.ts`; so are
// gradients that may be differentiated themselves.

/** What becomes of the losses of single elements. */
export type Reduction = 'mean' | 'sum' | 'none';

const floats = (t: Tensor): Float32Array => t.elements() as Float32Array;

/** The cross entropy of scores `[N, C]` with classes; those that are `ignoreIndex` are left out. */
export function crossEntropyOfClasses(
  input: Tensor,
  target: Tensor,
  ignoreIndex: number,
  reduction: Reduction,
): Tensor {
  const [rows, n] = input.shape as [number, number];
  const classes = Int32Array.from(target.elements());
  let count = 0;
  for (let r = 0; r < rows; r++)
    if (classes[r] === ignoreIndex) classes[r] = -1;
    else count++;
  const p = Tensor.unwritten('float32', input.shape);
  const losses = Tensor.unwritten('float32', [rows]);
  crossEntropyRows(dataOf(losses) as Float32Array, dataOf(p) as Float32Array, floats(input), classes, n);
  let loss = losses;
  const divisor = reduction === 'mean' ? count : 1;
  if (reduction !== 'none') {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += dataOf(losses)[r]!;
    loss = Tensor.empty('float32', []);
    dataOf(loss)[0] = sum / divisor;
  }
  // The softmax is an output too, which nobody else sees: a gradient of the gradient goes through it.
  recordMany(
    'crossEntropy',
    [input],
    [loss, p],
    ([g, ofP], ctx) => {
      const p = ctx.saved[0]!;
      const ofLoss = g ? crossEntropyGradient(g, p, classes, divisor) : null;
      const through = ofP ? softmaxGradient(ofP, p, 1) : null;
      return [ofLoss && through ? add(ofLoss, through) : (ofLoss ?? through)];
    },
    [p],
  );
  return loss;
}

/** `(p - 1 for the class) g / divisor`, row by row; `g` is that of each loss, or of all together. */
function crossEntropyGradient(g: Tensor, p: Tensor, classes: Int32Array, divisor: number): Tensor {
  const [rows, n] = p.shape as [number, number];
  if (isGradEnabled()) {
    const [chosen, counted] = [Tensor.empty('float32', p.shape), Tensor.empty('bool', [rows, 1])];
    for (let r = 0; r < rows; r++)
      if (classes[r]! >= 0) {
        dataOf(chosen)[r * n + classes[r]!] = 1;
        dataOf(counted)[r] = 1;
      }
    const scale = g.ndim === 0 ? div(g, divisor) : g.reshape([rows, 1]);
    return where(counted, mul(sub(p, chosen), scale), 0);
  }
  const out = Tensor.unwritten('float32', p.shape);
  const each = g.ndim === 0 ? new Float32Array(rows).fill(g.item() / divisor) : floats(g);
  crossEntropyGradientRows(dataOf(out) as Float32Array, floats(p), each, classes, n);
  return out;
}

/** Whether a loss of pairs can be had in one pass. */
export const fusable = (reduction: Reduction | undefined, input: Tensor, target: Tensor): boolean =>
  (reduction === undefined || reduction === 'mean' || reduction === 'sum') &&
  input.dtype === 'float32' &&
  target.dtype === 'float32';

/** The gradients of a loss of pairs from `g`, that of the loss, and the pass that gives the first of them. */
type PairRule = (
  g: Tensor,
  divisor: number,
  ctx: Node,
  inOnePass: (x: Tensor, y: Tensor) => Tensor,
) => ReturnType<Backward>;

function lossOfPairs(name: string, loss: PairLoss, rule: PairRule) {
  const gradients: Backward = (g, ctx) => {
    const divisor = ctx.memo as number;
    return rule(g, divisor, ctx, (x, y) => {
      const to = Tensor.unwritten('float32', x.shape);
      loss.gradient(dataOf(to) as Float32Array, floats(x), floats(y), Math.fround(g.item() / divisor));
      return to;
    });
  };
  return (input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor => {
    const divisor = reduction === 'mean' ? input.numel : 1;
    const out = Tensor.empty('float32', []);
    dataOf(out)[0] = loss.sum(floats(input), floats(target)) / divisor;
    const inputs = [input, target];
    return record(name, inputs, out, gradients, inputs, divisor);
  };
}

/** The gradient of each pair's loss. */
const share = (g: Tensor, divisor: number): Tensor => (divisor === 1 ? g : div(g, divisor));

/** The mean or sum of `(input - target)²`. */
export const squaredErrorOf = lossOfPairs('mseLoss', squaredError, (g, divisor, ctx, inOnePass) => {
  const x = ctx.saved[0]!;
  const y = ctx.saved[1]!;
  if (isGradEnabled()) {
    const d = mul(sub(x, y), mul(share(g, divisor), 2));
    return [d, neg(d)];
  }
  if (!ctx.needs(0)) return [null, inOnePass(y, x)];
  const d = inOnePass(x, y);
  return [d, ctx.needs(1) ? neg(d) : null];
});

/** The mean or sum of the binary cross entropies of `sigmoid(input)` with `target`. */
export const logitLossOf = lossOfPairs('binaryCrossEntropyWithLogits', logitLoss, (g, divisor, ctx, inOnePass) => {
  const x = ctx.saved[0]!;
  const y = ctx.saved[1]!;
  const ofX = () => (isGradEnabled() ? mul(sub(sigmoid(x), y), share(g, divisor)) : inOnePass(x, y));
  return [ctx.needs(0) ? ofX() : null, ctx.needs(1) ? mul(x, neg(share(g, divisor))) : null];
});
