import { Tensor, tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import type { OptimizerState } from './state.js';

/** What `LBFGS` remembers between steps. */
export interface LBFGSMemory {
  iterations: number;
  evaluations: number;
  /** The last direction, step length and gradient. */
  direction: Float64Array;
  length: number;
  gradient: Float64Array;
  /** The loss before that step. */
  loss: number;
  /** The scale of the initial inverse curvature. */
  scale: number;
  /** Past changes of the parameters and of the gradient. */
  steps: Float64Array[];
  changes: Float64Array[];
}

export const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** The memory of `n` parameters before the first step. */
export const emptyMemory = (n: number): LBFGSMemory => ({
  iterations: 0,
  evaluations: 0,
  direction: new Float64Array(n),
  length: 0,
  gradient: new Float64Array(n),
  loss: Number.NaN,
  scale: 1,
  steps: [],
  changes: [],
});

/** The memory under PyTorch's names, in which `old_dirs` are changes of the gradient and `old_stps` steps. */
export const writeMemory = (memory: LBFGSMemory): OptimizerState['state'][number] => ({
  func_evals: memory.evaluations,
  n_iter: memory.iterations,
  t: memory.length,
  H_diag: memory.scale,
  ro: memory.steps.map((step, i) => 1 / dot(memory.changes[i]!, step)),
  d: tensor(memory.direction),
  prev_flat_grad: tensor(memory.gradient),
  prev_loss: memory.loss,
  old_dirs: memory.changes.map((v) => tensor(v)),
  old_stps: memory.steps.map((v) => tensor(v)),
});

/** Reads the memory of `size` parameters under PyTorch's names, or under those of earlier versions. */
export function readMemory(own: Record<string, unknown>, size: number): LBFGSMemory {
  const refuse = (name: string, what: string): never => {
    throw new TypeError(`LBFGS.loadStateDict: ${name} must be ${what}, got ${show(own[name])}`);
  };
  const savedName = (name: string, former: string): string => (name in own || !(former in own) ? name : former);
  const number = (name: string, former: string): number => {
    const key = savedName(name, former);
    const value = Tensor.is(own[key]) && own[key].numel === 1 ? own[key].item() : own[key];
    return typeof value === 'number' ? value : refuse(key, 'a number');
  };
  const isVector = (v: unknown): v is Tensor => Tensor.is(v) && v.ndim === 1 && v.numel === size;
  const numbersOf = (v: Tensor): Float64Array => Float64Array.from(v.detach().toTypedArray(), Number);
  const vector = (name: string, former: string): Float64Array => {
    const key = savedName(name, former);
    const value = own[key];
    return isVector(value) ? numbersOf(value) : refuse(key, `a vector of ${size}`);
  };
  const vectors = (name: string, former: string): Float64Array[] => {
    const key = savedName(name, former);
    const value = own[key];
    const list = Tensor.is(value) && value.ndim === 2 ? value.unbind(0) : value;
    return Array.isArray(list) && list.every(isVector)
      ? list.map(numbersOf)
      : refuse(key, `a list of vectors of ${size}`);
  };
  const steps = vectors('old_stps', 'steps');
  const changes = vectors('old_dirs', 'changes');
  if (steps.length !== changes.length) refuse('old_stps', `a list of ${changes.length} vectors, as old_dirs`);
  return {
    iterations: number('n_iter', 'iterations'),
    evaluations: number('func_evals', 'evaluations'),
    direction: vector('d', 'direction'),
    length: number('t', 'length'),
    gradient: vector('prev_flat_grad', 'gradient'),
    loss: 'prev_loss' in own ? number('prev_loss', '') : Number.NaN,
    scale: number('H_diag', 'scale'),
    steps,
    changes,
  };
}
