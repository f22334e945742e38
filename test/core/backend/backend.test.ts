import {
  type Backend,
  backend,
  DeviceError,
  type Kernels,
  overlay,
  refuseRead,
  registerBackend,
  zeros,
} from '@gradgate/core';
import { expect, it } from 'vitest';

const { kernels } = backend('cpu');

it('an overlay takes over the calls that it accepts, and leaves the others to the table below', () => {
  const calls: string[] = [];
  const note = (by: string) => (n: number) => void calls.push(`${by} ${n}`);
  const base = { matmul: note('base'), sum: note('base') };
  const faster = { matmul: { accepts: (n: number) => n === 1, run: note('faster') } };
  const table = overlay(base as never, faster as never) as unknown as typeof base;
  for (const n of [1, 2]) table.matmul(n);
  table.sum(3);
  expect(calls).toEqual(['faster 1', 'base 2', 'base 3']);
  expect(() => overlay(kernels, { no: { accepts: () => true, run: () => {} } } as never)).toThrow(
    'overlay: there is no kernel no',
  );
});

it.each([undefined, null, {}, { accepts: () => true }, { run: () => {} }, 3])(
  'an overlay of %s is refused by the name of its kernel',
  (override) => {
    expect(() => overlay(kernels, { matmul: override } as never)).toThrow(
      'overlay: matmul must have the functions accepts and run',
    );
  },
);

it('a read that is refused always names somebody', () => {
  expect(() => refuseRead(zeros([1]).storage as never, '')).toThrow(/^read: the values of a tensor on cpu/);
});

it('a kernel that a device has not is refused by the name of the function or of the kernel', () => {
  const cpu = backend('cpu');
  const kernels = { fill: cpu.kernels.fill } as Kernels;
  const bare: Backend = { ...cpu, name: 'bare', kernels };
  // Its memory says that it is the CPU's otherwise.
  bare.allocate = (dtype, length, fill) => Object.assign(cpu.allocate(dtype, length, fill), { backend: bare });
  registerBackend(bare);
  const x = zeros([2, 2], { device: 'bare' });
  const refusals: [() => unknown, string][] = [
    [() => x.exp(), "exp: bare has no kernel unary; use x.to('cpu')"],
    [() => x.mul(x), "mul: bare has no kernel binary; use x.to('cpu')"],
    [() => x.matmul(x), "matmul: bare has no kernel matmul; use x.to('cpu')"],
  ];
  for (const [run, message] of refusals) {
    expect(run).toThrow(DeviceError);
    expect(run).toThrow(message);
  }
  // What the package has handed over stays as it is.
  expect(Object.keys(kernels)).toEqual(['fill']);
});
