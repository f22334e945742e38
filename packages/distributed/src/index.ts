export {
  type Async,
  allGather,
  allReduce,
  barrier,
  broadcast,
  type CollectiveOptions,
  gather,
  type MessageOptions,
  type ReduceOp,
  type ReduceOptions,
  type RootOptions,
  recv,
  reduceScatter,
  scatter,
  send,
} from './collectives.js';
export { DistributedError } from './connection.js';
export { DistributedDataParallel, type DistributedDataParallelOptions } from './ddp.js';
export { init } from './init.js';
export { noSync } from './noSync.js';
export { onMain } from './onMain.js';
export { DistributedSampler, type DistributedSamplerOptions } from './sampler.js';
export { convertSyncBatchNorm, SyncBatchNorm, type SyncBatchNormOptions } from './syncBatchNorm.js';
export type { Work } from './work.js';
export {
  destroy,
  type Group,
  type InitOptions,
  isInitialized,
  library,
  newGroup,
  rank,
  world,
  worldSize,
} from './world.js';
export { ZeroRedundancyOptimizer } from './zero.js';
