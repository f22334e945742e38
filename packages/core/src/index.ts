// First, so that a bundle has its long text before all code: what compresses a bundle looks back 32 kB.
import './backend/wasm/binary.js';
import './tensor/devtools.js';
import './tensor/equality.js';

export { anomalyMode, detectAnomaly } from './autograd/anomaly.js';
export { type BackwardOptions, backward, type GradOptions, grad } from './autograd/backward.js';
export { record, recordMany } from './autograd/custom.js';
export { onBackwardEnd } from './autograd/engine.js';
export { explainGrad } from './autograd/explain.js';
export { type Freezable, freezing, type HasParameters } from './autograd/freezing.js';
export { defineFunction, FunctionContext, type FunctionDefinition } from './autograd/function.js';
export { hessian, hvp, jacobian, jvp, valueAndGrad, vjp } from './autograd/functional.js';
export { registerHook, registerPostAccumulateGradHook, retainGrad } from './autograd/hooks.js';
export { keep, tidy } from './autograd/tidy.js';
export type { Backend } from './backend/backend.js';
export { backend, getDefaultDevice, refuseRead, registerBackend, setDefaultDevice } from './backend/backends.js';
export { type Kernels, type Override, overlay, type View } from './backend/kernels.js';
export { type MemoryReport, memory } from './backend/wasm/residency.js';
export { getNumThreads, setNumThreads } from './backend/wasm/threads.js';
export {
  AutogradError,
  DeviceError,
  DTypeError,
  IndexError,
  ShapeError,
  TensorError,
} from './errors.js';
export * from './grad/index.js';
export type {
  Backward,
  BackwardMany,
  Edge,
  GradHook,
  Node,
  NodeHook,
} from './graph/node.js';
export { type SavedTensorHooks, savedTensorsHooks } from './graph/savedTensorHooks.js';
export type { AnyTypedArray, DType, TypedArray } from './memory/dtype.js';
export { promoteTypes } from './memory/promote.js';
export type { Shape } from './memory/shape.js';
export type { Storage } from './memory/storage.js';
export * from './ops/index.js';
export {
  arange,
  empty,
  emptyLike,
  eye,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from './tensor/creation.js';
export type { NestedArray } from './tensor/elements.js';
export type { RandomOptions, TensorOptions } from './tensor/make.js';
export { currentGenerator, defaultGenerator, forkRng, Generator, manualSeed } from './tensor/random.js';
export { rand, randint, randLike, randn, randnLike, randperm } from './tensor/randomTensors.js';
export { Tensor } from './tensor/tensor.js';
export { type PackedTensor, packTensor, unpackTensor } from './tensor/transfer.js';
export { fromTypedArray, type NestedValues, tensor } from './tensor/values.js';
