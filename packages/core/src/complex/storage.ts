import type { Backend } from '../backend/backend.js';
import { HostStorage } from '../backend/host/storage.js';
import type { View } from '../backend/kernels.js';
import { isComplex } from '../memory/dtype.js';
import { refuseRecording } from '../memory/recording.js';
import { type Storage, tensorsAreSentByPackTensorAndUnpackTensor } from '../memory/storage.js';

/** Complex numbers in host memory, on a storage of interleaved real and imaginary parts, which real views share. */
export class ComplexStorage implements Storage {
  /** The same for all: `backend.ts` sets it on the prototype. */
  declare readonly backend: Backend;
  uses = 0;
  refCount = 0;
  readonly send = tensorsAreSentByPackTensorAndUnpackTensor;
  readonly parts: HostStorage;
  constructor(
    parts: HostStorage['data'],
    readonly dtype: 'complex64' | 'complex128',
  ) {
    refuseRecording('complex numbers are computed');
    this.parts = HostStorage.of(parts, dtype === 'complex64' ? 'float32' : 'float64');
  }

  get length(): number {
    return this.parts.length / 2;
  }

  /** The version of the parts, so that writes through real views count. */
  get version(): number {
    return this.parts.version;
  }
  set version(value: number) {
    this.parts.version = value;
  }
}

export const isComplexView = (view: View): boolean => isComplex(view.dtype);

const partsOf = ({ storage }: View): HostStorage => (storage as ComplexStorage).parts;

/** A complex view as a real one, with the parts along a last dimension of 2. */
export function pairsOf(view: View): View {
  const { shape, numel, strides, offset, isContiguous } = view;
  const storage = partsOf(view);
  return {
    storage,
    dtype: storage.dtype,
    shape: [...shape, 2],
    numel: 2 * numel,
    strides: [...strides.map((n) => 2 * n), 1],
    offset: 2 * offset,
    isContiguous,
  };
}

/** The real parts of a complex view, or with 1 the imaginary ones. */
export function partOf(view: View, part: 0 | 1): View {
  const { shape, numel, strides, offset } = view;
  const storage = partsOf(view);
  return {
    storage,
    dtype: storage.dtype,
    shape,
    numel,
    strides: strides.map((n) => 2 * n),
    offset: 2 * offset + part,
    isContiguous: numel <= 1,
  };
}
