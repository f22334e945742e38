import { cat, dropout, linear, ShapeError, sigmoid, stack, type Tensor, tanh, zeros } from '@gradgate/core';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

export interface RecurrentOptions {
  numLayers?: number;
  bias?: boolean;
  /** Input and output are `[N, L, features]` rather than `[L, N, features]`. */
  batchFirst?: boolean;
  /** Between layers, in training. */
  dropout?: number;
  bidirectional?: boolean;
}

type State = readonly Tensor[];

/**
 * What recurrent layers share: the loop over layers, directions and time. A subclass says how many gates its weights
 * hold, how many tensors its state, and what one step does.
 */
abstract class Recurrent extends Module {
  readonly numLayers: number;

  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    private readonly gates: number,
    protected readonly states: number,
    readonly options: RecurrentOptions,
  ) {
    super();
    const { numLayers = 1, bias = true, bidirectional = false } = options;
    this.numLayers = numLayers;
    const bound = 1 / Math.sqrt(hiddenSize);
    const fields = this as unknown as Record<string, Parameter>;
    const parameter = (...shape: number[]) => uniform_(new Parameter(zeros(shape)), -bound, bound);
    for (let layer = 0; layer < numLayers; layer++)
      for (const suffix of bidirectional ? ['', 'Reverse'] : ['']) {
        const inputs = layer === 0 ? inputSize : hiddenSize * (bidirectional ? 2 : 1);
        fields[`weightIhL${layer}${suffix}`] = parameter(gates * hiddenSize, inputs);
        fields[`weightHhL${layer}${suffix}`] = parameter(gates * hiddenSize, hiddenSize);
        if (!bias) continue;
        fields[`biasIhL${layer}${suffix}`] = parameter(gates * hiddenSize);
        fields[`biasHhL${layer}${suffix}`] = parameter(gates * hiddenSize);
      }
  }

  /** The next state from the input's and the state's products with their weights, `[N, gates * hidden]` each. */
  protected abstract cell(fromInput: Tensor, fromHidden: Tensor, state: State): State;

  /** All outputs `[L, N, directions * hidden]` (or batch first) and the last states `[layers * directions, N, hidden]`. */
  protected run(x: Tensor, initial?: State): [Tensor, Tensor[]] {
    const name = this.constructor.name;
    if (x.ndim !== 3 || x.shape[2] !== this.inputSize)
      throw new ShapeError(
        name,
        `takes [length, batch, ${this.inputSize}]${this.options.batchFirst ? ' with the batch first' : ''}, got [${x.shape.join(', ')}]`,
      );
    const { batchFirst = false, bidirectional = false, dropout: p = 0 } = this.options;
    const directions = bidirectional ? ['', 'Reverse'] : [''];
    const batch = x.shape[batchFirst ? 0 : 1]!;
    const expected = [this.numLayers * directions.length, batch, this.hiddenSize];
    for (const s of initial ?? [])
      if (s.shape.join() !== expected.join())
        throw new ShapeError(
          name,
          `an initial state has shape [${s.shape.join(', ')}], expected [${expected.join(', ')}]`,
        );
    const fields = this as unknown as Record<string, Parameter | undefined>;
    let sequence = batchFirst ? x.transpose(0, 1) : x;
    const last: Tensor[][] = Array.from({ length: this.states }, () => []);
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0 && p > 0) sequence = dropout(sequence, { p, training: this.training });
      const outputs = directions.map((suffix, d) => {
        const [wi, wh] = [fields[`weightIhL${layer}${suffix}`]!, fields[`weightHhL${layer}${suffix}`]!];
        const [bi, bh] = [fields[`biasIhL${layer}${suffix}`], fields[`biasHhL${layer}${suffix}`]];
        let state: State = Array.from({ length: this.states }, (_, s) =>
          initial
            ? initial[s]!.select(0, layer * directions.length + d)
            : zeros([batch, this.hiddenSize], { dtype: x.dtype }),
        );
        // The input's products for all steps at once.
        const steps = linear(sequence, wi, bi).unbind(0);
        if (suffix) steps.reverse();
        const seen = steps.map((step) => {
          state = this.cell(step, linear(state[0]!, wh, bh), state);
          return state[0]!;
        });
        for (const [i, s] of state.entries()) last[i]!.push(s);
        if (suffix) seen.reverse();
        return stack(seen, 0);
      });
      sequence = outputs.length === 1 ? outputs[0]! : cat(outputs, 2);
    }
    return [batchFirst ? sequence.transpose(0, 1) : sequence, last.map((states) => stack(states, 0))];
  }

  protected split(gates: Tensor): Tensor[] {
    return gates.chunk(this.gates, 1);
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}, numLayers=${this.numLayers}`;
  }
}

/** A simple recurrent network: `h' = tanh(W x + b + U h + c)`; gives the outputs and the last state. */
export class RNN extends Recurrent {
  constructor(
    inputSize: number,
    hiddenSize: number,
    options: RecurrentOptions & { nonlinearity?: 'tanh' | 'relu' } = {},
  ) {
    super(inputSize, hiddenSize, 1, 1, options);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
  }
  readonly nonlinearity: 'tanh' | 'relu';

  protected cell(fromInput: Tensor, fromHidden: Tensor): State {
    const sum = fromInput.add(fromHidden);
    return [this.nonlinearity === 'relu' ? sum.relu() : tanh(sum)];
  }

  override forward(x: Tensor, h?: Tensor): [Tensor, Tensor] {
    const [out, [last]] = this.run(x, h && [h]);
    return [out, last!];
  }
}

/** Long short-term memory (Hochreiter and Schmidhuber, 1997); gives the outputs and the last states `[h, c]`. */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(inputSize, hiddenSize, 4, 2, options);
  }

  protected cell(fromInput: Tensor, fromHidden: Tensor, [, c]: State): State {
    const [i, f, g, o] = this.split(fromInput.add(fromHidden)) as [Tensor, Tensor, Tensor, Tensor];
    const next = sigmoid(f)
      .mul(c!)
      .add(sigmoid(i).mul(tanh(g)));
    return [sigmoid(o).mul(tanh(next)), next];
  }

  override forward(x: Tensor, state?: readonly [Tensor, Tensor]): [Tensor, [Tensor, Tensor]] {
    const [out, last] = this.run(x, state);
    return [out, last as [Tensor, Tensor]];
  }
}

/** Gated recurrent unit (Cho et al., 2014); gives the outputs and the last state. */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(inputSize, hiddenSize, 3, 1, options);
  }

  protected cell(fromInput: Tensor, fromHidden: Tensor, [h]: State): State {
    const [ir, iz, im] = this.split(fromInput) as [Tensor, Tensor, Tensor];
    const [hr, hz, hn] = this.split(fromHidden) as [Tensor, Tensor, Tensor];
    const z = sigmoid(iz.add(hz));
    const n = tanh(im.add(sigmoid(ir.add(hr)).mul(hn)));
    return [n.add(z.mul(h!.sub(n)))];
  }

  override forward(x: Tensor, h?: Tensor): [Tensor, Tensor] {
    const [out, [last]] = this.run(x, h && [h]);
    return [out, last!];
  }
}
