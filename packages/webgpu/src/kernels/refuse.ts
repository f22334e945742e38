import { DeviceError } from '@gradgate/core';

/** Throws for a kernel that is not written yet. */
export function refuse(op: string): never {
  throw new DeviceError(
    op,
    "is not available on webgpu yet; move its tensors to the CPU, as in await t.toAsync('cpu')",
  );
}
