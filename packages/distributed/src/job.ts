import type { DType } from '@gradgate/core';
import type { Op } from './library.js';
import type { Numbers } from './mpi.js';

/** Cells of the memory that both threads watch. */
export const posted = 0;
export const done = 1;
/** 1 while the other thread is inside MPI, where nobody can interrupt it. */
export const busy = 2;
/** The exit code with which all ranks are to be ended; 0 while they are not. */
export const abort = 3;
/** 1 while the main thread waits for the other one. */
export const idle = 4;
export const cells = 5;

/** The dtypes by the numbers that ranks send each other. */
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

/** What the thread that calls MPI is asked to do. Arrays are on shared memory; results are written there. */
export type Job = {
  readonly group: number;
  /** What all ranks of the group must agree on; null where one rank calls alone. */
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

/** What came of a job. */
export interface Outcome {
  readonly id: number;
  readonly error: string | null;
  /** For `recv` the rank that sent. */
  readonly source?: number;
}

/** What the thread tells once it has joined the other ranks. */
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
