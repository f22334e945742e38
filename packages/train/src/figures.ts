import { Tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { metrics } from '@gradgate/nn';

/** A figure of a batch: a number or a tensor of one element, of which the mean over samples is taken; or a metric. */
export type Figure = number | Tensor | metrics.Metric<number>;
/** The figures of a batch, by names of your choice; the loss is called `loss`. */
export type FigureRecord = Record<string, Figure>;
/** What a step gives: the loss, figures with the loss among them, or nothing where the batch does not count. */
export type StepResult = Tensor | FigureRecord | undefined | void;

/** The state of a metric, and the figure so far. */
export type SavedFigure = metrics.MetricState & { value: number };

/**
 * The figures of the batches of an epoch. Numbers are put together in a `Mean`, each with the samples of its batch as its
 * weight; metrics have been updated by who gave them, and are reset when the epoch ends.
 */
export class Figures {
  private readonly found = new Map<string, metrics.Metric<number>>();
  /** States of a run that was resumed, whose metrics have not been seen yet. */
  private readonly saved = new Map<string, SavedFigure>();

  /** Takes the figures of a batch; gives those that are numbers. */
  async note(op: string, result: StepResult, samples: number): Promise<Record<string, number>> {
    const numbers: Record<string, number> = {};
    for (const [name, figure] of Object.entries(recordOf(op, result))) {
      if (figure instanceof metrics.Metric) {
        this.keep(op, name, figure);
        continue;
      }
      if (typeof figure !== 'number' && !(Tensor.is(figure) && figure.numel === 1))
        throw new TypeError(
          `${op}: ${name} is a number, a tensor of one element or a metric with a number, got ${show(figure)}`,
        );
      const value = typeof figure === 'number' ? figure : await figure.detach().itemAsync();
      const mean = this.found.get(name) ?? this.keep(op, name, new metrics.Mean());
      if (!(mean instanceof metrics.Mean))
        throw new TypeError(`${op}: ${name} was a metric before, and is a number now`);
      mean.update(value, samples);
      numbers[name] = value;
    }
    return numbers;
  }

  /** The figures of all batches since the start, over all ranks where there are some. Then it starts anew. */
  compute(ranks?: metrics.Ranks): Record<string, number> {
    const figures: Record<string, number> = {};
    // A run that was resumed behind the last batch of its epoch sees no metric any more.
    for (const [name, { value }] of this.saved) figures[name] = value;
    for (const [name, metric] of this.found) {
      const value: unknown = (ranks ? metric.sync(ranks) : metric).compute();
      if (typeof value !== 'number')
        throw new TypeError(`fit: the metric '${name}' gives ${show(value)}, not a number`);
      figures[name] = value;
    }
    this.reset();
    return figures;
  }

  /** Forgets all batches; the metrics, too. */
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
    if (before) throw new TypeError(`${op}: ${name} is another metric than in the batch before; make it once`);
    const saved = this.saved.get(name);
    // What was counted before comes first, so that sums are added up in the order of an unbroken run.
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

/** The loss alone as a record; refuses what is neither. */
export function recordOf(op: string, result: StepResult): FigureRecord {
  if (result === undefined) return {};
  if (Tensor.is(result)) return { loss: result };
  if (typeof result !== 'object' || result === null || Array.isArray(result) || result instanceof metrics.Metric)
    throw new TypeError(`${op}: gives the loss, a Tensor, or an object of figures, got ${show(result)}`);
  return result;
}
