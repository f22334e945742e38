import { explainGrad, type Node, type Tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, type Kind } from '@gradgate/core/internal';
import { instance } from '@viz-js/viz';
import { fits, inColumns } from './columns.js';
import { Dot, type Frame } from './dot.js';
import { Groups } from './groups.js';
import { leafOf, type ModuleCall, type ModuleCalls } from './modules.js';
import type { Repeat } from './repeats.js';

/** Options of `graphDot` and `graphSvg`. */
export interface GraphOptions {
  /** Names for leaves: `model.namedParameters()`, or a record. */
  names?: Iterable<readonly [string, Tensor]> | Record<string, Tensor>;
  /** `'LR'` from left to right, `'TB'` (by default) from top to bottom. */
  direction?: 'LR' | 'TB';
  /** What `recordModules` has recorded: operations are drawn in a frame for each module. */
  modules?: ModuleCalls;
  /**
   * How many levels of modules are drawn open: 0 draws the model as one box, 1 draws each of its children as one. By
   * default as many as give at most 60 boxes, and in `graphSvg` as fit on a screen.
   */
  depth?: number;
  /** Whether of modules that repeat, such as the layers of a transformer, only the first is drawn; true by default. */
  fold?: boolean;
}

const recorded: Kind = {
  text: 'what recordModules().stop() gives',
  is: (v) => typeof (v as Partial<ModuleCalls> | null)?.of === 'function',
};
const graphOptions = {
  names: is.object,
  direction: is.oneOf('LR', 'TB'),
  modules: recorded,
  depth: is.size,
  fold: is.boolean,
};

const shapeOf = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The names of leaves: the option's, and those of recorded modules. */
function namesOf({ names = {}, modules }: GraphOptions): Map<Tensor, string> {
  const known = new Map<Tensor, string>(modules?.names);
  for (const entry of Symbol.iterator in names ? names : Object.entries(names)) {
    check('graph', 'names, as a pair of them,', entry, is.tuple(is.string, is.tensor));
    known.set(entry[1], entry[0]);
  }
  return known;
}

/** All nodes reachable from the roots, each once. Not recursive: graphs can be deeper than the stack. */
function nodesBelow(roots: readonly Node[]): Node[] {
  const seen = new Set(roots);
  const open = [...seen];
  for (let node = open.pop(); node !== undefined; node = open.pop())
    for (const edge of node.edges)
      if (edge !== null && !seen.has(edge.node)) {
        seen.add(edge.node);
        open.push(edge.node);
      }
  return [...seen];
}

function titleOf({ name, module }: ModuleCall, repeat: Repeat | undefined): string {
  const type = module.constructor.name;
  const times = repeat ? `${type} × ${repeat.count}` : type;
  if (name === '') return times;
  if (!repeat || repeat.last.name === name) return `${name} · ${times}`;
  return `${name}${repeat.count === 2 ? ', ' : ' … '}${repeat.last.name} · ${times}`;
}

function textOf(call: ModuleCall, repeat: Repeat | undefined): string {
  let count = 0;
  for (const p of call.module.parameters()) count += p.numel;
  const each = repeat && repeat.last.module !== call.module ? ' each' : '';
  const parameters = count === 0 ? '' : `\n${count.toLocaleString('en')} parameters${each}`;
  return `${titleOf(call, repeat)}\n${call.shapes.join(' ')}${parameters}`;
}

/** Draws a graph node by node. */
class Drawing {
  private readonly dot = new Dot();
  private readonly ids = new Map<Node | ModuleCall, string>();
  private readonly frames = new Map<ModuleCall, Frame>();
  /** The notes of untracked inputs already drawn, with their boxes. */
  private readonly notes = new Set<string>();

  constructor(
    private readonly names: ReadonlyMap<Tensor, string>,
    private readonly groups: Groups,
  ) {}

  private frameOf(call: ModuleCall | null): Frame {
    if (call === null) return this.dot.top;
    let frame = this.frames.get(call);
    if (frame === undefined) {
      frame = this.frameOf(call.parent).frame(titleOf(call, this.groups.repeat(call)));
      this.frames.set(call, frame);
    }
    return frame;
  }

  /** The box of a node: its own, or that of the closed module it belongs to. */
  private box(given: Node): string {
    const node = this.groups.standIn(given);
    const closed = this.groups.closed(node);
    let id = this.ids.get(closed ?? node);
    if (id === undefined) {
      id =
        closed === null
          ? this.open(node)
          : this.dot.box(this.frameOf(closed.parent), textOf(closed, this.groups.repeat(closed)), 'module');
      this.ids.set(closed ?? node, id);
    }
    return id;
  }

  private open(node: Node): string {
    const frame = this.frameOf(this.groups.place(node));
    const leaf = leafOf(node);
    return leaf === undefined
      ? this.dot.box(frame, `${node.name}\n${node.shapes.map(shapeOf).join(' ')}`, 'operation')
      : this.dot.box(frame, `${this.names.get(leaf) ?? 'leaf'}\n${shapeOf(leaf.shape)}`, 'leaf');
  }

  result(t: Tensor): void {
    const { dot } = this;
    const text = `${this.names.get(t) ?? 'result'}\n${shapeOf(t.shape)} ${t.dtype}`;
    const id = dot.box(dot.top, text, t.requiresGrad ? 'result' : 'gated');
    if (t.gradFn !== null) dot.arrow(this.box(t.gradFn), id);
    else if (!t.requiresGrad) dot.arrow(dot.box(dot.top, explainGrad(t).replace(/: /g, ':\n'), 'gated'), id, true);
  }

  /**
   * Draws a node with the arrows that end at it. At the box of a closed module, and from modules that repeat, equal
   * arrows are drawn once.
   */
  node(node: Node): void {
    const { dot } = this;
    const id = this.box(node);
    const closed = this.groups.closed(node);
    node.edges.forEach((edge, i) => {
      if (edge !== null) {
        const from = this.box(edge.node);
        const source = this.groups.standIn(edge.node);
        const isOnce = closed !== null || source !== edge.node || this.groups.closed(source) !== null;
        if (!isOnce || (from !== id && !dot.has(from, id))) dot.arrow(from, id);
        return;
      }
      const cause = node.untracked?.get(i);
      if (cause === undefined) return;
      const text = cause === 'detach' ? 'detached' : `under ${cause.kind}${cause.member ? `\non ${cause.member}` : ''}`;
      if (closed !== null && this.notes.has(`${id} ${text}`)) return;
      this.notes.add(`${id} ${text}`);
      const frame = this.frameOf(closed === null ? this.groups.place(node) : closed.parent);
      dot.arrow(dot.box(frame, text, cause === 'detach' ? 'detached' : 'gated'), id, true);
    });
  }

  text = (direction: 'LR' | 'TB'): string => this.dot.text(direction);
}

/** A graph in the DOT language, and how many levels of modules are open in it. */
function draw(t: Tensor | readonly Tensor[], options: GraphOptions): { dot: string; depth: number } {
  const results = Array.isArray(t) ? (t as readonly Tensor[]) : [t as Tensor];
  if (results.length === 0) throw new TypeError('graph: there is no tensor to draw');
  checkTensors('graph', ...results);
  // Checked, as the direction goes into the DOT text unescaped.
  const { direction = 'TB', modules, depth, fold = true, ...rest } = checkOptions('graph', options, graphOptions);
  if (depth !== undefined && modules === undefined)
    throw new TypeError('graph: depth counts levels of modules; give modules too, as recordModules() records them');
  const roots = new Set(results.flatMap((result) => result.gradFn ?? []));
  const groups = new Groups(nodesBelow([...roots]), { calls: modules, depth, fold, results: roots });
  const drawing = new Drawing(namesOf({ ...rest, modules }), groups);
  for (const result of results) drawing.result(result);
  for (const node of groups.drawn) drawing.node(node);
  return { dot: drawing.text(direction), depth: groups.depth };
}

/**
 * The autograd graph of a tensor, or of several, in Graphviz's DOT language: operations in blue, leaves that require
 * grad in green, and, dashed, tensors that are not tracked: in red with the gate they were computed under, in gray
 * those from `detach()`. With `modules` operations are drawn in a frame for each module, modules deeper than `depth` as
 * one box, and of modules that repeat only the first.
 */
export function graphDot(t: Tensor | readonly Tensor[], options: GraphOptions = {}): string {
  return draw(t, options).dot;
}

/**
 * The graph of `graphDot`, rendered as SVG. What is too high for a screen is set in columns, and without `depth` only
 * as many levels of modules are open as fit on one.
 */
export async function graphSvg(t: Tensor | readonly Tensor[], options: GraphOptions = {}): Promise<string> {
  const viz = await instance();
  let { dot, depth } = draw(t, options);
  const render = (): string => {
    const svg = viz.renderString(dot, { format: 'svg' });
    return options.direction === 'LR' ? svg : inColumns(svg);
  };
  let svg = render();
  while (options.depth === undefined && depth > 0 && !fits(svg)) {
    ({ dot, depth } = draw(t, { ...options, depth: depth - 1 }));
    svg = render();
  }
  return svg;
}
