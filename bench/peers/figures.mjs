import { readFileSync, writeFileSync } from 'node:fs';
import { median } from './median.mjs';

export { median };

export const microseconds = (ms) => (ms >= 0.1 ? (1000 * ms).toFixed(0) : (1000 * ms).toPrecision(3));
export const factor = (x) => x.toFixed(x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2);

export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** All measurements: milliseconds by case and peer. A peer may lack rounds, or a case. */
export class Figures {
  #seen = new Map();

  #rounds(name, peer) {
    const key = `${name}, ${peer}`;
    if (!this.#seen.has(key)) this.#seen.set(key, new Map());
    return this.#seen.get(key);
  }

  add(name, peer, round, ms) {
    this.#rounds(name, peer).set(round, ms);
  }

  /** The median of the rounds, or null. */
  time(name, peer) {
    const rounds = this.#rounds(name, peer);
    return rounds.size > 0 ? median(rounds.values()) : null;
  }

  /**
   * How many times longer the first [case, peer] took than the second, or null: the median over the rounds that have both.
   * Within a round the machine's speed is about the same; the ratio of two medians could compare two speeds.
   */
  ratio(first, second) {
    const [above, below] = [this.#rounds(...first), this.#rounds(...second)];
    const ratios = [...above].filter(([round]) => below.has(round)).map(([round, ms]) => ms / below.get(round));
    return ratios.length > 0 ? median(ratios) : null;
  }
}

/** Writes each text between the comments with its name in a page: `<!-- name -->` and `<!-- /name -->`. */
export function writeInto(file, texts) {
  let page = readFileSync(file, 'utf8');
  for (const [name, text] of Object.entries(texts)) {
    const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${file} has no ${begin.trim()} with its end`);
    page = page.slice(0, from + begin.length) + text + page.slice(to);
  }
  writeFileSync(file, page);
}
