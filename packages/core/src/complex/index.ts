// The entry point `@gradgate/core/complex`: importing it brings the dtypes complex64 and complex128, beside all methods of core.
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
