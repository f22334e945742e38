import { defineFunction, noGrad, ShapeError, type Tensor, tensor } from '@gradgate/core';
import { check, is, type Schema } from '@gradgate/core/internal';
import { BatchNorm1d, BatchNorm2d, type BatchNormModuleOptions, Module } from '@gradgate/nn';
import { BatchNormBase, checkChannels, isCollection } from '@gradgate/nn/internal';
import { allReduce } from './collectives.js';
import { checkMember, type Group, groupKind, world } from './world.js';

/** Options of `SyncBatchNorm`. */
export interface SyncBatchNormOptions extends BatchNormModuleOptions {
  /** The ranks whose batches are normalized together; all by default. */
  group?: Group;
}

/** The sum over the ranks of a group as an operator, whose gradient is the sum of the ranks' gradients. */
const sumOver = (group: Group) =>
  defineFunction<[Tensor], Tensor>({
    name: 'sumOverRanks',
    forward: (_, x) => allReduce(x.clone(), { group }),
    backward: (_, g) => allReduce(g!.clone(), { group }),
    onceDifferentiable: true,
  });

/**
 * Batch norm of `[N, C]`, `[N, C, L]` or `[N, C, H, W]` with the mean and variance of the batches of all ranks
 * together, as if one process had the whole batch. In eval, and in a world of one rank, it is the same as `BatchNorm1d`
 * and `BatchNorm2d`; its parameters and buffers have their names.
 */
export class SyncBatchNorm extends BatchNormBase {
  protected static override readonly options: Schema<SyncBatchNormOptions> = {
    ...BatchNormBase.options,
    group: groupKind,
  };
  /** The ranks whose batches are normalized together. */
  readonly group: Group;

  constructor(numFeatures: number, options: SyncBatchNormOptions = {}) {
    super(numFeatures, options);
    const { group = world() } = options;
    checkMember('SyncBatchNorm', group);
    this.group = group;
  }

  override forward(x: Tensor): Tensor {
    if (!this.training) return this.normalize(x, ndims);
    const { numFeatures, weight, bias, eps, group } = this;
    checkChannels(this, x, numFeatures, ndims);
    const dims = x.shape.map((_, d) => d).filter((d) => d !== 1);
    const perChannel = [1, numFeatures, ...dims.slice(1).map(() => 1)];
    const all = allReduce(tensor([x.numel / numFeatures], { dtype: 'float64' }), { group }).item();
    if (all < 2) throw new ShapeError('SyncBatchNorm', 'expected more than one value for each channel in training');
    const sum = sumOver(group);
    const mean = sum(x.sum(dims)).div(all);
    const centered = x.sub(mean.reshape(perChannel));
    const variance = sum(centered.square().sum(dims)).div(all);
    track(this, mean, variance.mul(all / (all - 1)));
    let y = centered.div(variance.add(eps).sqrt().reshape(perChannel));
    if (weight) y = y.mul(weight.reshape(perChannel));
    return bias ? y.add(bias.reshape(perChannel)) : y;
  }
}

const ndims = [2, 3, 4, 5];

/** Updates the running statistics, with the unbiased variance, as in PyTorch. */
function track(layer: SyncBatchNorm, mean: Tensor, variance: Tensor): void {
  const { runningMean, runningVar, numBatchesTracked } = layer;
  if (!runningMean || !runningVar || !numBatchesTracked) return;
  noGrad.run(() => {
    numBatchesTracked.add_(1);
    const momentum = layer.momentum ?? 1 / numBatchesTracked.item();
    runningMean.mul_(1 - momentum).add_(mean.mul(momentum));
    runningVar.mul_(1 - momentum).add_(variance.mul(momentum));
  });
}

/**
 * Replaces each `BatchNorm1d` and `BatchNorm2d` in a module by a `SyncBatchNorm` with the same parameters and buffers;
 * returns the module, or the replacement if the module itself is a batch norm. Call it before the module goes to
 * `DistributedDataParallel` and its parameters to an optimizer.
 */
export function convertSyncBatchNorm<M extends Module>(module: M, group: Group = world()): M | SyncBatchNorm {
  check(
    'convertSyncBatchNorm',
    'module',
    module,
    is.instanceOf('a Module', () => Module),
  );
  check('convertSyncBatchNorm', 'group', group, groupKind);
  const converted = new Map<object, object>();

  /** The replacement of a value; one module that is in several places has one replacement. */
  function convert(value: unknown): unknown {
    if (value instanceof BatchNorm1d || value instanceof BatchNorm2d) {
      if (!converted.has(value)) converted.set(value, syncedOf(value, group));
      return converted.get(value);
    }
    const isModule = value instanceof Module;
    if ((isModule || isCollection(value)) && !converted.has(value)) {
      converted.set(value, value);
      if (isModule) for (const [name, child] of value.namedChildren()) put(value, name, child);
      replaceIn(value);
    }
    return value;
  }

  // Writes only changes, as collections may be frozen.
  function replaceIn(owner: object): void {
    if (owner instanceof Map)
      for (const [key, value] of owner) if (convert(value) !== value) owner.set(key, convert(value));
    if (owner instanceof Set) {
      const values = [...owner];
      if (values.every((value) => convert(value) === value)) return;
      owner.clear();
      for (const value of values) owner.add(convert(value));
    } else for (const [name, value] of Object.entries(owner)) put(owner, name, value);
  }

  function put(owner: object, name: string, value: unknown): void {
    const now = convert(value);
    // A dotted name is that of a member of a collection, which is handled with the collection.
    if (now !== value && !name.includes('.')) (owner as Record<string, unknown>)[name] = now;
  }

  return convert(module) as M | SyncBatchNorm;
}

function syncedOf(module: BatchNorm1d | BatchNorm2d, group: Group): SyncBatchNorm {
  const { eps, momentum, weight, runningMean } = module;
  const options = { eps, momentum, affine: weight !== null, trackRunningStats: runningMean !== null, group };
  const synced = new SyncBatchNorm(module.numFeatures, options);
  for (const field of ['weight', 'bias', 'runningMean', 'runningVar', 'numBatchesTracked'] as const)
    (synced as unknown as Record<string, unknown>)[field] = module[field];
  return synced.train(module.training);
}
