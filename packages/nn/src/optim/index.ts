export { Adafactor, type AdafactorOptions } from './adafactor.js';
export { Adadelta, type AdadeltaOptions, Adagrad, type AdagradOptions } from './adagrad.js';
export { Adam, type AdamOptions, AdamW } from './adam.js';
export { Adamax, Lion, type LionOptions, type MomentOptions, NAdam, type NAdamOptions, RAdam } from './adamVariants.js';
export { ASGD, type ASGDOptions } from './asgd.js';
export { clipGradNorm_, clipGradNormAsync_, clipGradsWithNorm_, clipGradValue_, getTotalNorm } from './clip.js';
export { ExponentialMovingAverage } from './ema.js';
export { GradScaler, type GradScalerOptions, type GradScalerState } from './gradScaler.js';
export { LBFGS, type LBFGSOptions } from './lbfgs.js';
export { Muon, type MuonOptions, orthogonalize } from './muon.js';
export { type Group, Optimizer, type ParamGroup } from './optimizer.js';
export { RMSprop, type RMSpropOptions } from './rmsprop.js';
export { Rprop, type RpropOptions } from './rprop.js';
export { ChainedScheduler } from './schedulers/chained.js';
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from './schedulers/cosine.js';
export { CyclicLR, type CyclicOptions } from './schedulers/cyclic.js';
export {
  ConstantLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from './schedulers/factors.js';
export { OneCycleLR, type OneCycleOptions } from './schedulers/oneCycle.js';
export { type PlateauOptions, ReduceLROnPlateau } from './schedulers/plateau.js';
export { LRScheduler, type Scheduled, type SchedulerState } from './schedulers/scheduler.js';
export { SequentialLR } from './schedulers/sequential.js';
export { SWALR, type SWALROptions } from './schedulers/swaLR.js';
export { SGD, type SGDOptions } from './sgd.js';
export { SparseAdam, type SparseAdamOptions } from './sparseAdam.js';
export type { OptimizerState } from './state.js';
export { AveragedModel, type AveragingFunction, updateBn } from './swa.js';
