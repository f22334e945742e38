import { copyMemory, isInKernelMemory, kernelMemory } from './memory.js';
import { asFloats, inRows, piece, type Rows } from './rows.js';

// Reductions of rows of float32. Sums are taken in float64.

/** Longer rows are reduced in parts of this length. */
const part = piece / 2;

/**
 * Calls `reduce` with rows of equal length and the targets of their results: with all rows, or, if they are long, with
 * the parts of each row, whose results `join` combines.
 */
function inParts<T extends Float32Array | Float64Array>(
  to: T,
  x: Float32Array,
  rows: number,
  n: number,
  width: number,
  reduce: (to: T, x: Float32Array, rows: number, n: number) => void,
  join: (parts: T, to: T, at: number) => void,
): T {
  if (n <= piece) {
    reduce(to, x, rows, n);
    return to;
  }
  const whole = Math.floor(n / part);
  const rest = n - whole * part;
  const parts = new (to.constructor as new (length: number) => T)((whole + (rest > 0 ? 1 : 0)) * width);
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * n, (r + 1) * n);
    reduce(parts.subarray(0, whole * width) as T, row, whole, part);
    if (rest > 0) reduce(parts.subarray(whole * width) as T, row.subarray(whole * part), 1, rest);
    join(parts, to, r * width);
  }
  return to;
}

const addUp =
  (width: number) =>
  (parts: Float64Array, to: Float64Array, at: number): void => {
    for (let i = 0; i < parts.length; i++) to[at + (i % width)]! += parts[i]!;
  };

/** The sum of each row. */
export const rowSums = (x: Float32Array, rows: number, n: number): Float64Array =>
  inParts(
    new Float64Array(rows),
    x,
    rows,
    n,
    1,
    (to, x, rows, n) =>
      inRows('sum', rows, [[x, n]], [[asFloats(to), 2]], ({ rowSums }, count, [from, result]) => {
        rowSums(result!, from!, count, n);
      }),
    addUp(1),
  );

/** The sum of each row, and that of its squares, one after the other. */
export const rowMoments = (x: Float32Array, rows: number, n: number): Float64Array =>
  inParts(
    new Float64Array(rows * 2),
    x,
    rows,
    n,
    2,
    (to, x, rows, n) =>
      inRows('var', rows, [[x, n]], [[asFloats(to), 4]], ({ rowMoments }, count, [from, result]) => {
        rowMoments(result!, from!, count, n);
      }),
    addUp(2),
  );

/** The sum of `(x - mean)²` of each row. */
export function centeredSquares(x: Float32Array, means: Float64Array, rows: number, n: number): Float64Array {
  const to = new Float64Array(rows);
  const inputs: Rows[] = [
    [x, n],
    [asFloats(means), 2],
  ];
  inRows('var', rows, inputs, [[asFloats(to), 2]], ({ centeredSquares }, count, [from, atMeans, result]) => {
    centeredSquares(result!, from!, atMeans!, count, n);
  });
  return to;
}

/** The mean and the sum of squares around it of each row. */
export function rowVariances(x: Float32Array, rows: number, n: number): { means: Float64Array; squares: Float64Array } {
  const moments = rowMoments(x, rows, n);
  const [means, squares] = [new Float64Array(rows), new Float64Array(rows)];
  for (let r = 0; r < rows; r++) {
    means[r] = moments[r * 2]! / n;
    squares[r] = moments[r * 2 + 1]! - moments[r * 2]! * means[r]!;
    // If the two nearly cancel, or are not finite, computes again around the mean.
    if (!(squares[r]! > 1e-6 * moments[r * 2 + 1]!)) {
      const row = x.subarray(r * n, (r + 1) * n);
      squares[r] = centeredSquares(row, means.subarray(r, r + 1), 1, n)[0]!;
    }
  }
  return { means, squares };
}

/** The sum of each column of `rows` rows. */
export function columnSums(x: Float32Array, rows: number, n: number): Float64Array {
  const sums = new Float64Array(n);
  const height = Math.max(1, Math.min(rows, Math.floor(part / n)));
  const blocks = Math.floor(rows / height);
  const add = (x: Float32Array, blocks: number, height: number): void => {
    const partial = new Float64Array(blocks * n);
    const results: Rows[] = [[asFloats(partial), 2 * n]];
    inRows('sum', blocks, [[x, height * n]], results, ({ columnSums }, count, [from, result]) => {
      columnSums(result!, from!, count, height, n);
    });
    for (let b = 0, i = 0; b < blocks; b++) for (let k = 0; k < n; k++) sums[k]! += partial[i++]!;
  };
  if (blocks > 0) add(x, blocks, height);
  const rest = rows - blocks * height;
  if (rest > 0) add(x.subarray(blocks * height * n), 1, rest);
  return sums;
}

/** Which extremum: flipping the sign bit, the kernel finds the smallest as the largest of the negated elements. */
const flips = { max: 0, min: 0x80000000 } as const;

/** The largest or the smallest element of each row; NaN wins. */
export function rowExtrema(which: 'max' | 'min', to: Float32Array, x: Float32Array, rows: number, n: number): void {
  inParts(
    to,
    x,
    rows,
    n,
    1,
    (to, x, rows, n) =>
      inRows(which, rows, [[x, n]], [[to, 1]], ({ rowExtrema }, count, [from, result]) => {
        rowExtrema(result!, from!, count, n, flips[which]);
      }),
    (parts, to, at) => {
      to[at] = parts.reduce((a, b) => Math[which](a, b));
    },
  );
}

/** The index in each row of the first of those. */
export function rowArgExtrema(which: 'max' | 'min', to: Int32Array, x: Float32Array, rows: number, n: number): void {
  if (n <= piece) {
    inRows(which, rows, [[x, n]], [[asFloats(to), 1]], ({ rowPlaces }, count, [from, result]) => {
      rowPlaces(result!, from!, count, n, flips[which]);
    });
    return;
  }
  const parts = new Float32Array(Math.ceil(n / part));
  const whole = Math.floor(n / part);
  const place = new Int32Array(1);
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * n, (r + 1) * n);
    rowExtrema(which, parts.subarray(0, whole), row, whole, part);
    if (whole < parts.length) rowExtrema(which, parts.subarray(whole), row.subarray(whole * part), 1, n - whole * part);
    let best = 0;
    for (let i = 1; i < parts.length && !Number.isNaN(parts[best]!); i++)
      if (Number.isNaN(parts[i]!) || (which === 'max' ? parts[i]! > parts[best]! : parts[i]! < parts[best]!)) best = i;
    const found = row.subarray(best * part, Math.min(n, (best + 1) * part));
    rowArgExtrema(which, place, found, 1, found.length);
    to[r] = best * part + place[0]!;
  }
}

/**
 * The largest or the smallest element of each of `n` columns of `rows` rows, in each of `blocks` blocks, and its row.
 */
export function columnExtrema(
  which: 'max' | 'min',
  values: Float32Array,
  indices: Int32Array,
  x: Float32Array,
  blocks: number,
  rows: number,
  n: number,
): void {
  const results: Rows[] = [
    [values, n],
    [asFloats(indices), n],
  ];
  inRows(which, blocks, [[x, rows * n]], results, ({ columnExtrema }, count, [from, atValues, atPlaces]) => {
    columnExtrema(atValues!, atPlaces!, from!, count, rows, n, flips[which]);
  });
}

/** The sum of all elements. */
export function total(x: Float32Array): number {
  if (isInKernelMemory(x)) return kernelMemory().instance.kernels.sum(x.byteOffset, x.length);
  const memory = copyMemory();
  memory.begin('sum', piece * 4);
  const { sum } = memory.instance.kernels;
  const at = memory.take(piece * 4);
  let all = 0;
  for (let i = 0; i < x.length; i += piece) {
    const count = Math.min(piece, x.length - i);
    memory.write(at, x, i, count);
    all += sum(at, count);
  }
  return all;
}
