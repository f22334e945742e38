/** Functions of tensors without state: all of core's operators that layers are made of, and those of this folder. */
export * from '@gradgate/core';
export * from './functions/activation.js';
export * from './functions/bilinear.js';
export * from './functions/ctc.js';
export * from './functions/dropout.js';
export * from './functions/embedding.js';
export * from './functions/interpolate.js';
export * from './functions/loss.js';
export * from './functions/pixelShuffle.js';
export * from './functions/pool.js';
