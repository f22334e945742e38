// The entry point `@gradgate/core/linalg`: PyTorch's `torch.linalg`, with what core exports itself. All functions take
// batches `[..., m, n]` of floating point, compute in float64, and round to the dtype.

export { cross } from '../ops/blas.js';
export { det, inverse as inv, LinAlgError, matrixPower, slogdet } from '../ops/linalg.js';
export { matmul } from '../ops/matmul.js';
export { cholesky, choleskyInverse, choleskySolve } from './cholesky.js';
export { type EighOptions, eig, eigh, eigvals, eigvalsh } from './eigen.js';
export { type LdlFactors, ldlFactor, ldlSolve } from './ldl.js';
export { type LuFactors, lu, luFactor, luSolve } from './lu.js';
export { cond, type MatrixNormOptions, type MatrixOrd, matrixNorm, norm, vectorNorm } from './norm.js';
export { logdet, matrixExp, multiDot, tensorinv, tensorsolve, vander, vecdot } from './products.js';
export { householderProduct, qr } from './qr.js';
export { type SolveOptions, solve } from './solve.js';
export { lstsq, matrixRank, pinv, type RankOptions, type Svd, svd, svdvals } from './svd.js';
export { solveTriangular, type TriangularOptions } from './triangular.js';
