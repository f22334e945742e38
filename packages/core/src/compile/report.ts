import type { Break } from './recorder.js';

/** What the kernels of a record do. */
export interface PlanReport {
  /** How often each kernel is called. */
  readonly kernels: Readonly<Record<string, number>>;
  /** What each replay runs as it is: steps of optimizers, clipping. */
  readonly actions: number;
  /** Chains of elementwise functions that run as one, by the names of their functions. */
  readonly fused: readonly (readonly string[])[];
  /** Bytes of memory for what is computed, and bytes without sharing. */
  readonly bytes: number;
  /** Bytes without sharing. */
  readonly unshared: number;
}

/** One record, in `explain()`. */
export interface RecordReport extends PlanReport {
  /** What calls it is for. */
  readonly signature: string;
  /** How many calls were replayed. */
  readonly replays: number;
}

/** What `explain()` of a compiled function returns. */
export interface CompileReport {
  /** How often the function was called. */
  readonly calls: number;
  /** How many calls were replayed. */
  readonly replays: number;
  /** What was recorded. */
  readonly records: readonly RecordReport[];
  /** Why calls ran as they are, where, and how many. */
  readonly breaks: readonly (Break & { readonly calls: number })[];
  /** Why a call was recorded although there was a record of its signature. */
  readonly again: readonly string[];
}

/** The members of a compiled function. */
export interface Compiled {
  /** What has been recorded and replayed, and what has not, with the reason. */
  explain(): CompileReport;
  /** Drops all records. Call it after a change that no signature can hold. */
  reset(): void;
}
