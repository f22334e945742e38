// The entry point `@gradgate/core/linalg`: PyTorch's `torch.linalg`. What core exports itself is here too. All functions take
// batches, `[..., m, n]`, and floating point; they are computed in float64, and rounded to the dtype.

export { cross } from '../ops/blas.js';
export { cholesky, det, inverse as inv, LinAlgError, matrixPower, slogdet, solve } from '../ops/linalg.js';
export { matmul } from '../ops/matmul.js';
export { choleskyInverse, choleskySolve } from './cholesky.js';
export { type ComplexParts, type EighOptions, eig, eigh, eigvals, eigvalsh } from './eigen.js';
export { type LuFactors, lu, luFactor, luSolve } from './lu.js';
export { cond, type MatrixNormOptions, type MatrixOrd, matrixNorm, norm, vectorNorm } from './norm.js';
export { logdet, matrixExp, multiDot, tensorinv, tensorsolve, vander, vecdot } from './products.js';
export { householderProduct, qr } from './qr.js';
export { lstsq, matrixRank, pinv, type RankOptions, type Svd, svd, svdvals } from './svd.js';
export { solveTriangular, type TriangularOptions } from './triangular.js';
