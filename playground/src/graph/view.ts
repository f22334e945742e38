import { explainGrad, type Node, type Tensor } from '@gradgate/core';
import type { Module } from '@gradgate/nn';
import { byId, svg } from '../page/dom.js';
import { layOut, type Place } from './layout.js';
import { leafOf, nextOf } from './walk.js';

const rowHeight = 29;
const box = { height: 21, widths: [112, 116, 142], gap: 14 };

const left = (column: number): number => box.widths.slice(0, column).reduce((sum, width) => sum + width + box.gap, 1);
const widthOf = (column: number): number => box.widths[column] ?? 116;

/** Draws the graph of the loss: from the loss at the top to the parameters on the right. */
export class GraphView {
  private shown = '';

  draw(loss: Tensor | null, net: Module): void {
    const names = new Map<Tensor, string>([...net.namedParameters()].map(([name, p]) => [p, name]));
    const root = loss?.gradFn ?? null;
    const places = root ? layOut(root) : new Map<Node, Place>();
    const text = (node: Node): string => nameOf(node, names);
    // Each step usually has the same operations; then nothing needs to be redrawn.
    const signature = [...places].map(([node, { row, column }]) => `${text(node)} ${row} ${column}`).join();
    const why = loss && !root ? explainGrad(loss) : '';
    if (signature + why === this.shown) return;
    this.shown = signature + why;

    const picture = byId<SVGSVGElement>('graph');
    const rows = 1 + Math.max(0, ...[...places.values()].map((p) => p.row));
    picture.replaceChildren();
    picture.style.display = root ? '' : 'none';
    picture.setAttribute('viewBox', `0 0 ${left(3)} ${rows * rowHeight}`);
    picture.setAttribute('aria-label', `The graph of the loss: ${[...places.keys()].map(text).join(', ') || 'none'}`);
    for (const [node, place] of places)
      for (const next of nextOf(node)) picture.append(arrow(place, places.get(next)!));
    for (const [node, place] of places) picture.append(...boxOf(node, place, text(node)));
    byId('graph-note').textContent =
      why || (root ? '' : 'There is a graph as soon as a step of training has been made.');
  }
}

function nameOf(node: Node, names: Map<Tensor, string>): string {
  const leaf = leafOf(node);
  return leaf ? (names.get(leaf) ?? 'leaf') : node.name;
}

function boxOf(node: Node, { row, column }: Place, name: string): SVGElement[] {
  const x = left(column);
  const y = row * rowHeight + 1;
  const width = widthOf(column);
  const leaf = leafOf(node);
  const title = svg(
    'title',
    {},
    `${leaf ? 'accumulates the gradient of ' : ''}${name} [${node.shapes[0]!.join(', ')}]`,
  );
  const rect = svg('rect', { class: leaf ? 'leaf' : 'node', x, y, width, height: box.height, rx: 4 }, title);
  const shape = `[${node.shapes[0]!.join(',')}]`;
  return [
    rect,
    svg('text', { class: 'node-name', x: x + 7, y: y + 14.5 }, name),
    ...(width - 20 > 6.3 * name.length + 5.6 * shape.length
      ? [svg('text', { class: 'node-shape', x: x + width - 6, y: y + 14.5 }, shape)]
      : []),
  ];
}

function arrow(from: Place, to: Place): SVGElement {
  const middle = (row: number) => row * rowHeight + 1 + box.height / 2;
  if (to.column === from.column) {
    const x = left(from.column) + 24;
    const y1 = from.row * rowHeight + 1 + box.height;
    return svg('path', { class: 'edge', d: `M${x} ${y1}V${to.row * rowHeight - 1}`, 'marker-end': 'url(#tip)' });
  }
  const x1 = left(from.column) + widthOf(from.column);
  const d = `M${x1} ${middle(from.row)}L${left(to.column) - 2} ${middle(to.row)}`;
  return svg('path', { class: 'edge', d, 'marker-end': 'url(#tip)' });
}
