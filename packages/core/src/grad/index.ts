/**
 * Modes: a stack of frames (`frame.ts`) that follows the flow of control (`flow.ts`); guarded functions (`guard.ts`)
 * and the lazy parts of their results (`cover.ts`, `steps.ts`); gates as decorators, functions and scopes (`gate.ts`,
 * `condition.ts`, `decorate.ts`, `scope.ts`); modes of users (`mode.ts`); reports (`policies.ts`, `diagnostics.ts`,
 * `yields.ts`). Imports nothing from the rest of core.
 */
import { endOfFolder } from './diagnostics.js';
import { currentFrame } from './flow.js';
import type { Frame } from './frame.js';
import { combineGates, makeGate, makeModeGate } from './gate.js';
import { type Effect, valuesOf } from './guard.js';
import { evalMode } from './training.js';
import './yields.js';

export type { Condition } from './condition.js';
export type { ConditionalDecorator, GateDecorator } from './decorate.js';
export { describeFrame, type Reporter, setDevelopmentMode, setReporter } from './diagnostics.js';
export type { Ending } from './ending.js';
export {
  currentFrame,
  followsAsync,
  type GradModeObserver,
  isGradEnabled,
  isInferenceMode,
  type ObservedCall,
  observeGradModes,
  setGradEnabled,
} from './flow.js';
export { type Frame, GradModeError } from './frame.js';
export {
  type ConditionalGate,
  combineGates,
  type DecoratorGate,
  type Gate,
  type GateFactory,
  type Guards,
  type ModeGate,
} from './gate.js';
export { bindGradMode } from './guard.js';
export { defineMode, type GateCall, type Mode } from './mode.js';
export { original } from './original.js';
export { type GradPolicy, gradPolicies } from './policies.js';
export type { Scope } from './scope.js';
export { evalMode, isTraining, trainMode } from './training.js';

const on: Effect = { enabled: true, inference: false, set: null, ending: null };
const off: Effect = { enabled: false, inference: false, set: null, ending: null };

/**
 * Switches recording off.
 *
 * ```ts
 * const w = tensor([1], { requiresGrad: true });
 * noGrad.run(() => w.mul(2).requiresGrad); // false
 * class Model {
 *   @noGrad(() => true) score() {
 *     return w.mul(2);
 *   }
 * }
 * new Model().score().requiresGrad; // false
 * ```
 */
export const noGrad = makeGate('noGrad', off);

/**
 * Switches recording on, also inside `noGrad`.
 *
 * ```ts
 * noGrad.run(() => enableGrad.run(() => isGradEnabled())); // true
 * ```
 */
export const enableGrad = makeGate('enableGrad', on);

/**
 * Switches recording off for good: results can take part in a graph later only as clones.
 *
 * ```ts
 * inferenceMode.run(() => isInferenceMode()); // true
 * ```
 */
export const inferenceMode = makeGate('inferenceMode', { ...off, inference: true });

/**
 * A gate whose mode is computed: on if the flag or the condition is true, off if it is false.
 *
 * ```ts
 * gradMode(false).run(() => isGradEnabled()); // false
 * ```
 */
export const gradMode = makeModeGate('gradMode', on, off);

/**
 * No gradients, and layers behave as in evaluation: for methods that serve or measure.
 *
 * ```ts
 * evaluating.run(() => [isGradEnabled(), isTraining(true)]); // [false, false]
 * ```
 */
export const evaluating = combineGates('evaluating', noGrad, evalMode);

/** One entry of `gradModeStack()`. */
export interface StackEntry {
  /** The name of the gate, or of what else set the mode. */
  readonly kind: string;
  /** Whether gradients are recorded. */
  readonly enabled: boolean;
  /** Whether it is `inferenceMode`. */
  readonly inference: boolean;
  /** The values of modes made by `defineMode` that are set there, by name. */
  readonly modes: Readonly<Record<string, unknown>>;
  /** The guarded method, where there is one. */
  readonly member: string | null;
  /** Where it was opened; in development mode only. */
  readonly opener: string | null;
  /** 1 for the outermost. */
  readonly depth: number;
}

/**
 * The gates and scopes in force here, innermost first.
 *
 * ```ts
 * noGrad.run(() => gradModeStack().map(({ kind }) => kind)); // ['noGrad']
 * ```
 */
export function gradModeStack(): StackEntry[] {
  const frames: Frame[] = [];
  for (let f: Frame | null = currentFrame(); f !== null && f.kind !== 'root'; f = f.parent) frames.push(f);
  return frames.map(({ kind, enabled, inference, settings, member, opener }, i) => ({
    kind,
    enabled,
    inference,
    modes: valuesOf(settings),
    member,
    opener,
    depth: frames.length - i,
  }));
}

/** A mode as plain data, to be sent to a worker. A worker always starts with gradients on. */
export interface CapturedGradMode {
  /** Whether gradients are recorded. */
  readonly enabled: boolean;
  /** Whether it is `inferenceMode`. */
  readonly inference: boolean;
}

/**
 * The mode in force, as plain data for `postMessage`.
 *
 * ```ts
 * noGrad.run(() => captureGradMode()); // { enabled: false, inference: false }
 * ```
 */
export function captureGradMode(): CapturedGradMode {
  const { enabled, inference } = currentFrame();
  return { enabled, inference };
}

/**
 * Runs `fn` in a mode that `captureGradMode` gave, here or in another thread.
 *
 * ```ts
 * runInGradMode({ enabled: false, inference: false }, () => isGradEnabled()); // false
 * ```
 */
export function runInGradMode<R>(mode: CapturedGradMode, fn: () => R): R {
  if (typeof mode?.enabled !== 'boolean' || typeof mode.inference !== 'boolean')
    throw new TypeError('runInGradMode: expected a mode from captureGradMode()');
  if (mode.inference) return inferenceMode.run(fn);
  return gradMode(mode.enabled).run(fn);
}

endOfFolder(new Error());
