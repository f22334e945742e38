import { inRows, type Rows } from './stream.js';

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

/** One step of Adam over float32 weights, in place: `w`, `m` and `v` are rewritten. All have as many elements. */
export function adamStep(w: Float32Array, g: Float32Array, m: Float32Array, v: Float32Array, step: AdamStep): void {
  const { keep, penalty, sign, beta1, beta2, rate, correction, eps } = step;
  const inputs: Rows[] = [
    [w, 1],
    [g, 1],
    [m, 1],
    [v, 1],
  ];
  const results: Rows[] = [
    [w, 1],
    [m, 1],
    [v, 1],
  ];
  inRows('Adam', w.length, inputs, results, ({ adam }, count, [atW, atG, atM, atV]) => {
    adam(atW!, atG!, atM!, atV!, count, keep, penalty, sign, beta1, beta2, rate, correction, eps);
  });
}

/** Other optimizers' steps; see `assembly/optim.ts`. */
export type OptimizerKernel = 'adagrad' | 'amsgrad' | 'lion' | 'momentum' | 'rmsprop' | 'sgd';

/** One step over float32 weights, in place: `w` and what the optimizer remembers are rewritten. */
export function optimizerStep(
  name: OptimizerKernel,
  w: Float32Array,
  g: Float32Array,
  memory: readonly Float32Array[],
  numbers: readonly number[],
): void {
  const each = (arrays: readonly Float32Array[]): Rows[] => arrays.map((array) => [array, 1]);
  const operands = 2 + memory.length;
  inRows(name, w.length, each([w, g, ...memory]), each([w, ...memory]), (kernels, count, addresses) => {
    kernels[name](...addresses.slice(0, operands), count, ...numbers);
  });
}
