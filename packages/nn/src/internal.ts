// For the other packages of gradgate: not for users, and without promises.
export { BatchNormBase } from './layers/batchNorm.js';
export { checkChannels } from './layers/checkLayer.js';
