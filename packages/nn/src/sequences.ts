import { cat, full, ShapeError, Tensor, tensor } from '@gradgate/core';
import { brand, check, checkOptions, checkTensors, is, named, show, thisCopy } from '@gradgate/core/internal';
import { shapeText } from './shapeText.js';

// Sequences of different lengths together: padded to the longest, or packed step by step without padding.

/**
 * Sequences packed step by step: the result of `packSequence`, which recurrent layers take and return.
 *
 * ```ts
 * packSequence([tensor([1, 2, 3]), tensor([4, 5])]).batchSizes; // [2, 2, 1]
 * ```
 */
export class PackedSequence {
  constructor(
    /** The elements of all first steps, then of all second ones: `[total, ...]`. */
    readonly data: Tensor,
    /** How many sequences have a first step, a second one, and so on. */
    readonly batchSizes: readonly number[],
    /** The indices of the given sequences from the longest to the shortest; null if they were given in that order. */
    readonly sortedIndices: readonly number[] | null = null,
  ) {
    checkTensors('PackedSequence', data);
    check('PackedSequence', 'batchSizes', batchSizes, is.arrayOf(is.count));
    const [count = 0] = batchSizes;
    if (batchSizes.some((n, t) => t > 0 && n > batchSizes[t - 1]!) || sum(batchSizes) !== data.shape[0])
      throw new ShapeError(
        'PackedSequence',
        `batchSizes never rise and add up to the ${data.shape[0]} rows of the data, got ${show(batchSizes)}`,
      );
    if (sortedIndices === null) return;
    check('PackedSequence', 'sortedIndices', sortedIndices, is.arrayOf(is.size));
    if (
      sortedIndices.length !== count ||
      new Set(sortedIndices).size !== count ||
      sortedIndices.some((i) => i >= count)
    )
      throw new ShapeError(
        'PackedSequence',
        `sortedIndices must be the numbers below ${count} in some order, got ${show(sortedIndices)}`,
      );
  }

  /** For each given sequence its index in `sortedIndices`; null if they were given in that order. */
  get unsortedIndices(): readonly number[] | null {
    return this.sortedIndices && inverse(this.sortedIndices);
  }

  /** The same sequences with other data, a row for each of this one's. */
  with(data: Tensor): PackedSequence {
    return new PackedSequence(data, this.batchSizes, this.sortedIndices);
  }

  /** @internal */
  get [brand](): object {
    return thisCopy;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function inverse(order: readonly number[]): number[] {
  const all: number[] = new Array(order.length);
  order.forEach((from, to) => {
    all[from] = to;
  });
  return all;
}

const batchFirst = is.boolean;
const padOptions = { batchFirst, paddingValue: is.number };
const unpadOptions = { batchFirst };
const packOptions = { enforceSorted: is.boolean };
const packPaddedOptions = { ...packOptions, batchFirst };
const padPackedOptions = { ...padOptions, totalLength: is.nullable(is.count) };

/** Checks tensors of at least one dimension whose shapes differ in the first one only. */
/** A copy of an array of sequences: what was given may change when it is read again. */
function checkSequences(op: string, given: readonly Tensor[]): readonly Tensor[] {
  const sequences = Array.isArray(given) ? [...given] : given;
  check(op, 'the sequences', sequences, is.arrayOf(is.tensor));
  const [first] = sequences;
  if (first === undefined) throw new ShapeError(op, 'there are no sequences');
  for (const t of sequences)
    if (t.ndim === 0 || t.shape.slice(1).join() !== first.shape.slice(1).join())
      throw new ShapeError(
        op,
        `sequences must be [length, ...] and differ in their lengths alone, got ${shapeText(first)} and ${shapeText(t)}`,
      );
  return sequences;
}

/** Lengths as numbers, of which each is from 1 to `most`. */
function lengthsOf(op: string, lengths: readonly number[] | Tensor, count: number, most: number): readonly number[] {
  const all: unknown = Tensor.is(lengths) ? lengths.toArray() : lengths;
  if (!Array.isArray(all) || all.length !== count || !all.every((n) => is.count.is(n) && n <= most))
    throw new ShapeError(op, `takes a length from 1 to ${most} for each of ${count} sequences, got ${show(all)}`);
  return all as number[];
}

/**
 * Sequences `[length, ...]` padded to the longest: `[L, N, ...]`, or `[N, L, ...]` with `batchFirst`. Options:
 * `batchFirst` false, `paddingValue` 0.
 *
 * ```ts
 * padSequence([tensor([1, 2, 3]), tensor([4])], { batchFirst: true }); // [[1, 2, 3], [4, 0, 0]]
 * ```
 */
export const padSequence = /* @__PURE__ */ named(
  'padSequence',
  (given: readonly Tensor[], options?: { batchFirst?: boolean; paddingValue?: number }): Tensor => {
    const { batchFirst = false, paddingValue = 0 } = checkOptions('padSequence', options, padOptions);
    const sequences = checkSequences('padSequence', given);
    const longest = sequences.reduce((most, t) => Math.max(most, t.shape[0]!), 0);
    const rest = sequences[0]!.shape.slice(1);
    // Views of one number: only the result takes memory, and is refused first where it is too large.
    const paddingOf = ({ shape: [n], dtype, device }: Tensor) =>
      full([], paddingValue, { dtype, device }).expand([longest - n!, ...rest]);
    const rows = cat(sequences.flatMap((t) => [t, paddingOf(t)]));
    const padded = rows.reshape(sequences.length, longest, ...rest);
    return batchFirst ? padded : padded.transpose(0, 1).contiguous();
  },
);

/**
 * The sequences that `padSequence` took, given its result and their lengths: views `[length, ...]`.
 *
 * ```ts
 * const padded = padSequence([tensor([1, 2, 3]), tensor([4])]);
 * unpadSequence(padded, [3, 1]); // [[1, 2, 3], [4]]
 * ```
 */
export const unpadSequence = /* @__PURE__ */ named(
  'unpadSequence',
  (padded: Tensor, lengths: readonly number[] | Tensor, options?: { batchFirst?: boolean }): Tensor[] => {
    const { batchFirst = false } = checkOptions('unpadSequence', options, unpadOptions);
    const [l, n] = sizesOf('unpadSequence', padded, batchFirst);
    const all = lengthsOf('unpadSequence', lengths, n, l);
    return all.map((length, i) => padded.select(batchFirst ? 0 : 1, i).narrow(0, 0, length));
  },
);

function sizesOf(op: string, padded: Tensor, batchFirst: boolean): [length: number, count: number] {
  checkTensors(op, padded);
  const [first, second] = padded.shape as [number, number];
  if (padded.ndim < 2 || first === 0 || second === 0)
    throw new ShapeError(op, `takes ${batchFirst ? '[N, L, ...]' : '[L, N, ...]'}, got ${shapeText(padded)}`);
  return batchFirst ? [second, first] : [first, second];
}

/**
 * Packs rows of sequences of these lengths, the longest first: `rowOf` gives the row of step `t` of sequence `i`.
 */
function packed(
  op: string,
  rows: Tensor,
  lengths: readonly number[],
  enforceSorted: boolean,
  rowOf: (t: number, i: number) => number,
): PackedSequence {
  const isSorted = lengths.every((n, i) => i === 0 || n <= lengths[i - 1]!);
  if (enforceSorted && !isSorted)
    throw new ShapeError(
      op,
      `lengths ${show(lengths)} do not fall; sort the sequences, or pass { enforceSorted: false }`,
    );
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]!);
  const batchSizes: number[] = [];
  const indices: number[] = [];
  for (let t = 0; t < lengths[order[0]!]!; t++) {
    const goingOn = order.filter((i) => lengths[i]! > t);
    batchSizes.push(goingOn.length);
    for (const i of goingOn) indices.push(rowOf(t, i));
  }
  const index = tensor(Int32Array.from(indices), { device: rows.device });
  return new PackedSequence(rows.indexSelect(0, index), batchSizes, enforceSorted ? null : order);
}

/**
 * Sequences `[length, ...]` packed step by step. They are sorted, the longest first, unless `{ enforceSorted: false }`
 * has it done here: then what recurrent layers give is in the order of `sequences` again.
 *
 * ```ts
 * const packed = packSequence([tensor([1, 2, 3]), tensor([4])]);
 * packed.data; // [1, 4, 2, 3]
 * packed.batchSizes; // [2, 1, 1]
 * ```
 */
export const packSequence = /* @__PURE__ */ named(
  'packSequence',
  (given: readonly Tensor[], options?: { enforceSorted?: boolean }): PackedSequence => {
    const { enforceSorted = true } = checkOptions('packSequence', options, packOptions);
    const sequences = checkSequences('packSequence', given);
    const lengths = sequences.map((t) => t.shape[0]!);
    if (lengths.includes(0)) throw new ShapeError('packSequence', `sequence ${lengths.indexOf(0)} is empty`);
    const starts = [0];
    for (const length of lengths) starts.push(starts.at(-1)! + length);
    return packed('packSequence', cat(sequences), lengths, enforceSorted, (t, i) => starts[i]! + t);
  },
);

/**
 * Padded sequences `[L, N, ...]`, or `[N, L, ...]` with `batchFirst`, packed step by step; `lengths` are numbers, or a
 * tensor of integers, of which the values are read. Options: `batchFirst` false, `enforceSorted` true, as of
 * `packSequence`.
 *
 * ```ts
 * packPaddedSequence(tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], { batchFirst: true }).data; // [1, 4, 2, 3]
 * ```
 */
export const packPaddedSequence = /* @__PURE__ */ named(
  'packPaddedSequence',
  (
    padded: Tensor,
    lengths: readonly number[] | Tensor,
    options?: { batchFirst?: boolean; enforceSorted?: boolean },
  ): PackedSequence => {
    const op = 'packPaddedSequence';
    const { batchFirst = false, enforceSorted = true } = checkOptions(op, options, packPaddedOptions);
    const [l, n] = sizesOf(op, padded, batchFirst);
    const rows = padded.reshape([l * n, ...padded.shape.slice(2)]);
    const rowOf = (t: number, i: number) => (batchFirst ? i * l + t : t * n + i);
    return packed(op, rows, lengthsOf(op, lengths, n, l), enforceSorted, rowOf);
  },
);

const isPacked = { text: 'a PackedSequence', is: (v: unknown) => v instanceof PackedSequence };

/** The length of each sequence of a packed one, in the order in which they were given. */
function lengthsIn({ batchSizes, unsortedIndices }: PackedSequence): number[] {
  const falling = Array.from({ length: batchSizes[0]! }, (_, i) => batchSizes.filter((n) => n > i).length);
  return unsortedIndices ? unsortedIndices.map((i) => falling[i]!) : falling;
}

/**
 * Packed sequences padded, in the order in which they were given: `[L, N, ...]`, or `[N, L, ...]` with `batchFirst`;
 * and their lengths. Options: `batchFirst` false, `paddingValue` 0, `totalLength`, a length at least that of the
 * longest.
 *
 * ```ts
 * const packed = packSequence([tensor([1, 2, 3]), tensor([4])]);
 * const [padded, lengths] = padPackedSequence(packed, { batchFirst: true });
 * padded; // [[1, 2, 3], [4, 0, 0]]
 * lengths; // [3, 1]
 * ```
 */
export const padPackedSequence = /* @__PURE__ */ named(
  'padPackedSequence',
  (
    sequence: PackedSequence,
    options?: { batchFirst?: boolean; paddingValue?: number; totalLength?: number | null },
  ): [padded: Tensor, lengths: number[]] => {
    const op = 'padPackedSequence';
    check(op, 'the sequence', sequence, isPacked);
    const { batchFirst = false, paddingValue = 0, totalLength } = checkOptions(op, options, padPackedOptions);
    const { data, batchSizes, sortedIndices } = sequence;
    const n = batchSizes[0]!;
    const l = totalLength ?? batchSizes.length;
    if (l < batchSizes.length)
      throw new ShapeError(op, `totalLength ${l} is less than the longest sequence, ${batchSizes.length}`);
    const indices = batchSizes.flatMap((size, t) =>
      Array.from({ length: size }, (_, k) => {
        const i = sortedIndices ? sortedIndices[k]! : k;
        return batchFirst ? i * l + t : t * n + i;
      }),
    );
    const features = data.shape.slice(1);
    const rows = full([l * n, ...features], paddingValue, { dtype: data.dtype, device: data.device });
    const filled = rows.indexCopy(0, tensor(Int32Array.from(indices), { device: data.device }), data);
    return [filled.reshape([...(batchFirst ? [n, l] : [l, n]), ...features]), lengthsIn(sequence)];
  },
);

/**
 * The sequences that `packSequence` took: `[length, ...]` each.
 *
 * ```ts
 * unpackSequence(packSequence([tensor([1, 2, 3]), tensor([4])])); // [[1, 2, 3], [4]]
 * ```
 */
export const unpackSequence = /* @__PURE__ */ named('unpackSequence', (sequence: PackedSequence): Tensor[] => {
  check('unpackSequence', 'the sequence', sequence, isPacked);
  const [padded, lengths] = padPackedSequence(sequence, { batchFirst: true });
  return unpadSequence(padded, lengths, { batchFirst: true });
});
