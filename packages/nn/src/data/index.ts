export { type Collated, defaultCollate } from './collate.js';
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from './dataLoader.js';
export {
  ConcatDataset,
  type Dataset,
  type DatasetLike,
  type Fold,
  type IterableDataset,
  kFold,
  MapDataset,
  randomSplit,
  Subset,
  TensorDataset,
} from './dataset.js';
export { readIdx } from './idx.js';
export { classWeights, StandardScaler, trainTestSplit } from './preprocess.js';
export {
  BatchSampler,
  type BatchSamplerState,
  RandomSampler,
  type RandomSamplerOptions,
  ResumableSampler,
  type Sampler,
  type SamplerState,
  SequentialSampler,
  type Size,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './sampler.js';
export { TextVectorizer, type TextVectorizerOptions } from './text.js';

import * as transforms from './transforms.js';

export { type WorkerDataset, type WorkerOptions, workerDataset } from './worker.js';

// Not `export * as`, which Babel supports only with a plugin.
export {
  /** Transforms of images `[C, H, W]` or batches of them. */
  transforms,
};
