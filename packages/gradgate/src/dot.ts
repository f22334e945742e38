import { printable } from './text.js';

/** The attributes of a box, by the kind of what it stands for. */
const looks = {
  operation: 'shape=box, style="rounded,filled", fillcolor="#e8eefc", color="#4a6fd0"',
  module: 'shape=box, style="rounded,filled,bold", fillcolor="#dbe4fb", color="#2f4fa8"',
  leaf: 'shape=box, style=filled, fillcolor="#e3f4e1", color="#3c8d40"',
  result: 'shape=box, style="filled,bold", fillcolor="#fff7dc", color="#b58900"',
  detached: 'shape=box, style="filled,dashed", fillcolor="#f1f1f1", color="#777777", fontcolor="#555555"',
  gated: 'shape=box, style="filled,dashed", fillcolor="#fde7e4", color="#c0392b"',
};
type Look = keyof typeof looks;

const quote = (text: string): string =>
  `"${printable(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

/** A frame (Graphviz: cluster) of boxes and nested frames. */
export class Frame {
  private readonly boxes: string[] = [];
  private readonly frames: Frame[] = [];

  constructor(readonly label: string) {}

  frame(label: string): Frame {
    const inner = new Frame(label);
    this.frames.push(inner);
    return inner;
  }

  add(id: string, label: string, look: Look): void {
    this.boxes.push(`${id} [label=${quote(label)}, ${looks[look]}];`);
  }

  /** Its lines, and those of its nested frames; `number` makes the names of frames unique. */
  lines(number = ''): string[] {
    return [
      ...this.boxes,
      ...this.frames.flatMap((inner, i) => [
        `subgraph cluster${number}_${i} {`,
        `label=${quote(inner.label)}; labeljust=l; fontname="Helvetica"; fontsize=10; fontcolor="#555555"; style="rounded,filled"; color="#c5c5c5"; fillcolor="#00000008";`,
        ...inner.lines(`${number}_${i}`),
        '}',
      ]),
    ];
  }
}

/** A picture in Graphviz's DOT language: boxes in frames, and arrows between them. */
export class Dot {
  readonly top = new Frame('');
  private readonly arrows = new Set<string>();
  private readonly all: string[] = [];
  private count = 0;

  box(frame: Frame, label: string, look: Look): string {
    const id = `n${this.count++}`;
    frame.add(id, label, look);
    return id;
  }

  arrow(from: string, to: string, dashed = false): void {
    this.all.push(`${from} -> ${to}${dashed ? ' [style=dashed]' : ''};`);
    this.arrows.add(`${from} ${to}`);
  }

  has(from: string, to: string): boolean {
    return this.arrows.has(`${from} ${to}`);
  }

  text(direction: string): string {
    const settings = [
      `rankdir=${direction};`,
      'ranksep=0.3;',
      'bgcolor="white";',
      // The margin leaves room for the wider fonts that replace Helvetica where it is not installed.
      'node [fontname="Helvetica", fontsize=11, margin="0.22,0.06"];',
      'edge [color="#888888", arrowsize=0.7];',
    ];
    const lines = [...settings, ...this.top.lines(), ...this.all];
    return `digraph autograd {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
  }
}
