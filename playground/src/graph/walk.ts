import type { Node, Tensor } from '@gradgate/core';

/** A node at the end of the graph, with the leaf whose gradient it accumulates. */
export const leafOf = (node: Node): Tensor | null =>
  node.name === 'accumulateGrad' ? (node as Node & { leaf: Tensor }).leaf : null;

/** The nodes that a node passes gradients to; inputs that need none are left out. */
export const nextOf = (node: Node): Node[] => node.edges.flatMap((edge) => (edge ? [edge.node] : []));

/** All nodes of the graph of `t`, each once. */
export function nodesOf(t: Tensor): Set<Node> {
  const seen = new Set<Node>();
  const open = t.gradFn ? [t.gradFn] : [];
  for (let node = open.pop(); node; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...nextOf(node));
  }
  return seen;
}

export const countNodes = (t: Tensor): number => nodesOf(t).size;
