import { noGrad, Tensor } from '@gradgate/core';
import { asAction, check, is } from '@gradgate/core/internal';
import { checkModule } from '../checkModule.js';
import { Module } from '../module.js';
import { shapeText } from '../shapeText.js';

/** Computes the new average from the current one, the model's weights and the number of models averaged. */
export type AveragingFunction = (average: Tensor, current: Tensor, count: number) => Tensor;

const equalWeights: AveragingFunction = (average, current, count) =>
  average.add(current.sub(average).mul(1 / (count + 1)));

/**
 * The mean of a model's weights over training (Izmailov et al., 2018). `updateParameters(model)` adds the current
 * weights; calling it calls the averaged copy. Buffers stay as they were when it was made, so call `updateBn` at the
 * end to compute those of BatchNorm. A function `average` replaces the mean: `(a, w) => a.lerp(w, 0.01)`.
 *
 * ```ts
 * const model = new Linear(3, 1);
 * const averaged = new optim.AveragedModel(model);
 * for (let epoch = 0; epoch < 3; epoch++) averaged.updateParameters(model);
 * averaged(randn([2, 3])).shape; // [2, 1]
 * averaged.count; // 3
 * ```
 */
export class AveragedModel<M extends Module> extends Module {
  /** A copy of the model, with the averaged weights. */
  readonly module: M;
  /** The number of models averaged so far. */
  count = 0;

  constructor(
    model: M,
    private readonly average: AveragingFunction = equalWeights,
  ) {
    checkModule('AveragedModel', model);
    check('AveragedModel', 'average', average, is.callback);
    super();
    this.module = model.clone();
    this.module.requiresGrad_(false);
  }

  override forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return (this.module as (...args: unknown[]) => unknown)(...args) as ReturnType<M['forward']>;
  }

  /** Adds the weights of a model, which must have the same structure, to the average. */
  updateParameters(model: M): void {
    const op = 'AveragedModel.updateParameters';
    checkModule(op, model);
    const current = new Map(model.namedParameters());
    const pairs = [...this.module.namedParameters()].map(([name, p]) => {
      const other = current.get(name);
      if (other === undefined || other.shape.join() !== p.shape.join())
        throw new TypeError(`${op}: the model has no parameter ${name} of shape ${shapeText(p)}`);
      return [p, other] as const;
    });
    noGrad.run(() =>
      asAction(() => {
        for (const [p, other] of pairs)
          p.copy_(this.count === 0 ? other : this.average(p.detach(), other.detach(), this.count));
        this.count++;
      }),
    );
  }
}

/** The statistics of a BatchNorm layer. */
interface Statistics {
  momentum: number | null;
  runningMean: Tensor;
  runningVar: Tensor;
  numBatchesTracked: Tensor;
}

function statisticsOf(module: object): Statistics[] {
  const { runningMean, numBatchesTracked } = module as Partial<Statistics>;
  return Tensor.is(runningMean) && Tensor.is(numBatchesTracked) ? [module as Statistics] : [];
}

/**
 * Recomputes the running statistics of all BatchNorm layers of a model, as means over the batches of a loader; call it
 * after averaging weights. A batch is the input, or an array whose first item is the input. Modes of modules are
 * restored.
 *
 * ```ts
 * const model = new Sequential(new Linear(3, 2), new BatchNorm1d(2));
 * optim.updateBn([randn([8, 3]), randn([8, 3])], model);
 * ```
 */
export function updateBn(loader: Iterable<Tensor | readonly unknown[]>, model: Module): void {
  check('updateBn', 'the loader', loader, is.iterable);
  checkModule('updateBn', model);
  const layers = [...model.modules()].flatMap(statisticsOf).map((layer) => ({ layer, momentum: layer.momentum }));
  if (layers.length === 0) return;
  const training = [...model.modules()].map((module) => ({ module, training: module.training }));
  try {
    noGrad.run(() => {
      for (const { layer } of layers) {
        layer.runningMean.zero_();
        layer.runningVar.fill_(1);
        layer.numBatchesTracked.zero_();
        layer.momentum = null;
      }
      model.train();
      for (const batch of loader) (model as (x: unknown) => unknown)(Array.isArray(batch) ? batch[0] : batch);
    });
  } finally {
    for (const { layer, momentum } of layers) layer.momentum = momentum;
    for (const { module, training: was } of training) module.training = was;
  }
}
