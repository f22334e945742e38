import { type DType, DTypeError, noGrad, type Tensor } from '@gradgate/core';
import { backendFor, isDevice, show } from '@gradgate/core/internal';
import type { Module } from './module.js';

const reals: ReadonlySet<DType> = new Set<DType>(['float64', 'float32', 'float16', 'bfloat16']);
const floats: ReadonlySet<DType> = new Set<DType>([...reals, 'complex64', 'complex128']);

const tensorsOf = (module: Module): Tensor[] => [...module.parameters(), ...module.buffers()];

/** See `Module.to`. */
export function convertAll(module: Module, target: DType | (string & {})): void {
  if (isDevice(target)) {
    for (const t of tensorsOf(module)) convert(t, target);
    return;
  }
  const dtype = target as DType;
  if (!floats.has(dtype))
    throw new DTypeError(
      'to',
      `${module.constructor.name} can be ${[...floats].join(', ')}, got ${show(dtype)}: parameters have gradients`,
    );
  // Complex ones would lose their imaginary parts.
  const fits = dtype.startsWith('c') ? floats : reals;
  for (const t of tensorsOf(module)) if (fits.has(t.dtype)) convert(t, dtype);
}

/** See `Module.toAsync`. */
export async function moveAll(module: Module, device: string): Promise<void> {
  backendFor('toAsync', device);
  const tensors = tensorsOf(module);
  const copies = await Promise.all(tensors.map((t) => t.toAsync(device)));
  const gradients = await Promise.all(tensors.map((t) => t.grad?.toAsync(device) ?? null));
  tensors.forEach((t, i) => {
    if (t.device !== device) replaceStorage(t, copies[i]!, gradients[i]!);
  });
}

/** Converts a tensor and its gradient; the tensor stays the same object. */
function convert(t: Tensor, target: string): void {
  if (t.dtype === target || t.device === target) return;
  const [values, grad] = noGrad.run(() => [t.detach().to(target), t.grad?.to(target) ?? null]);
  replaceStorage(t, values!, grad!);
}

/** Gives `t` the storage and shape of another tensor. Optimizers and modules that hold `t` see the change. */
export function replaceStorage(
  t: Tensor,
  { storage, dtype, shape, numel, strides, isContiguous }: Tensor,
  grad: Tensor | null,
): void {
  // Graphs that saved the old values must fail, and not use the new ones.
  storage.version = t.storage.version + 1;
  Object.assign(t, { storage, dtype, shape, numel, strides, isContiguous, offset: 0 });
  if (t.grad !== null) t.grad = grad;
}
