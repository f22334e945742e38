export { type Collated, defaultCollate } from './collate.js';
export { DataLoader, type DataLoaderOptions } from './dataLoader.js';
export {
  ConcatDataset,
  type Dataset,
  type Fold,
  type IterableDataset,
  kFold,
  MapDataset,
  randomSplit,
  Subset,
  TensorDataset,
} from './dataset.js';
export { readIdx } from './idx.js';
export {
  BatchSampler,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './sampler.js';
export * as transforms from './transforms.js';
export { type WorkerOptions, workerDataset } from './worker.js';
