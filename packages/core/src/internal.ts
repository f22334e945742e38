// For the other packages of gradgate: not for users, and without promises.

export { synchronous } from './autograd/synchronous.js';
export type { Captured } from './backend/backend.js';
export { backendFor, isDevice, kernelsOf, pin } from './backend/backends.js';
export type { Channels } from './backend/channels.js';
export { type Geometry, outputSize, type Window } from './backend/convolution.js';
export type { LossReduction, PairLoss, StepRule } from './backend/kernels.js';
export type { Areas } from './backend/pooling.js';
export { type Layout, type Product, productOf } from './backend/product.js';
export type { Taps } from './backend/resampling.js';
export { rowsAlong } from './backend/rows.js';
export { useNative } from './backend/wasm/memory.js';
export type { NativeKernels } from './backend/wasm/module.js';
export { type Pinned, pinResults, release } from './backend/wasm/residency.js';
export { brand, isOfAnotherCopy, thisCopy, twoCopies } from './brand.js';
export { builtin, installedFile, requireInstalled } from './builtin.js';
export { check, checkOptions, nearest, type Schema, show } from './check.js';
export { inNameOf, named } from './errors.js';
export { report } from './grad/diagnostics.js';
export { checkWritable } from './graph/inplace.js';
export { removable, watchNodes } from './graph/node.js';

export type { Kind } from './kinds.js';

export { casting, inFloat32 } from './ops/casting.js';
export { checkSameShape, reduceLoss } from './ops/loss.js';

export { liftedOptions, maxPoolWithIndices } from './ops/pool.js';

import * as options from './ops/options.js';

export type { Bits } from './memory/coding.js';
export { isFloat, isInteger, recordOf } from './memory/dtype.js';
export { asAction, type Recorder, recording, refuseRecording } from './memory/recording.js';
export { outlive } from './memory/scope.js';
export { broadcastShapes, checkSize, contiguousStrides, isContiguous, sameShape, sizeOf } from './memory/shape.js';
export { currentTemporaries } from './memory/storage.js';
export { digammaOf, lgammaOf } from './ops/special.js';
export { checkIntegers, checkTensors } from './tensor/check.js';

export {
  Alias,
  elementsOf,
  exactElements,
  heldGrad,
  ownRequiresGrad,
  writableElements,
} from './tensor/internals.js';

export { advance } from './tensor/random.js';

import * as is from './tensor/kinds.js';

// Written so because Babel takes `export * as` only with a plugin.
export { is, options };
