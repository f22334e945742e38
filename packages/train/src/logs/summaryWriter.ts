import { type Node, noGrad, Tensor } from '@gradgate/core';
import { check, checkOptions, is, show } from '@gradgate/core/internal';
import { checkFigures, type Logger } from './logger.js';
import * as records from './records.js';
import { checkTarget, Sink } from './sink.js';

type Fields = Parameters<typeof records.event>[2];

/** Distinguishes files of the same process and second. */
let files = 0;

/**
 * Writes logs for TensorBoard into a folder (`tensorboard --logdir runs`): scalars, histograms, images, text,
 * hyperparameters and graphs. Methods are named as in PyTorch; each returns a promise that resolves when the data are
 * written.
 *
 * ```ts
 * const writer = new SummaryWriter('runs/first');
 * await writer.addScalar('loss', 0.25, 100);
 * await writer.close();
 * ```
 */
export class SummaryWriter implements Logger {
  private readonly sink: Sink;

  /** @param target A folder, created if needed; or a function that takes the bytes, for example in browsers. */
  constructor(target: string | ((bytes: Uint8Array) => unknown)) {
    checkTarget('SummaryWriter', target);
    const seconds = Math.floor(Date.now() / 1000);
    const name = `events.out.tfevents.${seconds}.gradgate.${globalThis.process?.pid ?? 0}.${files++}`;
    this.sink = new Sink('SummaryWriter', typeof target === 'string' ? `${target}/${name}` : target);
    this.write(records.version, 0).catch(() => {});
  }

  /** Writes a scalar. */
  addScalar(tag: string, value: number, step: number): Promise<void> {
    check('addScalar', 'the tag', tag, is.string);
    return this.addFigures({ [tag]: value }, step);
  }

  /** Writes several scalars of a step, by name. */
  addFigures(figures: Readonly<Record<string, number>>, step: number): Promise<void> {
    checkFigures('addFigures', figures, step);
    return this.write(records.scalars(figures), step);
  }

  /** Writes a histogram of a tensor's finite values, in `bins` intervals of equal width, 30 by default. */
  addHistogram(tag: string, values: Tensor, step: number, options?: { bins?: number }): Promise<void> {
    check('addHistogram', 'the tag', tag, is.string);
    const { bins = 30 } = checkOptions('addHistogram', options, { bins: is.count });
    check('addHistogram', 'values', values, is.tensor);
    return this.write(records.histogram(tag, histogramOf(Array.from(values.toTypedArray(), Number), bins)), step);
  }

  /** Writes an image [channels, height, width] of 1, 3 or 4 channels: floats from 0 to 1, or uint8. */
  addImage(tag: string, image: Tensor, step: number): Promise<void> {
    check('addImage', 'the tag', tag, is.string);
    if (!Tensor.is(image) || image.ndim !== 3 || ![1, 3, 4].includes(image.shape[0]!))
      throw new TypeError(
        `addImage: the image must be [channels, height, width] with 1, 3 or 4 channels, got ${show(image)}`,
      );
    const [channels, height, width] = image.shape as [number, number, number];
    const bytes = noGrad.run(() => {
      const pixels = image.permute([1, 2, 0]);
      return pixels.dtype === 'uint8' ? pixels : pixels.clamp(0, 1).mul(255).round();
    });
    const data = Uint8Array.from(bytes.toTypedArray() as Float32Array);
    // Loaded where it is used: it needs TextDecoder, which not every engine has.
    const event = import('fast-png').then(({ encode }) =>
      records.image(tag, height, width, channels, encode({ width, height, channels, depth: 8, data })),
    );
    return this.write(event, step);
  }

  /** Writes text, which TensorBoard shows as Markdown. */
  addText(tag: string, text: string, step: number): Promise<void> {
    check('addText', 'the tag', tag, is.string);
    check('addText', 'the text', text, is.string);
    return this.write(records.textSummary(tag, text), step);
  }

  /** Writes the hyperparameters of a run, and the metrics to compare runs by, which become scalars too. */
  async addHparams(
    hparams: Readonly<Record<string, number | string | boolean>>,
    metrics: Readonly<Record<string, number>>,
    step = 0,
  ): Promise<void> {
    check('addHparams', 'hparams', hparams, is.object);
    check('addHparams', 'metrics', metrics, is.object);
    checkFigures('addHparams', metrics, step);
    for (const [name, value] of Object.entries(hparams))
      check('addHparams', name, value, is.either(is.number, is.string, is.boolean));
    const all = records.hparams(hparams, Object.keys(metrics), Date.now() / 1000);
    await Promise.all([...all.map((fields) => this.write(fields, 0)), this.addFigures(metrics, step)]);
  }

  /** Writes the graph of operations that computed a tensor; `names` names leaves, such as `model.namedParameters()`. */
  addGraph(result: Tensor, names: Iterable<readonly [string, Tensor]> = []): Promise<void> {
    check('addGraph', 'names', names, is.iterable);
    if (!Tensor.is(result) || result.gradFn === null)
      throw new TypeError(`addGraph: takes a tensor whose computation was recorded, got ${show(result)}`);
    return this.write(records.graph(nodesOf(result.gradFn, new Map([...names].map(([name, t]) => [t, name])))), 0);
  }

  /** Waits until everything is written. */
  close(): Promise<void> {
    return this.sink.close();
  }

  private write(fields: Fields | Promise<Fields>, step: number): Promise<void> {
    check('SummaryWriter', 'the step', step, is.size);
    const record = (own: Fields) => records.record(records.event(Date.now() / 1000, step, own));
    return this.sink.write(fields instanceof Promise ? fields.then(record) : record(fields));
  }
}

function histogramOf(values: readonly number[], bins: number): records.Histogram {
  const finite = values.filter(Number.isFinite);
  let [min, max, sum, sumOfSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const v of finite) {
    min = Math.min(min, v);
    max = Math.max(max, v);
    sum += v;
    sumOfSquares += v * v;
  }
  if (finite.length === 0) [min, max] = [0, 0];
  const width = max > min ? (max - min) / bins : 1;
  // The first bucket is empty: its right edge is the start of the others.
  const limits = Array.from({ length: bins + 1 }, (_, i) => min + i * width);
  if (max > min) limits[bins] = max;
  const counts = new Array<number>(bins + 1).fill(0);
  for (const v of finite) counts[1 + Math.min(bins - 1, Math.floor((v - min) / width))]!++;
  return { min, max, count: finite.length, sum, sumOfSquares, limits, counts };
}

/** The operations and leaves from the result on. No recursion, as graphs can be deeper than the stack. */
function nodesOf(root: Node, known: ReadonlyMap<Tensor, string>): records.GraphNode[] {
  const names = new Map<Node, string>();
  const used = new Map<string, number>();
  const open: Node[] = [];
  const nameOf = (node: Node): string => {
    const found = names.get(node);
    if (found !== undefined) return found;
    const { leaf } = node as { leaf?: Tensor };
    const wanted = ((leaf && known.get(leaf)) ?? (leaf ? 'leaf' : node.name))
      .replace(/[^\w./-]/g, '_')
      .replaceAll('.', '/');
    const count = used.get(wanted) ?? 0;
    used.set(wanted, count + 1);
    const name = count === 0 ? wanted : `${wanted}_${count}`;
    names.set(node, name);
    open.push(node);
    return name;
  };
  nameOf(root);
  const nodes: records.GraphNode[] = [];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { leaf } = node as { leaf?: Tensor };
    const inputs = leaf ? [] : node.edges.flatMap((edge) => (edge === null ? [] : [nameOf(edge.node)]));
    const shape = leaf?.shape ?? node.shapes[0] ?? [];
    nodes.push({ name: names.get(node)!, op: leaf ? 'Parameter' : node.name, inputs, shape });
  }
  return nodes;
}
