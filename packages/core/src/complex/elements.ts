import './backend.js';
import { elementsOf as elementsOfView } from '../backend/host/data.js';
import { allocate } from '../memory/allocate.js';
import { type Complex, type ComplexElements, dtypes, isFloat } from '../memory/dtype.js';
import { sizeOf } from '../memory/shape.js';
import { to } from '../ops/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { orImport, refuse } from './kernels.js';
import { absOf, conj } from './parts.js';
import { ComplexStorage, pairsOf } from './storage.js';

/** The functions of a complex dtype that core calls. */
const elementsOf = (dtype: ComplexStorage['dtype'], part: ComplexElements['part']): ComplexElements => ({
  part,
  storage: (parts) => new ComplexStorage(parts, dtype),
  made(op, shape, fill) {
    const count = sizeOf(shape);
    const parts = allocate(part, 2 * count);
    if (/^randn?$/.test(op)) {
      fill!(parts);
      // Each part of a complex normal distribution has half the variance.
      if (op === 'randn') for (let i = 0; i < parts.length; i++) parts[i]! *= Math.SQRT1_2;
    } else if (fill !== undefined) {
      const real = allocate(part, count);
      fill(real);
      for (let i = 0; i < count; i++) parts[2 * i] = real[i]!;
    }
    return Tensor.of(parts, dtype, shape);
  },
  pairs(t) {
    const { storage, dtype: part, shape, strides, offset } = pairsOf(t);
    return new Tensor(storage, part, shape, strides, offset);
  },
  elements(t) {
    const parts = elementsOfView(pairsOf(t));
    return Array.from({ length: t.numel }, (_, i): Complex => ({ re: parts[2 * i]!, im: parts[2 * i + 1]! }));
  },
  text(values, format) {
    const [re, im] = [format(values.map((v) => v.re)), format(values.map((v) => Math.abs(v.im)))];
    return (v) => `${re(v.re)}${v.im < 0 || Object.is(v.im, -0) ? '-' : '+'}${im(Math.abs(v.im))}j`;
  },
  conj,
  abs: absOf,
  slogdet: (a) => refuse('slogdet', a, orImport),
  beside: (x, other) => to(x, !isFloat(x.dtype) ? other : x.dtype === 'float64' ? 'complex128' : 'complex64'),
});

/** Their ranks in type promotion are those of their parts: see `promoteTypes`. */
Object.assign(dtypes, {
  complex64: { ...dtypes.float32, bytes: 8, complex: elementsOf('complex64', 'float32') },
  complex128: { ...dtypes.float64, bytes: 16, complex: elementsOf('complex128', 'float64') },
});
