import type { Node } from '@gradgate/core';
import { leafOf, type ModuleCall, type ModuleCalls } from './modules.js';
import { type Repeat, Repeats } from './repeats.js';

/** How many boxes are drawn by default: more cannot be read on a screen. */
const maxBoxes = 60;

/** The innermost call that contains both, possibly one of the two. */
function commonCall(a: ModuleCall | null, b: ModuleCall | null): ModuleCall | null {
  let [x, y] = [a, b];
  while (x !== y) {
    if (x === null || y === null) return null;
    if (x.depth >= y.depth) x = x.parent;
    else y = y.parent;
  }
  return x;
}

/** Decides in which module's frame each node is drawn, and which modules are closed: drawn as one box. */
export class Groups {
  private readonly places = new Map<Node, ModuleCall | null>();
  /** How many nodes are drawn within each call. */
  private readonly sizes = new Map<ModuleCall, number>();
  /** How many levels of modules are open. */
  readonly depth: number;
  private readonly repeats: Repeats | null;
  /** The nodes that are drawn: all but those in repetitions of a module. */
  readonly drawn: readonly Node[];

  /**
   * `depth` is how many levels of modules are open; undefined for as many as can be read. With `fold` the first of a
   * chain of equal modules stands for all.
   */
  constructor(
    nodes: readonly Node[],
    { calls, depth, fold, results }: { calls?: ModuleCalls; depth?: number; fold: boolean; results: ReadonlySet<Node> },
  ) {
    if (calls !== undefined) this.locate(nodes, calls);
    this.repeats = calls && fold ? new Repeats(nodes, this.places, calls, results) : null;
    this.drawn = nodes.filter((node) => this.standIn(node) === node);
    let deepest = 0;
    for (const node of this.drawn) {
      const place = this.place(node);
      deepest = Math.max(deepest, place === null ? 0 : place.depth + 1);
      for (let call = place; call !== null; call = call.parent) this.sizes.set(call, (this.sizes.get(call) ?? 0) + 1);
    }
    this.depth = Math.min(depth ?? deepest, deepest);
    while (depth === undefined && this.depth > 0 && this.boxes() > maxBoxes) this.depth--;
  }

  /** Finds the frame of each node. Parameters are drawn in the innermost frame that contains all their uses. */
  private locate(nodes: readonly Node[], calls: ModuleCalls): void {
    for (const node of nodes) {
      if (leafOf(node) !== undefined) continue;
      const place = calls.of(node);
      this.places.set(node, place);
      for (const edge of node.edges) {
        const leaf = edge === null ? undefined : leafOf(edge.node);
        if (leaf === undefined || !calls.names.has(leaf)) continue;
        const before = this.places.get(edge!.node);
        this.places.set(edge!.node, before === undefined ? place : commonCall(before, place));
      }
    }
  }

  private boxes(): number {
    return new Set(this.drawn.map((node) => this.closed(node) ?? node)).size;
  }

  /** The node that is drawn for a node: itself, or the one at its place in the first of equal modules. */
  standIn(node: Node): Node {
    return this.repeats?.standIn(node) ?? node;
  }

  /** The equal calls that a call stands for. */
  repeat(call: ModuleCall): Repeat | undefined {
    return this.repeats?.of(call);
  }

  /** The call in whose frame a node is drawn, null for none. */
  place(node: Node): ModuleCall | null {
    return this.places.get(node) ?? null;
  }

  /** The outermost closed call around a node: one that is too deep, or consists of a single operation. */
  closed(node: Node): ModuleCall | null {
    let found: ModuleCall | null = null;
    for (let call = this.place(node); call !== null; call = call.parent)
      if (call.depth >= this.depth || this.sizes.get(call) === 1) found = call;
    return found;
  }
}
