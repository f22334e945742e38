// The entry point `@gradgate/core/sparse`: tensors of which only some entries are stored, and gradients of which only some rows are.
import '../index.js';

export { isSparse, type SparseOptions, sparseCooTensor, sparseCsrTensor, toDense, toSparse } from './creation.js';
export { embedding } from './embedding.js';
export { matmul, type SparseLayout, SparseTensor } from './sparseTensor.js';
