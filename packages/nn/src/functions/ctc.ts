import { defineFunction, IndexError, type LossOptions, ShapeError, Tensor, tensor, where } from '@gradgate/core';
import {
  check,
  checkIntegers,
  checkOptions,
  checkTensors,
  inFloat32,
  is,
  options as known,
  reduceLoss,
  show,
} from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

/** One sequence: `offset` is where its scores start, `frames` how many it has; `labels` have blanks in between. */
interface Sequence {
  offset: number;
  frames: number;
  labels: Int32Array;
}

interface Scores {
  data: ArrayLike<number>;
  /** The distance from one frame to the next, in elements. */
  step: number;
}

const none = Number.NEGATIVE_INFINITY;
const logAdd = (a: number, b: number): number => {
  if (a === none) return b;
  if (b === none) return a;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
};

/** Whether a path may come to label `s` from `s - 2`, passing over the blank between two different labels. */
const skips = (labels: Int32Array, s: number): boolean =>
  s > 1 && labels[s] !== labels[s - 2] && labels[s] !== labels[s - 1];

/** Log probabilities of all paths that end at each label in each frame. */
function forwards({ offset, frames, labels }: Sequence, { data, step }: Scores): Float64Array {
  const n = labels.length;
  const alpha = new Float64Array(frames * n).fill(none);
  for (let t = 0; t < frames; t++)
    for (let s = 0; s < n; s++) {
      let v = t === 0 ? (s < 2 ? 0 : none) : alpha[(t - 1) * n + s]!;
      if (t > 0 && s > 0) v = logAdd(v, alpha[(t - 1) * n + s - 1]!);
      if (t > 0 && skips(labels, s)) v = logAdd(v, alpha[(t - 1) * n + s - 2]!);
      alpha[t * n + s] = v + data[offset + t * step + labels[s]!]!;
    }
  return alpha;
}

/** Log probabilities of all paths from each label to the end, without the frame itself. */
function backwards({ offset, frames, labels }: Sequence, { data, step }: Scores): Float64Array {
  const n = labels.length;
  const beta = new Float64Array(frames * n).fill(none);
  for (let t = frames - 1; t >= 0; t--)
    for (let s = 0; s < n; s++) {
      if (t === frames - 1) {
        beta[t * n + s] = s >= n - 2 ? 0 : none;
        continue;
      }
      const after = (to: number) => beta[(t + 1) * n + to]! + data[offset + (t + 1) * step + labels[to]!]!;
      let v = after(s);
      if (s + 1 < n) v = logAdd(v, after(s + 1));
      if (s + 2 < n && skips(labels, s + 2)) v = logAdd(v, after(s + 2));
      beta[t * n + s] = v;
    }
  return beta;
}

/** The losses of all sequences, `[N]`. Differentiable once. */
const losses = defineFunction({
  name: 'ctcLoss',
  onceDifferentiable: true,
  forward(ctx, logProbs: Tensor, sequences: readonly Sequence[]) {
    ctx.saveForBackward(logProbs);
    (ctx as { sequences?: readonly Sequence[] }).sequences = sequences;
    const scores = { data: logProbs.toTypedArray(), step: logProbs.shape[1]! * logProbs.shape[2]! };
    return tensor(
      sequences.map((q) => -total(q, scores)),
      { dtype: logProbs.dtype, device: logProbs.device },
    );
  },
  backward(ctx, grad: Tensor) {
    const [logProbs] = ctx.savedTensors as [Tensor];
    const { sequences } = ctx as unknown as { sequences: readonly Sequence[] };
    const scores = { data: logProbs.toTypedArray(), step: logProbs.shape[1]! * logProbs.shape[2]! };
    const to = new Float64Array(logProbs.numel);
    const weights = grad.toTypedArray();
    sequences.forEach((q, i) => {
      const [alpha, beta] = [forwards(q, scores), backwards(q, scores)];
      const all = total(q, scores);
      if (all === none) return;
      const n = q.labels.length;
      for (let t = 0; t < q.frames; t++)
        for (let s = 0; s < n; s++)
          to[q.offset + t * scores.step + q.labels[s]!]! -=
            weights[i]! * Math.exp(alpha[t * n + s]! + beta[t * n + s]! - all);
    });
    return [tensor(to, { shape: logProbs.shape, dtype: logProbs.dtype, device: logProbs.device }), null];
  },
});

function total(q: Sequence, scores: Scores): number {
  const n = q.labels.length;
  if (q.frames === 0) return n === 1 ? 0 : none;
  const last = forwards(q, scores).subarray((q.frames - 1) * n);
  return n === 1 ? last[0]! : logAdd(last[n - 1]!, last[n - 2]!);
}

/** Options of `ctcLoss`. */
export interface CTCLossOptions extends LossOptions {
  /** The index of the blank class, which means "no label"; 0 by default. */
  blank?: number;
  /** Whether infinite losses, of sequences too short for their labels, become 0 without gradient; false by default. */
  zeroInfinity?: boolean;
}

export const ctcLossOptions = { ...known.lossOptions, blank: is.size, zeroInfinity: is.boolean };

/**
 * Connectionist temporal classification (Graves et al., 2006): minus the log probability of the targets, summed over
 * all alignments. `logProbs` is `[T, N, C]` or `[T, C]`, from `logSoftmax`; `targets` are integers, `[N, S]` or all
 * concatenated; the lengths say how much of each sequence counts. With `reduction` 'mean', each loss is divided by its
 * target length before the mean. Throws for a target out of range and for lengths above the sizes.
 *
 * ```ts
 * const logProbs = logSoftmax(zeros([3, 1, 2]), -1);
 * functional.ctcLoss(logProbs, tensor([[1]], { dtype: 'int32' }), [3], [1]); // 0.2877
 * ```
 */
export const ctcLoss = /* @__PURE__ */ inFloat32(
  'ctcLoss',
  (
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[],
    targetLengths: Tensor | readonly number[],
    options?: CTCLossOptions,
  ): Tensor => {
    checkTensors('ctcLoss', logProbs, targets);
    const { blank = 0, reduction = 'mean', zeroInfinity = false } = checkOptions('ctcLoss', options, ctcLossOptions);
    if (logProbs.ndim === 2) {
      const one = ctcLoss(logProbs.unsqueeze(1), targets, inputLengths, targetLengths, {
        blank,
        reduction,
        zeroInfinity,
      });
      return reduction === 'none' ? one.squeeze(0) : one;
    }
    if (logProbs.ndim !== 3) throw new ShapeError('ctcLoss', `takes [T, N, C], got ${shapeText(logProbs)}`);
    const [frames, batch, classes] = logProbs.shape as [number, number, number];
    checkIntegers('ctcLoss', 'targets', targets);
    if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
      throw new IndexError('ctcLoss', `blank ${blank} is out of range for ${classes} classes`);
    const ins = lengths('inputLengths', inputLengths, batch, frames);
    const labelled = targets.toTypedArray();
    const perRow = targets.ndim === 2 ? targets.shape[1]! : null;
    const outs = lengths('targetLengths', targetLengths, batch, perRow ?? labelled.length);
    if (perRow === null && outs.reduce((a, b) => a + b, 0) > labelled.length)
      throw new ShapeError('ctcLoss', `targetLengths add up to more than the ${labelled.length} targets`);
    let at = 0;
    const sequences = ins.map((n, i): Sequence => {
      const start = perRow === null ? at : i * perRow;
      at += outs[i]!;
      const labels = new Int32Array(2 * outs[i]! + 1).fill(blank);
      for (let k = 0; k < outs[i]!; k++) {
        const label = labelled[start + k]!;
        if (label < 0 || label >= classes || label === blank)
          throw new IndexError('ctcLoss', `target ${label} is out of range for ${classes} classes, or the blank`);
        labels[2 * k + 1] = label;
      }
      return { offset: i * classes, frames: n, labels };
    });
    let each = losses(logProbs, sequences);
    if (zeroInfinity) each = where(each.eq(Number.POSITIVE_INFINITY), 0, each);
    if (reduction !== 'mean') return reduceLoss(each, reduction);
    return each
      .div(
        tensor(
          outs.map((n) => Math.max(1, n)),
          { dtype: each.dtype, device: each.device },
        ),
      )
      .mean();
  },
);

function lengths(name: string, given: Tensor | readonly number[], count: number, most: number): number[] {
  check('ctcLoss', name, given, is.either(is.tensor, is.iterable));
  const list = Tensor.is(given) ? [...given.toTypedArray()] : [...given];
  if (list.length !== count || !list.every((n) => Number.isInteger(n) && n >= 0 && n <= most))
    throw new ShapeError('ctcLoss', `${name} must be ${count} whole numbers from 0 to ${most}, got ${show(list)}`);
  return list;
}
