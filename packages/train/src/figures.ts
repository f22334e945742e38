import { Tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { metrics } from '@gradgate/nn';

/** A figure of a batch: a number or a tensor of one element, which is averaged over samples; or a metric. */
type Figure = number | Tensor | metrics.Metric<number>;
/** The figures of a batch by name; the loss is called `loss`. */
export type FigureRecord = Record<string, Figure>;
/** The result of a step: the loss, figures that include it, or nothing if the batch should not count. */
export type StepResult = Tensor | FigureRecord | undefined | void;

/** The state of a metric, and its value so far. */
export type SavedFigure = metrics.MetricState & { value: number };

/**
 * The figures of the batches of an epoch. Numbers are averaged by a `Mean`, weighted by the samples of their batch.
 * Metrics have been updated by the step that returned them; they are reset when the epoch ends.
 */
export class Figures {
  private readonly found = new Map<string, metrics.Metric<number>>();
  /** States of a resumed run, for metrics that no step has returned yet. */
  private readonly saved = new Map<string, SavedFigure>();

  /** Adds the figures of a batch; returns those that are numbers. */
  async note(op: string, result: StepResult, samples: number): Promise<Record<string, number>> {
    const numbers: Record<string, number> = {};
    for (const [name, figure] of Object.entries(recordOf(op, result))) {
      if (figure instanceof metrics.Metric) {
        this.keep(op, name, figure);
        continue;
      }
      if (typeof figure !== 'number' && !(Tensor.is(figure) && figure.numel === 1))
        throw new TypeError(
          `${op}: ${name} must be a number, a tensor of one element or a metric, got ${show(figure)}`,
        );
      const value = typeof figure === 'number' ? figure : await figure.detach().itemAsync();
      const mean = this.found.get(name) ?? this.keep(op, name, new metrics.Mean());
      if (!(mean instanceof metrics.Mean))
        throw new TypeError(`${op}: ${name} was a metric in an earlier batch, and is a number in this one`);
      mean.update(value, samples);
      numbers[name] = value;
    }
    return numbers;
  }

  /** Returns the figures of all batches since the start, over all ranks if there are any, and resets itself. */
  compute(ranks?: metrics.Ranks): Record<string, number> {
    const figures: Record<string, number> = {};
    // A run that was resumed after the last batch of its epoch gets no metric from a step.
    for (const [name, { value }] of this.saved) figures[name] = value;
    for (const [name, metric] of this.found) {
      const value: unknown = (ranks ? metric.sync(ranks) : metric).compute();
      if (typeof value !== 'number')
        throw new TypeError(`fit: the metric '${name}' must compute a number, got ${show(value)}`);
      figures[name] = value;
    }
    this.reset();
    return figures;
  }

  /** Clears all figures, and resets the metrics. */
  reset(): void {
    for (const metric of this.found.values()) metric.reset();
    this.found.clear();
    this.saved.clear();
  }

  stateDict(): Record<string, SavedFigure> {
    const own = [...this.found].map(([name, m]) => [name, { ...m.stateDict(), value: m.compute() }] as const);
    return Object.fromEntries([...this.saved, ...own]);
  }

  loadStateDict(state: Record<string, SavedFigure>): void {
    this.reset();
    for (const [name, own] of Object.entries(state)) this.saved.set(name, own);
  }

  private keep(op: string, name: string, metric: metrics.Metric<number>): metrics.Metric<number> {
    const before = this.found.get(name);
    if (before === metric) return metric;
    if (before)
      throw new TypeError(
        `${op}: ${name} is a different metric than in the batch before; make it once, outside of the step`,
      );
    const saved = this.saved.get(name);
    // Merge in this order, so that sums are added in the order of an uninterrupted run.
    if (saved) {
      const since = metric.stateDict();
      metric.loadStateDict(saved);
      metric.mergeState(since);
      this.saved.delete(name);
    }
    this.found.set(name, metric);
    return metric;
  }
}

/** The result of a step as a record, with a loss alone as `loss`; throws for other values. */
export function recordOf(op: string, result: StepResult): FigureRecord {
  if (result === undefined) return {};
  if (Tensor.is(result)) return { loss: result };
  if (typeof result !== 'object' || result === null || Array.isArray(result) || result instanceof metrics.Metric)
    throw new TypeError(`${op}: must return the loss, a Tensor, or an object of figures, got ${show(result)}`);
  if (Object.hasOwn(result, '__proto__')) throw new TypeError(`${op}: a figure cannot have the name __proto__`);
  return result;
}
