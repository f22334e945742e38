import { callSite } from './diagnostics.js';
import type { Step } from './steps.js';

/** The value of a mode made by `defineMode`, and who set it. */
export interface Setting {
  readonly value: unknown;
  readonly gate: string;
  readonly member: string | null;
  readonly opener: string | null;
}

/** Modes that have been set, by name. Frames share one map until a gate sets something. */
export type Settings = ReadonlyMap<string, Setting>;

/**
 * An entry of the mode stack. The flow carries the frame of its innermost gate, on which scopes are opened. Each
 * guarded call makes a frame, at a cost that grows with the number of fields.
 */
export class Frame {
  /** The innermost `using` scope that is open on this frame; for a scope, the one around it. */
  scope: Frame | null = null;
  /** Where it was opened; in development mode only. */
  opener: string | null;
  /**
   * How the frame ended: its call has returned, and only what the call started still runs in it; or another frame
   * replaced it; or, for a scope, it was closed, or swept because nobody closed it. A scope that a generator holds over
   * a yield is left until the next step.
   */
  ended: 'left' | 'replaced' | 'closed' | 'swept' | null = null;
  /** The step of a guarded generator that runs in it; the body may keep scopes open across a yield. */
  step: Step | null = null;

  constructor(
    /** The name of what pushed it: a gate, `bound`, `backward`, or `root`. */
    readonly kind: string,
    /** Whether gradients are recorded. */
    public enabled: boolean,
    /** Whether it is `inferenceMode`. */
    readonly inference: boolean,
    /** The values of other modes, where there are any. */
    public settings: Settings | null,
    /** The frame that it is shown inside of. */
    public parent: Frame | null,
    /** The guarded method, `Net.evaluate`, where there is one. */
    readonly member: string | null = null,
  ) {
    this.opener = callSite();
  }
}

/** The same entry as another frame: writes to the copy are not seen by those who have the original. */
export function copyOf(frame: Frame): Frame {
  const { kind, enabled, inference, settings, parent, member, opener, step } = frame;
  const copy = new Frame(kind, enabled, inference, settings, parent, member);
  copy.opener = opener;
  copy.step = step;
  // A copy is not left by anybody: it replaces a frame that is left.
  copy.ended = 'left';
  return copy;
}

/** Timers that each pass a new gate would make an endless chain: beyond this length, returned calls are dropped. */
const longest = 32;

/**
 * The frame that a new one is shown inside of: `frame`, or if the chain is too long the nearest whose call still runs.
 */
export function shownParent(frame: Frame): Frame {
  // There are no more running ones than calls on the stack.
  return frame.ended === null ? frame : shorten(frame);
}

function shorten(frame: Frame): Frame {
  let length = 0;
  for (let f: Frame | null = frame; f !== null; f = f.parent) if (++length === longest) return runningIn(frame);
  return frame;
}

function runningIn(frame: Frame): Frame {
  let running = frame;
  while (running.parent !== null && running.ended !== null) running = running.parent;
  return running;
}

/** A use of modes that would leave a wrong mode behind, or guard only half of something. */
export class GradModeError extends Error {
  /** The name of the class. */
  override name = 'GradModeError';
}
