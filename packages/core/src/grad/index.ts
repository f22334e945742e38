/**
 * Grad modes: a stack of frames (`frame.ts`) that follows the flow of control (`flow.ts`), functions that run in one (`guard.ts`),
 * gates as decorators, functions and scopes (`gate.ts`, `decorate.ts`, `scope.ts`), and what they tell (`policies.ts`,
 * `diagnostics.ts`). Imports nothing from the rest of core.
 */
import { endOfFolder } from './diagnostics.js';
import { currentFrame } from './flow.js';
import type { Frame } from './frame.js';
import { makeGate, makeModeGate } from './gate.js';

export type { GateDecorator } from './decorate.js';
export { describeFrame, type Reporter, setDevelopmentMode, setReporter } from './diagnostics.js';
export {
  currentFrame,
  followsAsync,
  type GradModeObserver,
  isGradEnabled,
  isInferenceMode,
  type ObservedCall,
  observeGradModes,
  runInMode,
  setGradEnabled,
} from './flow.js';
export { type Frame, type FrameKind, GradModeError } from './frame.js';
export type { DecoratorGate, Gate, GateFactory, Guards, ModeGate } from './gate.js';
export { bindGradMode, type Condition, original } from './guard.js';
export { type GradPolicy, gradPolicies } from './policies.js';
export type { Scope } from './scope.js';

/** Switches recording off. */
export const noGrad = makeGate('noGrad');

/** Switches recording on, also inside `noGrad`. */
export const enableGrad = makeGate('enableGrad');

/** Switches recording off for good: results can't take part in a graph later, except as clones. */
export const inferenceMode = makeGate('inferenceMode');

/** A gate whose mode is computed: on if the flag or the condition says so, else off. */
export const gradMode = makeModeGate();

/** One entry of `gradModeStack()`. */
export interface StackEntry {
  readonly kind: string;
  readonly enabled: boolean;
  readonly inference: boolean;
  /** The guarded method, where there is one. */
  readonly member: string | null;
  /** Where it was opened; in development mode only. */
  readonly opener: string | null;
  /** 1 for the outermost. */
  readonly depth: number;
}

/** The gates and scopes in force here, innermost first. */
export function gradModeStack(): StackEntry[] {
  const frames: Frame[] = [];
  for (let f: Frame | null = currentFrame(); f !== null && f.kind !== 'root'; f = f.parent) frames.push(f);
  return frames.map(({ kind, enabled, inference, member, opener }, i) => ({
    kind,
    enabled,
    inference,
    member,
    opener,
    depth: frames.length - i,
  }));
}

/** A mode as plain data, to be sent to a worker, which always starts with gradients on. */
export interface CapturedGradMode {
  readonly enabled: boolean;
  readonly inference: boolean;
}

/** The mode in force, as plain data for `postMessage`. */
export function captureGradMode(): CapturedGradMode {
  const { enabled, inference } = currentFrame();
  return { enabled, inference };
}

/** Runs `fn` in a mode that `captureGradMode` gave, here or in another thread. */
export function runInGradMode<R>(mode: CapturedGradMode, fn: () => R): R {
  if (typeof mode?.enabled !== 'boolean' || typeof mode.inference !== 'boolean')
    throw new TypeError('runInGradMode: expected a mode from captureGradMode()');
  if (mode.inference) return inferenceMode.run(fn);
  return gradMode(mode.enabled).run(fn);
}

endOfFolder(new Error());
