import type { Backend } from './backend.js';
import { kernels } from './wasm/kernels.js';

/** Tensors in host memory: kernels in plain loops, and over them those in WebAssembly. */
export const cpu: Backend = { name: 'cpu', read: (storage) => storage.data, kernels };
