import type { Backend, Kernels, View } from './backend.js';
import { cpu } from './cpu.js';

/** The kernels for operands of one backend. */
export function kernelsOf(_op: string, _a: View, _b?: View): Kernels {
  return cpu.kernels;
}

/** The backend of a device. */
export function backend(device: string): Backend {
  if (device !== cpu.name) throw new TypeError(`backend: there is no device ${device}; there is ${cpu.name}`);
  return cpu;
}

/** Moves the memory of a tensor that is used often and for long to where kernels work best. */
export function pin({ storage }: View): void {
  storage.backend.memory?.pin(storage);
}
