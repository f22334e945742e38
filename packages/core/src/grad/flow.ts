import { callSite, checkCallback, report } from './diagnostics.js';
import { copyOf, Frame, GradModeError, type Settings } from './frame.js';
import { endScopes } from './scope.js';

/** What the engine carries from a call to its continuations. Our frame is one property of it. */
export interface Slot {
  [key: symbol]: Frame | undefined;
}

/** All state of gradgate: one for each realm, shared by all copies of the package that are loaded. */
interface State {
  readonly version: 2;
  /** The frame of code whose slot has none. */
  readonly root: Frame;
  /**
   * Returns the slot of the running code. Created when the first frame is pushed, since it makes the engine follow
   * promises.
   */
  slot: (() => Slot) | null;
  /** The property of a slot that holds the frame. */
  key: symbol;
  /** Whether any mode but the grad modes has ever been set. */
  settings: boolean;
  /** Told of every guarded call, if set. */
  observer?: GradModeObserver | null;
}

/** A call of something guarded, as it begins. */
export interface ObservedCall {
  /** The name of the gate. */
  readonly gate: string;
  /** The guarded method, where there is one. */
  readonly member: string | null;
  /** Whether the gate's condition held for this call. */
  readonly held: boolean;
  /** Whether gradients are on inside. */
  readonly enabled: boolean;
  /** Whether the call runs under `inferenceMode`. */
  readonly inference: boolean;
  /** The values of modes made by `defineMode` that are set inside, by name. */
  readonly modes: Readonly<Record<string, unknown>>;
}

/**
 * Gets each call as it begins. The function that it returns is called when the call has ended; for a promise, when it
 * settles.
 */
export type GradModeObserver = (call: ObservedCall) => () => void;

const name = Symbol.for('gradgate.grad');

function sharedState(): State {
  const realm = globalThis as unknown as Record<symbol, State | undefined>;
  const found = realm[name];
  if (found === undefined) {
    realm[name] = {
      version: 2,
      root: new Frame('root', true, false, null, null),
      slot: null,
      key: name,
      settings: false,
    };
    return realm[name];
  }
  if (found.version !== 2)
    throw new Error(
      `two versions of @gradgate/core that cannot share one grad mode are loaded (state ${found.version} and 2); ` +
        'make the package manager install one version, e.g. with "overrides"',
    );
  return found;
}

const state = sharedState();

interface AsyncHooks {
  AsyncLocalStorage?: new () => {
    getStore(): Frame | undefined;
    enterWith(frame: Frame | undefined): void;
    readonly kResourceStore?: unknown;
  };
  executionAsyncResource?: () => Slot;
}

/** By the language's proposal, a value can be entered for a call and cannot be assigned. */
interface Variable {
  get(): Frame | undefined;
  run<R>(frame: Frame, fn: (...args: any[]) => R, ...args: unknown[]): R;
}

// Bundlers for browsers must not see an import here, and a runtime may have the function without the module.
type Builtins = { getBuiltinModule?(id: string): AsyncHooks | undefined };
const runtime = globalThis as { process?: Builtins; AsyncContext?: { Variable?: new () => Variable } };
const hooks = runtime.process?.getBuiltinModule?.('node:async_hooks');
const variable =
  hooks?.AsyncLocalStorage === undefined && runtime.AsyncContext?.Variable !== undefined
    ? new runtime.AsyncContext.Variable()
    : null;

/** Whether modes follow promises and timers here. If not, guarding promises throws. */
export const followsAsync = hooks?.AsyncLocalStorage !== undefined || variable !== null;

function startFollowing(): void {
  state.key = Symbol('gradgate.frame');
  if (hooks?.AsyncLocalStorage === undefined) {
    const only: Slot = {};
    if (variable !== null) Object.defineProperty(only, state.key, { get: () => variable.get() });
    state.slot = () => only;
    return;
  }
  const storage = new hooks.AsyncLocalStorage();
  const { kResourceStore: key } = storage;
  const { executionAsyncResource } = hooks;
  // Up to Node 23 a storage keeps its value in the current resource. Looking that up once is what `run` does;
  // getStore() and two enterWith() would do it three times. Used only after a test that it works so.
  if (typeof key === 'symbol' && executionAsyncResource !== undefined) {
    storage.enterWith(state.root);
    const found = executionAsyncResource()[key] === state.root;
    storage.enterWith(undefined);
    if (found) {
      state.key = key;
      state.slot = executionAsyncResource;
      return;
    }
  }
  const only = Object.defineProperty({}, state.key, {
    get: () => storage.getStore(),
    set: (frame: Frame | undefined) => storage.enterWith(frame),
  }) as Slot;
  state.slot = () => only;
}

/**
 * Calls `observer` for every guarded call from now on; null ends that. Returns the observer before. For tools, as it is
 * slow.
 *
 * ```ts
 * const seen: string[] = [];
 * const before = observeGradModes(({ gate }) => {
 *   seen.push(gate);
 *   return () => {};
 * });
 * noGrad.run(() => {});
 * observeGradModes(before);
 * seen; // ['noGrad']
 * ```
 */
export function observeGradModes(observer: GradModeObserver | null): GradModeObserver | null {
  checkCallback('observeGradModes', observer);
  const before = state.observer ?? null;
  state.observer = observer;
  return before;
}

/** Who is to be told of guarded calls. */
export const currentObserver = (): GradModeObserver | null | undefined => state.observer;

/** The frame that the flow carries, or null. */
export function flowFrame(): Frame | undefined {
  return frameOf(currentSlot());
}

/** The frame that scopes are opened on: that of the innermost gate of this flow. */
function currentHost(): Frame {
  return flowFrame() ?? state.root;
}

/** The frame in force. */
export function currentFrame(): Frame {
  return frameIn(flowFrame());
}

/** The frame in force where the flow carries `flow`. */
export function frameIn(flow: Frame | undefined): Frame {
  const host = flow ?? state.root;
  return host.scope ?? host;
}

/**
 * Whether operations are recorded now. Unrolled by hand, because every operator calls it.
 *
 * ```ts
 * noGrad.run(() => isGradEnabled()); // false
 * ```
 */
export function isGradEnabled(): boolean {
  const { slot, root } = state;
  const host = slot === null ? root : (slot()[state.key] ?? root);
  return (host.scope ?? host).enabled;
}

/**
 * Whether inference mode is on here, in which results can never take part in a graph.
 *
 * ```ts
 * inferenceMode.run(() => isInferenceMode()); // true
 * ```
 */
export function isInferenceMode(): boolean {
  return currentFrame().inference;
}

/** The values of other modes here, or null. As cheap as a field read while nobody sets one. */
export function currentSettings(): Settings | null {
  return state.settings ? currentFrame().settings : null;
}

/** Must be called before a frame gets settings. */
export function noteSettings(): void {
  state.settings = true;
}

/** The slot of the running code, or null while no frame has been pushed. */
export function currentSlot(): Slot | null {
  return state.slot === null ? null : state.slot();
}

/** Makes `frame` the one that the flow carries: for the steps of a flow, which put the old one back. */
export function setFlowFrame(frame: Frame | undefined): void {
  const slot = currentSlot();
  if (slot !== null) slot[state.key] = frame;
}

/** The frame in `slot`, which `leave` puts back. */
export function frameOf(slot: Slot | null): Frame | undefined {
  return slot === null ? undefined : slot[state.key];
}

/** Whether `enter` and `leave` work for frames here; if not, only `callIn` does. */
export const hasSlots = variable === null;

/**
 * Makes `frame` the flow's until `leave` puts back `before`, which must happen in the same turn and in a `finally`. No
 * other code runs in it, and what is started meanwhile (promises, timers) stays in it. Does what
 * `AsyncLocalStorage.run` does, without its closure and its stack frames.
 */
export function enter(frame: Frame, slot: Slot | null): Slot {
  if (slot === null) {
    startFollowing();
    slot = state.slot!();
  }
  slot[state.key] = frame;
  return slot;
}

export function leave(frame: Frame, slot: Slot, before: Frame | undefined): void {
  slot[state.key] = before;
  end(frame);
}

function end(frame: Frame): void {
  frame.ended = 'left';
  if (frame.scope !== null) endScopes(frame);
}

/** Calls `fn` in `frame`. */
export function callIn<R>(frame: Frame, fn: (...args: any[]) => R, self: unknown, args: readonly unknown[]): R {
  const slot = currentSlot();
  if (variable !== null) {
    if (slot === null) startFollowing();
    try {
      return variable.run(frame, () => Reflect.apply(fn, self, args));
    } finally {
      end(frame);
    }
  }
  const before = frameOf(slot);
  const entered = enter(frame, slot);
  try {
    return Reflect.apply(fn, self, args);
  } finally {
    leave(frame, entered, before);
  }
}

/** Calls `fn` where a condition left the caller's mode in force; modes that `fn` sets still end with it. */
export function callAsCaller<R>(fn: (...args: any[]) => R, self: unknown, args: readonly unknown[]): R {
  const before = flowFrame();
  const frame = frameIn(before);
  const { enabled, settings } = frame;
  const body = before?.step?.body;
  const base = body?.base;
  try {
    return Reflect.apply(fn, self, args);
  } finally {
    frame.enabled = enabled;
    frame.settings = settings;
    if (body !== undefined && base !== undefined) body.base = base;
    const slot = currentSlot();
    if (slot !== null && slot[state.key] !== before) slot[state.key] = before;
  }
}

/**
 * Calls the synchronous `fn` with recording on or off, for the engine itself. Cheaper than `callIn`, but what `fn`
 * starts does not stay in the mode.
 */
export function runInMode<R>(kind: string, enabled: boolean, fn: () => R): R {
  const host = currentHost();
  const before = host.scope;
  const around = before ?? host;
  host.scope = new Frame(kind, enabled, false, around.settings, around);
  try {
    return fn();
  } finally {
    host.scope = before;
  }
}

/** The frame on which a new scope is opened. */
export function hostForScope(): Frame {
  const host = currentHost();
  // In an async generator the scope may be open while other flows run, so flows that share the frame must not see it.
  return host.step?.isRunning && host.step.body.isAsync && host.scope === null && hasSlots ? put(copyOf(host)) : host;
}

/**
 * Changes the mode in force for the rest of its gate or scope. A scope belongs to its flow; the frame of a gate may be
 * shared with other flows, so this flow gets a copy.
 */
export function changeMode(enabled: boolean, settings: Settings | null): Frame {
  const host = currentHost();
  let frame = host.scope;
  if (frame === null) {
    frame = host;
    if (hasSlots) {
      frame = put(copyOf(host));
      host.ended = 'replaced';
    }
    if (host.step?.isRunning) host.step.body.base = frame;
  }
  frame.enabled = enabled;
  frame.settings = settings;
  return frame;
}

/** Frames that this turn has put in the place of others. */
const replaced: { slot: Slot; frame: Frame; before: Frame | undefined }[] = [];

/** Makes `frame` the one that this flow carries. */
function put(frame: Frame): Frame {
  const slot = currentSlot();
  const before = frameOf(slot);
  const entered = enter(frame, slot);
  // A slot that is a resource (a port, an interval) has the frame again at its next event, which is another flow.
  if (state.slot === hooks?.executionAsyncResource && replaced.push({ slot: entered, frame, before }) === 1)
    Promise.resolve().then(putBack);
  return frame;
}

function putBack(): void {
  for (const { slot, frame, before } of replaced.splice(0).reverse())
    if (slot[state.key] === frame) slot[state.key] = before;
}

/**
 * Sets whether operations are recorded, for the rest of the innermost gate or scope of this flow. Returns the old
 * value.
 *
 * ```ts
 * noGrad.run(() => setGradEnabled(true)); // false
 * ```
 */
export function setGradEnabled(enabled: boolean): boolean {
  if (typeof enabled !== 'boolean')
    throw new TypeError(`setGradEnabled: expected true or false, got ${enabled === null ? 'null' : typeof enabled}`);
  const frame = currentFrame();
  if (enabled && frame.inference)
    throw new GradModeError('setGradEnabled(true): inferenceMode is in force, and nothing can be recorded in it');
  const before = frame.enabled;
  const step = currentHost().step;
  // A body that runs in the mode of its consumer notes the mode even if it does not change now.
  if (enabled === before && !(step?.isRunning && step.body.base === null)) return before;
  const changed = changeMode(enabled, frame.settings);
  if (changed.kind === 'root') {
    changed.opener = callSite();
    checkAfterTurn(changed);
  }
  return before;
}

/** In development mode, reports if the default mode is off at the end of the macrotask. */
function checkAfterTurn(root: Frame): void {
  if (root.enabled || root.opener === null) return;
  const timer: unknown = setTimeout(() => {
    if (!root.enabled && root.ended !== 'replaced')
      report(
        `a macrotask ended with gradients off, which were switched off by setGradEnabled(false) at ${root.opener}`,
      );
  }, 0);
  (timer as { unref?(): void }).unref?.();
}
