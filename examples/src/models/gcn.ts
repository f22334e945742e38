// A graph convolutional network (Kipf and Welling, 2016). Messages go along edges by gather and sum, so that the adjacency matrix
// is never written out.
import { arange, cat, ones, type Tensor, zeros } from '@gradgate/core';
import { functional, Linear, Module } from '@gradgate/nn';

/** Edges of a graph with one from each node to itself, and their weights: `1 / sqrt(degree * degree)`. */
export class Graph {
  readonly source: Tensor;
  readonly target: Tensor;
  readonly weight: Tensor;

  constructor(source: Tensor, target: Tensor, nodes: number, dtype: 'float32' | 'float64' = 'float32') {
    const self = arange(nodes, { dtype: source.dtype });
    this.source = cat([source, self]);
    this.target = cat([target, self]);
    const edges = this.target.shape[0]!;
    const degree = zeros([nodes], { dtype }).indexAdd(0, this.target, ones([edges], { dtype }));
    this.weight = degree.at(this.source).mul(degree.at(this.target)).rsqrt();
  }

  /** `[nodes, features]` to the weighted sums of what comes in at each node. */
  gather(x: Tensor): Tensor {
    const messages = x.indexSelect(0, this.source).mul(this.weight.unsqueeze(1));
    return x.newZeros(x.shape).indexAdd(0, this.target, messages);
  }
}

export class GCN extends Module {
  lin1: Linear;
  lin2: Linear;

  constructor(inputs: number, hidden: number, classes: number) {
    super();
    this.lin1 = new Linear(inputs, hidden, { bias: false });
    this.lin2 = new Linear(hidden, classes, { bias: false });
  }

  /** `[nodes, inputs]` to `[nodes, classes]` log probabilities. */
  override forward(x: Tensor, graph: Graph): Tensor {
    const h = functional.elu(graph.gather(this.lin1(x)));
    return functional.logSoftmax(graph.gather(this.lin2(h)), 1);
  }
}
