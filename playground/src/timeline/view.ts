import { byId, svg } from '../page/dom.js';
import { type Call, kept, methods, recentCalls } from './calls.js';

const lane = 17;
const cell = 7.4;
const labels = 74;

/** The strip: a lane a method, a column a call. High and filled: gradients on; low: off. */
export class TimelineView {
  private readonly cells: SVGRectElement[] = [];
  private readonly strip = byId<SVGSVGElement>('timeline');

  constructor() {
    const width = labels + kept * cell;
    this.strip.setAttribute('viewBox', `0 0 ${width} ${methods.length * lane}`);
    methods.forEach((method, i) => {
      this.strip.append(
        svg('line', { class: 'lane', x1: labels, x2: width, y1: (i + 1) * lane - 1.5, y2: (i + 1) * lane - 1.5 }),
        svg('text', { class: 'lane-name', x: labels - 10, y: i * lane + 12 }, method),
      );
    });
    for (let i = 0; i < kept; i++) {
      const rect = svg('rect', { x: labels + i * cell, width: cell - 1.4, rx: 1.4, visibility: 'hidden' });
      rect.append(svg('title'));
      this.cells.push(rect);
      this.strip.append(rect);
    }
  }

  update(): void {
    const calls = recentCalls();
    this.cells.forEach((rect, i) => {
      const call = calls[i];
      if (call) show(rect, call);
      else rect.setAttribute('visibility', 'hidden');
    });
    const off = calls.filter((c) => !c.on).length;
    this.strip.setAttribute(
      'aria-label',
      `The last ${calls.length} calls of methods: ${calls.length - off} with gradients on, ${off} with gradients off`,
    );
  }
}

function show(rect: SVGRectElement, { number, method, on, gates }: Call): void {
  const height = on ? lane - 4 : (lane - 4) / 2;
  const mode = on ? 'on' : 'off';
  rect.setAttribute('visibility', 'visible');
  rect.setAttribute('class', `call ${mode}`);
  rect.setAttribute('y', String((methods.indexOf(method) + 1) * lane - 2 - height));
  rect.setAttribute('height', String(height));
  rect.firstElementChild!.textContent = `call ${number}, ${method}: gradients ${mode}; in force: ${gates.join(', then ') || 'no gate'}`;
}
