import { DeviceError } from '@gradgate/core';

/** What there is no program for. */
export function refuse(op: string): never {
  throw new DeviceError(op, "is not there on webgpu yet; move its tensors to the host, as in await t.toAsync('cpu')");
}
