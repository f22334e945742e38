// A graph convolutional network (Kipf and Welling, 2016). The graph is a sparse matrix, of which only the edges are stored.
import { arange, cat, ones, stack, type Tensor } from '@gradgate/core';
import { type SparseTensor, sparseCooTensor } from '@gradgate/core/sparse';
import { functional, Linear, Module } from '@gradgate/nn';

/**
 * The matrix of a graph with an edge from each node to itself as well, `[nodes, nodes]`: an edge weighs `1 / sqrt(degree * degree)`, of
 * the two nodes that it joins. By rows, as products with it are many.
 */
export function adjacency(
  source: Tensor,
  target: Tensor,
  nodes: number,
  dtype: 'float32' | 'float64' = 'float32',
): SparseTensor {
  const self = arange(nodes, { dtype: source.dtype });
  const [from, to] = [cat([source, self]), cat([target, self])];
  const edges = sparseCooTensor(stack([to, from]), ones([to.shape[0]!], { dtype }), [nodes, nodes]);
  const degree = edges.sum(1);
  const weight = degree.at(from).mul(degree.at(to)).rsqrt();
  return sparseCooTensor(stack([to, from]), weight, [nodes, nodes]).toSparseCsr();
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
  override forward(x: Tensor, graph: SparseTensor): Tensor {
    const h = functional.elu(graph.matmul(this.lin1(x)));
    return functional.logSoftmax(graph.matmul(this.lin2(h)), 1);
  }
}
