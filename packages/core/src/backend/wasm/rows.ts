import { checkLength, copyMemory, isInKernelMemory, kernelMemory } from './memory.js';
import type { Kernels } from './module.js';
import { bands } from './threads.js';

// Runs kernels on long float32 arrays in pieces, which are copied in, computed and copied out: the copies stay in the
// processor's cache, and kernel memory stays small.

/** The number of elements of a piece. */
export const piece = 8192;

/** Integers or doubles as floats with the same bits, to be copied as such. */
export const asFloats = (x: Int32Array | Float64Array): Float32Array =>
  new Float32Array(x.buffer, x.byteOffset, x.byteLength / 4);

/** An array and its number of elements per row; with 0, all rows read the whole array. */
export type Rows = readonly [data: Float32Array, width: number];

/** Rows of more elements in all are shared among threads if they live in kernel memory. */
const manyElements = 2 ** 16;

const addressOf = ([{ byteOffset }]: Rows): number => byteOffset;

/**
 * Calls `run` with a number of rows, the addresses of these rows of each input and result, and the index of the first
 * row: for as many rows at a time as a piece holds, or for all rows if all arrays live in kernel memory. `run` calls
 * one kernel; with several threads that call is noted and then shared. A result that is also an input is rewritten.
 */
export function inRows(
  op: string,
  rows: number,
  inputs: readonly Rows[],
  results: readonly Rows[],
  run: (kernels: Kernels, count: number, addresses: number[], first: number) => void,
): void {
  const all = [...inputs, ...results];
  for (const [data, width] of all) checkLength(op, data, rows * width);
  const widest = Math.max(...all.map(([, width]) => width));
  const isLarge = rows * widest >= manyElements;
  const there = all.map(([data]) => isInKernelMemory(data));
  if (!isLarge && !there.includes(false)) {
    run(kernelMemory().instance.kernels, rows, all.map(addressOf), 0);
    return;
  }
  const whole = there.every((inPlace, i) => inPlace || all[i]![1] === 0);
  // With threads, copies take longer where others have read the memory before, more than threads save. And return
  // values cannot be collected from workers.
  const pool = whole && isLarge && results.length > 0 ? kernelMemory().pool : null;
  const threads = pool?.size ?? 1;
  const memory = there.includes(true) ? kernelMemory() : copyMemory();
  const copied = Math.max(...all.map(([, width], i) => (there[i] ? 0 : width)));
  const some = whole ? rows : Math.max(1, Math.floor(piece / copied));
  // The size of the scratch memory for arrays that do not live there.
  const sizes = all.map(([data, width], i) => (there[i] ? 0 : (width === 0 ? data.length : some * width) * 4));
  memory.begin(
    op,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const scratch: number[] = [];
  all.forEach(([data, width], i) => {
    const same = inputs.findIndex(([input]) => input === data);
    scratch.push(there[i] ? 0 : same >= 0 && same < i ? scratch[same]! : memory.take(sizes[i]!));
    if (width === 0 && !there[i]) memory.write(scratch[i]!, data, 0, data.length);
  });
  const addresses = new Array<number>(all.length);
  for (let r = 0; r < rows; r += some) {
    const count = Math.min(some, rows - r);
    all.forEach(([data, width], i) => {
      addresses[i] = there[i] ? data.byteOffset + r * width * 4 : scratch[i]!;
      if (i < inputs.length && width > 0 && !there[i]) memory.write(scratch[i]!, data, r * width, count * width);
    });
    if (threads === 1) run(memory.instance.kernels, count, addresses, r);
    else
      pool!.note((kernels) => {
        // Multiples of 16, because kernels of whole vectors write past the end of their part.
        for (const [first, length] of bands(count, widest === 1 ? 16 : 1, threads)) {
          const at = addresses.map((address, i) => address + first * all[i]![1] * 4);
          run(kernels, length, at, r + first);
        }
      });
    results.forEach(([data, width], j) => {
      const i = inputs.length + j;
      if (!there[i]) memory.get(scratch[i]!, data, r * width, count * width);
    });
  }
}
