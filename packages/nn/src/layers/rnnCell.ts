import { ShapeError, type Tensor, zeros } from '@gradgate/core';
import { checkTensors, is, type Schema } from '@gradgate/core/internal';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { shapeText } from '../shapeText.js';
import { checkLayer } from './checkLayer.js';
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

interface CellOptions {
  /** Whether there are learned biases; true by default. */
  bias?: boolean;
}
const cellOptions = { bias: is.boolean };

class CellBase extends Module {
  /** The weight of the input `[gates * hiddenSize, inputSize]`. */
  weightIh: Parameter;
  /** The weight of the state `[gates * hiddenSize, hiddenSize]`. */
  weightHh: Parameter;
  /** The bias of the input `[gates * hiddenSize]`; null without. */
  biasIh: Parameter | null;
  /** The bias of the state `[gates * hiddenSize]`; null without. */
  biasHh: Parameter | null;

  constructor(
    /** The number of features of an input. */
    readonly inputSize: number,
    /** The number of features of the state. */
    readonly hiddenSize: number,
    gates: number,
    options: CellOptions,
    known: Schema<CellOptions> = cellOptions,
  ) {
    super();
    const { bias = true } = checkLayer(new.target.name, { inputSize, hiddenSize }, options, known, is.count);
    const make = (...shape: number[]) => new Parameter(uniformWithin(shape, hiddenSize));
    this.weightIh = make(gates * hiddenSize, inputSize);
    this.weightHh = make(gates * hiddenSize, hiddenSize);
    this.biasIh = bias ? make(gates * hiddenSize) : null;
    this.biasHh = bias ? make(gates * hiddenSize) : null;
  }

  /** Checks input and states, and makes a step. */
  protected run(step: Step, x: Tensor, states: (Tensor | undefined)[]): Tensor[] {
    checkTensors(this.constructor.name, x);
    checkStates(this.constructor.name, states);
    if ((x.ndim !== 1 && x.ndim !== 2) || x.shape.at(-1) !== this.inputSize)
      throw new ShapeError(
        this.constructor.name,
        `takes [N, ${this.inputSize}] or [${this.inputSize}], got ${shapeText(x)}`,
      );
    const batch = (t: Tensor) => (x.ndim === 1 ? t.unsqueeze(0) : t);
    const rows = x.ndim === 1 ? [] : [x.shape[0]!];
    const given = states.map((t) => {
      const shape = [...rows, this.hiddenSize];
      if (t && t.shape.join() !== shape.join())
        throw new ShapeError(this.constructor.name, `the state must be [${shape.join(', ')}], got ${shapeText(t)}`);
      return batch(t ?? zeros(shape, { dtype: x.dtype, device: x.device }));
    });
    const weights: CellWeights = { ih: this.weightIh, hh: this.weightHh, bih: this.biasIh, bhh: this.biasHh, hr: null };
    const next = step(inputGates(batch(x), weights), given, weights);
    return x.ndim === 1 ? next.map((t) => t.squeeze(0)) : next;
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}, bias=${this.biasIh !== null}`;
  }
}

/**
 * One step of a plain (Elman) recurrent network, `tanh(W x + b + U h + c)`. Takes `x` `[N, inputSize]` or `[inputSize]`
 * and `h` `[N, hiddenSize]`, 0 by default; returns the next `h`. Options: `nonlinearity` 'tanh' (the default) or
 * 'relu', `bias` true.
 *
 * ```ts
 * new RNNCell(3, 5)(randn([2, 3])).shape; // [2, 5]
 * ```
 */
export class RNNCell extends CellBase {
  /** The activation of the state. */
  readonly nonlinearity: Nonlinearity;

  constructor(inputSize: number, hiddenSize: number, options: CellOptions & { nonlinearity?: Nonlinearity } = {}) {
    super(inputSize, hiddenSize, 1, options, { ...cellOptions, nonlinearity } as Schema<CellOptions>);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
  }

  override forward(x: Tensor, h?: Tensor): Tensor {
    return this.run(rnnStep(nonlinearities[this.nonlinearity]), x, [h])[0]!;
  }
}

/**
 * One step of long short-term memory. Takes `x` `[N, inputSize]` or `[inputSize]` and `[h, c]`, each `[N, hiddenSize]`,
 * 0 by default; returns the next `[h, c]`. Option: `bias` true.
 *
 * ```ts
 * const [h, c] = new LSTMCell(3, 5)(randn([2, 3]));
 * h.shape; // [2, 5]
 * ```
 */
export class LSTMCell extends CellBase {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, 4, options);
  }

  override forward(x: Tensor, state?: readonly [Tensor, Tensor]): [Tensor, Tensor] {
    return this.run(lstmStep, x, lstmStates(this.constructor.name, state)) as [Tensor, Tensor];
  }
}

/**
 * One step of a gated recurrent unit. Takes `x` `[N, inputSize]` or `[inputSize]` and `h` `[N, hiddenSize]`, 0 by
 * default; returns the next `h`. Option: `bias` true.
 *
 * ```ts
 * new GRUCell(3, 5)(randn([2, 3])).shape; // [2, 5]
 * ```
 */
export class GRUCell extends CellBase {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, 3, options);
  }

  override forward(x: Tensor, h?: Tensor): Tensor {
    return this.run(gruStep, x, [h])[0]!;
  }
}
