// For the other packages of gradgate: not for users, and without promises.

export { synchronous } from './autograd/synchronous.js';
export type { StepRule } from './backend/backend.js';
export { isDevice, kernelsOf, pin } from './backend/backends.js';
export { outputSize, type Window } from './backend/convolution.js';
export { type Layout, type Product, productOf } from './backend/product.js';
export type { Taps } from './backend/resampling.js';
export { useNative } from './backend/wasm/memory.js';
export type { NativeKernels } from './backend/wasm/module.js';
export { brand, isOfAnotherCopy, thisCopy, twoCopies } from './brand.js';
export { builtin, installedFile, requireInstalled } from './builtin.js';
export { check, checkOptions, nearest, type Schema, show } from './check.js';
export { named } from './errors.js';
export { report } from './grad/diagnostics.js';
export { checkWritable } from './graph/inplace.js';
export { removable } from './graph/node.js';

export type { Kind } from './kinds.js';

export { checkSameShape, reduceLoss } from './ops/loss.js';

import * as options from './ops/options.js';

export { isFloat, isInteger } from './memory/dtype.js';
export { broadcastShapes, sizeOf } from './memory/shape.js';
export { digammaOf, lgammaOf } from './ops/special.js';
export { checkIntegers, checkTensors } from './tensor/check.js';

import * as is from './tensor/kinds.js';

// Written so because Babel takes `export * as` only with a plugin.
export { is, options };
