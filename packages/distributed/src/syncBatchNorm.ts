import { batchNorm, defineFunction, noGrad, ones, ShapeError, type Tensor, tensor, zeros } from '@gradgate/core';
import { check, checkOptions, checkTensors, is } from '@gradgate/core/internal';
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
import { type Group, groupKind, world } from './world.js';

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
    options?: SyncBatchNormOptions,
  ) {
    super();
    check('SyncBatchNorm', 'numFeatures', numFeatures, is.count);
    const {
      eps = 1e-5,
      momentum = 0.1,
      affine = true,
      trackRunningStats = true,
      group = world(),
    } = checkOptions('SyncBatchNorm', options, {
      eps: is.nonNegative,
      momentum: is.nullable(is.probability),
      affine: is.boolean,
      trackRunningStats: is.boolean,
      group: groupKind,
    });
    if (group.rank < 0) throw new RangeError('SyncBatchNorm: this rank does not belong to the group');
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? buffer(zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? buffer(ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats ? buffer(zeros([], { dtype: 'int64' })) : null;
    this.#group = group;
    this.#sum = sumOver(group);
  }

  override forward(x: Tensor): Tensor {
    const { numFeatures, runningMean, runningVar, weight, bias, eps } = this;
    checkTensors('SyncBatchNorm', x);
    if (x.ndim < 2 || x.shape[1] !== numFeatures)
      throw new ShapeError('SyncBatchNorm', `takes [N, ${numFeatures}, ...], got [${x.shape.join(', ')}]`);
    if (!this.training)
      return batchNorm(x, runningMean, runningVar, { weight, bias, eps, training: runningMean === null });
    const dims = x.shape.map((_, d) => d).filter((d) => d !== 1);
    const perChannel = [1, numFeatures, ...dims.slice(1).map(() => 1)];
    const all = allReduce(tensor([x.numel / numFeatures], { dtype: 'float64' }), { group: this.#group }).item();
    if (all < 2) throw new ShapeError('SyncBatchNorm', 'expected more than one value for each channel in training');
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

  /** As that of any module; hooks stay behind. */
  override clone(): this {
    const { eps, momentum, weight, runningMean } = this;
    const options = { eps, momentum, affine: weight !== null, trackRunningStats: runningMean !== null };
    const copy = new SyncBatchNorm(this.numFeatures, { ...options, group: this.#group });
    copy.to((weight ?? runningMean)?.dtype ?? 'float32').loadStateDict(this.stateDict());
    for (const name of ['weight', 'bias'] as const) {
      copy[name]?.requiresGrad_(this[name]!.ownRequiresGrad);
      if (this[name]?.grad) copy[name]!.grad = this[name].grad.detach().clone();
    }
    return copy.train(this.training) as this;
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
  check(
    'convertSyncBatchNorm',
    'module',
    module,
    is.instanceOf('a Module', () => Module),
  );
  check('convertSyncBatchNorm', 'group', group, groupKind);
  const converted = new Map<object, object>();

  /** What comes in the place of a module; the same for one that stands in several places. */
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

  // Where nothing changes nothing is written: collections may be frozen.
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
    // A dotted name is that of a collection's member, which is put there.
    if (now !== value && !name.includes('.')) (owner as Record<string, unknown>)[name] = now;
  }

  return convert(module) as M | SyncBatchNorm;
}

const isCollection = (value: unknown): value is object =>
  Array.isArray(value) ||
  value instanceof Map ||
  value instanceof Set ||
  (typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value)));

function syncedOf(module: BatchNorm1d | BatchNorm2d, group: Group): SyncBatchNorm {
  const { eps, momentum, weight, runningMean } = module;
  const options = { eps, momentum, affine: weight !== null, trackRunningStats: runningMean !== null, group };
  const synced = new SyncBatchNorm(module.numFeatures, options);
  for (const field of ['weight', 'bias', 'runningMean', 'runningVar', 'numBatchesTracked'] as const)
    (synced as unknown as Record<string, unknown>)[field] = module[field];
  return synced.train(module.training);
}
