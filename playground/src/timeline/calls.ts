import { gradModeStack, isGradEnabled } from '@gradgate/core';

export const methods = ['trainStep', 'forward', 'features', 'surface', 'slope', 'classify', 'score'] as const;
export type Method = (typeof methods)[number];

export interface Call {
  /** Counted from 1. */
  readonly number: number;
  readonly method: Method;
  /** Whether gradients were on inside the method. */
  readonly on: boolean;
  /** The gates in force, innermost first: `noGrad on features`. */
  readonly gates: readonly string[];
}

/** How many of the last calls are kept. */
export const kept = 96;

let recent: Call[] = [];
let count = 0;

/** A method says that it runs: called inside it, so this reads the mode that holds there. */
export function note(method: Method): void {
  const gates = gradModeStack().map(({ kind, member }) => (member ? `${kind} on ${member}` : kind));
  recent.push({ number: ++count, method, on: isGradEnabled(), gates });
  if (recent.length > kept) recent.shift();
}

export const recentCalls = (): readonly Call[] => recent;

export function forgetCalls(): void {
  recent = [];
  count = 0;
}
