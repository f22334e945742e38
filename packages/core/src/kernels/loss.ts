import { asFloats, inRows, type Rows, streamFrom } from './stream.js';

// Losses of float32 elements and their gradients, each in one pass. Few elements are done in JavaScript.

/**
 * Of each row of `n` scores the softmax `p` and the loss, `-log(p)` of the row's class. Of rows with a class below 0 the
 * loss is 0.
 */
export function crossEntropyRows(
  losses: Float32Array,
  p: Float32Array,
  x: Float32Array,
  classes: Int32Array,
  n: number,
): void {
  const rows = classes.length;
  if (x.length >= streamFrom) {
    const inputs: Rows[] = [
      [x, n],
      [asFloats(classes), 1],
    ];
    const results: Rows[] = [
      [losses, 1],
      [p, n],
    ];
    inRows('crossEntropy', rows, inputs, results, ({ crossEntropy }, count, [from, at, atLosses, atP]) => {
      crossEntropy(atLosses!, atP!, from!, at!, count, n);
    });
    return;
  }
  for (let r = 0, start = 0; r < rows; r++, start += n) {
    const end = start + n;
    let top = Number.NEGATIVE_INFINITY;
    for (let i = start; i < end; i++) if (x[i]! > top) top = x[i]!;
    let sum = 0;
    for (let i = start; i < end; i++) {
      const e = Math.exp(x[i]! - top);
      p[i] = e;
      sum += e;
    }
    const scale = 1 / sum;
    for (let i = start; i < end; i++) p[i] = p[i]! * scale;
    const at = classes[r]!;
    losses[r] = at < 0 ? 0 : Math.log(sum) - (x[start + at]! - top);
  }
}

/** The gradient of `crossEntropyRows` for the scores, from those of the losses. */
export function crossEntropyGradientRows(
  to: Float32Array,
  p: Float32Array,
  g: Float32Array,
  classes: Int32Array,
  n: number,
): void {
  const rows = classes.length;
  if (p.length >= streamFrom) {
    const inputs: Rows[] = [
      [p, n],
      [g, 1],
      [asFloats(classes), 1],
    ];
    inRows('crossEntropy', rows, inputs, [[to, n]], ({ crossEntropyGradient }, count, [atP, atG, at, result]) => {
      crossEntropyGradient(result!, atP!, atG!, at!, count, n);
    });
    return;
  }
  for (let r = 0, start = 0; r < rows; r++, start += n) {
    const [at, scale] = [classes[r]!, g[r]!];
    if (at < 0) {
      to.fill(0, start, start + n);
      continue;
    }
    for (let i = start; i < start + n; i++) to[i] = p[i]! * scale;
    to[start + at] = (p[start + at]! - 1) * scale;
  }
}

/** A loss of two tensors' elements, summed, and its gradient for the first. */
export interface PairLoss {
  sum(x: Float32Array, y: Float32Array): number;
  gradient(to: Float32Array, x: Float32Array, y: Float32Array, scale: number): void;
}

function pairLoss(
  op: string,
  sum: 'squaredError' | 'logitLosses',
  gradient: 'scaledDifference' | 'logitLossGradient',
  /** What the gradient's kernel leaves out. */
  factor: number,
  { sum: sumFew, gradient: gradientOfFew }: PairLoss,
): PairLoss {
  return {
    sum(x, y) {
      if (x.length < streamFrom) return sumFew(x, y);
      let total = 0;
      const inputs: Rows[] = [
        [x, 1],
        [y, 1],
      ];
      inRows(op, x.length, inputs, [], (kernels, count, [atX, atY]) => {
        total += kernels[sum](atX!, atY!, count);
      });
      return total;
    },
    gradient(to, x, y, scale) {
      if (x.length < streamFrom) {
        gradientOfFew(to, x, y, scale);
        return;
      }
      const inputs: Rows[] = [
        [x, 1],
        [y, 1],
      ];
      inRows(op, x.length, inputs, [[to, 1]], (kernels, count, [atX, atY, result]) => {
        kernels[gradient](result!, atX!, atY!, count, factor * scale);
      });
    },
  };
}

/** `(x - y)²`. */
export const squaredError = pairLoss('mseLoss', 'squaredError', 'scaledDifference', 2, {
  sum(x, y) {
    let total = 0;
    for (let i = 0; i < x.length; i++) {
      const d = x[i]! - y[i]!;
      total += d * d;
    }
    return total;
  },
  gradient(to, x, y, scale) {
    for (let i = 0; i < to.length; i++) to[i] = (x[i]! - y[i]!) * 2 * scale;
  },
});

/** The binary cross entropy of `sigmoid(x)` with `y`, without overflow. */
export const logitLoss = pairLoss('binaryCrossEntropyWithLogits', 'logitLosses', 'logitLossGradient', 1, {
  sum(x, y) {
    let total = 0;
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      total += (1 - y[i]!) * v + Math.max(-v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
    }
    return total;
  },
  gradient(to, x, y, scale) {
    for (let i = 0; i < to.length; i++) to[i] = (1 / (1 + Math.exp(-x[i]!)) - y[i]!) * scale;
  },
});
