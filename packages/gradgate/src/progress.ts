import { check, checkOptions, is, type Kind } from '@gradgate/core/internal';
import { oneLine } from './text.js';

/** Options of `progress`. */
export interface ProgressOptions {
  /** The text before the bar. */
  title?: string;
  /** The unit that is counted, such as `'batches'` for a DataLoader. */
  unit?: string;
  /** The number of items, where the source does not tell it. */
  total?: number;
}

const aSource: Kind = {
  text: 'an array or another iterable, sync or async',
  is: (v) => is.iterable.is(v) || typeof (v as AsyncIterable<unknown> | null)?.[Symbol.asyncIterator] === 'function',
};

const progressOptions = { title: is.string, unit: is.string, total: is.nonNegative };

/** An iterable with a progress bar. */
export interface Progress {
  /** Shows values beside the bar: `bar.note({ loss: 0.25 })`. */
  note(values: Record<string, number | string>): void;
}

/**
 * The same items, with a bar, throughput and remaining time on the terminal while they are iterated; nothing is shown
 * where the error stream is not a terminal. The bar disappears when the loop ends, also by `break` or an error.
 *
 * ```ts
 * const bar = progress(loader, { title: 'epoch 1', unit: 'batches' });
 * for (const batch of bar) bar.note({ loss: step(batch) });
 * ```
 */
export function progress<T>(items: Iterable<T>, options?: ProgressOptions): Iterable<T> & Progress;
/** The same for an asynchronous iterable, such as a `DataLoader` with workers. */
export function progress<T>(items: AsyncIterable<T>, options?: ProgressOptions): AsyncIterable<T> & Progress;
export function progress<T>(
  items: Iterable<T> | AsyncIterable<T>,
  options?: ProgressOptions,
): (Iterable<T> | AsyncIterable<T>) & Progress {
  check('progress', 'items', items, aSource);
  const { title = '', unit = 'items', total = lengthOf(items) } = checkOptions('progress', options, progressOptions);
  let notes = '';
  let bar: Bar | null = null;
  return {
    note(values) {
      notes = Object.entries(values)
        .map(([name, v]) => ` | ${name} ${typeof v === 'number' ? v.toPrecision(4) : v}`)
        .join('');
    },
    *[Symbol.iterator]() {
      bar = new Bar(title, unit, total);
      try {
        for (const item of items as Iterable<T>) {
          yield item;
          bar.advance(notes);
        }
      } finally {
        bar.stop();
      }
    },
    async *[Symbol.asyncIterator]() {
      bar = new Bar(title, unit, total);
      try {
        for await (const item of items) {
          yield item;
          bar.advance(notes);
        }
      } finally {
        bar.stop();
      }
    },
  };
}

function lengthOf(items: object): number {
  try {
    const { length, size } = items as { length?: unknown; size?: unknown };
    return typeof length === 'number' ? length : typeof size === 'number' ? size : 0;
  } catch {
    // The length of a DataLoader over a stream throws.
    return 0;
  }
}

/** The width of the bar in characters, and the time between redraws in milliseconds. */
const width = 40;
const pace = 100;

/** The error stream where it is a terminal: the program's output on stdout stays separate from the bar. */
const terminalOf = (): { write(text: string): unknown; columns: number } | null => {
  const stream = (
    globalThis as { process?: { stderr?: { isTTY?: boolean; write(text: string): unknown; columns: number } } }
  ).process?.stderr;
  return stream?.isTTY ? stream : null;
};

class Bar {
  private readonly started = performance.now();
  private readonly terminal = terminalOf();
  private readonly title: string;
  private done = 0;
  private drawn = Number.NEGATIVE_INFINITY;

  constructor(
    title: string,
    private readonly unit: string,
    private readonly total: number,
  ) {
    this.title = oneLine(title);
    this.terminal?.write('\u001b[?25l');
    this.draw('');
  }

  advance(notes: string): void {
    this.done++;
    this.draw(notes);
  }

  stop(): void {
    // Clears the line and shows the cursor again.
    this.terminal?.write('\r\u001b[2K\u001b[?25h');
  }

  private draw(notes: string): void {
    const now = performance.now();
    if (this.terminal === null || now - this.drawn < pace) return;
    this.drawn = now;
    const line = `${this.title} ${this.text((now - this.started) / 1000)}${oneLine(notes)}`;
    this.terminal.write(`\r\u001b[2K${line.slice(0, this.terminal.columns - 1)}`);
  }

  private text(seconds: number): string {
    const { done, total, unit } = this;
    const rate = `${done > 0 ? (done / seconds).toPrecision(3) : '-'} ${unit}/s`;
    if (total <= 0) return `${done} | ${rate}`;
    const share = Math.min(1, done / total);
    const full = Math.round(width * share);
    const left = done > 0 ? ` | ${duration((seconds / done) * Math.max(0, total - done))} left` : '';
    return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${Math.round(100 * share)}% | ${rate}${left}`;
  }
}

/** Seconds as `12s`, `4:05` or `2:10:00`. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
