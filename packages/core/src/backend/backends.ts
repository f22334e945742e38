import { check, show } from '../check.js';
import { DeviceError } from '../errors.js';
import * as is from '../kinds.js';
import { outlive } from '../memory/scope.js';
import type { Storage } from '../memory/storage.js';
import type { Backend } from './backend.js';
import { cpu } from './cpu.js';
import { checkGone, noKernels } from './gone.js';
import type { Kernels, View } from './kernels.js';

/** All devices, and the one on which tensors are made by default. */
const state = { backends: new Map<string, Backend>([[cpu.name, cpu]]), default: cpu };

/** The backend of a device. Throws if there is none of that name. */
export const backend = (device: string): Backend => backendFor('backend', device);

/** `backend`, with errors in the name of `op`. */
export function backendFor(op: string, device: string): Backend {
  const found = state.backends.get(device);
  if (!found) throw new DeviceError(op, `there is no device ${show(device)}; there is ${deviceNames().join(', ')}`);
  return found;
}

export const deviceNames = (): string[] => [...state.backends.keys()];

/** All devices that there are. */
export const allBackends = (): Iterable<Backend> => state.backends.values();

/** Whether there is a device of this name. */
export const isDevice = (name: unknown): name is string => state.backends.has(name as string);

/** Adds a device: from now on tensors can be made on it and moved to it. For packages that bring a device. */
export function registerBackend(backend: Backend): void {
  if (typeof backend?.name !== 'string' || typeof backend.allocate !== 'function')
    throw new TypeError(`registerBackend: expected a backend, got ${show(backend)}`);
  if (state.backends.has(backend.name))
    throw new DeviceError('registerBackend', `there is a device ${backend.name} already`);
  for (const name in cpu.kernels)
    if (!(name in backend.kernels)) backend.kernels = { ...backend.kernels, [name]: refusing(backend.name, name) };
  state.backends.set(backend.name, backend);
}

/** In the place of a kernel that a device has not. Some are called with the function that they compute. */
const refusing = (device: string, kernel: string) => (first?: { name?: string }) => {
  throw new DeviceError(first?.name ?? kernel, `${device} has no kernel ${kernel}; use x.to('cpu')`);
};

/**
 * Makes this the device for creation functions that are given none, and returns the one before. `'cpu'` at first.
 *
 * ```ts
 * setDefaultDevice('cpu'); // 'cpu'
 * ```
 */
export function setDefaultDevice(device: string): string {
  const before = state.default.name;
  state.default = backendFor('setDefaultDevice', device);
  return before;
}

/**
 * The device for creation functions that are given none.
 *
 * ```ts
 * getDefaultDevice(); // 'cpu'
 * ```
 */
export const getDefaultDevice = (): string => state.default.name;

/** The kernels for operands that must all be on one device. */
export function kernelsOf(op: string, a: View, b?: View | null, c?: View | null): Kernels {
  const { backend } = a.storage;
  if ((b && b.storage.backend !== backend) || (c && c.storage.backend !== backend))
    return kernelsOfMixed(op, [a, b, c]);
  const { kernels } = backend;
  if (kernels === noKernels) checkGone(op, a);
  return kernels;
}

/** Those of a backend that takes tensors of another one beside its own, where these are all. */
function kernelsOfMixed(op: string, views: readonly (View | null | undefined)[]): Kernels {
  checkGone(op, ...views);
  const backends = views.filter((v) => v != null).map((v) => v.storage.backend);
  const wide = backends.find(({ over }) => over !== undefined) ?? backends[0]!;
  if (backends.every((b) => b === wide || b === wide.over || b.kernels === wide.kernels)) return wide.kernels;
  const devices = [...new Set(backends.map(({ name }) => name))];
  throw new DeviceError(
    op,
    `the tensors are on ${devices.join(' and ')}; move them to one device, as in x.to('${devices.find((d) => d !== 'cpu')}')`,
  );
}

/** Throws the error of devices that cannot be read at once: it says how to get the values. */
export function refuseRead(storage: Storage, op = ''): never {
  check('refuseRead', 'op', op, is.string);
  throw new DeviceError(
    op || 'read',
    `the values of a tensor on ${storage?.backend?.name ?? 'another device'} are not there at once; use await t.data(), itemAsync() or ` +
      "toArrayAsync(), or await t.toAsync('cpu')",
  );
}

/** Moves the memory of a tensor that is used often and for long to where kernels work best; no `tidy` frees it. */
export function pin({ storage }: View): void {
  outlive(storage);
  storage.backend.memory?.pin(storage);
}
