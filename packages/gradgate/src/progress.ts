import { checkOptions, is } from '@gradgate/core/internal';
import { SingleBar } from 'cli-progress';
import { oneLine } from './text.js';

export interface ProgressOptions {
  title?: string;
  /** What is counted: `'batches'` for a DataLoader. */
  unit?: string;
  /** How many there are, where the source does not say. */
  total?: number;
}

const progressOptions = { title: is.string, unit: is.string, total: is.nonNegative };

/** A source that shows how far it has been gone through. */
export interface Progress {
  /** Shows values beside the bar: `bar.note({ loss: 0.25 })`. */
  note(values: Record<string, number | string>): void;
}

/**
 * The same items, with a bar, throughput and remaining time on the terminal while they are gone through; nothing where
 * the output is no terminal. The bar goes when the loop ends, by break or error too.
 *
 * ```ts
 * const bar = progress(loader, { title: 'epoch 1', unit: 'batches' });
 * for (const batch of bar) bar.note({ loss: step(batch) });
 * ```
 */
export function progress<T>(items: Iterable<T>, options?: ProgressOptions): Iterable<T> & Progress;
export function progress<T>(items: AsyncIterable<T>, options?: ProgressOptions): AsyncIterable<T> & Progress;
export function progress<T>(
  items: Iterable<T> | AsyncIterable<T>,
  options?: ProgressOptions,
): (Iterable<T> | AsyncIterable<T>) & Progress {
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
    // A DataLoader over a stream does not know its length.
    return 0;
  }
}

class Bar {
  private readonly bar: SingleBar;
  private readonly started = performance.now();
  private done = 0;

  constructor(title: string, unit: string, total: number) {
    const left = total > 0 ? '{bar} {percentage}% | ' : '{value} | ';
    this.bar = new SingleBar({
      format: `${oneLine(title)} ${left}{rate} ${unit}/s${total > 0 ? ' | {eta_formatted} left' : ''}{notes}`,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 100,
    });
    this.bar.start(total, 0, { rate: '-', notes: '' });
  }

  advance(notes: string): void {
    const rate = (1000 * ++this.done) / (performance.now() - this.started);
    this.bar.update(this.done, { rate: rate.toPrecision(3), notes });
  }

  stop(): void {
    this.bar.stop();
  }
}
