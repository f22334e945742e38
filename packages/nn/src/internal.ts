// For the other packages of gradgate: not for users, and without promises.
export { callDepth } from './hooks.js';
export { BatchNormBase } from './layers/batchNorm.js';
export { checkChannels } from './layers/checkLayer.js';
