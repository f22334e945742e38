/**
 * For each of `m` results, the two of `n` values that it mixes, and the weight of the second one; with weight 0 that is
 * not read.
 */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Float64Array;
}
