import { explainGrad, type Node, type Tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is } from '@gradgate/core/internal';
import { instance } from '@viz-js/viz';
import { printable } from './text.js';

export interface GraphOptions {
  /** Names for leaves: `model.namedParameters()`, or a record. */
  names?: Iterable<readonly [string, Tensor]> | Record<string, Tensor>;
  /** `'LR'` from left to right, `'TB'` from top to bottom. */
  direction?: 'LR' | 'TB';
}

const graphOptions = { names: is.object, direction: is.oneOf('LR', 'TB') };

/** What a box of the picture stands for, and its colours. */
const looks = {
  operation: 'shape=box, style="rounded,filled", fillcolor="#e8eefc", color="#4a6fd0"',
  leaf: 'shape=box, style=filled, fillcolor="#e3f4e1", color="#3c8d40"',
  result: 'shape=box, style="filled,bold", fillcolor="#fff7dc", color="#b58900"',
  detached: 'shape=box, style="filled,dashed", fillcolor="#f1f1f1", color="#777777", fontcolor="#555555"',
  gated: 'shape=box, style="filled,dashed", fillcolor="#fde7e4", color="#c0392b"',
};

const quote = (text: string): string =>
  `"${printable(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
const shapeOf = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/**
 * The autograd graph below a tensor in Graphviz's language: operations in blue, leaves that require grad in green, and,
 * dashed, what is not tracked: in red with the gate it was made under, in grey what came from `detach()`.
 */
export function graphDot(t: Tensor, options: GraphOptions = {}): string {
  checkTensors('graph', t);
  // The direction stands in the picture's text as it is.
  const { names = {}, direction = 'TB' } = checkOptions('graph', options, graphOptions);
  const known = new Map<Tensor, string>();
  for (const entry of Symbol.iterator in names ? names : Object.entries(names)) {
    check('graph', 'names, as a pair of them,', entry, is.tuple(is.string, is.tensor));
    known.set(entry[1], entry[0]);
  }
  const lines: string[] = [];
  const ids = new Map<Node, string>();
  let count = 0;
  const box = (label: string, look: keyof typeof looks): string => {
    const id = `n${count++}`;
    lines.push(`  ${id} [label=${quote(label)}, ${looks[look]}];`);
    return id;
  };
  const result = box(
    `${known.get(t) ?? 'result'}\n${shapeOf(t.shape)} ${t.dtype}`,
    t.requiresGrad ? 'result' : 'gated',
  );
  if (t.gradFn === null) {
    if (!t.requiresGrad)
      lines.push(`  ${box(explainGrad(t).replace(/: /g, ':\n'), 'gated')} -> ${result} [style=dashed];`);
    return wrap(lines, direction);
  }
  // Not by recursion: graphs can be deeper than the stack.
  const open: Node[] = [];
  const idOf = (node: Node): string => {
    const found = ids.get(node);
    if (found !== undefined) return found;
    const leaf = (node as { leaf?: Tensor }).leaf;
    const shapes = node.shapes.map(shapeOf).join(' ');
    const id = leaf
      ? box(`${known.get(leaf) ?? 'leaf'}\n${shapeOf(leaf.shape)}`, 'leaf')
      : box(`${node.name}\n${shapes}`, 'operation');
    ids.set(node, id);
    open.push(node);
    return id;
  };
  lines.push(`  ${idOf(t.gradFn)} -> ${result};`);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const id = ids.get(node)!;
    node.edges.forEach((edge, i) => {
      if (edge !== null) lines.push(`  ${idOf(edge.node)} -> ${id};`);
      else {
        const cause = node.untracked?.get(i);
        if (cause === 'detach') lines.push(`  ${box('detached', 'detached')} -> ${id} [style=dashed];`);
        else if (cause)
          lines.push(
            `  ${box(`under ${cause.kind}${cause.member ? `\non ${cause.member}` : ''}`, 'gated')} -> ${id} [style=dashed];`,
          );
      }
    });
  }
  return wrap(lines, direction);
}

const wrap = (lines: string[], direction: string): string =>
  `digraph autograd {\n  rankdir=${direction};\n  bgcolor="white";\n  node [fontname="Helvetica", fontsize=11, margin="0.12,0.06"];\n  edge [color="#888888", arrowsize=0.7];\n${lines.join('\n')}\n}\n`;

/** The picture of `graphDot`, as SVG. */
export async function graphSvg(t: Tensor, options?: GraphOptions): Promise<string> {
  const viz = await instance();
  return viz.renderString(graphDot(t, options), { format: 'svg' });
}
