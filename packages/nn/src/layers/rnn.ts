import { cat, dropout, ShapeError, stack, type Tensor, tensor, zeros } from '@gradgate/core';
import { checkTensors, is, type Schema } from '@gradgate/core/internal';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { PackedSequence } from '../sequences.js';
import { shapeText } from '../shapeText.js';
import { checkLayer, layersFrom } from './checkLayer.js';
import {
  type CellWeights,
  checkStates,
  gruStep,
  inputGates,
  lstmStates,
  lstmStep,
  type Nonlinearity,
  nonlinearities,
  nonlinearity,
  rnnStep,
  type Step,
  uniformWithin,
} from './recurrentStep.js';

/**
 * Runs one layer in one direction over packed steps: `x` `[total, features]` holds the rows of all first steps, then of
 * all second steps, and so on; `rows` has their numbers, which never grow, as sequences are sorted by falling length.
 * Returns the outputs `[total, H]`, and for each sequence the states `[N, H]` at its own end.
 */
function overSteps(
  step: Step,
  x: Tensor,
  rows: readonly number[],
  initial: Tensor[],
  weights: CellWeights,
  isReverse: boolean,
): [outputs: Tensor, final: Tensor[]] {
  const steps = inputGates(x, weights).split(rows);
  const outputs: Tensor[] = new Array(steps.length);
  const ended: Tensor[][] = [];
  let before = rows[isReverse ? steps.length - 1 : 0]!;
  let state = before < initial[0]!.shape[0]! ? initial.map((t) => t.narrow(0, 0, before)) : initial;
  for (let i = 0; i < steps.length; i++) {
    const t = isReverse ? steps.length - 1 - i : i;
    const now = rows[t]!;
    if (now < before) {
      ended.push(state.map((s) => s.narrow(0, now, before - now)));
      state = state.map((s) => s.narrow(0, 0, now));
    } else if (now > before) state = state.map((s, k) => cat([s, initial[k]!.narrow(0, before, now - before)]));
    before = now;
    state = step(steps[t]!, state, weights);
    outputs[t] = state[0]!;
  }
  // The shortest sequences ended first and belong last.
  const final = ended.length === 0 ? state : state.map((s, k) => cat([s, ...ended.map((e) => e[k]!).reverse()]));
  return [cat(outputs), final];
}

/** Options of `RNN`, `LSTM` and `GRU`. */
export interface RecurrentOptions {
  /** The number of layers, each of which runs over the outputs of the one before; 1 by default. */
  numLayers?: number;
  /** Whether there are learned biases; true by default. */
  bias?: boolean;
  /** Whether sequences are `[N, L, I]` rather than `[L, N, I]`; false by default. */
  batchFirst?: boolean;
  /** The probability of dropping outputs between layers in training; 0 by default. */
  dropout?: number;
  /** Whether a second network runs over the sequence backwards; outputs are concatenated. False by default. */
  bidirectional?: boolean;
}

const recurrentOptions = {
  numLayers: layersFrom(1),
  bias: is.boolean,
  batchFirst: is.boolean,
  dropout: is.probability,
  bidirectional: is.boolean,
};

/** The base of recurrent layers. The weights are fields such as `weightIhL0`, `weightHhL0Reverse` and `biasIhL1`. */
class Recurrent extends Module {
  /** The number of layers, one above the other. */
  readonly numLayers: number;
  /** Whether the batch is the first dimension. */
  readonly batchFirst: boolean;
  /** The probability with which elements between layers are dropped in training. */
  readonly dropout: number;
  /** Whether a second direction reads the sequences from their ends. */
  readonly bidirectional: boolean;
  /** Whether there are biases. */
  readonly bias: boolean;
  /** The number of features of an output: `hiddenSize`, or `projSize` with a projection. */
  readonly outputSize: number;

  constructor(
    /** The number of features of an input. */
    readonly inputSize: number,
    /** The number of features of the state. */
    readonly hiddenSize: number,
    gates: number,
    options: RecurrentOptions,
    known: Schema<RecurrentOptions> = recurrentOptions,
    projSize = 0,
  ) {
    super();
    const given = checkLayer(new.target.name, { inputSize, hiddenSize }, options, known, is.count);
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = given;
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.bias = bias;
    const outputs = projSize === 0 ? hiddenSize : projSize;
    this.outputSize = outputs;
    const fields = this as unknown as Record<string, Parameter>;
    const directions = bidirectional ? 2 : 1;
    for (let layer = 0; layer < numLayers; layer++)
      for (const suffix of this.suffixes(layer)) {
        const inputs = layer === 0 ? inputSize : outputs * directions;
        const make = (...shape: number[]) => new Parameter(uniformWithin(shape, hiddenSize));
        fields[`weightIh${suffix}`] = make(gates * hiddenSize, inputs);
        fields[`weightHh${suffix}`] = make(gates * hiddenSize, outputs);
        if (bias) {
          fields[`biasIh${suffix}`] = make(gates * hiddenSize);
          fields[`biasHh${suffix}`] = make(gates * hiddenSize);
        }
        if (projSize > 0) fields[`weightHr${suffix}`] = make(projSize, hiddenSize);
      }
  }

  private suffixes(layer: number): string[] {
    return this.bidirectional ? [`L${layer}`, `L${layer}Reverse`] : [`L${layer}`];
  }

  /** Takes each initial state as `[layers * directions, N, H]`; returns the outputs and the final states. */
  protected run(step: Step, input: Tensor, initial: (Tensor | undefined)[]): [Tensor, Tensor[]];
  /** The same for packed sequences. */
  protected run(step: Step, input: PackedSequence, initial: (Tensor | undefined)[]): [PackedSequence, Tensor[]];
  protected run(
    step: Step,
    input: Tensor | PackedSequence,
    initial: (Tensor | undefined)[],
  ): [Tensor | PackedSequence, Tensor[]] {
    checkStates(this.constructor.name, initial);
    return input instanceof PackedSequence
      ? this.runPacked(step, input, initial)
      : this.runTensor(step, input, initial);
  }

  private runTensor(step: Step, input: Tensor, initial: (Tensor | undefined)[]): [Tensor, Tensor[]] {
    const name = this.constructor.name;
    checkTensors(name, input);
    if ((input.ndim !== 2 && input.ndim !== 3) || input.shape.at(-1) !== this.inputSize)
      throw new ShapeError(
        name,
        `takes ${this.batchFirst ? '[N, L' : '[L, N'}, ${this.inputSize}] or [L, ${this.inputSize}], got ${shapeText(input)}`,
      );
    const batched = input.ndim === 3;
    const x = !batched ? input.unsqueeze(1) : this.batchFirst ? input.transpose(0, 1) : input;
    const [length, n] = x.shape as [number, number];
    if (length === 0) throw new ShapeError(name, `the sequence is empty: ${shapeText(input)}`);
    const states = this.statesFrom(initial, x, batched ? [n] : []);
    const rows = new Array<number>(length).fill(n);
    const [packed, final] = this.layers(step, x.reshape([length * n, this.inputSize]), rows, states);
    const output = packed.reshape([length, n, packed.shape[1]!]);
    if (!batched) return [output.squeeze(1), final.map((t) => t.squeeze(1))];
    return [this.batchFirst ? output.transpose(0, 1).contiguous() : output, final];
  }

  private runPacked(step: Step, input: PackedSequence, initial: (Tensor | undefined)[]): [PackedSequence, Tensor[]] {
    const { data, batchSizes, sortedIndices, unsortedIndices } = input;
    if (data.ndim !== 2 || data.shape[1] !== this.inputSize)
      throw new ShapeError(
        this.constructor.name,
        `takes packed sequences of [length, ${this.inputSize}], got data ${shapeText(data)}`,
      );
    // Initial and final states are in the order of the sequences before they were sorted and packed.
    const inOrder = (states: Tensor[], order: readonly number[] | null) =>
      order === null
        ? states
        : states.map((t) => t.indexSelect(1, tensor(Int32Array.from(order), { device: t.device })));
    const states = this.statesFrom(initial, data, [batchSizes[0]!]);
    const [output, final] = this.layers(step, data, batchSizes, inOrder(states, sortedIndices));
    return [input.with(output), inOrder(final, unsortedIndices)];
  }

  /** The initial states as `[layers * directions, N, features]`, zeros by default. */
  private statesFrom(initial: (Tensor | undefined)[], x: Tensor, rows: readonly number[]): Tensor[] {
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    return initial.map((t, i) => {
      // The first state is the output.
      const features = i === 0 ? this.outputSize : this.hiddenSize;
      const shape = [count, ...rows, features];
      if (t && t.shape.join() !== shape.join())
        throw new ShapeError(
          this.constructor.name,
          `the initial state must be [${shape.join(', ')}], got ${shapeText(t)}`,
        );
      return (t ?? zeros(shape, { dtype: x.dtype, device: x.device })).reshape([count, rows[0] ?? 1, features]);
    });
  }

  /** Runs all layers over packed steps `[total, inputSize]`, see `overSteps`. */
  private layers(step: Step, x: Tensor, rows: readonly number[], states: Tensor[]): [outputs: Tensor, final: Tensor[]] {
    const fields = this as unknown as Record<string, Tensor | undefined>;
    const last: Tensor[][] = states.map(() => []);
    let sequence = x;
    for (let layer = 0, at = 0; layer < this.numLayers; layer++) {
      const sides = this.suffixes(layer).map((suffix, side) => {
        const weights: CellWeights = {
          ih: fields[`weightIh${suffix}`]!,
          hh: fields[`weightHh${suffix}`]!,
          bih: fields[`biasIh${suffix}`] ?? null,
          bhh: fields[`biasHh${suffix}`] ?? null,
          hr: fields[`weightHr${suffix}`] ?? null,
        };
        const initial = states.map((t) => t.select(0, at));
        at++;
        const [outputs, final] = overSteps(step, sequence, rows, initial, weights, side === 1);
        final.forEach((t, i) => {
          last[i]!.push(t);
        });
        return outputs;
      });
      sequence = sides.length === 1 ? sides[0]! : cat(sides, 1);
      if (this.dropout > 0 && this.training && layer < this.numLayers - 1)
        sequence = dropout(sequence, { p: this.dropout });
    }
    return [sequence, last.map((list) => stack(list))];
  }

  override extraRepr(): string {
    const { inputSize, hiddenSize, numLayers, batchFirst, bidirectional } = this;
    return `${inputSize}, ${hiddenSize}, numLayers=${numLayers}, batchFirst=${batchFirst}, bidirectional=${bidirectional}`;
  }
}

/**
 * A plain (Elman) recurrent network over sequences `[L, N, inputSize]`, `[N, L, inputSize]` with `batchFirst`, or `[L,
 * inputSize]`, from an initial `h` `[layers * directions, N, hiddenSize]`, 0 by default. Returns the outputs `[L, N,
 * hiddenSize * directions]` and the last `h`; packed sequences give packed outputs. Options: `nonlinearity` 'tanh' (the
 * default) or 'relu', `numLayers` 1, `bias` true, `batchFirst` false, `dropout` 0, `bidirectional` false.
 *
 * ```ts
 * const [out, h] = new RNN(3, 5, { numLayers: 2 })(randn([7, 2, 3]));
 * out.shape; // [7, 2, 5]
 * h.shape; // [2, 2, 5]
 * ```
 */
export class RNN extends Recurrent {
  /** The activation of the state. */
  readonly nonlinearity: Nonlinearity;

  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions & { nonlinearity?: Nonlinearity } = {}) {
    super(inputSize, hiddenSize, 1, options, { ...recurrentOptions, nonlinearity } as Schema<RecurrentOptions>);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
  }

  override forward(x: PackedSequence, h?: Tensor): [PackedSequence, Tensor];
  override forward(x: Tensor, h?: Tensor): [Tensor, Tensor];
  override forward(x: any, h?: Tensor): [any, Tensor] {
    const [out, [last]] = this.run(rnnStep(nonlinearities[this.nonlinearity]), x, [h]);
    return [out, last!];
  }
}

/** Calls with packed sequences return packed sequences. */
export interface RNN {
  (x: PackedSequence, h?: Tensor): [PackedSequence, Tensor];
}

/**
 * Long short-term memory over sequences (Hochreiter and Schmidhuber, 1997): `[L, N, inputSize]`, `[N, L, inputSize]`
 * with `batchFirst`, or `[L, inputSize]`, from an initial `[h, c]`, each `[layers * directions, N, hiddenSize]`, 0 by
 * default. Returns the outputs `[L, N, hiddenSize * directions]` and the last `[h, c]`; packed sequences give packed
 * outputs, and each its states at its own end. Options: `numLayers` 1, `bias` true, `batchFirst` false, `dropout` 0
 * between layers, `bidirectional` false, `projSize` 0; if it is above 0, outputs and `h` are projected to that many
 * features (Sak et al., 2014). Parameters are named as in PyTorch: `weightIhL0`, `weightHhL0`, `biasIhL0`,
 * `weightIhL0Reverse`, ...
 *
 * ```ts
 * const [out, [h, c]] = new LSTM(3, 5, { batchFirst: true })(randn([2, 7, 3]));
 * out.shape; // [2, 7, 5]
 * h.shape; // [1, 2, 5]
 * ```
 */
export class LSTM extends Recurrent {
  /** The number of features that outputs are projected to; 0 for no projection. */
  readonly projSize: number;

  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions & { projSize?: number } = {}) {
    const { projSize = 0 } = options ?? {};
    const known = { ...recurrentOptions, projSize: is.size } as Schema<RecurrentOptions>;
    super(inputSize, hiddenSize, 4, options, known, projSize);
    if (projSize >= hiddenSize)
      throw new RangeError(`LSTM: projSize must be below hiddenSize, got ${projSize} and ${hiddenSize}`);
    this.projSize = projSize;
  }

  override forward(x: PackedSequence, state?: readonly [Tensor, Tensor]): [PackedSequence, [Tensor, Tensor]];
  override forward(x: Tensor, state?: readonly [Tensor, Tensor]): [Tensor, [Tensor, Tensor]];
  override forward(x: any, state?: readonly [Tensor, Tensor]): [any, [Tensor, Tensor]] {
    const [out, last] = this.run(lstmStep, x, lstmStates(this.constructor.name, state));
    return [out, last as [Tensor, Tensor]];
  }
}

/** Calls with packed sequences return packed sequences. */
export interface LSTM {
  (x: PackedSequence, state?: readonly [Tensor, Tensor]): [PackedSequence, [Tensor, Tensor]];
}

/**
 * Gated recurrent units over sequences (Cho et al., 2014). Inputs and options as for `LSTM`, without `projSize` and
 * with one state `h`. Returns the outputs and the last `h`.
 *
 * ```ts
 * const [out, h] = new GRU(3, 5, { bidirectional: true })(randn([7, 2, 3]));
 * out.shape; // [7, 2, 10]
 * h.shape; // [2, 2, 5]
 * ```
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(inputSize, hiddenSize, 3, options);
  }

  override forward(x: PackedSequence, h?: Tensor): [PackedSequence, Tensor];
  override forward(x: Tensor, h?: Tensor): [Tensor, Tensor];
  override forward(x: any, h?: Tensor): [any, Tensor] {
    const [out, [last]] = this.run(gruStep, x, [h]);
    return [out, last!];
  }
}

/** Calls with packed sequences return packed sequences. */
export interface GRU {
  (x: PackedSequence, h?: Tensor): [PackedSequence, Tensor];
}
