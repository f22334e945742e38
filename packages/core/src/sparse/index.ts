// The entry point `@gradgate/core/sparse`: tensors that store only some entries, and gradients that store only some
// rows.
import '../index.js';

export { isSparse, type SparseOptions, sparseCooTensor, sparseCsrTensor, toDense, toSparse } from './creation.js';
export { embedding } from './embedding.js';
export {
  type AddmmOptions,
  addmm,
  logSoftmax,
  matmul,
  mm,
  sampledAddmm,
  softmax,
  spdiags,
  sum,
} from './functions.js';
export { type SparseLayout, SparseTensor } from './sparseTensor.js';
