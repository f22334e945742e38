import { gelu, relu, ShapeError, type Tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is } from '@gradgate/core/internal';
import { xavierUniform_ } from '../init.js';
import { Module } from '../module.js';
import { shapeText } from '../shapeText.js';
import { MultiheadAttention } from './attention.js';
import { checkLayer, layersFrom } from './checkLayer.js';
import { ModuleList } from './container.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norm.js';

type Activation = 'relu' | 'gelu' | ((x: Tensor) => Tensor);

/** Options of `TransformerEncoderLayer` and `TransformerDecoderLayer`. */
export interface TransformerLayerOptions {
  /** The number of features inside the feed-forward network; 2048 by default. */
  dimFeedforward?: number;
  /** The probability of dropping in training, also of attention weights; 0.1 by default. */
  dropout?: number;
  /** The activation of the feed-forward network; 'relu' by default. */
  activation?: Activation;
  /** Added to the variance in layer norms; 1e-5 by default. */
  layerNormEps?: number;
  /** Whether inputs are `[N, L, E]` rather than `[L, N, E]`; false by default. */
  batchFirst?: boolean;
  /** Whether to normalize before attention and feed-forward rather than after; false by default. */
  normFirst?: boolean;
}

function activationOf(activation: Activation): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return activation;
  if (activation === 'relu') return relu;
  return (x) => gelu(x);
}

const layerOptions = {
  dimFeedforward: is.count,
  dropout: is.probability,
  activation: is.either(is.oneOf('relu', 'gelu'), is.callback),
  layerNormEps: is.nonNegative,
  batchFirst: is.boolean,
  normFirst: is.boolean,
};
const transformerOptions = {
  ...layerOptions,
  dModel: is.count,
  nhead: is.count,
  numEncoderLayers: layersFrom(0),
  numDecoderLayers: layersFrom(0),
};
const optionalMask = is.nullable(is.tensor);
const encoderMasks = { mask: optionalMask, srcKeyPaddingMask: optionalMask, isCausal: is.boolean };
const decoderMasks = {
  tgtMask: optionalMask,
  memoryMask: optionalMask,
  tgtKeyPaddingMask: optionalMask,
  memoryKeyPaddingMask: optionalMask,
  tgtIsCausal: is.boolean,
};
const transformerMasks = { ...decoderMasks, srcMask: optionalMask, srcKeyPaddingMask: optionalMask };

/** The base of encoder and decoder layers: self-attention and the feed-forward network. */
class LayerBase extends Module {
  /** Attention of the sequence to itself. */
  declare readonly selfAttn: MultiheadAttention;
  /** The first layer of the feed-forward part. */
  declare readonly linear1: Linear;
  /** Dropout within the feed-forward part. */
  declare readonly dropout: Dropout;
  /** The second layer of the feed-forward part. */
  declare readonly linear2: Linear;
  /** The normalization of the first part. */
  declare readonly norm1: LayerNorm;
  /** The normalization of the second part. */
  declare readonly norm2: LayerNorm;
  /** Dropout after the first part. */
  declare readonly dropout1: Dropout;
  /** Dropout after the second part. */
  declare readonly dropout2: Dropout;
  /** Whether each part begins with its normalization rather than ends with it. */
  declare readonly normFirst: boolean;
  /** A function, or a module, which is then registered with this one. */
  declare readonly activation: (x: Tensor) => Tensor;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions, kind: 'encoder' | 'decoder') {
    super();
    const {
      dimFeedforward = 2048,
      dropout = 0.1,
      activation = 'relu',
      layerNormEps: eps = 1e-5,
      batchFirst = false,
      normFirst = false,
    } = checkLayer(new.target.name, { dModel, nhead }, options, layerOptions, is.count);
    const attention = () => new MultiheadAttention(dModel, nhead, { dropout, batchFirst });
    const norm = () => new LayerNorm(dModel, { eps });
    const third = this as unknown as { multiheadAttn?: MultiheadAttention; norm3?: LayerNorm; dropout3?: Dropout };
    const isDecoder = kind === 'decoder';
    // In PyTorch's order: the states of its optimizers go by the order of parameters.
    this.selfAttn = attention();
    if (isDecoder) third.multiheadAttn = attention();
    this.linear1 = new Linear(dModel, dimFeedforward);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel);
    this.norm1 = norm();
    this.norm2 = norm();
    if (isDecoder) third.norm3 = norm();
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    if (isDecoder) third.dropout3 = new Dropout(dropout);
    this.normFirst = normFirst;
    this.activation = activationOf(activation);
  }

  /** The feed-forward part: `linear1`, the activation, dropout and `linear2`. */
  protected feedForward(x: Tensor): Tensor {
    return this.linear2(this.dropout(this.activation(this.linear1(x))));
  }

  /** `x` plus `branch` of it, with the norm before the branch or after the sum. */
  protected residual(x: Tensor, norm: LayerNorm, branch: (x: Tensor) => Tensor): Tensor {
    return this.normFirst ? x.add(branch(norm(x))) : norm(x.add(branch(x)));
  }
}

/** Masks in a call of an encoder or one of its layers. */
export interface EncoderMasks {
  /** As the `attnMask` of `MultiheadAttention`. */
  mask?: Tensor | null;
  /** As its `keyPaddingMask`. */
  srcKeyPaddingMask?: Tensor | null;
  /** Whether each position attends only to itself and those before it; false by default. */
  isCausal?: boolean;
}

/**
 * Self-attention and a feed-forward network, each added to its input and normalized (Vaswani et al., 2017). `[L, N,
 * E]`, or `[N, L, E]` with `batchFirst`, in and out. Options: `dimFeedforward` 2048, `dropout` 0.1, `activation`
 * 'relu', 'gelu' or a function, `layerNormEps` 1e-5, `batchFirst` false, `normFirst` false.
 *
 * ```ts
 * const layer = new TransformerEncoderLayer(16, 4, { dimFeedforward: 32 });
 * layer(randn([5, 2, 16]), { isCausal: true }).shape; // [5, 2, 16]
 * ```
 */
export class TransformerEncoderLayer extends LayerBase {
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options, 'encoder');
  }

  override forward(src: Tensor, given: EncoderMasks = {}): Tensor {
    checkTensors('TransformerEncoderLayer', src);
    const { mask, srcKeyPaddingMask, isCausal } = checkOptions('TransformerEncoderLayer', given, encoderMasks);
    const masks = { attnMask: mask, keyPaddingMask: srcKeyPaddingMask, isCausal, needWeights: false };
    const x = this.residual(src, this.norm1, (y) => this.dropout1(this.selfAttn(y, y, y, masks)[0]));
    return this.residual(x, this.norm2, (y) => this.dropout2(this.feedForward(y)));
  }
}

/** Masks in a call of a decoder or one of its layers. */
export interface DecoderMasks {
  /** The `attnMask` of the target's self-attention. */
  tgtMask?: Tensor | null;
  /** The `attnMask` of the attention to `memory`. */
  memoryMask?: Tensor | null;
  /** The `keyPaddingMask` of the target. */
  tgtKeyPaddingMask?: Tensor | null;
  /** The `keyPaddingMask` of `memory`. */
  memoryKeyPaddingMask?: Tensor | null;
  /** Whether each position of the target attends only to itself and those before it; false by default. */
  tgtIsCausal?: boolean;
}

/**
 * An encoder layer that also attends to the encoder's output, `memory`, between self-attention and feed-forward: `tgt`
 * `[T, N, E]` and `memory` `[S, N, E]` to `[T, N, E]`. Options as for `TransformerEncoderLayer`.
 *
 * ```ts
 * const layer = new TransformerDecoderLayer(16, 4, { dimFeedforward: 32 });
 * layer(randn([5, 2, 16]), randn([7, 2, 16])).shape; // [5, 2, 16]
 * ```
 */
export class TransformerDecoderLayer extends LayerBase {
  /** Attention to what the encoder gave. */
  declare readonly multiheadAttn: MultiheadAttention;
  /** The normalization of the third part. */
  declare readonly norm3: LayerNorm;
  /** Dropout after the third part. */
  declare readonly dropout3: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options, 'decoder');
  }

  override forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    checkTensors('TransformerDecoderLayer', tgt, memory);
    checkOptions('TransformerDecoderLayer', masks, decoderMasks);
    const { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask, tgtIsCausal } = masks;
    const own = { attnMask: tgtMask, keyPaddingMask: tgtKeyPaddingMask, isCausal: tgtIsCausal, needWeights: false };
    const cross = { attnMask: memoryMask, keyPaddingMask: memoryKeyPaddingMask, needWeights: false };
    let x = this.residual(tgt, this.norm1, (y) => this.dropout1(this.selfAttn(y, y, y, own)[0]));
    x = this.residual(x, this.norm2, (y) => this.dropout2(this.multiheadAttn(y, memory, memory, cross)[0]));
    return this.residual(x, this.norm3, (y) => this.dropout3(this.feedForward(y)));
  }
}

const stackOptions = { norm: is.nullable(is.instanceOf('a module', () => Module)) };

/** `n` copies of a layer, as in PyTorch, or `n` layers made by a function. */
function stackOf<L extends Module>(op: string, layer: L | (() => L), n: number): ModuleList<L> {
  check(op, 'numLayers', n, layersFrom(0));
  check(op, 'the layer', layer, is.callback);
  return new ModuleList(
    Array.from({ length: n }, () => (layer instanceof Module ? (layer as L).clone() : (layer as () => L)())),
  );
}

/**
 * `numLayers` encoder layers in a row, and a final normalization with option `norm`: `[L, N, E]` in and out. Takes a
 * layer, which is copied with its weights, or a function that makes one, so that layers start with different weights.
 *
 * ```ts
 * const encoder = new TransformerEncoder(new TransformerEncoderLayer(16, 4), 2);
 * encoder(randn([5, 2, 16])).shape; // [5, 2, 16]
 * ```
 */
export class TransformerEncoder extends Module {
  /** The layers, in order. */
  readonly layers: ModuleList<TransformerEncoderLayer>;
  /** The normalization after the last layer; null without. */
  readonly norm: LayerNorm | null;

  constructor(
    layer: TransformerEncoderLayer | (() => TransformerEncoderLayer),
    numLayers: number,
    options: { norm?: LayerNorm | null } = {},
  ) {
    super();
    const { norm = null } = checkOptions('TransformerEncoder', options, stackOptions);
    this.layers = stackOf<TransformerEncoderLayer>('TransformerEncoder', layer, numLayers);
    this.norm = norm;
  }

  override forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    checkTensors('TransformerEncoder', src);
    checkOptions('TransformerEncoder', masks, encoderMasks);
    let x = src;
    for (const layer of this.layers) x = layer(x, masks);
    return this.norm ? this.norm(x) : x;
  }
}

/**
 * `numLayers` decoder layers in a row, each of which attends to the encoder's output, and a final normalization with
 * option `norm`: `tgt` `[T, N, E]` and `memory` `[S, N, E]` to `[T, N, E]`. Takes a layer, which is copied with its
 * weights, or a function that makes one.
 *
 * ```ts
 * const decoder = new TransformerDecoder(() => new TransformerDecoderLayer(16, 4), 2);
 * decoder(randn([5, 2, 16]), randn([7, 2, 16])).shape; // [5, 2, 16]
 * ```
 */
export class TransformerDecoder extends Module {
  /** The layers, in order. */
  readonly layers: ModuleList<TransformerDecoderLayer>;
  /** The normalization after the last layer; null without. */
  readonly norm: LayerNorm | null;

  constructor(
    layer: TransformerDecoderLayer | (() => TransformerDecoderLayer),
    numLayers: number,
    options: { norm?: LayerNorm | null } = {},
  ) {
    super();
    const { norm = null } = checkOptions('TransformerDecoder', options, stackOptions);
    this.layers = stackOf<TransformerDecoderLayer>('TransformerDecoder', layer, numLayers);
    this.norm = norm;
  }

  override forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    checkTensors('TransformerDecoder', tgt, memory);
    checkOptions('TransformerDecoder', masks, decoderMasks);
    let x = tgt;
    for (const layer of this.layers) x = layer(x, memory, masks);
    return this.norm ? this.norm(x) : x;
  }
}

/** Options of `Transformer`. */
export interface TransformerOptions extends TransformerLayerOptions {
  /** The number of features; 512 by default. */
  dModel?: number;
  /** The number of attention heads; 8 by default. */
  nhead?: number;
  /** The number of encoder layers; 6 by default. */
  numEncoderLayers?: number;
  /** The number of decoder layers; 6 by default. */
  numDecoderLayers?: number;
}

/**
 * A transformer of encoder and decoder (Vaswani et al., 2017): `src` `[S, N, E]` and `tgt` `[T, N, E]` to `[T, N, E]`.
 * Options: `dModel` 512, `nhead` 8, `numEncoderLayers` and `numDecoderLayers` 6, and those of
 * `TransformerEncoderLayer`.
 *
 * ```ts
 * const model = new Transformer({ dModel: 16, nhead: 4, numEncoderLayers: 1, numDecoderLayers: 1 });
 * model(randn([7, 2, 16]), randn([5, 2, 16])).shape; // [5, 2, 16]
 * ```
 */
export class Transformer extends Module {
  /** The stack of encoder layers. */
  readonly encoder: TransformerEncoder;
  /** The stack of decoder layers. */
  readonly decoder: TransformerDecoder;
  /** The number of features. */
  readonly dModel: number;

  constructor(options: TransformerOptions = {}) {
    super();
    checkOptions('Transformer', options, transformerOptions);
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, ...layer } = options;
    const norm = () => new LayerNorm(dModel, { eps: layer.layerNormEps });
    this.dModel = dModel;
    this.encoder = new TransformerEncoder(() => new TransformerEncoderLayer(dModel, nhead, layer), numEncoderLayers, {
      norm: norm(),
    });
    this.decoder = new TransformerDecoder(() => new TransformerDecoderLayer(dModel, nhead, layer), numDecoderLayers, {
      norm: norm(),
    });
    for (const p of this.parameters()) if (p.ndim > 1) xavierUniform_(p);
  }

  override forward(
    src: Tensor,
    tgt: Tensor,
    masks: DecoderMasks & { srcMask?: Tensor | null; srcKeyPaddingMask?: Tensor | null } = {},
  ): Tensor {
    checkTensors('Transformer', src, tgt);
    checkOptions('Transformer', masks, transformerMasks);
    for (const [name, t] of Object.entries({ src, tgt }))
      if (t.shape.at(-1) !== this.dModel)
        throw new ShapeError('Transformer', `${name} must have ${this.dModel} features, got ${shapeText(t)}`);
    const { srcMask, srcKeyPaddingMask, ...decoder } = masks;
    return this.decoder(tgt, this.encoder(src, { mask: srcMask, srcKeyPaddingMask }), decoder);
  }
}
