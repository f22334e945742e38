import { type Node, Tensor } from '@gradgate/core';

type Recorded = { setHistory(node: Node | null, outputNr?: number): void };

const watchers = new Set<(node: Node) => void>();
const prototype = Tensor.prototype as unknown as Recorded;
const { setHistory } = prototype;

/** As long as somebody watches: what is recorded passes here, and else nothing is slower for it. */
function watchedSetHistory(this: Recorded, node: Node | null, outputNr?: number): void {
  if (node !== null) for (const watcher of watchers) watcher(node);
  setHistory.call(this, node, outputNr);
}

/** Tells `watcher` of every node that becomes the history of a tensor, until what this gives is called. */
export function watchNodes(watcher: (node: Node) => void): () => void {
  watchers.add(watcher);
  prototype.setHistory = watchedSetHistory;
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) prototype.setHistory = setHistory;
  };
}
