// For the other packages of gradgate. Not for users: it may change at any time.
export { callDepth } from './hooks.js';
export { BatchNormBase } from './layers/batchNorm.js';
export { checkChannels } from './layers/checkLayer.js';
export { listOf } from './listOf.js';
export { isCollection } from './members.js';
export { isThenable } from './promise.js';
export { isStateful } from './stateful.js';
