// The entry point `@gradgate/core/complex`. Importing it adds the dtypes complex64 and complex128.
import '../index.js';
import './elements.js';

export type { Complex } from '../memory/dtype.js';
export {
  angle,
  type ComplexValues,
  complex,
  conj,
  imag,
  isComplex,
  polar,
  real,
  sgn,
  viewAsComplex,
  viewAsReal,
} from './parts.js';
