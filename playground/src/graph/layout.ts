import type { Node } from '@gradgate/core';
import { nextOf } from './walk.js';

export interface Place {
  row: number;
  column: number;
}

/**
 * A position for each node: the longest path to a leaf goes down, branches go to the right. That suits graphs that are mostly a
 * chain, such as those of feed-forward networks.
 */
export function layOut(root: Node): Map<Node, Place> {
  const places = new Map<Node, Place>();
  const taken = new Set<string>();
  const put = (node: Node, row: number, column: number): void => {
    if (places.has(node)) return;
    while (taken.has(`${row},${column}`)) column++;
    taken.add(`${row},${column}`);
    places.set(node, { row, column });
    const next = nextOf(node).sort((a, b) => depthOf(b) - depthOf(a));
    // A branch that is a chain stays in its row; on the main line the deepest path goes down.
    const goesDown = column === 0 && next.length > 0 && depthOf(next[0]!) > 1 ? next.shift() : undefined;
    for (const branch of next) put(branch, row, column + 1);
    if (goesDown) put(goesDown, row + 1, 0);
  };
  const depths = new Map<Node, number>();
  const depthOf = (node: Node): number => {
    let depth = depths.get(node);
    if (depth === undefined) {
      depth = 1 + Math.max(0, ...nextOf(node).map(depthOf));
      depths.set(node, depth);
    }
    return depth;
  };
  put(root, 0, 0);
  return places;
}
