import { bar, cell } from '../page/bar.js';
import { svg } from '../page/dom.js';
import { wantsStillness } from '../page/motion.js';
import { type Call, describe, kept, type Method, recentCalls, type Scene } from './calls.js';
import { Code } from './code.js';
import type { Source } from './source.js';

const height = 40;

/** How long each call is shown when the last ones are replayed. */
const pace = 320;

interface Lane {
  readonly code: Code;
  readonly picture: SVGSVGElement;
}

/**
 * The methods of a scene, each beside its lane, which has a column for each call: high and filled where gradients were on, low
 * where they were off. The last calls are replayed slowly, with the line that ran highlighted, while training may be far ahead.
 */
export class Timeline {
  private readonly lanes = new Map<Method, Lane>();
  private calls: readonly Call[] = [];
  private at = -1;
  private timer = 0;

  /** A round of calls starts with the method `from`; `saying` is called with the highlighted call. */
  constructor(
    private readonly scene: Scene,
    place: HTMLElement,
    sources: ReadonlyMap<Method, Source>,
    private readonly from: Method,
    private readonly saying: HTMLElement,
  ) {
    for (const [method, source] of sources) {
      const row = document.createElement('div');
      row.className = 'method';
      const code = new Code(source);
      code.element.setAttribute('aria-label', `The code of ${method}`);
      const picture = svg('svg', {
        class: 'lane',
        viewBox: `0 0 ${kept * cell} ${height}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `No calls of ${method} yet`,
      });
      picture.addEventListener('pointerover', (event) => {
        const index = (event.target as Element).getAttribute('data-index');
        if (index !== null) this.light(Number(index));
      });
      row.append(code.element, picture);
      place.append(row);
      this.lanes.set(method, { code, picture });
    }
  }

  /** Shows the last calls, and replays those of the last round. */
  update(): void {
    this.calls = recentCalls(this.scene);
    for (const [method, { picture }] of this.lanes) {
      const own = this.calls.flatMap((call, i) => (call.method === method ? [{ call, i }] : []));
      picture.replaceChildren(...own.map(({ call, i }) => callBar(call, kept - this.calls.length + i, i)));
      const off = own.filter(({ call }) => !call.on).length;
      picture.setAttribute(
        'aria-label',
        `The last ${own.length} calls of ${method}: ${own.length - off} with gradients on, ${off} with gradients off`,
      );
    }
    clearTimeout(this.timer);
    this.timer = 0;
    if (wantsStillness) this.light(this.calls.length - 1);
    else this.walk(this.calls.findLastIndex((call) => call.method === this.from));
  }

  /** Whether the last round has been replayed. */
  get isAtEnd(): boolean {
    return this.timer === 0;
  }

  private walk(index: number): void {
    this.light(index);
    this.timer =
      index < this.calls.length - 1
        ? window.setTimeout(() => this.walk(index + 1), pace)
        : window.setTimeout(() => {
            this.timer = 0;
          }, pace);
  }

  private light(index: number): void {
    this.lanes.get(this.calls[this.at]?.method ?? this.from)?.code.light(null);
    this.at = index;
    const call = this.calls[index];
    for (const { picture } of this.lanes.values())
      for (const rect of picture.children)
        rect.classList.toggle('lit', call !== undefined && rect.getAttribute('data-index') === String(index));
    this.saying.textContent = call ? describe(call) : '';
    if (call) this.lanes.get(call.method)!.code.light(call.on ? 'on' : 'off');
  }
}

function callBar(call: Call, column: number, index: number): SVGRectElement {
  const attributes = { class: `call ${call.on ? 'on' : 'off'}`, 'data-index': index };
  return bar(column, { bottom: height, height }, call.on, attributes, describe(call));
}
