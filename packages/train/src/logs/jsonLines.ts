import { checkFigures, type Logger } from './logger.js';
import { Sink } from './sink.js';

/**
 * Logs as lines of JSON, one for each call: `{"step":100,"time":1735689600.5,"epoch/loss":0.25}`. NaN and infinities
 * become `null`. Appends to an existing file.
 *
 * ```ts
 * const log = new JsonLines('runs/first.jsonl');
 * await log.addFigures({ loss: 0.25 }, 100);
 * ```
 */
export class JsonLines implements Logger {
  private readonly sink: Sink;

  /** @param target A path, or a function that takes the bytes of each line. */
  constructor(target: string | ((bytes: Uint8Array) => unknown)) {
    this.sink = new Sink('JsonLines', target);
  }

  /** Writes a line with these figures after `step` steps. */
  addFigures(figures: Readonly<Record<string, number>>, step: number): Promise<void> {
    checkFigures('addFigures', figures, step);
    const line = JSON.stringify({ step, time: Date.now() / 1000, ...figures });
    return this.sink.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Waits until everything is written. */
  close(): Promise<void> {
    return this.sink.close();
  }
}
