import { type Backend, backend, type Kernels, registerBackend, TensorError, type View } from '@gradgate/core';
import { outputsOf, recorders } from './kernels.js';
import { type Trace, TracedStorage } from './trace.js';

export const drawsRandom =
  'the model draws random numbers, which would be constants of the graph and the same at each run; export it without';

/** The trace that kernels write to, while there is one. */
const state: { trace: Trace | null; isRegistered: boolean } = { trace: null, isRegistered: false };

const isView = (value: unknown): value is View => typeof value === 'object' && value !== null && 'storage' in value;
const isDependent = (view: View): boolean => (view.storage as TracedStorage).isDependent;

/** The views among the arguments of a kernel, in lists too. */
const viewsIn = (args: readonly unknown[]): View[] =>
  args.flatMap((value) => (Array.isArray(value) ? viewsIn(value) : isView(value) ? [value] : []));

/** What kernels of the host see in the place of views of this device. */
function seen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(seen);
  if (!isView(value)) return value;
  const { storage, dtype, shape, strides, offset, isContiguous, numel } = value;
  return { storage: (storage as TracedStorage).host, dtype, shape, strides, offset, isContiguous, numel };
}

/** A kernel that computes on the host, and adds to the graph where its operands depend on inputs. */
function kernel(name: keyof Kernels): (...args: unknown[]) => void {
  const places = outputsOf[name];
  return (...args) => {
    const { trace } = state;
    if (trace === null)
      throw new TensorError(
        'exportOnnx',
        'a tensor of a graph that has been exported is no longer there; keep what the model gives out of it',
      );
    if (name === 'random') throw new TensorError('exportOnnx', drawsRandom);
    const outputs = viewsIn(places.map((i) => args[i]));
    const operands = viewsIn(args.filter((_, i) => !places.includes(i)));
    // Scatters go on from what their result holds; a fill of a part, or a copy to one, is a part written.
    const goesOn = name === 'scatter' || name === 'indexAdd' || name === 'step';
    const recorded = [...operands, ...(goesOn ? outputs : [])].some(isDependent);
    const recorder = recorders[name] as ((trace: Trace, ...args: unknown[]) => void) | undefined;
    if (recorded && name !== 'checkRange') {
      if (recorder === undefined)
        throw new TensorError(
          'exportOnnx',
          `the kernel '${name}', of an operator that the model uses, has no nodes in ONNX here`,
        );
      recorder(trace, ...args);
    }
    const host = backend('cpu').kernels as unknown as Record<string, (...args: unknown[]) => void>;
    host[name]!(...args.map(seen));
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
        `the model looks at values that depend on its inputs (${op}), and a graph does the same whatever they are`,
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

/** Runs `fn` with what is computed on the device `onnx` written to `trace`. */
export function tracing<T>(trace: Trace, fn: () => T): T {
  if (state.trace !== null) throw new TypeError('exportOnnx: one export is under way; a model cannot export within it');
  if (!state.isRegistered) registerBackend(device);
  state.isRegistered = true;
  state.trace = trace;
  try {
    return fn();
  } finally {
    state.trace = null;
  }
}

/** Says that a tensor on the device is a constant of this name. */
export function label(view: View, name: string): void {
  (view.storage as TracedStorage).label = { name, shape: view.shape };
}
