import { callSite } from './diagnostics.js';
import type { Step } from './steps.js';

/** What a mode that `defineMode` made was set to, and by whom. */
export interface Setting {
  readonly value: unknown;
  readonly gate: string;
  readonly member: string | null;
  readonly opener: string | null;
}

/** The modes that have been set, by name. Frames share one map until a gate sets something. */
export type Settings = ReadonlyMap<string, Setting>;

/**
 * One entry of the mode stack. Of a flow's innermost gate, it is what the flow carries: the host of scopes.
 * Each guarded call makes one, and its cost grows with the number of fields.
 */
export class Frame {
  /** The innermost `using` scope that is open on this frame; of a scope, the one around it there. */
  scope: Frame | null = null;
  /** Where it was opened; in development mode only. */
  opener: string | null;
  /**
   * How it ended: its call has been left, and only what that call started still runs in it; another frame was put in its
   * place; or, of a scope, it was closed, or swept where nobody did.
   */
  ended: 'left' | 'replaced' | 'closed' | 'swept' | null = null;
  /** The step of a guarded generator that runs in it: its body may hold scopes across a yield. */
  step: Step | null = null;

  constructor(
    /** What pushed it: a gate's name, `bound`, `backward`, or `root`. */
    readonly kind: string,
    public enabled: boolean,
    readonly inference: boolean,
    public settings: Settings | null,
    /** The frame that it is shown inside of. */
    public parent: Frame | null,
    /** The guarded method, `Net.evaluate`, where there is one. */
    readonly member: string | null = null,
  ) {
    this.opener = callSite();
  }
}

/** The same entry of the stack, as another frame: what is written to it, those who have the first one don't see. */
export function copyOf(frame: Frame): Frame {
  const { kind, enabled, inference, settings, parent, member, opener, step } = frame;
  const copy = new Frame(kind, enabled, inference, settings, parent, member);
  copy.opener = opener;
  copy.step = step;
  // Nobody leaves a copy: it takes the place of a frame that is left.
  copy.ended = 'left';
  return copy;
}

/** Timers that each pass a gate anew would make a chain without end: beyond this length, calls that have returned go. */
const longest = 32;

/** The frame to show a new one inside of: `frame`, or the nearest whose call is still running if the chain is too long. */
export function shownParent(frame: Frame): Frame {
  // Those that are running are no more than the calls on the stack.
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

/** A use of modes that would leave a wrong mode behind, or half cover what it guards. */
export class GradModeError extends Error {
  override name = 'GradModeError';
}
