import { dirname } from 'node:path';
import { require } from './load.mjs';
import { tf, cases as tfjsCases } from './tfjs.mjs';

const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/dist/`);
wasm.setThreadsCount(1);
await tf.setBackend('wasm');
await tf.ready();

export { version } from './tfjs.mjs';
// This backend has no gradient of convolutions.
export const { 'CNN 28x28, batch 32, train': _, ...cases } = tfjsCases;
