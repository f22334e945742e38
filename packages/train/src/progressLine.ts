import { checkOptions, is } from '@gradgate/core/internal';
import type { Callback } from './callback.js';
import { checkRun, type Run } from './run.js';

/** Seconds as `3.2 s`, `4:05` or `2:10:00`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [first, ...rest] = parts[0] === 0 ? parts.slice(1) : parts;
  return [first, ...rest.map((n) => `${n}`.padStart(2, '0'))].join(':');
}

/** So many digits, and those of large numbers before the point, rather than a power of ten. */
const rounded = (value: number, digits: number): string =>
  Math.abs(value) < 1000 ? value.toPrecision(digits) : `${Math.round(value)}`;

const figuresText = (figures: Record<string, number>): string =>
  Object.entries(figures)
    .map(([name, value]) => `  ${name} ${Number.isInteger(value) ? value : rounded(value, 4)}`)
    .join('');

/**
 * A callback that prints a line for each epoch: its figures, samples per second and the time that is left. On a
 * terminal the line is also updated during the epoch.
 */
export class ProgressLine implements Callback {
  private readonly print: (line: string) => void;
  private started = 0;
  private samplesBefore = 0;
  private epochStarted = 0;
  private stepsBefore = 0;
  private lastShown = 0;

  /** @param options.print Takes each line; the console by default. */
  constructor(options?: { print?: (line: string) => void }) {
    const { print = (line: string) => console.log(line) } = checkOptions('ProgressLine', options, {
      print: is.callback,
    });
    this.print = print;
  }

  onFitStart(run: Run): void {
    checkRun('ProgressLine.onFitStart', run);
    this.started = performance.now();
    this.stepsBefore = run.step;
    this.startEpoch(run);
  }

  onStep(run: Run): void {
    checkRun('ProgressLine.onStep', run);
    const terminal = terminalOf();
    const now = performance.now();
    if (!terminal || now - this.lastShown < 100) return;
    this.lastShown = now;
    const { batch, batchesPerEpoch } = run;
    const part = batchesPerEpoch === undefined ? `batch ${batch}` : `${batch}/${batchesPerEpoch}`;
    const line = `${this.title(run, run.epoch + 1)}  ${part}${figuresText(run.batchFigures)}${this.speed(run)}`;
    terminal.write(`\r\x1b[2K${line.slice(0, terminal.columns - 1)}`);
  }

  onEpochEnd(run: Run): void {
    checkRun('ProgressLine.onEpochEnd', run);
    terminalOf()?.write('\r\x1b[2K');
    this.print(`${this.title(run, run.epoch)}${figuresText(run.figures)}${this.speed(run)}`);
    this.startEpoch(run);
  }

  onFitEnd(run: Run): void {
    checkRun('ProgressLine.onFitEnd', run);
    if (run.stopReason) this.print(`stopped: ${run.stopReason}`);
  }

  close(): void {
    terminalOf()?.write('\r\x1b[2K');
  }

  private startEpoch(run: Run): void {
    this.epochStarted = performance.now();
    this.samplesBefore = run.samples;
  }

  private title(run: Run, epoch: number): string {
    return `epoch ${epoch}${Number.isFinite(run.epochs) ? `/${run.epochs}` : ''}`;
  }

  private speed(run: Run): string {
    const now = performance.now();
    const rate = (1000 * (run.samples - this.samplesBefore)) / (now - this.epochStarted);
    const done = run.step - this.stepsBefore;
    const left = run.stepsLeft;
    const remaining =
      left === undefined || done === 0 || left === 0 ? '' : duration(((now - this.started) / 1000 / done) * left);
    return `  ${rounded(rate, 3)} samples/s${remaining && `  ${remaining} left`}`;
  }
}

/** The terminal of standard output, if there is one. */
function terminalOf(): { columns: number; write(text: string): unknown } | null {
  const { process } = globalThis as {
    process?: { stdout?: { isTTY?: boolean; columns: number; write(t: string): unknown } };
  };
  return process?.stdout?.isTTY ? process.stdout : null;
}
