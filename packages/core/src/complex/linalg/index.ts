// The entry point `@gradgate/core/complex/linalg`. Importing it brings the kernels of complex matrices: the functions of
// `@gradgate/core/linalg`, which it exports too, and `det`, `inverse`, `solve`, `slogdet` and `cholesky` of core take
// complex tensors from then on.
import '../index.js';
import './kernels.js';
import './slogdet.js';

export * from '../../linalg/index.js';
