import { place, report } from './diagnostics.js';

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

/** What follows the flow of control from call to continuation: Node's AsyncLocalStorage. */
interface FlowStorage {
  getStore(): Frame | undefined;
  enterWith(frame: Frame | undefined): void;
}

/** All of gradgate's state: one per realm, whichever copies of the package are loaded. */
interface State {
  readonly version: 1;
  /** Made when the first frame is pushed: from then on the engine follows every promise. */
  storage: FlowStorage | null;
  /** The frame of code that no storage has a frame for. Where there is no storage at all, the current frame. */
  host: Frame;
}

const key = Symbol.for('gradgate.grad');

function sharedState(): State {
  const realm = globalThis as unknown as Record<symbol, State | undefined>;
  const found = realm[key];
  if (found === undefined) {
    realm[key] = { version: 1, storage: null, host: new Frame('root', true, false, null) };
    return realm[key];
  }
  if (found.version !== 1)
    throw new Error(
      `two versions of @gradgate/core that cannot share one grad mode are loaded (state ${found.version} and 1); ` +
        'make the package manager install one version, e.g. with "overrides"',
    );
  return found;
}

const state = sharedState();

// A bundler for browsers must not see an import here; and a runtime may have the function without the module.
type Builtins = { getBuiltinModule?(id: string): { AsyncLocalStorage?: new () => FlowStorage } | undefined };
const AsyncLocalStorage = (globalThis as { process?: Builtins }).process?.getBuiltinModule?.(
  'node:async_hooks',
)?.AsyncLocalStorage;

/** Whether modes follow promises and timers here. If not, guarding them throws. */
export const followsAsync = AsyncLocalStorage !== undefined;

/** The frame whose `scope` may be set: that of the innermost gate of this flow. */
function currentHost(): Frame {
  return state.storage === null ? state.host : (state.storage.getStore() ?? state.host);
}

/** The frame in force. */
export function currentFrame(): Frame {
  const host = currentHost();
  return host.scope ?? host;
}

/** The frame in force where the flow carries `flow`. */
export function frameIn(flow: Frame | undefined): Frame {
  const host = flow ?? state.host;
  return host.scope ?? host;
}

/** Whether operations are recorded now. */
export function isGradEnabled(): boolean {
  return currentFrame().enabled;
}

/** Whether results are marked as made for inference only. */
export function isInferenceMode(): boolean {
  return currentFrame().inference;
}

/** The frame that the flow carries: what `leave` needs to put back. Undefined where it carries none. */
export function flowFrame(): Frame | undefined {
  if (state.storage !== null) return state.storage.getStore();
  return followsAsync ? undefined : state.host;
}

/**
 * Makes `frame` the flow's, until `leave` puts back `before`, in the same turn and in a `finally`: so nobody else ever
 * runs in it, and what is started in between (promises, timers) stays in it. This is what `AsyncLocalStorage.run` does,
 * without its closure and without stack frames of its own.
 */
export function enter(frame: Frame): void {
  if (state.storage !== null) state.storage.enterWith(frame);
  else if (AsyncLocalStorage === undefined) state.host = frame;
  else {
    state.storage = new AsyncLocalStorage();
    state.storage.enterWith(frame);
  }
}

export function leave(frame: Frame, before: Frame | undefined): void {
  if (state.storage !== null) state.storage.enterWith(before);
  else state.host = before!;
  frame.left = true;
  if (frame.scope !== null) endScopes(frame);
}

/** Calls `fn` in `frame`. */
export function callIn<R>(frame: Frame, fn: (...args: any[]) => R, self: unknown, args: readonly unknown[]): R {
  const before = flowFrame();
  enter(frame);
  try {
    return Reflect.apply(fn, self, args);
  } finally {
    leave(frame, before);
  }
}

/** Scopes that the guarded code left open end with it. */
function endScopes(frame: Frame): void {
  if (frame.ownedByGenerator) return;
  for (let scope: Frame | null = frame.scope; scope !== null && scope !== frame; scope = scope.parent) sweep(scope);
}

/**
 * Calls `fn`, which is synchronous, with recording on or off, for the engine's own use: as `callIn`, but cheaper,
 * and what `fn` starts does not stay in the mode.
 */
export function runInMode<R>(kind: FrameKind, enabled: boolean, fn: () => R): R {
  const host = currentHost();
  const before = host.scope;
  host.scope = new Frame(kind, enabled, false, before ?? host);
  try {
    return fn();
  } finally {
    host.scope = before;
  }
}

/** Sets whether operations are recorded, for the rest of the innermost gate or scope; returns what was. */
export function setGradEnabled(enabled: boolean): boolean {
  if (typeof enabled !== 'boolean')
    throw new TypeError(`setGradEnabled: expected true or false, got ${typeof enabled} ${String(enabled)}`);
  const frame = currentFrame();
  if (enabled && frame.inference)
    throw new GradModeError('setGradEnabled(true): inferenceMode is in force, and nothing can be recorded in it');
  const before = frame.enabled;
  frame.enabled = enabled;
  if (frame.kind === 'root') {
    frame.opener = place();
    checkAfterTurn(frame);
  }
  return before;
}

/** A use of grad modes that would leave a wrong mode behind, or half cover what it guards. */
export class GradModeError extends Error {
  override name = 'GradModeError';
}

/** In development mode, reports a default mode that is off when the macrotask is over. */
function checkAfterTurn(root: Frame): void {
  if (root.enabled || root.opener === null) return;
  const timer: unknown = setTimeout(() => {
    if (!root.enabled)
      report(
        `a macrotask ended with gradients off, which were switched off by setGradEnabled(false) at ${root.opener}`,
      );
  }, 0);
  (timer as { unref?(): void }).unref?.();
}

/** A mode held open by `using`, until the block ends. */
export interface Scope {
  [Symbol.dispose](): void;
}

/** Scopes that the end of the turn would find open, innermost last. */
const open: Frame[] = [];
let sweepDue = false;

/** Opens a scope on the current frame. It is for synchronous code: one that outlives its turn is closed and reported. */
export function openScope(frame: Frame): Scope {
  const host = currentHost();
  host.scope = frame;
  frame.host = host;
  if (!host.ownedByGenerator) {
    open.push(frame);
    if (!sweepDue) {
      sweepDue = true;
      Promise.resolve().then(sweepAll);
    }
  }
  return new OpenScope(frame);
}

class OpenScope implements Scope {
  constructor(private readonly frame: Frame) {}
  [Symbol.dispose](): void {
    closeScope(this.frame);
  }
}

/** Takes the scope out of its frame's chain, wherever it stands there. */
function unlink(frame: Frame): void {
  const host = frame.host!;
  if (open.at(-1) === frame) open.pop();
  else if (open.includes(frame)) open.splice(open.indexOf(frame), 1);
  if (host.scope === frame) host.scope = frame.parent === host ? null : frame.parent;
  else
    for (let scope = host.scope; scope !== null && scope !== host; scope = scope.parent)
      if (scope.parent === frame) (scope as { parent: Frame | null }).parent = frame.parent;
}

const opened = (frame: Frame): string =>
  frame.opener === null ? '; setDevelopmentMode(true) or GRADGATE_DEV=1 tells where' : `, opened at ${frame.opener}`;

function closeScope(frame: Frame): void {
  const before = frame.ended;
  if (before === 'closed') throw new GradModeError(`this ${frame.kind} scope is closed already${opened(frame)}`);
  frame.ended = 'closed';
  if (before === 'swept')
    throw new GradModeError(
      `this ${frame.kind} scope was held across an await or beyond its gate${opened(frame)}; it covered nothing there. ` +
        `Scopes are for synchronous code: use ${frame.kind}.run(async () => ...) or a decorator`,
    );
  const host = frame.host!;
  const innermost = host.scope === frame;
  unlink(frame);
  if (!innermost)
    throw new GradModeError(
      `this ${frame.kind} scope was closed before one that was opened inside it${opened(frame)}; close scopes in reverse order, as \`using\` does`,
    );
}

function sweep(frame: Frame): void {
  if (frame.ended !== null) return;
  frame.ended = 'swept';
  unlink(frame);
  report(
    `a ${frame.kind} scope was left open, or held across an await, and has been closed${opened(frame)}; ` +
      `write \`using _ = ${frame.kind}.enter()\` in synchronous code, and ${frame.kind}.run(...) elsewhere`,
  );
}

/** Runs when the turn is over: synchronous code has closed its scopes by then. */
function sweepAll(): void {
  sweepDue = false;
  for (const frame of [...open].reverse()) sweep(frame);
}
