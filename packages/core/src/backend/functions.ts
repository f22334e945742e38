import type { TypedArray } from '../memory/dtype.js';

// Elementwise functions, each defined once, for one element. The host computes these definitions; faster kernels are
// found by name and have to give the same.

/** Numbers that a function takes beside its operands, such as limits and slopes. */
export type Parameters = readonly number[];

export const noParameters: Parameters = [];

/**
 * `count` results from the start of `out`; the operand starts at `offset`, without gaps. `first` and `second` are
 * parameters.
 */
export type UnaryLoop = (
  out: TypedArray,
  count: number,
  x: TypedArray,
  offset: number,
  first: number,
  second: number,
) => void;

/** `count` results from position `start` of `out`; operands start at their offsets and go on by their strides. */
export type BinaryLoop = (
  out: TypedArray,
  start: number,
  count: number,
  a: TypedArray,
  aOffset: number,
  aStride: number,
  b: TypedArray,
  bOffset: number,
  bStride: number,
  first: number,
  second: number,
) => void;

/** An elementwise function of one operand and up to two parameters. */
export interface UnaryFunction {
  /** Names the kernel, where a backend has one: no two functions share a name. */
  readonly name: string;
  /** The value, in float64. */
  readonly forward: (x: number, first: number, second: number) => number;
  /** The value for integers of up to 32 bits, where that in float64 is not exact. */
  readonly integer: ((x: number, first: number, second: number) => number) | undefined;
  /** The value for int64. */
  readonly exact: ((x: bigint, first: number, second: number) => bigint) | undefined;
  /** A loop for this function alone: it is used so often that V8 should compile one for it. */
  readonly loop: UnaryLoop | undefined;
}

/** An elementwise function of two operands and up to two parameters. */
export interface BinaryFunction {
  /** The name of the function. */
  readonly name: string;
  readonly forward: (a: number, b: number, first: number, second: number) => number;
  /** The same for int32, where it differs. */
  readonly integer: ((a: number, b: number, first: number, second: number) => number) | undefined;
  /** The value for int64; true or false from a comparison. */
  readonly exact: ((a: bigint, b: bigint, first: number, second: number) => bigint | boolean) | undefined;
  /** The loop over arrays, where there is a faster one. */
  readonly loop: BinaryLoop | undefined;
}
