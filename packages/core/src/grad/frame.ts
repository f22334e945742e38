import { place } from './diagnostics.js';

/** What pushed a frame: a gate, `gradMode`, a bound function, or the program's start. */
export type FrameKind = 'root' | 'noGrad' | 'enableGrad' | 'inferenceMode' | 'gradMode' | 'bound' | 'backward';

/** One entry of the grad-mode stack. */
export class Frame {
  /** The innermost `using` scope that is open on this frame. */
  scope: Frame | null = null;
  /** Where it was opened; in development mode only. */
  opener: string | null;
  /** For a scope: the frame it is open on, and how it ended. */
  host: Frame | null = null;
  ended: 'closed' | 'swept' | null = null;
  /** Its call has returned; only what that call started still runs in it. */
  left = false;
  /** Scopes on this frame may stay open across a yield: only the generator's own steps see it. */
  ownedByGenerator = false;

  constructor(
    readonly kind: FrameKind,
    /** Rewritten by `setGradEnabled`. */
    public enabled: boolean,
    readonly inference: boolean,
    readonly parent: Frame | null,
    /** The guarded method, `Net.evaluate`, where there is one. */
    readonly member: string | null = null,
  ) {
    this.opener = place();
  }
}

/** A use of grad modes that would leave a wrong mode behind, or half cover what it guards. */
export class GradModeError extends Error {
  override name = 'GradModeError';
}
