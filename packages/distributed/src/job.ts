import type { DType } from '@gradgate/core';
import type { Op } from './library.js';
import type { Numbers } from './mpi.js';

/** Cells of the memory that both threads share: the number of jobs posted, and of jobs done. */
export const posted = 0;
export const done = 1;
/** 1 while the MPI thread is inside a blocking call, where it cannot be interrupted. */
export const busy = 2;
/** The exit code with which all ranks should be ended; otherwise 0. */
export const abort = 3;
/** 1 while the main thread waits for the MPI thread. */
export const idle = 4;
export const cells = 5;

/** Stops this thread for a time in milliseconds. */
export const sleep = (milliseconds: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/** The dtypes, at the indices that ranks send each other. */
export const dtypeNames: readonly DType[] = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
];

/** A job for the thread that calls MPI. Arrays are in shared memory; results are written there. */
export type Job = {
  readonly group: number;
  /** A text that must be the same in all ranks of the group; null for calls of single ranks. */
  readonly description: string | null;
} & (
  | { readonly op: 'allReduce'; readonly data: Numbers; readonly by: Op }
  | { readonly op: 'broadcast'; readonly data: Numbers; readonly root: number }
  | { readonly op: 'allGather'; readonly from: Numbers; readonly to: Numbers }
  | { readonly op: 'gather'; readonly from: Numbers; readonly to: Numbers | null; readonly root: number }
  | { readonly op: 'scatter'; readonly from: Numbers | null; readonly to: Numbers; readonly root: number }
  | { readonly op: 'reduceScatter'; readonly from: Numbers; readonly to: Numbers; readonly by: Op }
  | { readonly op: 'barrier' }
  | { readonly op: 'send'; readonly data: Numbers; readonly dtype: number; readonly to: number; readonly tag: number }
  | {
      readonly op: 'recv';
      readonly data: Numbers;
      readonly dtype: number;
      readonly from: number | null;
      readonly tag: number;
    }
  | { readonly op: 'newGroup'; readonly id: number; readonly ranks: readonly number[] }
  | { readonly op: 'destroy' }
);

/** The outcome of a job. */
export interface Outcome {
  readonly id: number;
  readonly error: string | null;
  /** The rank that sent, for `recv`. */
  readonly source?: number;
}

/** The message of the thread after it has joined the other ranks. */
export interface Joined {
  readonly error: string | null;
  readonly rank: number;
  readonly size: number;
  readonly library: string;
}

export interface WorkerData {
  readonly flags: Int32Array;
  readonly jobs: import('node:worker_threads').MessagePort;
  readonly outcomes: import('node:worker_threads').MessagePort;
}
