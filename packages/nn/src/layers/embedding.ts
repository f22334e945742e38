import { embedding, noGrad, type Tensor, zeros } from '@gradgate/core';
import { normal_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

/** A table of vectors: int32 `[...]` to `[..., embeddingDim]`. Row `paddingIdx` starts at 0 and is not learned. */
export class Embedding extends Module {
  readonly weight: Parameter;
  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    readonly options: { paddingIdx?: number } = {},
  ) {
    super();
    const { paddingIdx } = options;
    if (paddingIdx !== undefined && !(Number.isInteger(paddingIdx) && paddingIdx >= 0 && paddingIdx < numEmbeddings))
      throw new RangeError(`Embedding: paddingIdx is from 0 to ${numEmbeddings - 1}, got ${paddingIdx}`);
    this.weight = new Parameter(zeros([numEmbeddings, embeddingDim]));
    normal_(this.weight);
    if (paddingIdx !== undefined) noGrad.run(() => this.weight.select(0, paddingIdx).zero_());
  }
  override forward(index: Tensor): Tensor {
    return embedding(index, this.weight, this.options);
  }
  override extraRepr(): string {
    return `${this.numEmbeddings}, ${this.embeddingDim}`;
  }
}
