import type { Node } from '@gradgate/core';
import { leafOf, type ModuleCall, type ModuleCalls } from './modules.js';

/** The operations and parameters within a call, in an order that is the same for equal calls. */
interface Content {
  readonly call: ModuleCall;
  readonly nodes: readonly Node[];
  readonly index: ReadonlyMap<Node, number>;
  /** Equal for calls that compute the same with other parameters. */
  readonly text: string;
}

/** The calls a folded call stands for: the first and the last of them, and how many they are. */
export interface Repeat {
  readonly last: ModuleCall;
  readonly count: number;
}

/**
 * Finds chains of equal modules, such as the layers of a transformer: each computes the same as the one before it, from
 * its result. The first of a chain stands for all.
 */
export class Repeats {
  private readonly standIns = new Map<Node, Node>();
  private readonly chains = new Map<ModuleCall, Repeat>();
  private readonly consumers = new Map<Node, Set<Node>>();

  constructor(
    nodes: readonly Node[],
    /** The calls in whose frames nodes are drawn. */
    private readonly places: ReadonlyMap<Node, ModuleCall | null>,
    private readonly calls: ModuleCalls,
    /** The nodes of the drawn tensors. */
    private readonly results: ReadonlySet<Node>,
  ) {
    for (const node of nodes)
      for (const edge of node.edges)
        if (edge !== null) this.consumers.set(edge.node, (this.consumers.get(edge.node) ?? new Set()).add(node));
    this.fold(null, this.operationsIn(nodes));
  }

  /** The node that is drawn for `node`: itself, or the one at its place in the first call of its chain. */
  standIn(node: Node): Node {
    let found = node;
    for (let next: Node | undefined = node; next !== undefined; next = this.standIns.get(next)) found = next;
    return found;
  }

  /** The chain that a call stands for. */
  of(call: ModuleCall): Repeat | undefined {
    return this.chains.get(call);
  }

  private operationsIn(nodes: readonly Node[]): Node[] {
    const { calls } = this;
    return nodes.filter((node) => leafOf(node) === undefined).sort((a, b) => calls.order(a) - calls.order(b));
  }

  /** Folds chains among the calls directly in `parent`, whose operations are given, and within those that stay. */
  private fold(parent: ModuleCall | null, operations: readonly Node[]): void {
    const children = new Map<ModuleCall, Node[]>();
    for (const node of operations) {
      const child = this.childAround(node, parent);
      if (child === null) continue;
      const own = children.get(child);
      if (own) own.push(node);
      else children.set(child, [node]);
    }
    const contents = [...children].map(([call, own]) => this.contentOf(call, own));
    for (let first = 0; first < contents.length; ) {
      let end = first + 1;
      while (end < contents.length && this.continues(contents[end - 1]!, contents[end]!)) end++;
      const { call, nodes } = contents[first]!;
      for (const { nodes: same } of contents.slice(first + 1, end))
        same.forEach((node, i) => {
          this.standIns.set(node, nodes[i]!);
        });
      if (end > first + 1) this.chains.set(call, { last: contents[end - 1]!.call, count: end - first });
      this.fold(call, children.get(call)!);
      first = end;
    }
  }

  /** The call directly in `parent` that a node belongs to; null where it is the parent's own. */
  private childAround(node: Node, parent: ModuleCall | null): ModuleCall | null {
    let call = this.places.get(node) ?? null;
    while (call !== null && call.parent !== parent) call = call.parent;
    return call;
  }

  private isWithin(node: Node, call: ModuleCall): boolean {
    let place = this.places.get(node) ?? null;
    while (place !== null && place !== call) place = place.parent;
    return place !== null;
  }

  private contentOf(call: ModuleCall, operations: readonly Node[]): Content {
    const nodes = [...operations];
    const index = new Map(nodes.map((node, i) => [node, i]));
    for (const { edges } of operations)
      for (const edge of edges)
        if (edge !== null && !index.has(edge.node) && this.isWithin(edge.node, call))
          index.set(edge.node, nodes.push(edge.node) - 1);
    const pathOf = (node: Node) => {
      const names: string[] = [];
      for (let place = this.places.get(node)!; place !== call; place = place.parent!) names.push(place.name);
      return names.join('/');
    };
    const inputOf = (node: Node, i: number) => {
      const edge = node.edges[i]!;
      if (edge) return index.get(edge.node) ?? 'outside';
      const cause = node.untracked?.get(i) ?? 'outside';
      return typeof cause === 'string' ? cause : `${cause.kind} ${cause.member}`;
    };
    const lines = nodes.map((node) => {
      const inputs = node.edges.map((_, i) => inputOf(node, i));
      return [node.name, JSON.stringify(node.shapes), pathOf(node), ...inputs].join(' ');
    });
    return { call, nodes, index, text: [call.shapes.join(), ...lines].join('\n') };
  }

  /**
   * Whether `b` computes the same as `a`, from the results of `a`, which nothing else uses that does not use those of
   * `b`.
   */
  private continues(a: Content, b: Content): boolean {
    if (a.call.module.constructor !== b.call.module.constructor || a.text !== b.text) return false;
    let isFed = false;
    const isJoined = b.nodes.every((node, i) =>
      node.edges.every((edge, j) => {
        if (edge === null || b.index.has(edge.node)) return true;
        if (!a.index.has(edge.node)) return edge.node === a.nodes[i]!.edges[j]?.node;
        isFed = true;
        return true;
      }),
    );
    const usedAlike = a.nodes.every((node, i) => {
      const others = this.consumers.get(b.nodes[i]!);
      const isUsedAlike = (user: Node) => a.index.has(user) || b.index.has(user) || others?.has(user);
      return !this.results.has(node) && [...(this.consumers.get(node) ?? [])].every(isUsedAlike);
    });
    return isJoined && isFed && usedAlike;
  }
}
