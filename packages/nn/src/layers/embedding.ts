import { embedding, empty, noGrad, ShapeError, type Tensor, where } from '@gradgate/core';
import { checkOptions, checkTensors, is } from '@gradgate/core/internal';
import { type EmbeddingBagOptions, embeddingBag, lookUp, resolveIndex } from '../functions/embedding.js';
import { normal_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { shapeText } from '../shapeText.js';
import { checkLayer } from './checkLayer.js';

/** Options of `Embedding`. */
export interface EmbeddingOptions {
  /** The entry for padding: its row is 0 and gets no gradient. None by default. */
  paddingIdx?: number;
  /** Before use, rows with a larger norm are scaled down to this one, in place; by default none are. */
  maxNorm?: number;
  /** The power of that norm; 2 by default. */
  normType?: number;
  /**
   * Whether the gradient is sparse, for large tables: it holds only the rows that were used, and `SparseAdam`, `SGD` and
   * `Adagrad` take it. False by default.
   */
  sparse?: boolean;
}

const embeddingOptions = {
  paddingIdx: is.integer,
  maxNorm: is.nonNegative,
  normType: is.positive,
  sparse: is.boolean,
};
const pretrainedOptions = { ...embeddingOptions, freeze: is.boolean };
const bagOptions = {
  mode: is.oneOf('sum', 'mean', 'max'),
  paddingIdx: is.integer,
  includeLastOffset: is.boolean,
  sparse: is.boolean,
};

/**
 * A lookup table: a learned row of `embeddingDim` numbers for each of `numEmbeddings` indices. Integers `[...]` to
 * `[..., embeddingDim]`. Parameter: `weight` `[numEmbeddings, embeddingDim]`, drawn from the standard normal
 * distribution. The row `paddingIdx` is 0 and gets no gradient; with `maxNorm`, rows with a larger norm are scaled down
 * before use. Throws for an index out of range.
 *
 * ```ts
 * const words = new Embedding(1000, 16, { paddingIdx: 0 });
 * words(tensor([[5, 7, 0]], { dtype: 'int32' })).shape; // [1, 3, 16]
 * ```
 */
export class Embedding extends Module {
  /** The entries `[numEmbeddings, embeddingDim]`. */
  weight: Parameter;
  /** The entry that stays as it is, if there is one. */
  readonly paddingIdx: number | undefined;
  /** The largest norm of an entry, if there is one: longer entries that are looked up are made shorter. */
  readonly maxNorm: number | undefined;
  /** The p of that norm. */
  readonly normType: number;
  /** Whether gradients of the weight are sparse. */
  readonly sparse: boolean;

  constructor(
    /** The number of entries. */
    readonly numEmbeddings: number,
    /** The number of features of an entry. */
    readonly embeddingDim: number,
    options: EmbeddingOptions = {},
  ) {
    super();
    const { name } = new.target;
    const given = checkLayer(name, { numEmbeddings, embeddingDim }, options, embeddingOptions);
    const { paddingIdx, maxNorm, normType = 2, sparse = false } = given;
    this.sparse = sparse;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.paddingIdx = paddingIdx === undefined ? undefined : resolveIndex(name, numEmbeddings, paddingIdx);
    this.weight = new Parameter(empty([numEmbeddings, embeddingDim]));
    this.resetParameters();
  }

  /** Draws the weight from the standard normal distribution; the padding row is 0. */
  resetParameters(): void {
    drawRows(this.weight, this.paddingIdx);
  }

  /** An embedding with the rows of `weight` `[entries, features]`; frozen, unless `freeze` is false. */
  static fromPretrained(weight: Tensor, options: EmbeddingOptions & { freeze?: boolean } = {}): Embedding {
    const { freeze = true, ...own } = checkOptions('Embedding.fromPretrained', options, pretrainedOptions);
    checkTensors('Embedding.fromPretrained', weight);
    if (weight.ndim !== 2)
      throw new ShapeError('Embedding.fromPretrained', `takes [entries, features], got ${shapeText(weight)}`);
    const layer = new Embedding(weight.shape[0]!, weight.shape[1]!, own);
    noGrad.run(() => layer.weight.copy_(weight));
    layer.requiresGrad_(!freeze);
    return layer;
  }

  override forward(index: Tensor): Tensor {
    if (this.maxNorm !== undefined) limitNorms(this.weight, index, this.maxNorm, this.normType);
    return lookUp(index, this.weight, this.sparse, this.paddingIdx);
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === undefined ? '' : `, paddingIdx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}${this.sparse ? ', sparse=true' : ''}`;
  }
}

function drawRows(weight: Parameter, paddingIdx: number | undefined): void {
  normal_(weight);
  if (paddingIdx !== undefined) noGrad.run(() => weight.select(0, paddingIdx).zero_());
}

/** Scales the rows of `weight` at `index` down to the norm `maxNorm`, in place. */
function limitNorms(weight: Parameter, index: Tensor, maxNorm: number, normType: number): void {
  noGrad.run(() => {
    const used = embedding(index, weight).reshape(-1, weight.shape[1]!);
    const norms = used.norm(normType, 1, { keepdim: true });
    const scaled = used.mul(where(norms.gt(maxNorm), norms.add(1e-7).reciprocal().mul(maxNorm), 1));
    weight.copy_(weight.indexCopy(0, index.reshape(-1), scaled));
  });
}

/**
 * Embeddings combined by bags, as their mean, sum or maximum (`mode`, 'mean' by default): indices `[N, n]`, or
 * `[total]` with `offsets`, to `[N, embeddingDim]`. Parameter: `weight` `[numEmbeddings, embeddingDim]`. Entries equal
 * to `paddingIdx` are left out, so that bags may be filled up with them; their row is 0 and gets no gradient.
 *
 * ```ts
 * const bag = new EmbeddingBag(1000, 16, { mode: 'sum' });
 * const words = tensor([5, 7, 9], { dtype: 'int32' });
 * bag(words, { offsets: tensor([0, 2], { dtype: 'int32' }) }).shape; // [2, 16]
 * ```
 */
export class EmbeddingBag extends Module {
  /** The entries `[numEmbeddings, embeddingDim]`. */
  weight: Parameter;
  /** How the entries of a bag are combined. */
  readonly mode: 'sum' | 'mean' | 'max';
  /** The entry that stays as it is, if there is one. */
  readonly paddingIdx: number | undefined;
  /** Whether offsets end with where the last bag does. */
  readonly includeLastOffset: boolean;
  /** Whether gradients of the weight are sparse. */
  readonly sparse: boolean;

  constructor(
    /** The number of entries. */
    readonly numEmbeddings: number,
    /** The number of features of an entry. */
    readonly embeddingDim: number,
    options: Pick<EmbeddingBagOptions, 'mode' | 'paddingIdx' | 'includeLastOffset' | 'sparse'> = {},
  ) {
    super();
    const sizes = { numEmbeddings, embeddingDim };
    const {
      mode = 'mean',
      paddingIdx,
      includeLastOffset = false,
      sparse = false,
    } = checkLayer(new.target.name, sizes, options, bagOptions);
    this.mode = mode;
    this.includeLastOffset = includeLastOffset;
    this.sparse = sparse;
    this.paddingIdx = paddingIdx === undefined ? undefined : resolveIndex(new.target.name, numEmbeddings, paddingIdx);
    this.weight = new Parameter(empty([numEmbeddings, embeddingDim]));
    drawRows(this.weight, this.paddingIdx);
  }

  /**
   * Takes `index` `[B, n]`, or `[total]` with `offsets`, the index where each bag starts; with mode 'sum' also
   * `perSampleWeights` in the shape of the index.
   */
  override forward(index: Tensor, options: Pick<EmbeddingBagOptions, 'offsets' | 'perSampleWeights'> = {}): Tensor {
    const tensors = checkOptions('EmbeddingBag', options, {
      offsets: is.nullable(is.tensor),
      perSampleWeights: is.nullable(is.tensor),
    });
    const { mode, paddingIdx, includeLastOffset, sparse } = this;
    return embeddingBag(index, this.weight, { ...tensors, mode, paddingIdx, includeLastOffset, sparse });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === undefined ? '' : `, paddingIdx=${this.paddingIdx}`;
    const lastOffset = this.includeLastOffset ? ', includeLastOffset=true' : '';
    return `${this.numEmbeddings}, ${this.embeddingDim}, mode=${this.mode}${padding}${lastOffset}${this.sparse ? ', sparse=true' : ''}`;
  }
}
