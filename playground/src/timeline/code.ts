import { partsOf, type Source } from './source.js';

/** A method on the page, with one line highlighted. */
export class Code {
  readonly element = document.createElement('pre');
  private readonly live: Element;

  constructor({ lines, live }: Source) {
    this.element.className = 'code';
    // Long lines can be scrolled, also with the keyboard.
    this.element.tabIndex = 0;
    for (const line of lines) {
      const row = document.createElement('span');
      row.className = 'line';
      for (const { text, kind } of partsOf(line)) {
        const part = document.createElement('span');
        part.className = kind;
        part.textContent = text;
        row.append(part);
      }
      if (line === '') row.append('\n');
      this.element.append(row);
    }
    this.live = this.element.children[live]!;
  }

  /** Highlights the live line in the colour of a mode, or removes the highlight. */
  light(mode: 'on' | 'off' | null): void {
    this.live.classList.toggle('live', mode !== null);
    this.live.classList.toggle('without', mode === 'off');
  }
}
