import { SingleBar } from 'cli-progress';

/** A bar with throughput and remaining time over `total` steps of `unit`; nothing where the output is no terminal. */
export function progress(
  title: string,
  total: number,
  unit: string,
): { update(done: number, loss: number): void; stop(): void } {
  const bar = new SingleBar({
    format: `${title} {bar} {percentage}% | loss {loss} | {rate} ${unit}/s | {eta_formatted} left`,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 100,
  });
  const started = performance.now();
  bar.start(total, 0, { loss: '-', rate: '-' });
  return {
    update(done, loss) {
      bar.update(done, { loss: loss.toFixed(4), rate: Math.round((1000 * done) / (performance.now() - started)) });
    },
    stop: () => bar.stop(),
  };
}
