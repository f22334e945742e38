import { arena } from './wasm/arena.js';

/** The numbers of one step of Adam; see `assembly/optim.ts`. */
export interface AdamStep {
  readonly keep: number;
  readonly penalty: number;
  readonly sign: 1 | -1;
  readonly beta1: number;
  readonly beta2: number;
  readonly rate: number;
  readonly correction: number;
  readonly eps: number;
}

const piece = 4096;

/** One step of Adam over float32 weights, in place: `w`, `m` and `v` are rewritten. All have as many elements. */
export function adamStep(w: Float32Array, g: Float32Array, m: Float32Array, v: Float32Array, step: AdamStep): void {
  const { keep, penalty, sign, beta1, beta2, rate, correction, eps } = step;
  const kernel = arena();
  kernel.begin('Adam', piece * 16);
  const [atW, atG, atM, atV] = [
    kernel.take(piece * 4),
    kernel.take(piece * 4),
    kernel.take(piece * 4),
    kernel.take(piece * 4),
  ];
  const { adam } = kernel.instance.kernels;
  for (let i = 0; i < w.length; i += piece) {
    const count = Math.min(piece, w.length - i);
    kernel.write(atW, w, i, count);
    kernel.write(atG, g, i, count);
    kernel.write(atM, m, i, count);
    kernel.write(atV, v, i, count);
    adam(atW, atG, atM, atV, count, keep, penalty, sign, beta1, beta2, rate, correction, eps);
    kernel.get(atW, w, i, count);
    kernel.get(atM, m, i, count);
    kernel.get(atV, v, i, count);
  }
}
