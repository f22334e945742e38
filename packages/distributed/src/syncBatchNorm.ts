import { batchNorm, defineFunction, noGrad, ones, type Tensor, tensor, zeros } from '@gradgate/core';
import {
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormModuleOptions,
  type Buffer,
  buffer,
  Module,
  Parameter,
} from '@gradgate/nn';
import { allReduce } from './collectives.js';
import { type Group, world } from './world.js';

export interface SyncBatchNormOptions extends BatchNormModuleOptions {
  /** The ranks whose batches make up one; all by default. */
  group?: Group;
}

/** The sum over all ranks as an operator: its gradient is the sum of the ranks' gradients. */
const sumOver = (group: Group) =>
  defineFunction<[Tensor], Tensor>({
    name: 'sumOverRanks',
    forward: (_, x) => allReduce(x.clone(), { group }),
    backward: (_, g) => allReduce(g!.clone(), { group }),
    onceDifferentiable: true,
  });

/**
 * Batch norm of `[N, C]`, `[N, C, L]` or `[N, C, H, W]` whose mean and variance are those of the batches of all ranks
 * together, as if one process had the whole batch. In evaluation, and alone in the world, it is as `BatchNorm1d` and
 * `BatchNorm2d`, whose names its parameters and buffers have.
 */
export class SyncBatchNorm extends Module {
  weight: Parameter | null;
  bias: Parameter | null;
  runningMean: Buffer | null;
  runningVar: Buffer | null;
  numBatchesTracked: Buffer | null;
  readonly eps: number;
  readonly momentum: number | null;
  readonly #group: Group;
  readonly #sum: (x: Tensor) => Tensor;

  constructor(
    readonly numFeatures: number,
    options: SyncBatchNormOptions = {},
  ) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true, group = world() } = options;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? buffer(zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? buffer(ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats ? buffer(zeros([], { dtype: 'int32' })) : null;
    this.#group = group;
    this.#sum = sumOver(group);
  }

  override forward(x: Tensor): Tensor {
    const { numFeatures, runningMean, runningVar, weight, bias, eps } = this;
    if (x.ndim < 2 || x.shape[1] !== numFeatures)
      throw new TypeError(`SyncBatchNorm: expected [N, ${numFeatures}, ...], got [${x.shape.join(', ')}]`);
    if (!this.training && runningMean !== null)
      return batchNorm(x, runningMean, runningVar, { weight, bias, eps, training: false });
    const dims = x.shape.map((_, d) => d).filter((d) => d !== 1);
    const perChannel = [1, numFeatures, ...dims.slice(1).map(() => 1)];
    const all = allReduce(tensor([x.numel / numFeatures], { dtype: 'float64' }), { group: this.#group }).item();
    if (all < 2) throw new TypeError('SyncBatchNorm: expected more than one value for each channel in training');
    const mean = this.#sum(x.sum(dims)).div(all);
    const centered = x.sub(mean.reshape(perChannel));
    const variance = this.#sum(centered.square().sum(dims)).div(all);
    this.#track(mean, variance.mul(all / (all - 1)));
    let y = centered.div(variance.add(eps).sqrt().reshape(perChannel));
    if (weight) y = y.mul(weight.reshape(perChannel));
    return bias ? y.add(bias.reshape(perChannel)) : y;
  }

  /** Moves the running statistics; PyTorch's is the unbiased variance. */
  #track(mean: Tensor, variance: Tensor): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (!runningMean || !runningVar || !numBatchesTracked) return;
    noGrad.run(() => {
      numBatchesTracked.add_(1);
      const momentum = this.momentum ?? 1 / numBatchesTracked.item();
      runningMean.mul_(1 - momentum).add_(mean.mul(momentum));
      runningVar.mul_(1 - momentum).add_(variance.mul(momentum));
    });
  }

  override extraRepr(): string {
    return `${this.numFeatures}, eps=${this.eps}, momentum=${this.momentum}`;
  }
}

/**
 * Puts a `SyncBatchNorm` with the same parameters and buffers in the place of each `BatchNorm1d` and `BatchNorm2d` of a
 * module, and gives the module; a batch norm itself is replaced by what is returned. To be called before the module goes
 * to `DistributedDataParallel`, and before an optimizer gets its parameters.
 */
export function convertSyncBatchNorm<M extends Module>(module: M, group: Group = world()): M | SyncBatchNorm {
  if (module instanceof BatchNorm1d || module instanceof BatchNorm2d) {
    const { eps, momentum, weight, runningMean } = module;
    const options = { eps, momentum, affine: weight !== null, trackRunningStats: runningMean !== null, group };
    const converted = new SyncBatchNorm(module.numFeatures, options);
    for (const field of ['weight', 'bias', 'runningMean', 'runningVar', 'numBatchesTracked'] as const)
      (converted as unknown as Record<string, unknown>)[field] = module[field];
    converted.train(module.training);
    return converted;
  }
  for (const [name, child] of module.namedChildren()) {
    const converted = convertSyncBatchNorm(child, group);
    if (converted !== child) (module as unknown as Record<string, unknown>)[name] = converted;
  }
  return module;
}
