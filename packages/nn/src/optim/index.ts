export { Adafactor, type AdafactorOptions } from './adafactor.js';
export * from './adagrad.js';
export * from './adam.js';
export * from './adamVariants.js';
export { ASGD, type ASGDOptions } from './asgd.js';
export * from './clip.js';
export * from './ema.js';
export * from './lbfgs.js';
export * from './muon.js';
export { type Group, Optimizer, type ParamGroup } from './optimizer.js';
export * from './rmsprop.js';
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
export * from './sgd.js';
export type { OptimizerState } from './state.js';
export { AveragedModel, type AveragingFunction, updateBn } from './swa.js';
