import { type Backend, backend, type Kernels, registerBackend, TensorError, type View } from '@gradgate/core';
import { outputsOf, recorders } from './kernels.js';
import { type Trace, TracedStorage } from './trace.js';

export const drawsRandom =
  'the model draws random numbers, which would be constants of the graph and the same at each run; export it without';

/** The trace that kernels write to, if a model is being exported. */
const state: { trace: Trace | null; isRegistered: boolean } = { trace: null, isRegistered: false };

const isView = (value: unknown): value is View => typeof value === 'object' && value !== null && 'storage' in value;
const isDependent = (view: View): boolean => (view.storage as TracedStorage).isDependent;

/** The views among the arguments of a kernel, also in lists. */
const viewsIn = (args: readonly unknown[]): View[] =>
  args.flatMap((value) => (Array.isArray(value) ? viewsIn(value) : isView(value) ? [value] : []));

/** Replaces views of this device by views of the host, for its kernels. */
function onHost(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(onHost);
  if (!isView(value)) return value;
  const { storage, dtype, shape, strides, offset, isContiguous, numel } = value;
  return { storage: (storage as TracedStorage).host, dtype, shape, strides, offset, isContiguous, numel };
}

/** A kernel that computes on the host, and adds to the graph where its operands depend on inputs. */
function kernel(name: keyof Kernels): (...args: unknown[]) => void {
  const outputPositions = outputsOf[name];
  return (...args) => {
    const { trace } = state;
    if (trace === null)
      throw new TensorError(
        'exportOnnx',
        'a tensor of an exported graph cannot be used afterwards; do not keep tensors that the model made during the export',
      );
    if (name === 'random') throw new TensorError('exportOnnx', drawsRandom);
    const outputs = viewsIn(outputPositions.map((i) => args[i]));
    const operands = viewsIn(args.filter((_, i) => !outputPositions.includes(i)));
    // These kernels update what their output holds; others overwrite it, or a part of it.
    const updatesOutput = name === 'scatter' || name === 'indexAdd' || name === 'step';
    const recorded = [...operands, ...(updatesOutput ? outputs : [])].some(isDependent);
    const recorder = recorders[name] as ((trace: Trace, ...args: unknown[]) => void) | undefined;
    if (recorded && name !== 'checkRange') {
      if (recorder === undefined)
        throw new TensorError(
          'exportOnnx',
          `the kernel '${name}', of an operator that the model uses, cannot be exported to ONNX`,
        );
      recorder(trace, ...args);
    }
    const host = backend('cpu').kernels as unknown as Record<string, (...args: unknown[]) => void>;
    host[name]!(...args.map(onHost));
    if (!recorded) for (const out of outputs) trace.writeConstant(out);
  };
}

const device: Backend = {
  name: 'onnx',
  allocate: (dtype, length, fill) => new TracedStorage(device, backend('cpu').allocate(dtype, length, fill)),
  read(storage, op = 'read') {
    if ((storage as TracedStorage).isDependent)
      throw new TensorError(
        'exportOnnx',
        `the model reads values that depend on its inputs (${op}), which a graph cannot do: it computes the same for all inputs`,
      );
    return backend('cpu').read((storage as TracedStorage).host);
  },
  readAsync: async (storage) => device.read(storage),
  write(storage, values, offset) {
    backend('cpu').write((storage as TracedStorage).host, values, offset);
  },
  kernels: Object.fromEntries(
    (Object.keys(outputsOf) as (keyof Kernels)[]).map((name) => [name, kernel(name)]),
  ) as unknown as Kernels,
};

/** Runs `fn`, with computations on the device `onnx` recorded in `trace`. */
export function tracing<T>(trace: Trace, fn: () => T): T {
  if (state.trace !== null)
    throw new TypeError(
      'exportOnnx: an export is running already; a model cannot export itself or another one while it is exported',
    );
  if (!state.isRegistered) registerBackend(device);
  state.isRegistered = true;
  state.trace = trace;
  try {
    return fn();
  } finally {
    state.trace = null;
  }
}

/** Gives a constant on the device its name in the file. */
export function label(view: View, name: string): void {
  (view.storage as TracedStorage).label = { name, shape: view.shape };
}
