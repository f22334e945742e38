import { backend, overlay } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { openLibrary } from './library.js';
import { productsBy } from './product.js';

const library = openLibrary();
const cpu = backend('cpu');
if (library) cpu.kernels = overlay(cpu.kernels, { matmul: productsBy(library, cpu) });

/** Whether matrix products are computed by OpenBLAS. If not, a line on the console has said why. */
export const isOpenblasLoaded = (): boolean => library !== null;

/**
 * Sets the number of threads of OpenBLAS in this process, including its workers; by default it is that in
 * `OPENBLAS_NUM_THREADS`, or every core. Without OpenBLAS it does nothing. Throws a RangeError unless `n` is a
 * positive integer.
 */
export function setOpenblasThreads(n: number): void {
  if (!Number.isInteger(n) || n < 1 || n > 2 ** 31 - 1)
    throw new RangeError(`setOpenblasThreads: expected a positive integer, got ${show(n)}`);
  library?.setThreads(n);
}
