import { checkLength, copyMemory, isInKernelMemory, kernelMemory } from './memory.js';
import type { Kernels } from './module.js';
import { bands } from './threads.js';

// Kernels over long float32 arrays, which are copied in, computed and copied out in pieces: the copies stay in the
// processor's cache, and kernel memory stays small.

/** How many elements make up a piece. */
export const piece = 8192;

/** Integers or doubles as floats of the same bits, which is how they are copied. */
export const asFloats = (x: Int32Array | Float64Array): Float32Array =>
  new Float32Array(x.buffer, x.byteOffset, x.byteLength / 4);

/** An array with so many elements for each row; with 0, all rows read the whole of it. */
export type Rows = readonly [data: Float32Array, width: number];

/** Rows with more elements than this are shared among threads, where they live in kernel memory. */
const manyElements = 2 ** 16;

const isInPlace = ([data]: Rows): boolean => isInKernelMemory(data);
const addressOf = ([{ byteOffset }]: Rows): number => byteOffset;

/**
 * Calls `run` with a number of rows, where the rows of each input and of each result begin, and which row is the first:
 * for as many rows at a time as make up a piece, or for all of them where all arrays live in kernel memory. `run` calls
 * one kernel, or where there are several threads notes the call. A result that is also an input is rewritten.
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
  if (all.every(isInPlace) && !all.some(([, width]) => rows * width >= manyElements)) {
    run(kernelMemory().instance.kernels, rows, all.map(addressOf), 0);
    return;
  }
  const there = all.map(([data]) => isInKernelMemory(data));
  const widest = Math.max(...all.map(([, width]) => width));
  const whole = there.every((inPlace, i) => inPlace || all[i]![1] === 0);
  // Copies take longer where other threads have read what was there before: more than they would save. And what a kernel
  // returns is not to be had from several threads.
  const many = whole && results.length > 0 && rows * widest >= manyElements;
  const pool = many ? kernelMemory().pool : null;
  const threads = pool?.size ?? 1;
  const memory = there.includes(true) ? kernelMemory() : copyMemory();
  const some = whole ? rows : Math.max(1, Math.floor(piece / widest));
  // What is taken for an array that does not live there.
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
        // In sixteens, so that what a kernel of whole vectors writes past its end is not another's.
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
