import { empty, linear, relu, sigmoid, type Tensor, tanh } from '@gradgate/core';
import { check, checkTensors, is } from '@gradgate/core/internal';
import { uniform_ } from '../init.js';

// One step of each kind of recurrent network, which its cell takes once and its layer for each step of a sequence.

/** The weights of one cell, from the input (`ih`) and the hidden state (`hh`) to the concatenated gates. */
export interface CellWeights {
  ih: Tensor;
  hh: Tensor;
  bih: Tensor | null;
  bhh: Tensor | null;
  /** The projection of the hidden state to fewer features, if there is one. */
  hr: Tensor | null;
}

/**
 * One step: returns the states after an input, each `[N, H]`. The first one is the output. `gates` `[N, gates * H]` is
 * the input times its weights: one product computes it for all steps of a sequence.
 */
export type Step = (gates: Tensor, states: Tensor[], weights: CellWeights) => Tensor[];

export const rnnStep =
  (nonlinearity: (x: Tensor) => Tensor): Step =>
  (gates, [h], w) => [nonlinearity(gates.add(linear(h!, w.hh, w.bhh)))];

/** Gates in PyTorch's order: input, forget, cell, output. */
export const lstmStep: Step = (gates, [h, c], w) => {
  const [i, f, g, o] = gates.add(linear(h!, w.hh, w.bhh)).chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
  const cell = sigmoid(f)
    .mul(c!)
    .add(sigmoid(i).mul(tanh(g)));
  const out = sigmoid(o).mul(tanh(cell));
  return [w.hr ? linear(out, w.hr) : out, cell];
};

/** Gates in PyTorch's order: reset, update, new. */
export const gruStep: Step = (gates, [h], w) => {
  const [xr, xz, xn] = gates.chunk(3, 1) as [Tensor, Tensor, Tensor];
  const [hr, hz, hn] = linear(h!, w.hh, w.bhh).chunk(3, 1) as [Tensor, Tensor, Tensor];
  const fresh = tanh(xn.add(sigmoid(xr.add(hr)).mul(hn)));
  return [fresh.add(sigmoid(xz.add(hz)).mul(h!.sub(fresh)))];
};

/** The input times its weights, plus the bias: `gates` of a step, or of all steps of a sequence. */
export const inputGates = (x: Tensor, w: CellWeights): Tensor => linear(x, w.ih, w.bih);

export type Nonlinearity = 'tanh' | 'relu';
export const nonlinearities = { tanh, relu };
export const nonlinearity = is.oneOf('tanh', 'relu');

/** Checks the states that were given with an input: tensors or undefined. */
export function checkStates(name: string, states: readonly unknown[]): void {
  checkTensors(name, ...states.filter((state) => state !== undefined));
}

/** The two states of an LSTM, or two undefined ones. */
export function lstmStates(name: string, state: unknown): [Tensor | undefined, Tensor | undefined] {
  if (state === undefined) return [undefined, undefined];
  check(name, 'the state', state, lstmState);
  return state as [Tensor, Tensor];
}
const lstmState = is.tuple(is.tensor, is.tensor);

/** A tensor drawn from the uniform distribution within ±1 / √hiddenSize, as PyTorch initializes recurrent weights. */
export const uniformWithin = (shape: readonly number[], hiddenSize: number): Tensor =>
  uniform_(empty(shape), -1 / Math.sqrt(hiddenSize), 1 / Math.sqrt(hiddenSize));
