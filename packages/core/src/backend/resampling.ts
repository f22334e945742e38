/** Which two of `n` values each of `m` is made of, and how much of the second one: with a weight of 0 it is not read. */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Float64Array;
}
