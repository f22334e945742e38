// For the other packages of gradgate. Not for users: it may change at any time.
export { callDepth } from './hooks.js';
export { BatchNormBase } from './layers/batchNorm.js';
export { checkChannels } from './layers/checkLayer.js';
export { isThenable, listOf } from './plain.js';
